"""The buddy allocator: blocks of a power of two of frames, 4 KiB to 16 MiB, aligned to their size.

The idea (Knowlton, 1965): a block of order k at frame f has one buddy, at f ^ 2**k. Splitting a block
gives two buddies; when both are free they are one block again. Nothing is kept in the blocks: their
first frame's descriptor says the order, links and state, so an overflow cannot reach it.

    order 3   [               .               ]      frames f .. f+7
    order 2   [       .       ][      .       ]      buddies: f and f ^ 4
    order 1   [   .   ][   .   ]                     buddies: f and f ^ 2

Invariants, checked by `validate`:
    free frames == sum over orders of (blocks of the order) * 2**order
    no free block has a free buddy of its order and region kind
    bit k of the mask is set  <=>  list k is not empty
Costs: allocate and free are O(orders) at worst, O(1) when a block of the order is at hand.

When it is full it grows by adjacent frames, and whole free stretches of those go back to the frame
allocator. Regions that `initialise` was given stay.
"""

import cython

from coalmm.errors import CorruptionError, DoubleFreeError, InUseError, InvalidPointerError
from coalmm.heap.tracking import Tracking
from coalmm.physical.frames import Frames
from coalmm.typed import NamedTuple

if not cython.compiled:
    from coalmm.hardware.bits import as_u64, bit, clz, ctz
    from coalmm.hardware.blocks import fill_range
    from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT
    from coalmm.heap.constants import (
        BLOCK_FIXED,
        BUDDY_ALLOCATIONS,
        BUDDY_COUNTS,
        BUDDY_FAILURES,
        BUDDY_FREE,
        BUDDY_FREES,
        BUDDY_HEADS,
        BUDDY_MASK,
        BUDDY_PEAK,
        BUDDY_READY,
        BUDDY_TOTAL,
        KMALLOC_LARGE_FRAMES,
        LARGEST_BLOCK,
        MAX_ORDER,
        ORDERS,
    )
    from coalmm.physical.constants import (
        D_COUNT,
        D_HEAD,
        D_KIND,
        D_NEXT,
        D_OWNER,
        D_PREVIOUS,
        DESCRIPTOR_HALVES,
        FLAGS_KIND_MASK,
        FLAGS_SHIFT,
        HOOK_INJECT,
        HOOK_TRACK,
        KIND_BUDDY,
        KIND_BUDDY_FREE,
        KIND_FRAME,
        KIND_HEAP,
        KIND_MASK,
        ORDER_SHIFT,
        POINT_BUDDY,
        SB_BUDDY,
        SB_FREE,
        SB_HOOKS,
        SB_KERNEL_BASE,
        SB_KINDS,
        SB_KMALLOC,
        SB_LOWMEM,
        SB_TOTAL,
    )


class BuddyStatistics(NamedTuple):
    """Bytes and calls; `free_blocks[k]` counts the free blocks of order k (4096 << k bytes)."""

    total_bytes: int
    free_bytes: int
    alloc_count: int
    free_count: int
    failed_alloc_count: int
    free_blocks: tuple[int, ...]
    largest_free_block: int


