"""The segments of an image as areas of an address space: nothing is read until it is touched."""

from errno import ENOEXEC, ENOMEM

from coalmm.linux.programs.elf import PAGE, PF_R, PF_W, PF_X, Image, Segment
from coalmm.process.process import Process
from coalmm.typed import Any
from coalmm.virtual.constants import (
    AREA_DATA,
    AREA_TEXT,
    MAP_ANONYMOUS,
    MAP_FIXED_NOREPLACE,
    MAP_PRIVATE,
    RIGHT_EXECUTE,
    RIGHT_READ,
    RIGHT_WRITE,
)

PROGRAM_BASE = {8: 0x5555_5555_4000, 4: 0x5655_5000}  # where Linux puts position-independent programs, by word size
RIGHTS = ((PF_R, RIGHT_READ), (PF_W, RIGHT_WRITE), (PF_X, RIGHT_EXECUTE))


def rights_of(segment: Segment) -> int:
    """PROT_* of a segment."""
    return sum(right for flag, right in RIGHTS if segment.flags & flag)


def up(address: int) -> int:
    """The next page boundary."""
    return (address + PAGE - 1) & -PAGE


def base_of(image: Image, wanted: int) -> int:
    """What is added to an image's addresses: 0 for fixed ones; else so that it starts at `wanted`, aligned."""
    if not image.is_dynamic:
        return 0
    align = max([segment.align for segment in image.segments if segment.align & (segment.align - 1) == 0] + [PAGE])
    align = min(align, 1 << 30)
    return (wanted & -align) - image.start


def load(process: Process, image: Image, number: int, base: int) -> None:
    """Map every segment at its address plus `base`. `number` is the file's record. OSError if one does not fit."""
    for segment in image.segments:
        map_segment(process, segment, number, base)


def map_segment(process: Process, segment: Segment, number: int, base: int) -> None:
    """One segment: its part of the file, then zeros."""
    start = (segment.vaddr + base) & -PAGE
    in_page = (segment.vaddr + base) - start
    file_end = segment.vaddr + base + segment.file_size
    kind = AREA_TEXT if segment.flags & PF_X and not segment.flags & PF_W else AREA_DATA
    rights = rights_of(segment)
    mapped = start
    if segment.file_size:
        mapped = up(file_end)
        place(process, start, mapped - start, rights, MAP_PRIVATE, number, segment.offset - in_page, kind)
        if segment.size > segment.file_size and segment.flags & PF_W and mapped > file_end:
            process.write(file_end, bytes(mapped - file_end))
    end = up(segment.end + base)
    if end > mapped:
        place(process, mapped, end - mapped, rights, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0, kind)


def place(
    process: Process, vaddr: int, length: int, rights: int, flags: int, number: int, offset: int, kind: int
) -> None:
    """Add an area at a fixed address. OSError ENOMEM, or ENOEXEC for an address that cannot be."""
    result = process.map(vaddr, length, rights, flags | MAP_FIXED_NOREPLACE, number, offset, kind)
    if result < 0:
        code = ENOMEM if result == -ENOMEM else ENOEXEC
        raise OSError(code, f"the segment at {vaddr:#x} cannot be mapped (error {-result})")


def reserve(process: Process, length: int) -> int:
    """A free range of `length` bytes for an image that can go anywhere. OSError ENOMEM."""
    found: Any = process.processes.mappings.find_place(process.space, 0, up(length))
    if found < 0:
        raise OSError(ENOMEM, f"no room for {length} bytes")
    return int(found)
