"""CS:APP malloc lab `.rep`: four header numbers (heap size, ids, operations, weight), then
`a ID BYTES`, `r ID BYTES`, `f ID`, all decimal. Blank lines are skipped."""

import re

from coalmm.traces.chunk import Chunk
from coalmm.traces.lines import number, read_lines
from coalmm.traces.recorder import Recorder
from coalmm.traces.source import Source
from coalmm.typed import Iterator

HEADER_LINES = 4
EXAMPLE = re.compile(rb"\s*(?:\d+\s+){4}[arf] -?\d+")


def recognises(head: bytes) -> bool:
    """Whether the first bytes of a file look like a malloc lab trace."""
    return EXAMPLE.match(head) is not None


class Reader:
    """Lines of a `.rep` file -> calls of the recorder; block ID stands at address ID + 1."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.header = 0

    def take(self, line: str) -> bool:
        """One line; False if it is not of the format."""
        words = line.split()
        if self.header < HEADER_LINES:
            self.header += len([number(word, 10) for word in words])
            return True
        if not words:
            return True
        if words[0] == "f" and len(words) == 2:
            self.recorder.free(0 if words[1] == "-1" else self.address(words[1]))
        elif words[0] in ("a", "r") and len(words) == 3:
            address = self.address(words[1])
            size = number(words[2], 10)
            if words[0] == "a":
                self.recorder.allocate(address, size, 0, 0, 0)
            else:
                self.recorder.reallocate(address, address, size, 0)
        else:
            raise ValueError(line)
        return True

    def address(self, text: str) -> int:
        """What stands for the block's address, never 0."""
        return number(str(number(text, 10) + 1), 10)


def read(source: Source, recorder: Recorder) -> Iterator[Chunk]:
    """The chunks of a whole file. TraceError at a line that cannot be read."""
    return read_lines(source, recorder, Reader(recorder).take)
