"""glibc mtrace: `@ CALLER OP PTR [SIZE]`, one line an event, numbers in hexadecimal.

    + PTR SIZE   malloc, calloc, memalign (not told apart)      - PTR   free
    < PTR        realloc: the old block ...                      > PTR SIZE   ... the new one, next line
    ! PTR SIZE   a realloc that failed

CALLER is `[0xaddr]`, `binary:[0xoffset]` or `binary:(function+0xoffset)[0xaddr]`; a line without one
has no `@`. Source: glibc, malloc/mtrace-impl.c. Compiled, a line takes about 0.1 us.
"""

import re

import cython

from coalmm.errors import TraceError
from coalmm.traces.chunk import Chunk
from coalmm.traces.recorder import Recorder
from coalmm.traces.source import LONGEST_LINE, Source, shorten, too_long
from coalmm.typed import Iterator

if not cython.compiled:
    from coalmm.traces.constants import ALL_ONES
    from coalmm.traces.scan import find_byte, find_last_byte, hex_value, is_hex, same_bytes

BLOCK = 1 << 18  # bytes of text parsed at a time
EXAMPLE = re.compile(rb"^(?:= Start\r?$|@ [^\n]*\] [+\-<>!] (?:0x|\(nil\)))", re.MULTILINE)


def recognises(head: bytes) -> bool:
    """Whether the first bytes of a file look like an mtrace log."""
    return EXAMPLE.search(head) is not None


def read(source: Source, recorder: Recorder) -> Iterator[Chunk]:
    """The chunks of a whole file. TraceError at a line that cannot be read."""
    parser = Parser(recorder, source.name)
    rest = b""
    while True:
        source.line = recorder.lines
        block = source.read(BLOCK)
        data = rest + block if block or not rest else rest + b"\n"
        start = parser.parse(data, 0)
        while recorder.is_full():
            yield recorder.take()
            start = parser.parse(data, start)
        rest = data[start:]
        if not block:
            break
        if len(rest) > LONGEST_LINE:
            raise too_long(source.name, recorder.lines + 1)
    if recorder.count:
        yield recorder.take()


class Parser:
    """Lines of bytes -> calls of the recorder."""

    def __init__(self, recorder: Recorder, name: str) -> None:
        self.recorder = recorder
        self.name = name
        self.moving = 0  # the old address, between `<` and `>`
        self.last_site = b""
        self.last_site_number = 0

    def parse(self, data: bytes, start: int) -> int:
        """Take whole lines of `data` from `start` until they end or the chunk is full; where it stopped."""
        size = len(data)
        end = find_byte(data, start, size, 10)
        while end >= 0 and not self.recorder.is_full():
            self.recorder.lines += 1
            self.line(data, start, end)
            start = end + 1
            end = find_byte(data, start, size, 10)
        return start

    def line(self, data: bytes, start: int, end: int) -> None:
        """One line, without its newline."""
        if end > start and data[end - 1] == 13:
            end -= 1
        at = start
        if end > start and data[start] == 64:  # "@ CALLER ", whose last character is "]"
            bracket = find_last_byte(data, start, end, 93)
            at = bracket + 2 if bracket >= 0 and end - bracket > 4 and data[bracket + 1] == 32 else end
        if end - at >= 3 and data[at + 1] == 32 and data[at] != 61:
            self.event(data, start, at, end)
        elif end == start or data[start] != 61:  # "= Start", "= End"
            self.refuse(data, start, end)

    def event(self, data: bytes, start: int, at: int, end: int) -> None:
        """`OP PTR [SIZE]` from `at`; the caller's text lies before it."""
        operation = data[at]
        space = find_byte(data, at + 2, end, 32)
        has_size = operation == 43 or operation == 62 or operation == 33  # + > !
        good = (has_size and space >= 0) or ((operation == 45 or operation == 60) and space < 0)  # - <
        address = hex_value(data, at + 2, space if space >= 0 else end)
        size = hex_value(data, space + 1, end) if has_size else 0
        if size == ALL_ONES and not is_hex(data, space + 1, end):  # programs do call malloc(-1)
            good = False
        if good and address != ALL_ONES:
            self.record(operation, address, size, self.site(data, start, at) if has_size else 0)
        else:
            self.refuse(data, start, end)

    def record(self, operation: int, address: int, size: int, site: int) -> None:
        """Tell the recorder."""
        if self.moving != 0 and operation != 62:
            self.recorder.free(self.moving)  # `<` without its `>`: the old block is gone
            self.moving = 0
        if operation == 43:
            self.recorder.allocate(address, size, 0, 0, site)
        elif operation == 45:
            self.recorder.free(address)
        elif operation == 60:
            self.moving = address
        elif operation == 62:
            self.recorder.reallocate(self.moving, address, size, site)
            self.moving = 0
        else:
            self.recorder.failed += 1

    def site(self, data: bytes, start: int, at: int) -> int:
        """The number of the caller between `start` and `at`, mostly the same as in the line before."""
        if at == start:
            return 0
        if not same_bytes(data, start + 2, at - 1, self.last_site):
            self.last_site = data[start + 2 : at - 1]
            self.last_site_number = self.recorder.raw_site(self.last_site)
        return self.last_site_number

    def refuse(self, data: bytes, start: int, end: int) -> None:
        """TraceError about a line that begins like an event and is none; any other is only counted."""
        if end > start and data[start] == 64:
            text = shorten(data[start:end])
            raise TraceError(f"{self.name}:{self.recorder.lines}: not a line of mtrace: {text}")
        self.recorder.other_lines += 1
