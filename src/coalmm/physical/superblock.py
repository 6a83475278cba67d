"""Formatting RAM: the superblock in frame 0, and the structures of the physical layer behind it.

    0        superblock (one frame)
    ...      memory map, bitmap levels, one descriptor a frame: in the first usable range that has room

Everything else that the manager keeps is allocated from the frames that are left.
"""

from coalmm.errors import CorruptionError
from coalmm.hardware.constants import FRAME_SHIFT, FRAME_SIZE
from coalmm.hardware.ram import Ram
from coalmm.physical.bitmap import MOST_LEVELS, Bitmap, level_words
from coalmm.physical.constants import (
    DESCRIPTOR_SIZE,
    SB_BITMAP,
    SB_DESCRIPTORS,
    SB_FRAMES,
    SB_FREE,
    SB_KERNEL_END,
    SB_LEVELS,
    SB_LOWMEM,
    SB_MAGIC,
    SB_MAP,
    SB_MAP_COUNT,
    SB_RAM_SIZE,
    SB_TOTAL,
    SB_VERSION,
    SUPERBLOCK_MAGIC,
    SUPERBLOCK_VERSION,
)
from coalmm.typed import Sequence

Ranges = Sequence[tuple[int, int]]


def whole_frames(usable: Ranges, top: int) -> list[tuple[int, int]]:
    """The usable ranges (start, end in bytes), trimmed to whole frames, without frame 0 and past `top`."""
    ranges = []
    for start, end in usable:
        first = max((start + FRAME_SIZE - 1) >> FRAME_SHIFT, 1)
        last = min(end, top) >> FRAME_SHIFT
        if first < last:
            ranges.append((first, last))
    return ranges


def format_ram(ram: Ram, usable: Ranges, size: int) -> None:
    """Write the superblock, the map, the bitmap and an (all zero) descriptor array to zeroed RAM.

    `usable` are ranges of RAM in bytes, in order and disjoint; `size` is the address range in bytes.
    Raises ValueError if no usable range has room for the structures.
    """
    frames = (size + FRAME_SIZE - 1) >> FRAME_SHIFT
    ranges = whole_frames(usable, size)
    levels = level_words(frames)
    map_bytes = 16 * len(ranges)
    needed = map_bytes + 8 * sum(levels)
    place = find_place(ranges, (needed + DESCRIPTOR_SIZE - 1 & -DESCRIPTOR_SIZE) + frames * DESCRIPTOR_SIZE)
    words = ram.words
    for index, (first, last) in enumerate(ranges):
        words[(place >> 3) + 2 * index] = first << FRAME_SHIFT
        words[(place >> 3) + 2 * index + 1] = last << FRAME_SHIFT
    level_at = place + map_bytes
    for level, count in enumerate(levels):
        words[SB_BITMAP + level] = level_at
        level_at += 8 * count
    descriptors = level_at + DESCRIPTOR_SIZE - 1 & -DESCRIPTOR_SIZE
    end = descriptors + frames * DESCRIPTOR_SIZE + FRAME_SIZE - 1 & -FRAME_SIZE
    for word, value in (
        (SB_MAGIC, SUPERBLOCK_MAGIC),
        (SB_VERSION, SUPERBLOCK_VERSION),
        (SB_RAM_SIZE, size),
        (SB_FRAMES, frames),
        (SB_LEVELS, len(levels)),
        (SB_MAP, place),
        (SB_MAP_COUNT, len(ranges)),
        (SB_DESCRIPTORS, descriptors),
        (SB_KERNEL_END, end),
    ):
        words[word] = value
    take_all_but(ranges, frame_bitmap(ram), place >> FRAME_SHIFT, end >> FRAME_SHIFT)
    total = sum(last - first for first, last in ranges)
    words[SB_TOTAL] = total
    words[SB_FREE] = total - ((end - place) >> FRAME_SHIFT)


def find_place(ranges: Ranges, size: int) -> int:
    """The address of the first range of whole frames that holds `size` bytes and a frame beside."""
    for first, last in ranges:
        if size < (last - first) << FRAME_SHIFT:
            return first << FRAME_SHIFT
    raise ValueError(f"no usable range of the memory map has room for {size} bytes of frame descriptors")


