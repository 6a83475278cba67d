"""Compression, detection and damage: whatever the bytes are, only TraceError, in one line."""

import bz2
import gzip
import io
import lzma
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from readers import SAMPLES, read, write

from coalmm.errors import TraceError

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "zstd": zstandard.compress,
    "bzip2": bz2.compress,
}
FILES = sorted(SAMPLES.iterdir())


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("sample", FILES, ids=lambda path: path.stem)
def test_compression_is_found_by_content(tmp_path: Path, sample: Path, compression: str) -> None:
    data = COMPRESSIONS[compression](sample.read_bytes())
    trace, events = read(write(tmp_path, data))
    assert trace.source.compression == compression
    assert events == read(sample)[1]
    assert trace.source.position == trace.source.size == len(data)


@pytest.mark.parametrize("compression", [name for name in COMPRESSIONS if name])
def test_several_streams_in_one_file_are_one_trace(tmp_path: Path, compression: str) -> None:
    compress = COMPRESSIONS[compression]
    text = (SAMPLES / "mtrace.log").read_bytes()
    _, events = read(write(tmp_path, compress(text[:200]) + compress(text[200:])))
    assert events == read(SAMPLES / "mtrace.log")[1]


@pytest.mark.parametrize("compression", [name for name in COMPRESSIONS if name])
def test_a_cut_off_compressed_file_is_an_error(tmp_path: Path, compression: str) -> None:
    text = b"= Start\n" + b"".join(b"@ [0x%x] + 0x%x 0x%x\n" % (n * n, 16 * n + 16, n) for n in range(20_000))
    data = COMPRESSIONS[compression](text)
    with pytest.raises(TraceError, match=f"the {compression} data is damaged or cut off"):
        read(write(tmp_path, data[: len(data) * 3 // 4]))


def test_damage_after_the_head_names_the_line(tmp_path: Path) -> None:
    text = b"= Start\n" + b"".join(b"@ [0x1] + 0x%x 0x8\n" % (16 * n + 16) for n in range(100_000))
    data = gzip.compress(text)
    with pytest.raises(TraceError, match=r"trace:\d+: the gzip data"):
        read(write(tmp_path, data[: len(data) - 100]))


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(SAMPLES / "mtrace.log", "rb") as file:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))
        trace, events = read("-")
    assert trace.source.name == "standard input"
    assert events == read(SAMPLES / "mtrace.log")[1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (b"hello\n", "not a trace of a known format"),
        (bytes(100_000), "not a trace of a known format"),
        (b"PERFILE2" + bytes(50), "perf script"),
        (b"\x17\x08\x44tracing" + bytes(50), "trace-cmd report"),
        (b"\x7fELF" + bytes(50), "a program"),
        (b"= Start\n= End\n", "no allocation in it"),
        (b"= Start\n" + b"x" * 3_000_000, "not a line of text"),
        (b"==1== x\n" + b"x" * 3_000_000, "not a line of text"),
    ],
)
def test_what_is_no_trace_is_said_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(TraceError) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="no such file"):
        read(tmp_path / "nothing")
    with pytest.raises(TraceError, match="directory"):
        read(tmp_path)


def outcome(path: Path) -> str:
    """ "read", or the message of the TraceError; nothing else may come out."""
    try:
        read(path)
    except TraceError as error:
        return str(error)
    return "read"


MAGICS = [b"", b"= Start\n@ [0x1] ", b"v 1 3\n", b"--1-- ", b"1 1 1 1\na 0 1\n"]
MAGICS += [b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0", b"BZh9", b"a [0] 1.0: kmem:kfree: "]
FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)


@FUZZ
@given(magic=st.sampled_from(MAGICS), tail=st.binary(max_size=200))
def test_random_bytes_only_raise_trace_errors(tmp_path: Path, magic: bytes, tail: bytes) -> None:
    assert "\n" not in outcome(write(tmp_path, magic + tail))


@FUZZ
@given(
    sample=st.sampled_from(FILES),
    compression=st.sampled_from(list(COMPRESSIONS)),
    cut=st.integers(0, 5000),
    changes=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=4),
    late=st.booleans(),
)
def test_damaged_samples_only_raise_trace_errors(
    tmp_path: Path, sample: Path, compression: str, cut: int, changes: list[tuple[int, int]], late: bool
) -> None:
    data = bytearray(sample.read_bytes()[: cut or None])
    if late:
        data = bytearray(COMPRESSIONS[compression](bytes(data)))
    for place, value in changes:
        if data:
            data[place % len(data)] = value
    content = bytes(data) if late else COMPRESSIONS[compression](bytes(data))
    assert "\n" not in outcome(write(tmp_path, content))
