"""The checker of the heap's frames: whose block each is in, from the descriptors alone."""

from coalmm.errors import CorruptionError
from coalmm.hardware.constants import FRAME_SHIFT
from coalmm.heap.buddy import Buddy
from coalmm.heap.constants import (
    BLOCK_FIXED,
    BUDDY_TOTAL,
    KMALLOC_LARGE,
    KMALLOC_LARGE_FRAMES,
    MAX_ORDER,
)
from coalmm.physical.constants import (
    D_COUNT,
    D_HEAD,
    D_KIND,
    D_MAPPINGS,
    D_REFERENCES,
    DESCRIPTOR_SIZE,
    FLAGS_SHIFT,
    KIND_BUDDY,
    KIND_BUDDY_FREE,
    KIND_HEAP,
    KIND_LARGE,
    KIND_MASK,
    KIND_SLAB,
    ORDER_SHIFT,
    SB_BUDDY,
    SB_KMALLOC,
)


class BlockCheck:
    """One pass over the frames of the heap: blocks, large memory and slabs cover it, and nothing twice."""

    def __init__(self, buddy: Buddy) -> None:
        self.frames = buddy.frames
        self.words = self.frames.words
        self.halves = self.frames.halves
        self.large = self.large_frames = self.total = 0

    def validate(self) -> None:
        """Check every frame of the heap and the counters of them; CorruptionError names the block."""
        pfn = 0
        for first, last in self.frames.backed(self.frames.descriptors, self.frames.pfn_limit, DESCRIPTOR_SIZE):
            pfn = max(pfn, first)
            while pfn < last:
                pfn += self.check_at(pfn)
        for what, have, want in (
            ("heap frames", self.words[SB_BUDDY + BUDDY_TOTAL], self.total),
            ("large blocks of kmalloc", self.words[SB_KMALLOC + KMALLOC_LARGE], self.large),
            ("frames of large blocks", self.words[SB_KMALLOC + KMALLOC_LARGE_FRAMES], self.large_frames),
        ):
            if have != want:
                raise CorruptionError(f"superblock: {what}: says {have}, counted {want}")

    def half(self, pfn: int, field: int) -> int:
        """A half of a frame's descriptor."""
        return int(self.halves[self.frames.first_half + (pfn << 4) + field])

    def check_at(self, pfn: int) -> int:
        """Check what starts at a frame; how many frames it has."""
        kind = self.half(pfn, D_KIND)
        match kind & KIND_MASK:
            case value if value in (KIND_BUDDY, KIND_BUDDY_FREE):
                order = kind >> ORDER_SHIFT & KIND_MASK
                if order > MAX_ORDER or pfn & ((1 << order) - 1):
                    self.broken(pfn, f"a block of order {order} cannot be here")
                return self.check_run(pfn, 1 << order, kind >> FLAGS_SHIFT)
            case value if value == KIND_LARGE:
                return self.check_large(pfn)
            case value if value == KIND_SLAB:
                self.check_single(pfn)
                self.total += 1
            case value if value == KIND_HEAP:
                self.broken(pfn, "it is in no block")
        return 1

    def check_large(self, pfn: int) -> int:
        """Check large memory; how many frames it has."""
        pages = self.half(pfn, D_COUNT)
        if self.half(pfn, D_HEAD) != pfn or pages == 0:
            self.broken(pfn, "large memory does not start here")
        self.large += 1
        self.large_frames += pages
        for each in range(pfn, pfn + pages):
            if each >= self.frames.pfn_limit or self.half(each, D_KIND) != KIND_LARGE:
                self.broken(pfn, f"large memory of {pages} frames is not whole")
            self.check_single(each)
        return pages

    def check_run(self, pfn: int, pages: int, region: int) -> int:
        """Check that the frames behind the first of a block are inside of it; returns `pages`."""
        self.check_single(pfn)
        if region & ~BLOCK_FIXED:
            self.broken(pfn, f"its region has the flags {region:#x}")
        inside = KIND_HEAP | region << FLAGS_SHIFT
        for each in range(pfn + 1, pfn + pages):
            if each >= self.frames.pfn_limit or self.half(each, D_KIND) != inside:
                self.broken(pfn, f"its {pages} frames are not whole")
            self.check_single(each)
        self.total += pages
        return pages

    def check_single(self, pfn: int) -> None:
        """Check that only the heap holds a frame."""
        if self.half(pfn, D_REFERENCES) != 1 or self.half(pfn, D_MAPPINGS):
            self.broken(pfn, "only the heap may hold it")

    def broken(self, pfn: int, what: str) -> None:
        """Raise CorruptionError about a frame of the heap."""
        paddr = pfn << FRAME_SHIFT
        raise CorruptionError(f"heap: {self.frames.describe(paddr)}: {what}", paddr)
