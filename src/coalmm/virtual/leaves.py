"""What page-table leaves hold: which frames may be mapped, and the references of those that are.

A leaf in the user half holds a mapping (`Frames.map_user`) of each 4 KiB frame that it covers, one in
the kernel half a plain reference (`Frames.hold`). The direct map holds none. Neither does what is not
RAM (devices, holes of the memory map), which has no descriptor to count in.
"""

import cython

from coalmm.physical.frames import Frames

if not cython.compiled:
    from coalmm.hardware.constants import FRAME_SHIFT
    from coalmm.physical.constants import KIND_ANONYMOUS, KIND_CACHE, KIND_FRAME, KIND_FREE, SB_KERNEL_END, SB_MAP


class Leaves:
    """The references that the page tables of one machine hold."""

    def __init__(self, frames: Frames) -> None:
        self.frames = frames
        self.words = frames.words

    def mappable(self, pfn: int) -> bool:
        """Whether a frame of the address range may be mapped.

        Frames that were handed out for data may, and ranges that the memory map reserves; free
        frames, page tables, the heap and the kernel's own structures may not.
        """
        kind = self.frames.kind(pfn)
        if kind != KIND_FREE:
            return kind in (KIND_FRAME, KIND_ANONYMOUS, KIND_CACHE)
        if pfn == 0 or not self.frames.is_allocated(pfn):
            return False
        return pfn < self.words[SB_MAP] >> FRAME_SHIFT or pfn >= self.words[SB_KERNEL_END] >> FRAME_SHIFT

    def all_mappable(self, pfn: int, count: int) -> bool:
        """Whether all of `count` frames may be mapped."""
        for n in range(count):  # noqa: SIM110 (plain C)
            if not self.mappable(pfn + n):
                return False
        return True

    def take(self, pfn: int, count: int, user: bool) -> bool:
        """Take the references of a leaf over `count` frames; False, and none is taken, if a counter is full."""
        for n in range(count):
            if not self.take_one(pfn + n, user):
                self.drop(pfn, n, user)
                return False
        return True

    def take_one(self, pfn: int, user: bool) -> bool:
        """The reference of one frame."""
        if self.frames.kind(pfn) == KIND_FREE:
            return True
        return self.frames.map_user(pfn) if user else self.frames.hold(pfn)

    def drop(self, pfn: int, count: int, user: bool) -> None:
        """Give back the references of a leaf; frames that nobody else holds are free then."""
        for n in range(count):
            if self.frames.kind(pfn + n) != KIND_FREE:
                if user:
                    self.frames.unmap_user(pfn + n)
                else:
                    self.frames.drop(pfn + n)

    def drop_page(self, pfn: int) -> None:
        """`drop` for a 4 KiB page of the user half."""
        if self.frames.kind(pfn) != KIND_FREE:
            self.frames.unmap_user(pfn)
