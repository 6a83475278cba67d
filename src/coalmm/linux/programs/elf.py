"""The headers of an ELF image that a kernel reads: the file header and the program headers.

Sources: System V ABI (generic, chapter 4 and 5). Section headers are for linkers and debuggers; they are
not looked at. Anything that cannot be run is OSError ENOEXEC, with what is wrong, whatever the bytes.
"""

import struct
from errno import ENOEXEC

from coalmm.linux.abi import I386, X86_64, Abi
from coalmm.typed import Callable, NamedTuple

PT_LOAD, PT_INTERP, PT_GNU_STACK = 1, 3, 0x6474_E551
PF_X, PF_W, PF_R = 1, 2, 4
ET_EXEC, ET_DYN = 2, 3
MOST_HEADERS = 65536 // 32  # Linux: the table has at most 64 KiB
LONGEST_INTERPRETER = 4096
PAGE = 4096
MOST_OFFSET = (1 << 63) - 1

FILE_HEADERS = {1: "<16xHHIIIIIHHH", 2: "<16xHHIQQQIHHH"}  # to e_phnum
PROGRAM_HEADERS = {1: "<IIIIIIII", 2: "<IIQQQQQQ"}
ABIS = {1: I386, 2: X86_64}

ReadAt = Callable[[int, int], bytes]  # (offset, size) -> the bytes that are there


class Segment(NamedTuple):
    """One PT_LOAD: `file_size` bytes at `offset` of the file, seen at `vaddr`, zeros up to `size`."""

    vaddr: int
    offset: int
    file_size: int
    size: int
    flags: int  # PF_*
    align: int

    @property
    def end(self) -> int:
        """Behind its last byte."""
        return self.vaddr + self.size


class Image(NamedTuple):
    """What is needed to load an ELF image."""

    abi: Abi
    is_dynamic: bool  # ET_DYN: it can go anywhere
    entry: int
    segments: tuple[Segment, ...]
    interpreter: bytes  # path, b"" for none
    executable_stack: bool
    header_offset: int  # e_phoff
    header_size: int
    header_count: int

    @property
    def start(self) -> int:
        """The page of its lowest address."""
        return self.segments[0].vaddr & -PAGE

    @property
    def end(self) -> int:
        """Behind its highest address."""
        return max(segment.end for segment in self.segments)

    @property
    def headers_vaddr(self) -> int:
        """Where the program headers are in memory, not yet moved; 0 if no segment has them."""
        for segment in self.segments:
            if segment.offset <= self.header_offset < segment.offset + segment.file_size:
                return self.header_offset - segment.offset + segment.vaddr
        return 0


MACHINES = {2: "SPARC", 8: "MIPS", 20: "PowerPC", 21: "PowerPC", 22: "S390", 40: "ARM", 183: "AArch64", 243: "RISC-V"}


def refuse(why: str) -> OSError:
    """What is raised for an image that cannot be run."""
    return OSError(ENOEXEC, f"not an ELF image that can be run: {why}")


def without_header(head: bytes) -> str:
    """What is wrong with a file that begins like this."""
    if not head:
        return "the file is empty"
    if head[:4] == b"\x7fELF":
        return "the file is cut off"
    if any(byte < 32 and byte not in b"\t\n\r\f" for byte in head):
        return "no ELF header"
    return "a text file without a #! line; name its interpreter, as in: sh FILE"


def within(read_at: ReadAt) -> ReadAt:
    """Reads that find nothing past the last offset that a file can have."""
    return lambda offset, size: read_at(offset, size) if offset <= MOST_OFFSET - size else b""


def parse(read_at: ReadAt) -> Image:
    """The image in a file. OSError ENOEXEC."""
    read_at = within(read_at)
    head = read_at(0, 64)
    if head[:4] != b"\x7fELF" or len(head) < 52:
        raise refuse(without_header(head))
    width = head[4]
    if width not in ABIS or (width == 2 and len(head) < 64):
        raise refuse(f"class {width}")
    abi = ABIS[width]
    if head[5] != 1:
        raise refuse("not little-endian")
    layout = struct.Struct(FILE_HEADERS[width])
    kind, machine, _, entry, offset, _, _, _, entry_size, count = layout.unpack_from(head)
    if machine != abi.machine:
        raise refuse(f"it is for another CPU, {MACHINES.get(machine, f'machine {machine}')}")
    if kind not in (ET_EXEC, ET_DYN):
        raise refuse(f"type {kind}")
    header = struct.Struct(PROGRAM_HEADERS[width])
    if entry_size != header.size or not 0 < count <= MOST_HEADERS:
        raise refuse(f"{count} program headers of {entry_size} bytes")
    table = read_at(offset, count * header.size)
    if len(table) != count * header.size:
        raise refuse("program headers past the end of the file")
    headers = [ordered(fields, width) for fields in header.iter_unpack(table)]
    return Image(
        abi,
        kind == ET_DYN,
        entry,
        load_segments(headers, abi),
        interpreter_path(headers, read_at),
        stack_is_executable(headers),
        offset,
        entry_size,
        count,
    )


def ordered(fields: tuple[int, ...], width: int) -> tuple[int, ...]:
    """(type, flags, offset, vaddr, file size, size, align) of a program header of either class."""
    if width == 2:
        kind, flags, offset, vaddr, _, file_size, size, align = fields
    else:
        kind, offset, vaddr, _, file_size, size, flags, align = fields
    return kind, flags, offset, vaddr, file_size, size, align


def load_segments(headers: list[tuple[int, ...]], abi: Abi) -> tuple[Segment, ...]:
    """The PT_LOADs, checked: in order, within the address space, congruent with the file."""
    segments = []
    previous = -1
    for kind, flags, offset, vaddr, file_size, size, align in headers:
        if kind != PT_LOAD or size == 0:
            continue
        if file_size > size or size > abi.mask - vaddr or offset > (1 << 62) or file_size > (1 << 62) - offset:
            raise refuse(f"the segment at {vaddr:#x} is too large")
        if (vaddr - offset) % PAGE:
            raise refuse(f"the segment at {vaddr:#x} is not aligned as in the file")
        if vaddr < previous:
            raise refuse("segments are not in order")
        previous = vaddr
        segments.append(Segment(vaddr, offset, file_size, size, flags, align))
    if not segments:
        raise refuse("nothing to load")
    return tuple(segments)


def interpreter_path(headers: list[tuple[int, ...]], read_at: ReadAt) -> bytes:
    """The path in PT_INTERP, b"" for none."""
    for kind, _, offset, _, size, _, _ in headers:
        if kind == PT_INTERP:
            if not 2 <= size <= LONGEST_INTERPRETER:
                raise refuse(f"an interpreter's name of {size} bytes")
            path = read_at(offset, size)
            if len(path) != size or path[-1:] != b"\0":
                raise refuse("the interpreter's name does not end")
            return path.split(b"\0", 1)[0]
    return b""


def stack_is_executable(headers: list[tuple[int, ...]]) -> bool:
    """What PT_GNU_STACK says. Without one, 64-bit programs have no executable stack here; old 32-bit ones do."""
    for kind, flags, *_ in headers:
        if kind == PT_GNU_STACK:
            return flags & PF_X != 0
    return False
