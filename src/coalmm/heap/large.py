"""Large memory of kmalloc: what is larger than a class is a run of whole frames.

It comes straight from the frame allocator: the lowest run that is long enough. So large memory is not
rounded up to a power of two, does not break up the blocks that slabs come from, and grows in place while the
frames behind it are free.

    descriptor of the first frame: kind, its own pfn as head, how many frames, the bytes asked for

Costs: the search for a run, and a descriptor a frame.
"""

import cython

from coalmm.heap.buddy import Buddy
from coalmm.heap.redzone import RedZones
from coalmm.heap.tracking import Tracking

if not cython.compiled:
    from coalmm.hardware.blocks import fill_range
    from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT
    from coalmm.heap.constants import (
        KMALLOC_LARGE,
        KMALLOC_LARGE_ALLOCATIONS,
        KMALLOC_LARGE_FRAMES,
        LARGE_ZONE,
        RED_ZONE,
    )
    from coalmm.physical.constants import (
        D_COUNT,
        D_DATA,
        D_HEAD,
        HOOK_DEBUG,
        KIND_LARGE,
        SB_HOOKS,
        SB_KERNEL_BASE,
        SB_KMALLOC,
        SB_LOWMEM,
    )


class Large:
    """The large memory of one machine. Sizes are not 0; a pfn is that of the first frame."""

    def __init__(self, buddy: Buddy, zones: RedZones, tracking: Tracking) -> None:
        self.buddy = buddy
        self.frames = buddy.frames
        self.zones = zones
        self.tracking = tracking
        self.bytes = self.frames.bytes
        self.words = self.frames.words
        self.halves = self.frames.halves
        self.first_half = self.frames.first_half
        self.first_word = self.frames.first_word
        self.kernel_base = self.words[SB_KERNEL_BASE]
        self.low_frames = self.words[SB_LOWMEM]

    def allocate(self, size: int, align: int) -> int:
        """Adjacent frames for `size` bytes, the first a multiple of `align` frames; kernel address or 0."""
        pages = self.pages(size)
        if pages == 0 or align > self.low_frames:
            return 0
        pfn = self.frames.take_run(pages, align, KIND_LARGE, 0, True)
        if pfn == 0:
            return 0
        self.words[SB_KMALLOC + KMALLOC_LARGE] += 1
        self.words[SB_KMALLOC + KMALLOC_LARGE_ALLOCATIONS] += 1
        self.halves[self.first_half + (pfn << 4) + D_HEAD] = pfn
        self.set_size(pfn, pages, size)
        return self.kernel_base + (pfn << FRAME_SHIFT)

    def pages(self, size: int) -> int:
        """How many frames `size` bytes need; 0 if that is more than the kernel half maps."""
        if size > self.low_frames << FRAME_SHIFT:  # and no sum below can wrap
            return 0
        room = size + LARGE_ZONE if self.words[SB_HOOKS] & HOOK_DEBUG else size
        pages = (room >> FRAME_SHIFT) + (1 if room & FRAME_MASK else 0)
        return pages if pages <= self.low_frames else 0

    def set_size(self, pfn: int, pages: int, size: int) -> None:
        """Write down the frames and the bytes asked for; with debugging, paint what is behind them."""
        at = self.first_half + (pfn << 4) + D_COUNT
        self.words[SB_KMALLOC + KMALLOC_LARGE_FRAMES] += pages - self.halves[at]
        self.halves[at] = pages
        self.words[self.first_word + (pfn << 3) + D_DATA] = size
        if self.words[SB_HOOKS] & HOOK_DEBUG:
            start = (pfn << FRAME_SHIFT) + size
            fill_range(self.bytes, start, (pfn + pages << FRAME_SHIFT) - start, RED_ZONE)
        self.buddy.note_peak()

    def resize(self, pfn: int, size: int) -> bool:
        """Grow or shrink large memory where it is; False, and nothing changed, if the frames behind are not free."""
        pages = self.pages(size)
        have = self.halves[self.first_half + (pfn << 4) + D_COUNT]
        if pages == 0 or (pages > have and not self.frames.extend_run(pfn + have, pages - have, KIND_LARGE)):
            return False
        if pages < have:
            self.frames.give_run(pfn + pages, have - pages)
        self.set_size(pfn, pages, size)
        return True

    def release(self, pfn: int) -> None:
        """Give the frames of large memory back."""
        pages = self.halves[self.first_half + (pfn << 4) + D_COUNT]
        self.words[SB_KMALLOC + KMALLOC_LARGE] -= 1
        self.words[SB_KMALLOC + KMALLOC_LARGE_FRAMES] -= pages
        self.frames.give_run(pfn, pages)

    def asked(self, pfn: int) -> int:
        """The bytes that were asked for."""
        return self.words[self.first_word + (pfn << 3) + D_DATA]

    def usable(self, pfn: int) -> int:
        """The bytes that the caller may write; with debugging on, those asked for."""
        if self.words[SB_HOOKS] & HOOK_DEBUG:
            return self.asked(pfn)
        return self.halves[self.first_half + (pfn << 4) + D_COUNT] << FRAME_SHIFT

    def check_zone(self, pfn: int) -> None:
        """Raise CorruptionError if the bytes behind large memory were written to, with debugging on."""
        asked = self.asked(pfn)
        room = self.halves[self.first_half + (pfn << 4) + D_COUNT] << FRAME_SHIFT
        address = self.kernel_base + (pfn << FRAME_SHIFT)
        history = self.tracking.history(address)
        self.zones.expect("the red zone", address, address + asked, room - asked, history)
