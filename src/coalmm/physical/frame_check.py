"""The checker of the frame allocator: bitmap, descriptors and counters against each other.

It reads only the RAM that the host has memory behind: the rest is zero, which means free.
"""

from array import array

import cython

from coalmm.errors import CorruptionError
from coalmm.physical.frames import KIND_NAMES, Frames
from coalmm.physical.superblock import check_superblock, usable_ranges

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES
    from coalmm.hardware.constants import FRAME_SHIFT
    from coalmm.physical.constants import (
        D_COUNT,
        DESCRIPTOR_WORDS,
        KIND_CACHE,
        KIND_FRAME,
        KINDS,
        REFERENCES_LIMIT,
        SB_CACHE_MAPPED,
        SB_FREE,
        SB_KERNEL_END,
        SB_KINDS,
        SB_MAP,
        SB_USER,
    )


class FrameCheck:
    """One check of all frames of a machine."""

    def __init__(self, frames: Frames) -> None:
        self.frames = frames
        self.bitmap = frames.bitmap
        self.words = frames.words
        self.halves = frames.halves

    def run(self) -> None:
        """Check bitmap, descriptors and counters against each other; CorruptionError says where.

        Reads only the RAM that the host has memory behind: the rest is zero, which means free.
        """
        check_superblock(self.frames.ram)
        tally = array("Q", bytes(8 * (KINDS + 2)))
        taken = self.count_taken()
        placed = self.placed_ranges()
        for first, end in placed:
            if first < end and self.bitmap.next_clear(first) < end:
                self.refuse(self.bitmap.next_clear(first), "is free in the bitmap")
        for first, last in self.frames.backed(self.frames.descriptors, self.frames.pfn_limit, 64):
            self.check_descriptors(first, last, tally)
        for name, have, want in (
            ("free frames", self.words[SB_FREE], self.frames.pfn_limit - taken),
            ("frames of all kinds", sum(tally[1:KINDS]), taken - sum(end - first for first, end in placed)),
            ("user frames", self.words[SB_USER], tally[KINDS]),
            ("mapped file frames", self.words[SB_CACHE_MAPPED], tally[KINDS + 1]),
            *((KIND_NAMES[kind], self.words[SB_KINDS + kind], tally[kind]) for kind in range(1, KINDS)),
            ("frames of kind 0", self.words[SB_KINDS], 0),
        ):
            if have != want:
                self.name_stray(placed)
                raise CorruptionError(f"superblock: {name}: says {have}, counted {want}")

    def placed_ranges(self) -> list[tuple[int, int]]:
        """Frames [first, end) whose bits are set and that have no descriptor: holes, what boot placed, frame 0."""
        before = 0
        ranges = [(self.words[SB_MAP] >> FRAME_SHIFT, self.words[SB_KERNEL_END] >> FRAME_SHIFT)]
        for start, end in usable_ranges(self.frames.ram):
            ranges.append((before, start >> FRAME_SHIFT))
            before = end >> FRAME_SHIFT
        return [*ranges, (before, int(self.frames.pfn_limit))]

    def name_stray(self, placed: list[tuple[int, int]]) -> None:
        """Raise about the first frame whose bit and descriptor contradict each other, if there is one."""
        for pfn in range(self.frames.pfn_limit):
            is_placed = any(first <= pfn < end for first, end in placed)
            if self.frames.kind(pfn) and is_placed:
                self.refuse(pfn, "was placed at boot or is a hole")
            if self.bitmap.test(pfn) and not self.frames.kind(pfn) and not is_placed:
                self.refuse(pfn, "is taken in the bitmap and nothing holds it")

    def count_taken(self) -> int:
        """Check the bitmap levels; returns how many frames are taken."""
        words = self.bitmap.level_size(0)
        clear = checked = 0
        for first, last in self.frames.backed(self.bitmap.bases[0] << 3, words, 8):
            clear += self.bitmap.validate(first, last)
            checked += last - first
        past_end = (words << 6) - self.frames.pfn_limit
        self.check_summaries()
        return int((checked << 6) - clear - past_end)

    def check_summaries(self) -> None:
        """Check that each level has as many bits set as the level below has full words, and its end is sealed."""
        bits, full = int(self.frames.pfn_limit), -1
        for level in range(self.bitmap.levels):
            base, size = self.bitmap.bases[level], (bits + 63) >> 6
            ones = full_here = 0
            for first, last in self.frames.backed(base << 3, size, 8):
                values = [int(self.words[base + index]) for index in range(first, last)]
                ones += sum(value.bit_count() for value in values)
                full_here += values.count(ALL_ONES)
            padding = -bits & 63
            sealed = self.words[base + size - 1] >> (64 - padding) == (1 << padding) - 1 if padding else True
            if not sealed or (full >= 0 and ones - padding != full):
                raise CorruptionError(f"frame bitmap: level {level} at {base << 3:#x} does not sum up the one below")
            bits, full = size, full_here

    def check_descriptors(self, first: int, last: int, tally: "array[int]") -> None:
        """Check the descriptors of frames [first, last) and add them to the tally by kind."""
        for pfn in range(first, last):
            at = self.frames.first_word + (pfn << 3)
            if self.words[at] == 0 and self.words[at + 1] == 0:
                self.check_empty(pfn)
                continue
            references, mappings, kind = self.frames.references(pfn), self.frames.mappings(pfn), self.frames.kind(pfn)
            if not self.bitmap.test(pfn):
                self.refuse(pfn, "is free in the bitmap")
            if kind == 0 or kind >= KINDS:
                self.refuse(pfn, "has no such kind")
            own = self.halves[at + at + D_COUNT] if kind == KIND_FRAME else 0
            if references == 0 or references > REFERENCES_LIMIT or mappings + own > references:
                self.refuse(pfn, f"counts {own} of the caller's own")
            tally[kind] += 1
            tally[KINDS] += mappings != 0
            tally[KINDS + 1] += mappings != 0 and kind == KIND_CACHE

    def check_empty(self, pfn: int) -> None:
        """Check a descriptor whose first words are zero: the rest is zero, and the frame free or placed."""
        at = self.frames.first_word + (pfn << 3)
        for index in range(2, DESCRIPTOR_WORDS):
            if self.words[at + index]:
                self.refuse(pfn, "has stray bits in its descriptor")

    def refuse(self, pfn: int, what: str) -> None:
        """Raise CorruptionError about a descriptor."""
        paddr, where = pfn << FRAME_SHIFT, self.frames.descriptors + (pfn << 6)
        raise CorruptionError(
            f"frame descriptor at {where:#x}: {self.frames.describe(paddr)}, but it {what}", paddr
        )
