"""What the readers of line formats share: numbers that are checked, and the loop over a file."""

from coalmm.errors import TraceError
from coalmm.traces.chunk import Chunk
from coalmm.traces.recorder import Recorder
from coalmm.traces.source import Source, shorten
from coalmm.typed import Callable, Iterator

LONGEST_EVENT = 1024  # characters; no event of a kernel or of valgrind is longer
ALL_ONES = 0xFFFF_FFFF_FFFF_FFFF


def number(text: str, base: int) -> int:
    """An unsigned 64-bit number. ValueError for anything else, signs and underscores included."""
    if not text.isascii() or not text.isalnum():
        raise ValueError(text)
    value = int(text, base)
    if value > ALL_ONES:
        raise ValueError(text)
    return value


def read_lines(source: Source, recorder: Recorder, take: Callable[[str], bool]) -> Iterator[Chunk]:
    """Give every line to `take`, which says whether it belongs to the format, and yield full chunks.

    A ValueError or IndexError of `take` becomes a TraceError with the line's number, except in a last
    line that was cut off, which the recorded program's end explains.
    """
    for line in source.lines():
        recorder.lines += 1
        try:
            known = take(line)
        except (ValueError, IndexError):
            if not source.cut:
                raise TraceError(f"{source.name}:{recorder.lines}: cannot be read: {shorten(line)}") from None
            known = False
        if not known:
            recorder.other_lines += 1
        if recorder.is_full():
            yield recorder.take()
    if recorder.count:
        yield recorder.take()
