"""memray's `.bin` files, through the memray package (`pip install coalmm[memray]`).

The format changes with every release and only the package of the same version reads it. Records have
no time. mmap and munmap are not allocations of a heap and are left out.
"""

from coalmm.errors import TraceError
from coalmm.traces.chunk import Chunk
from coalmm.traces.recorder import Recorder
from coalmm.traces.source import Source
from coalmm.typed import Any, Iterator

LZ4_FRAME = b"\x04\x22\x4d\x18"
MAGIC = b"memray\0"
FREES = ("FREE", "PYMALLOC_FREE")
MAPPINGS = ("MMAP", "MUNMAP")
ZEROED = ("CALLOC", "PYMALLOC_CALLOC")


def recognises(head: bytes) -> bool:
    """Whether the first bytes of a file are memray's, compressed by memray or not."""
    return head.startswith((LZ4_FRAME, MAGIC))


def read(source: Source, recorder: Recorder) -> Iterator[Chunk]:
    """The chunks of a whole file. TraceError without the package, or if the package refuses the file."""
    try:
        import memray
    except ImportError:
        need = "a memray file needs the memray package: pip install coalmm[memray]"
        raise TraceError(f"{source.name}: {need}") from None
    if source.compression or source.path == "-":
        raise TraceError(f"{source.name}: give memray's own .bin file, not a compressed one")
    try:
        with memray.FileReader(source.path) as reader:
            yield from records(reader, recorder)
    except (OSError, ValueError, RuntimeError, NotImplementedError) as error:
        line = " ".join(str(error).split())
        raise TraceError(f"{source.name}: memray cannot read it (record {recorder.lines}): {line}") from None


def records(reader: Any, recorder: Recorder) -> Iterator[Chunk]:
    """The chunks of an open memray file."""
    from memray import AllocatorType

    names = {int(member): member.name for member in AllocatorType}
    for record in reader.get_allocation_records():
        recorder.lines += 1
        kind = names.get(record.allocator, "")
        if kind in FREES:
            recorder.free(record.address)
        elif kind in MAPPINGS:
            recorder.other_lines += 1
        elif kind in ZEROED:
            recorder.allocate_zeroed(record.address, record.size, 0, site_of(record, recorder))
        else:
            recorder.allocate(record.address, record.size, 0, 0, site_of(record, recorder))
        if recorder.is_full():
            yield recorder.take()
    if recorder.count:
        yield recorder.take()


def site_of(record: Any, recorder: Recorder) -> int:
    """The number of the Python line that allocated."""
    for function, file, line in record.stack_trace(max_stacks=1):
        return recorder.site(f"{file}:{line} {function}")
    return 0
