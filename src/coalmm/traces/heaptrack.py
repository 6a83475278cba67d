"""heaptrack --raw: numbers in hexadecimal, first line `v 10400 3` (program and file version).

    + SIZE TRACE PTR    - PTR    t IP PARENT (trace 1, 2, ...)    c MILLISECONDS
    m LEN path base (vaddr memsz)*   a module; `m 1 -` forgets them all, `m 1 x` is the program
    x LEN path          the program

The file that heaptrack writes without --raw has no addresses, so its frees cannot be told apart:
it is refused. Source: heaptrack, src/track/libheaptrack.cpp.
"""

import re
from bisect import bisect_right

from coalmm.errors import TraceError
from coalmm.traces.chunk import Chunk
from coalmm.traces.lines import number, read_lines
from coalmm.traces.recorder import Recorder
from coalmm.traces.source import Source
from coalmm.typed import Iterator

EXAMPLE = re.compile(rb"v [0-9a-f]+ [0-9a-f]+\r?\n")
INTERPRETED = ("s ", "a ", "i ")
SITE_FRAMES = 3
MOST_TRACES = 1 << 24
LENGTHS_SINCE = 3  # the file version that puts LEN before a path


def recognises(head: bytes) -> bool:
    """Whether the first bytes of a file are heaptrack's."""
    return EXAMPLE.match(head) is not None


class Reader:
    """Lines of a raw heaptrack file -> calls of the recorder."""

    def __init__(self, recorder: Recorder, name: str) -> None:
        self.recorder = recorder
        self.name = name
        self.version = 0
        self.traces: list[tuple[int, int]] = [(0, 0)]
        self.sites: dict[int, int] = {}
        self.modules: list[tuple[int, int, int, str]] = []
        self.program = "program"

    def take(self, line: str) -> bool:
        """One line; False if it is of a kind that is not needed."""
        kind = line[:2]
        if kind == "- ":
            self.recorder.free(number(line[2:], 16))
        elif kind == "+ ":
            self.allocated(line.split())
        elif kind == "t ":
            self.trace(line.split())
        elif kind == "m ":
            self.module(line)
        elif kind == "c ":
            self.recorder.now = number(line[2:], 16) / 1000.0
        elif kind == "x ":
            self.program = line[2:].split(" ", 1)[-1].rsplit("/", 1)[-1]
        elif kind == "v ":
            self.version = number(line.split()[2], 16)
        elif kind in INTERPRETED:
            self.refuse_interpreted()
        else:
            return False
        return True

    def allocated(self, words: list[str]) -> None:
        """`+ SIZE TRACE PTR`; with one number only the file is not raw."""
        if len(words) == 2:
            self.refuse_interpreted()
        size, trace, address = (number(word, 16) for word in words[1:])
        self.recorder.allocate(address, size, 0, 0, self.site(trace))

    def refuse_interpreted(self) -> None:
        """Raise TraceError: this file has no addresses."""
        raise TraceError(
            f"{self.name}: an interpreted heaptrack file has no addresses and cannot be replayed; "
            "record with: heaptrack --raw PROGRAM"
        )

    def trace(self, words: list[str]) -> None:
        """`t IP PARENT`: one more node of the tree of call stacks."""
        if len(self.traces) >= MOST_TRACES:
            return
        self.traces.append((number(words[1], 16), number(words[2], 16)))

    def module(self, line: str) -> None:
        """`m LEN path base (vaddr memsz)*`: the ranges of addresses of one module."""
        if line in ("m 1 -", "m -"):
            self.modules.clear()
            self.sites.clear()
            return
        _, length, rest = line.split(" ", 2) if self.version >= LENGTHS_SINCE else ("m", "", line[2:])
        end = number(length, 16) if length else rest.index(" ")
        path = rest[:end]
        numbers = [number(word, 16) for word in rest[end:].split()]
        name = self.program if path == "x" else path.rsplit("/", 1)[-1]
        base = numbers[0]
        for vaddr, size in zip(numbers[1::2], numbers[2::2], strict=False):
            self.modules.append((base + vaddr, size, base, name))
        self.modules.sort()

    def site(self, trace: int) -> int:
        """The number of the call site of a trace: its innermost frames."""
        known = self.sites.get(trace)
        if known is None:
            known = self.recorder.site(" < ".join(self.frames(trace)))
            self.sites[trace] = known
        return known

    def frames(self, trace: int) -> Iterator[str]:
        """The innermost frames of a trace, as module+offset."""
        for _ in range(SITE_FRAMES):
            if not 0 < trace < len(self.traces):
                return
            address, trace = self.traces[trace]
            yield self.frame(address)

    def frame(self, address: int) -> str:
        """`module+0xoffset` of a return address, or the address."""
        index = bisect_right(self.modules, (address, 1 << 64, 0, "")) - 1
        if index >= 0:
            start, size, base, name = self.modules[index]
            if address - start < size:
                return f"{name}+{address - base:#x}"
        return f"{address:#x}"


def read(source: Source, recorder: Recorder) -> Iterator[Chunk]:
    """The chunks of a whole file. TraceError at a line that cannot be read."""
    return read_lines(source, recorder, Reader(recorder, source.name).take)
