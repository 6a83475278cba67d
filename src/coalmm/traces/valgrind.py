"""valgrind --trace-malloc=yes: `--PID-- malloc(10) = 0x4A42040` between other lines; C++ names mangled.

Valgrind prints a call that ends in another as `realloc(0x4A,0)free(0x4A)`: the last one counts.
The program's own output may stand on the same line before the dashes.
"""

import re

from coalmm.traces.chunk import Chunk
from coalmm.traces.lines import LONGEST_EVENT, number, read_lines
from coalmm.traces.recorder import Recorder
from coalmm.traces.source import Source
from coalmm.typed import Iterator

EXAMPLE = re.compile(rb"^(?:==\d+== |--\d+-- \w+\()", re.MULTILINE)
LINE = re.compile(r"--\d+-- (.*)")
CALL = re.compile(r"(\w+)\(([^()]*)\)(?: = 0x([0-9A-Fa-f]+))?$")
ALLOCATES = re.compile(r"malloc|valloc|pvalloc|_Zn[wa]\w*|__builtin_(?:vec_)?new\w*")
FREES = re.compile(r"c?free|free_(?:aligned_)?sized|_Zd[la]\w*|__builtin_(?:vec_)?delete\w*")
ALIGNED = re.compile(r"memalign|aligned_alloc|posix_memalign")


def recognises(head: bytes) -> bool:
    """Whether the first bytes of a file look like valgrind's messages."""
    return EXAMPLE.search(head) is not None


def named(arguments: str) -> dict[str, int]:
    """The numbers of `al 64, size 128`, by name."""
    pairs = (part.split() for part in arguments.split(","))
    return {pair[0]: number(pair[1], 10) for pair in pairs}


def address_of(text: str) -> int:
    """`0x4A42040`, the first of several arguments."""
    first = text.split(",")[0].strip()
    if not first.startswith("0x"):
        raise ValueError(text)
    return number(first[2:], 16)


class Reader:
    """Lines of valgrind -> calls of the recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def take(self, line: str) -> bool:
        """One line; False if it is not a call of the allocator."""
        message = LINE.search(line) if len(line) <= LONGEST_EVENT else None
        call = CALL.search(message[1]) if message else None
        if call is None:
            return False
        name, arguments, result = call.groups()
        if FREES.fullmatch(name):
            self.recorder.free(address_of(arguments))
            return True
        return result is not None and self.allocated(name, arguments, number(result, 16))

    def allocated(self, name: str, arguments: str, result: int) -> bool:
        """A call that returned `result`; False for other functions."""
        if name == "calloc":
            count, size = (number(part.strip(), 10) for part in arguments.split(","))
            self.recorder.allocate_zeroed(result, min(count * size, 0xFFFF_FFFF_FFFF_FFFF), 0, 0)
        elif name == "realloc":
            size = number(arguments.split(",")[1].strip(), 10)
            self.recorder.reallocate(address_of(arguments), result, size, 0)
        elif ALIGNED.fullmatch(name) or (ALLOCATES.fullmatch(name) and "size" in arguments):
            values = named(arguments)
            self.recorder.allocate(result, values.get("size", 0), values.get("al", 0), 0, 0)
        elif ALLOCATES.fullmatch(name):
            self.recorder.allocate(result, number(arguments.split(",")[0].strip(), 10), 0, 0, 0)
        else:
            return False
        return True


def read(source: Source, recorder: Recorder) -> Iterator[Chunk]:
    """The chunks of a whole file. TraceError at a line that cannot be read."""
    return read_lines(source, recorder, Reader(recorder).take)
