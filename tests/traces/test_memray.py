"""memray files, recorded here; without the package the message names the extra."""

import sys
from pathlib import Path

import pytest
from readers import read, write

from coalmm.errors import TraceError
from coalmm.traces.constants import ALLOCATE


def test_a_recording_made_now(tmp_path: Path) -> None:
    memray = pytest.importorskip("memray")
    path = tmp_path / "memray.bin"
    with memray.Tracker(path):
        blocks = [bytearray(100_003) for _ in range(50)]
        del blocks
    trace, events = read(path)
    assert trace.format == "memray"
    ours = [event for event in events if event.op == ALLOCATE and event.size == 100_004]
    assert len(ours) == 50
    assert Path(__file__).name in trace.sites[ours[0].site]
    assert trace.recorder.slots_live < 100


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("memray")
    with pytest.raises(TraceError, match=r"^[^\n]*memray cannot read it[^\n]*$"):
        read(write(tmp_path, b"memray\0" + bytes(100)))


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "memray", None)
    with pytest.raises(TraceError, match=r"pip install coalmm\[memray\]$"):
        read(write(tmp_path, b"memray\0" + bytes(100)))