class Buddy:
    """The buddy heap of one machine. Addresses are kernel addresses (kernel base + physical)."""

    def __init__(self, frames: Frames, tracking: Tracking) -> None:
        self.frames = frames
        self.tracking = tracking
        self.bytes = self.frames.bytes
        self.words = frames.words
        self.halves = frames.halves
        self.first_half = frames.first_half
        self.kernel_base = self.words[SB_KERNEL_BASE]
        self.low_frames = self.words[SB_LOWMEM]

    # What the other allocators use: typed, unchecked.

    def __repr__(self) -> str:
        now = self.statistics()
        free = " ".join(map(str, now.free_blocks))
        sizes = f"{now.free_bytes >> 10:,} of {now.total_bytes >> 10:,} KiB free"
        return f"<Buddy: {sizes}, blocks by order {free}>"

    def take(self, order: int) -> int:
        """Take a block of 2**order frames; the pfn of its first, 0 if there is none."""
        if self.words[SB_HOOKS] & HOOK_INJECT and self.frames.injection.should_fail(POINT_BUDDY, bit(order + 12)):
            return 0
        if self.words[SB_BUDDY + BUDDY_MASK] >> order == 0 and not self.grow(order) and not self.regrow(order):
            return 0
        have = order + ctz(self.words[SB_BUDDY + BUDDY_MASK] >> order)
        pfn = self.words[SB_BUDDY + BUDDY_HEADS + have]
        flags = self.unlink(pfn, have)
        while have > order:
            have -= 1
            self.link(pfn + bit(have), have, flags)
        self.mark(pfn, KIND_BUDDY | order << ORDER_SHIFT | flags << FLAGS_SHIFT)
        self.words[SB_BUDDY + BUDDY_FREE] -= bit(order)
        return pfn

    def note_peak(self) -> None:
        """Remember the most frames that were in use at once, in blocks and in large memory of kmalloc."""
        used = self.words[SB_BUDDY + BUDDY_TOTAL] - self.words[SB_BUDDY + BUDDY_FREE]
        used += self.words[SB_KMALLOC + KMALLOC_LARGE_FRAMES]
        if used > self.words[SB_BUDDY + BUDDY_PEAK]:
            self.words[SB_BUDDY + BUDDY_PEAK] = used

    def give(self, pfn: int, order: int) -> None:
        """Give a block back; it merges with its buddy as long as that is free."""
        flags = self.halves[self.first_half + (pfn << 4) + D_KIND] >> FLAGS_SHIFT
        self.words[SB_BUDDY + BUDDY_FREE] += bit(order)
        self.mark(pfn, KIND_HEAP | flags << FLAGS_SHIFT)
        while order < MAX_ORDER:
            other = pfn ^ bit(order)
            free = KIND_BUDDY_FREE | order << ORDER_SHIFT | flags << FLAGS_SHIFT
            if other >= self.low_frames or self.halves[self.first_half + (other << 4) + D_KIND] != free:
                break
            self.unlink(other, order)
            self.mark(other, KIND_HEAP | flags << FLAGS_SHIFT)
            pfn &= other
            order += 1
        if flags == 0 and order >= self.grow_order() and self.has_spare():
            self.release(pfn, order)
        else:
            self.link(pfn, order, flags)

    def take_pages(self, pages: int, align: int) -> int:
        """Take `pages` adjacent frames, the first a multiple of `align` (a power of two); pfn or 0.

        The tail of the block that they come from goes back at once.
        """
        order = order_of(pages if pages > align else align)
        if order > MAX_ORDER:
            return 0
        pfn = self.take(order)
        if pfn:
            flags = self.halves[self.first_half + (pfn << 4) + D_KIND] >> FLAGS_SHIFT
            self.mark(pfn, KIND_HEAP | flags << FLAGS_SHIFT)
            self.give_pages(pfn + pages, bit(order) - pages)
            self.note_peak()
        return pfn

    def give_pages(self, pfn: int, pages: int) -> None:
        """Give back adjacent frames of the heap, as the largest aligned blocks that they make."""
        while pages:
            order = ctz(pfn)
            most = 63 - clz(pages)
            if order > most:
                order = most
            if order > MAX_ORDER:
                order = MAX_ORDER
            self.give(pfn, order)
            pfn += bit(order)
            pages -= bit(order)

    def mark(self, pfn: int, kind: int) -> None:
        """Change what a frame of the heap is: kind, order and flags in one half."""
        at = self.first_half + (pfn << 4) + D_KIND
        self.words[SB_KINDS + (self.halves[at] & KIND_MASK)] -= 1
        self.words[SB_KINDS + (kind & KIND_MASK)] += 1
        self.halves[at] = kind

    def flags(self, pfn: int) -> int:
        """The flags of a frame of the heap."""
        return self.halves[self.first_half + (pfn << 4) + D_KIND] >> FLAGS_SHIFT

    def lend(self, pfn: int, pages: int, kind: int, flags: int, owner: int) -> None:
        """Mark adjacent frames of the heap as a slab or a large block of `owner`, with flags of theirs.

        The order byte of their descriptors remembers the region's own flags.
        """
        for each in range(pfn, pfn + pages):
            self.mark(each, kind | self.flags(each) << ORDER_SHIFT | flags << FLAGS_SHIFT)
            at = self.first_half + (each << 4)
            self.halves[at + D_HEAD] = pfn
            self.halves[at + D_OWNER] = owner

    def give_lent(self, pfn: int, marked: int, pages: int) -> None:
        """Give back `pages` adjacent frames, the first `marked` of which were marked by `lend`."""
        for each in range(pfn, pfn + marked):
            at = self.first_half + (each << 4)
            region = self.halves[at + D_KIND] >> ORDER_SHIFT & KIND_MASK
            self.mark(each, KIND_HEAP | region << FLAGS_SHIFT)
            fill_range(self.bytes, at + D_HEAD << 2, DESCRIPTOR_HALVES - D_HEAD << 2, 0)
        self.give_pages(pfn, pages)

    def link(self, pfn: int, order: int, flags: int) -> None:
        """Put a free block at the head of its list."""
        at = self.first_half + (pfn << 4)
        head = self.words[SB_BUDDY + BUDDY_HEADS + order]
        self.mark(pfn, KIND_BUDDY_FREE | order << ORDER_SHIFT | flags << FLAGS_SHIFT)
        self.halves[at + D_NEXT] = head
        self.halves[at + D_PREVIOUS] = 0
        if head:
            self.halves[self.first_half + (head << 4) + D_PREVIOUS] = pfn
        self.words[SB_BUDDY + BUDDY_HEADS + order] = pfn
        self.words[SB_BUDDY + BUDDY_COUNTS + order] += 1
        self.words[SB_BUDDY + BUDDY_MASK] |= bit(order)

    def unlink(self, pfn: int, order: int) -> int:
        """Take a free block off its list; returns its flags."""
        at = self.first_half + (pfn << 4)
        after = self.halves[at + D_NEXT]
        before = self.halves[at + D_PREVIOUS]
        if after:
            self.halves[self.first_half + (after << 4) + D_PREVIOUS] = before
        if before:
            self.halves[self.first_half + (before << 4) + D_NEXT] = after
        else:
            self.words[SB_BUDDY + BUDDY_HEADS + order] = after
            if after == 0:
                self.words[SB_BUDDY + BUDDY_MASK] ^= bit(order)
        self.halves[at + D_NEXT] = 0
        self.halves[at + D_PREVIOUS] = 0
        self.words[SB_BUDDY + BUDDY_COUNTS + order] -= 1
        return self.halves[at + D_KIND] >> FLAGS_SHIFT

    # Growing and giving back.

    def grow_order(self) -> int:
        """The order by which the heap grows: 256 KiB, less on a small machine."""
        frames = self.words[SB_TOTAL] >> 5
        order = 63 - clz(frames | 1)
        return 6 if order > 6 else order

    def grow(self, order: int) -> bool:
        """Get adjacent frames for a block of `order`; False, and nothing changed, if there are none."""
        if self.words[SB_BUDDY + BUDDY_READY] == 0:
            return False
        wanted = self.grow_order()
        if wanted < order:
            wanted = order
        while True:
            pfn = self.frames.take_run(bit(wanted), bit(wanted), KIND_HEAP, 0, True)
            if pfn:
                break
            if wanted == order:
                return False
            wanted -= 1
        self.words[SB_BUDDY + BUDDY_TOTAL] += bit(wanted)
        self.words[SB_BUDDY + BUDDY_FREE] += bit(wanted)
        self.link(pfn, wanted, 0)
        self.frames.ram.back(pfn << FRAME_SHIFT, bit(wanted) << FRAME_SHIFT)
        return True

    def regrow(self, order: int) -> bool:
        """`grow` again, if that works once the heap has given its free blocks back; else nothing is changed.

        With fault injection on a failure stays one.
        """
        if self.words[SB_HOOKS] & HOOK_INJECT:
            return False
        if bit(order) > self.words[SB_FREE] + self.words[SB_BUDDY + BUDDY_FREE] or not self.has_room(order):
            return False
        self.trim()
        return self.grow(order)

    def has_room(self, order: int) -> bool:
        """Whether free frames and free blocks that can go make a block of `order` together."""
        for number in range(self.low_frames >> order):
            end = (number + 1) << order
            if self.first_in_use(number << order, end) == end:
                return True
        return False

    def first_in_use(self, pfn: int, end: int) -> int:
        """The first frame in [pfn, end) that is neither free nor in a free block that `trim` gives back, or `end`."""
        while pfn < end:
            pfn = self.frames.bitmap.next_set(pfn, end)
            if pfn < end:
                kind = self.halves[self.first_half + (pfn << 4) + D_KIND]
                if kind & FLAGS_KIND_MASK != KIND_BUDDY_FREE:
                    break
                pfn += bit(kind >> ORDER_SHIFT & KIND_MASK)
        return pfn

    def has_spare(self) -> bool:
        """Whether a free stretch to grow into is left, so that another one can go."""
        return self.words[SB_BUDDY + BUDDY_MASK] >> self.grow_order() != 0

    def release(self, pfn: int, order: int) -> None:
        """Give the frames of a free, unlinked block back to the frame allocator."""
        self.words[SB_BUDDY + BUDDY_TOTAL] -= bit(order)
        self.words[SB_BUDDY + BUDDY_FREE] -= bit(order)
        self.frames.give_run(pfn, bit(order))

    def trim(self) -> int:
        """Give every free block back to the frame allocator, those of fixed regions excepted.

        Returns how many frames that were.
        """
        before = self.words[SB_BUDDY + BUDDY_TOTAL]
        for order in range(ORDERS):
            pfn = self.words[SB_BUDDY + BUDDY_HEADS + order]
            for _ in range(min(self.words[SB_BUDDY + BUDDY_COUNTS + order], self.low_frames)):
                if pfn == 0 or pfn >= self.low_frames:
                    break
                at = self.first_half + (pfn << 4)
                after = self.halves[at + D_NEXT]
                if self.halves[at + D_KIND] >> FLAGS_SHIFT == 0:
                    self.unlink(pfn, order)
                    self.release(pfn, order)
                pfn = after
        return before - self.words[SB_BUDDY + BUDDY_TOTAL]

    # What callers use: every argument checked.

    def initialise(self, start: int, size: int) -> None:
        """Give the heap a region of kernel memory of its own: whole frames in [start, start + size).

        The frames must be free, or allocated with `frame_alloc` and held by nobody else; they belong to
        the heap from then on and are never given back. Raises InvalidPointerError for a range that is
        empty or not kernel memory, InUseError for frames that something uses; nothing is changed then.
        """
        address, length = as_u64(start), as_u64(size)
        offset = address - self.kernel_base
        limit = self.low_frames << FRAME_SHIFT
        if address < self.kernel_base or offset >= limit or length > limit - offset:
            raise InvalidPointerError(
                f"{length:#x} bytes at {address:#x} are not a range of kernel memory "
                f"({self.kernel_base:#x} and {limit:#x} bytes on)",
                address,
            )
        first = (offset + FRAME_MASK) >> FRAME_SHIFT
        last = (offset + length) >> FRAME_SHIFT
        if first >= last:
            raise InvalidPointerError(f"{length} bytes at {address:#x} hold no whole frame of 4096 bytes", address)
        for pfn in range(first, last):
            self.check_unused(pfn)
        for pfn in range(first, last):
            if not self.frames.is_allocated(pfn):
                self.frames.claim_at(pfn, KIND_HEAP, 0)
            self.halves[self.first_half + (pfn << 4) + D_COUNT] = 0
            self.mark(pfn, KIND_HEAP | BLOCK_FIXED << FLAGS_SHIFT)
        self.words[SB_BUDDY + BUDDY_READY] = 1
        self.words[SB_BUDDY + BUDDY_TOTAL] += last - first
        self.give_pages(first, last - first)

    def check_unused(self, pfn: int) -> None:
        """Raise InUseError unless frame `pfn` is free or only its allocator holds it."""
        if not self.frames.is_allocated(pfn):
            return
        if self.frames.kind(pfn) != KIND_FRAME or self.frames.references(pfn) != 1 or self.frames.mappings(pfn):
            paddr = pfn << FRAME_SHIFT
            raise InUseError(f"no frame for the buddy heap: {self.frames.describe(paddr)}", paddr)

    def allocate(self, size: int) -> int:
        """Allocate `size` bytes rounded up to a power of two from 4 KiB to 16 MiB, aligned to that.

        Returns the kernel address, or 0 for 0 bytes, more than 16 MiB, or no memory.
        """
        address = self.allocate_block(as_u64(size))
        if address == 0:
            self.frames.failed("buddy_alloc", size)
        return address

    def allocate_block(self, size: int) -> int:
        """`allocate` of a checked size."""
        pfn = 0
        if size != 0 and size <= LARGEST_BLOCK:
            pfn = self.take(order_of((size + FRAME_MASK) >> FRAME_SHIFT))
        if pfn == 0:
            self.words[SB_BUDDY + BUDDY_FAILURES] += 1
            return 0
        self.words[SB_BUDDY + BUDDY_ALLOCATIONS] += 1
        self.note_peak()
        if self.words[SB_HOOKS] & HOOK_TRACK:
            self.tracking.allocated(self.kernel_base + (pfn << FRAME_SHIFT), size)
        return self.kernel_base + (pfn << FRAME_SHIFT)

    def free(self, address: int) -> None:
        """Free a block of `allocate`; 0 (NULL) is nothing.

        Raises DoubleFreeError or InvalidPointerError, and changes nothing, for any other address.
        """
        pointer = as_u64(address)
        if pointer:
            self.free_block(pointer)

    def free_block(self, pointer: int) -> None:
        """`free` of a checked address that is not NULL."""
        pfn = self.block_at(pointer)
        order = self.halves[self.first_half + (pfn << 4) + D_KIND] >> ORDER_SHIFT & KIND_MASK
        self.words[SB_BUDDY + BUDDY_FREES] += 1
        self.give(pfn, order)
        if self.words[SB_HOOKS] & HOOK_TRACK:
            self.tracking.freed(pointer)

    def size_of(self, address: int) -> int:
        """Bytes of the allocated block at `address`; raises like `free`."""
        pfn = self.block_at(as_u64(address))
        return bit((self.halves[self.first_half + (pfn << 4) + D_KIND] >> ORDER_SHIFT & KIND_MASK) + FRAME_SHIFT)

    def block_at(self, pointer: int) -> int:
        """The pfn of the allocated block that starts at a kernel address; raises if there is none."""
        offset = pointer - self.kernel_base
        pfn = offset >> FRAME_SHIFT
        if pointer < self.kernel_base or pfn >= self.low_frames:
            raise InvalidPointerError(f"{pointer:#x} is not a kernel address", pointer)
        kind = self.frames.kind(pfn)
        if kind == KIND_BUDDY and offset & FRAME_MASK == 0:
            return pfn
        if kind == KIND_BUDDY_FREE or (kind == KIND_HEAP and self.is_inside_free(pfn)):
            raise DoubleFreeError(f"{pointer:#x} is in a block that is free: {self.describe(pointer)}", pointer)
        raise InvalidPointerError(f"{pointer:#x} is not a block of buddy_alloc: {self.describe(pointer)}", pointer)

    def describe(self, pointer: int) -> str:
        """What is at a kernel address, and what tracking knows of it."""
        return self.frames.describe(pointer - self.kernel_base) + self.tracking.history(pointer)

    def is_inside_free(self, pfn: int) -> bool:
        """Whether a frame inside the heap is part of a larger free block."""
        for order in range(1, ORDERS):
            head = pfn & -bit(order)
            kind = self.halves[self.first_half + (head << 4) + D_KIND] & 0xFFFF
            if kind == KIND_BUDDY_FREE | order << ORDER_SHIFT:
                return True
        return False

    def statistics(self) -> BuddyStatistics:
        """The state of the heap, now."""
        at = SB_BUDDY
        mask = self.words[at + BUDDY_MASK]
        return BuddyStatistics(
            total_bytes=self.words[at + BUDDY_TOTAL] << FRAME_SHIFT,
            free_bytes=self.words[at + BUDDY_FREE] << FRAME_SHIFT,
            alloc_count=self.words[at + BUDDY_ALLOCATIONS],
            free_count=self.words[at + BUDDY_FREES],
            failed_alloc_count=self.words[at + BUDDY_FAILURES],
            free_blocks=tuple(self.words[at + BUDDY_COUNTS + order] for order in range(ORDERS)),
            largest_free_block=bit(63 - clz(mask) + FRAME_SHIFT) if mask else 0,
        )

    def validate(self) -> None:
        """Check every free list; CorruptionError names the block."""
        free = 0
        for order in range(ORDERS):
            free += self.validate_list(order) << order
        used = self.words[SB_KINDS + KIND_BUDDY_FREE]
        blocks = sum(self.statistics().free_blocks)
        total, ready = self.words[SB_BUDDY + BUDDY_TOTAL], self.words[SB_BUDDY + BUDDY_READY]
        if self.words[SB_BUDDY + BUDDY_MASK] >> ORDERS or ready != (total != 0):
            raise CorruptionError(f"superblock: the buddy heap of {total} frames has a wrong mask or readiness")
        if free != self.words[SB_BUDDY + BUDDY_FREE] or used != blocks:
            raise CorruptionError(
                f"buddy heap: {free} frames on the free lists, {self.words[SB_BUDDY + BUDDY_FREE]} counted; "
                f"{blocks} blocks listed, {used} marked free"
            )

    def validate_list(self, order: int) -> int:
        """Check the free list of one order; returns how many blocks stand on it."""
        blocks = before = 0
        pfn = self.words[SB_BUDDY + BUDDY_HEADS + order]
        counted = self.words[SB_BUDDY + BUDDY_COUNTS + order]
        while pfn:
            self.validate_block(pfn, before, order)
            before = pfn
            pfn = self.halves[self.first_half + (pfn << 4) + D_NEXT]
            blocks += 1
            if blocks > counted:
                break
        has = self.words[SB_BUDDY + BUDDY_MASK] >> order & 1
        if blocks != counted or has != (blocks != 0):
            raise CorruptionError(f"buddy heap: list of order {order} holds {blocks} blocks, {counted} counted")
        return blocks

    def validate_block(self, pfn: int, before: int, order: int) -> None:
        """Check one free block: its place, its kind, its links, and that its buddy is not free too."""
        paddr = pfn << FRAME_SHIFT
        if pfn >= self.low_frames or pfn & (bit(order) - 1):
            raise CorruptionError(f"buddy heap: {paddr:#x} stands on the list of order {order}", paddr)
        at = self.first_half + (pfn << 4)
        kind = self.halves[at + D_KIND]
        if kind & 0xFFFF != KIND_BUDDY_FREE | order << ORDER_SHIFT or self.halves[at + D_PREVIOUS] != before:
            raise CorruptionError(f"buddy heap: free block of order {order} at {paddr:#x} is damaged", paddr)
        other = pfn ^ bit(order)
        if order < MAX_ORDER and other < self.low_frames:
            twin = self.halves[self.first_half + (other << 4) + D_KIND]
            if twin == kind:
                raise CorruptionError(f"buddy heap: {paddr:#x} and its buddy are both free, and not merged", paddr)


def order_of(pages: int) -> int:
    """The smallest order whose blocks hold `pages` frames."""
    return 64 - clz(pages - 1) if pages > 1 else 0
