"""Which format a file has, found by what is in it."""

from coalmm.errors import TraceError
from coalmm.traces import heaptrack, kmem, memray, mtrace, rep, valgrind
from coalmm.traces.chunk import Chunk
from coalmm.traces.recorder import Recorder
from coalmm.traces.source import Source
from coalmm.typed import Iterator, ModuleType

FORMATS: dict[str, ModuleType] = {
    "memray": memray,
    "heaptrack": heaptrack,
    "mtrace": mtrace,
    "valgrind": valgrind,
    "kmem": kmem,
    "rep": rep,
}
REFUSED = (
    (b"PERFILE2", "a perf.data file: give the text of `perf script -i FILE`"),
    (b"\x17\x08\x44tracing", "a trace.dat file: give the text of `trace-cmd report FILE`"),
    (b"PK\x03\x04", "a zip archive: unpack it first"),
    (b"SQLite format 3", "an SQLite database, not a trace"),
    (b"\x7fELF", "a program, not a trace of one"),
)
KNOWN = "glibc mtrace, valgrind --trace-malloc, heaptrack --raw, kmem events as text, .rep, memray"


def find_format(source: Source) -> str:
    """The name in FORMATS of the file's format. TraceError if it is none of them."""
    head = source.head
    if not head:
        raise TraceError(f"{source.name}: the file is empty")
    for magic, what in REFUSED:
        if head.startswith(magic):
            raise TraceError(f"{source.name}: {what}")
    for name, reader in FORMATS.items():
        if reader.recognises(head):
            return name
    raise TraceError(f"{source.name}: not a trace of a known format ({KNOWN})")


def read(name: str, source: Source, recorder: Recorder) -> Iterator[Chunk]:
    """The chunks of `source` in format `name`."""
    chunks: Iterator[Chunk] = FORMATS[name].read(source, recorder)
    return chunks