def take_all_but(ranges: Ranges, bitmap: Bitmap, kernel_first: int, kernel_last: int) -> None:
    """Mark as taken every frame that is not in a usable range, and the kernel's own."""
    bitmap.seal()
    before = 0
    for first, last in ranges:
        bitmap.set_range(before, first - before)
        before = last
    bitmap.set_range(before, bitmap.bits - before)
    bitmap.set_range(kernel_first, kernel_last - kernel_first)


def frame_bitmap(ram: Ram) -> Bitmap:
    """The bitmap that the superblock describes."""
    words = ram.words
    levels = min(words[SB_LEVELS], MOST_LEVELS)
    return Bitmap(words, words[SB_FRAMES], [words[SB_BITMAP + level] >> 3 for level in range(levels)])


def usable_ranges(ram: Ram) -> list[tuple[int, int]]:
    """The memory map: usable ranges (start, end), in bytes."""
    at = ram.words[SB_MAP] >> 3
    return [(ram.words[at + 2 * i], ram.words[at + 2 * i + 1]) for i in range(ram.words[SB_MAP_COUNT])]


def check_superblock(ram: Ram) -> None:
    """Raise CorruptionError unless the superblock describes structures that lie in this RAM.

    Boot packs them without gaps, so each address follows from the one before. What the structures
    hold, `Frames.validate` checks.
    """
    words = ram.words
    frames = words[SB_FRAMES]
    levels = level_words(frames) if 0 < frames <= ram.size >> FRAME_SHIFT else []
    expected = (
        ("magic number", words[SB_MAGIC] == SUPERBLOCK_MAGIC),
        (f"version (it is {words[SB_VERSION]})", words[SB_VERSION] == SUPERBLOCK_VERSION),
        ("RAM size", ram.size - FRAME_SIZE < words[SB_RAM_SIZE] <= ram.size),
        ("number of frames", frames == ram.size >> FRAME_SHIFT),
        ("bitmap levels", words[SB_LEVELS] == len(levels)),
        ("frames mapped by the kernel", words[SB_LOWMEM] <= frames),
        ("memory map", is_inside(ram, words[SB_MAP], 16 * words[SB_MAP_COUNT]) and words[SB_MAP_COUNT] <= frames),
        *expected_places(words, levels, frames),
        ("end of the structures", is_inside(ram, words[SB_KERNEL_END], 0)),
    )
    for what, holds in expected:
        if not holds:
            raise CorruptionError(f"superblock: {what} is wrong")
    check_map(ram)


def expected_places(words: memoryview, levels: list[int], frames: int) -> list[tuple[str, bool]]:
    """What boot places behind the memory map, and whether the superblock says that it is there."""
    at = words[SB_MAP] + 16 * words[SB_MAP_COUNT]
    places = []
    for level, count in enumerate(levels):
        places.append((f"bitmap level {level}", words[SB_BITMAP + level] == at))
        at += 8 * count
    at = at + DESCRIPTOR_SIZE - 1 & -DESCRIPTOR_SIZE
    places.append(("frame descriptors", words[SB_DESCRIPTORS] == at))
    at = at + frames * DESCRIPTOR_SIZE + FRAME_SIZE - 1 & -FRAME_SIZE
    places.append(("end of the structures", words[SB_KERNEL_END] == at))
    return places


def check_map(ram: Ram) -> None:
    """Raise CorruptionError unless the memory map is in order, adds up, and covers the structures."""
    words = ram.words
    place, kernel_end = words[SB_MAP], words[SB_KERNEL_END]
    before = FRAME_SIZE  # frame 0 is in no range
    total, covered = 0, False
    for start, end in usable_ranges(ram):
        if not before <= start < end <= ram.size or (start | end) & (FRAME_SIZE - 1):
            raise CorruptionError(f"memory map: the range {start:#x}-{end:#x} is wrong", place)
        before = end
        total += (end - start) >> FRAME_SHIFT
        covered = covered or start <= place < kernel_end <= end
    if not covered or place & (FRAME_SIZE - 1):
        raise CorruptionError("superblock: the structures are not in usable memory", place)
    if total != words[SB_TOTAL]:
        raise CorruptionError(f"superblock: usable frames: says {words[SB_TOTAL]}, the memory map has {total}", place)


def is_inside(ram: Ram, paddr: int, size: int) -> bool:
    """Whether an aligned range of `size` bytes lies in RAM."""
    return paddr % 8 == 0 and paddr <= ram.size and size <= ram.size - paddr
