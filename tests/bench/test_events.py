"""The file of events that all replayers read: what is in it, and what becomes of odd traces."""

import struct
from pathlib import Path

import pytest

from bench import event_file, events


def packed(folder: Path, *lines: str) -> tuple[event_file.Header, list[tuple[int, int, int]]]:
    """The header and the events (operation, slot, size) that an mtrace log becomes."""
    log, path = folder / "t.mtrace", folder / "t.events"
    log.write_text("\n".join(["= Start", *lines, "= End", ""]))
    events.prepare(str(log), path)
    words = [word for (word,) in struct.iter_unpack("<I", path.read_bytes()[event_file.HEADER.size :])]
    pairs = zip(words[::2], words[1::2], strict=True)
    return event_file.read_header(path), [(word >> 30, word & 0x3FFFFFFF, size) for word, size in pairs]


def test_a_freed_slot_is_used_again(tmp_path: Path) -> None:
    header, found = packed(tmp_path, "@ [0x1] + 0x10 0x8", "@ [0x1] + 0x20 0x9", "@ [0x1] - 0x10", "@ [0x1] + 0x30 0xa")
    assert found == [(0, 0, 8), (0, 1, 9), (2, 0, 0), (0, 0, 10)]
    assert header == event_file.Header(events=4, slots=2, peak_bytes=19, peak_blocks=2, skipped=0)


def test_peak_counts_live_bytes_through_a_resize(tmp_path: Path) -> None:
    lines = ("@ [0x1] + 0x10 0x8", "@ [0x1] < 0x10", "@ [0x1] > 0x20 0x64", "@ [0x1] - 0x20", "@ [0x1] + 0x30 0x1")
    header, found = packed(tmp_path, *lines)
    assert found == [(0, 0, 8), (1, 0, 100), (2, 0, 0), (0, 0, 1)]
    assert (header.peak_bytes, header.peak_blocks) == (100, 1)


def test_unknown_frees_are_left_out_and_counted(tmp_path: Path) -> None:
    header, found = packed(tmp_path, "@ [0x1] - 0x10", "@ [0x1] < 0x20", "@ [0x1] > 0x30 0x5")
    assert found == [(0, 0, 5)]
    assert header.skipped == 2


def test_a_request_for_nothing_becomes_one_byte(tmp_path: Path) -> None:
    assert packed(tmp_path, "@ [0x1] + 0x10 0x0")[1] == [(0, 0, 1)]


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.events"
    path.write_bytes(b"something else" * 10)
    with pytest.raises(ValueError, match="not a file of events"):
        event_file.read_header(path)
