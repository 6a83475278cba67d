"""The general allocator: kmalloc and its family, over size classes and whole frames.

    up to 8 KiB     a slab cache for each size class; a table finds it by (size + 7) / 8
    larger          a run of frames, as many as it takes (large.py)

Which of the two an address is, and where its object starts, the frame's descriptor says: nothing is
kept beside the memory that the caller gets.

Costs: kmalloc and kfree of a class are O(1); of larger memory they depend on its frames, and on the search for a run.
Alignment: the largest power of two that divides the class, so at least 8; larger memory, 4096.
"""

import cython

from coalmm.errors import DoubleFreeError, InvalidPointerError
from coalmm.heap.classes import size_classes
from coalmm.heap.geometry import natural_alignment
from coalmm.heap.large import Large
from coalmm.heap.objects import Objects
from coalmm.heap.slab import CacheInfo, Slabs
from coalmm.typed import NamedTuple

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES, as_u64
    from coalmm.hardware.blocks import copy_range, fill_range
    from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT
    from coalmm.heap.constants import (
        BUDDY_TOTAL,
        C_OBJECT_SIZE,
        C_SHAPE,
        C_STRIDE,
        CACHE_KMALLOC,
        KMALLOC_FAILURES,
        KMALLOC_LARGE,
        KMALLOC_LARGE_ALLOCATIONS,
        KMALLOC_LARGE_FRAMES,
        KMALLOC_TABLE,
        LARGEST_CLASS,
        SHAPE_FLAGS_SHIFT,
    )
    from coalmm.physical.constants import (
        D_HEAD,
        D_OWNER,
        HOOK_DEBUG,
        HOOK_INJECT,
        HOOK_NO_HEAP,
        HOOK_TRACK,
        KIND_KERNEL,
        KIND_LARGE,
        KIND_SLAB,
        POINT_KMALLOC,
        SB_BUDDY,
        SB_HOOKS,
        SB_KERNEL_BASE,
        SB_KMALLOC,
        SB_LOWMEM,
    )


class KmallocStatistics(NamedTuple):
    """Live objects and bytes (rounded up to classes and frames), calls, and what is larger than a class."""

    live: int
    live_bytes: int
    allocations: int
    failures: int
    large: int
    large_bytes: int


class Kmalloc:
    """The general allocator of one machine. Addresses are kernel addresses."""

    def __init__(self, slabs: Slabs) -> None:
        self.slabs = slabs
        self.objects: Objects = slabs.objects
        self.buddy = self.objects.buddy
        self.frames = self.objects.frames
        self.tracking = slabs.tracking
        self.bytes = self.objects.bytes
        self.words = self.objects.words
        self.halves = self.objects.halves
        self.first_half = self.objects.first_half
        self.first_word = self.objects.first_word
        self.kernel_base = self.words[SB_KERNEL_BASE]
        self.low_frames = self.words[SB_LOWMEM]
        self.fast = self.objects.fast
        self.large = Large(self.buddy, self.objects.zones, self.tracking)
        self.table = self.words[SB_KMALLOC + KMALLOC_TABLE] >> 2

    def __repr__(self) -> str:
        now = self.statistics()
        calls = f"{now.allocations:,} allocations, {now.failures:,} failed"
        return f"<Kmalloc: {now.live:,} live, {now.live_bytes:,} bytes, {calls}>"

    def format(self) -> None:
        """Make the classes' caches and the table, at boot. Raises MemoryError without memory for them."""
        entries = (LARGEST_CLASS >> 3) + 1
        pages = (entries * 4 + FRAME_MASK) >> FRAME_SHIFT
        pfn = self.frames.take_run(pages, 1, KIND_KERNEL, 0, True)
        if pfn == 0:
            raise MemoryError("no frames for the table of kmalloc classes")
        fill_range(self.bytes, pfn << FRAME_SHIFT, pages << FRAME_SHIFT, 0)
        self.words[SB_KMALLOC + KMALLOC_TABLE] = pfn << FRAME_SHIFT
        self.table = pfn << FRAME_SHIFT >> 2
        self.fast.read_table()
        self.words[SB_HOOKS] &= ALL_ONES ^ HOOK_NO_HEAP
        first = 0
        for size in size_classes():
            name = f"kmalloc-{size}".encode()
            cache = self.slabs.make(name, size, natural_alignment(size), CACHE_KMALLOC, False)
            if cache == 0:
                raise MemoryError(f"no frame for the cache of {size} bytes")
            for entry in range(first, (size >> 3) + 1):
                self.halves[self.table + entry] = cache
            first = (size >> 3) + 1

    # What compiled code calls: sizes and addresses are unsigned 64-bit numbers already.

    @cython.nonecheck(False)
    def allocate(self, size: int) -> int:
        """`kmalloc` of a checked size."""
        address = self.fast.allocate(size)
        return address if address else self.allocate_slowly(size)

    @cython.nonecheck(False)
    def release(self, pointer: int) -> int:
        """`kfree` of a checked address; always 0."""
        return 0 if self.fast.release(pointer) else self.release_slowly(pointer)

    # The slow paths: what has hooks, is large, or is wrong.

    def allocate_slowly(self, size: int) -> int:
        """`allocate` for 0 bytes, large sizes, before there is a heap, fault injection, tracking and debugging."""
        hooks = self.words[SB_HOOKS]
        total = self.words[SB_BUDDY + BUDDY_TOTAL]
        address = 0
        if hooks & HOOK_NO_HEAP:
            return self.note(0, size)
        if size != 0 and not (hooks & HOOK_INJECT and self.frames.injection.should_fail(POINT_KMALLOC, size)):
            if size > LARGEST_CLASS:
                address = self.large.allocate(size, 1)
            else:
                cache = self.halves[self.table + ((size + 7) >> 3)]
                address = self.objects.take_object(cache)
                if address and hooks & HOOK_DEBUG:
                    self.slabs.hand_out(cache, address, size)
        if self.words[SB_BUDDY + BUDDY_TOTAL] > total:  # before it grows again, use what is kept for nothing
            self.slabs.reap()
        return self.note(address, size)

    def note(self, address: int, size: int) -> int:
        """Count a failure or track a success; returns the address."""
        if address == 0:
            self.words[SB_KMALLOC + KMALLOC_FAILURES] += 1
        elif self.words[SB_HOOKS] & HOOK_TRACK:
            self.tracking.allocated(address, size)
        return address

    def release_slowly(self, pointer: int) -> int:
        """`release` for NULL, large memory, hooks, slabs that change lists; raises for what is wrong."""
        if pointer == 0:
            return 0
        pfn = self.allocation_at(pointer)
        if self.frames.kind(pfn) == KIND_LARGE:
            if self.words[SB_HOOKS] & HOOK_DEBUG:
                self.large.check_zone(pfn)
            self.large.release(pfn)
        else:
            at = self.first_half + (pfn << 4)
            cache, slab = self.halves[at + D_OWNER], self.halves[at + D_HEAD]
            if self.words[SB_HOOKS] & HOOK_DEBUG:
                self.slabs.take_back(cache, pointer)
            self.objects.give_object(cache, slab, self.objects.object_index(cache, slab, pointer))
        if self.words[SB_HOOKS] & HOOK_TRACK:
            self.tracking.freed(pointer)
        return 0

    def check_zones(self, pfn: int, pointer: int) -> None:
        """Raise CorruptionError if the red zones of a live allocation were written to."""
        if self.frames.kind(pfn) == KIND_LARGE:
            self.large.check_zone(pfn)
        else:
            cache = self.halves[self.first_half + (pfn << 4) + D_OWNER]
            self.objects.zones.check_zones(pointer, self.words[cache + C_STRIDE], self.tracking.history(pointer))

    def allocation_at(self, pointer: int) -> int:
        """The pfn under the live allocation that starts at a kernel address; raises if there is none."""
        offset = (pointer - self.kernel_base) & ALL_ONES
        pfn = offset >> FRAME_SHIFT
        if pfn >= self.low_frames:
            raise InvalidPointerError(f"{pointer:#x} is not a kernel address", pointer)
        at = self.first_half + (pfn << 4)
        kind = self.frames.kind(pfn)
        if kind == KIND_SLAB:
            cache = self.halves[at + D_OWNER]
            if self.words[cache + C_SHAPE] >> SHAPE_FLAGS_SHIFT & CACHE_KMALLOC == 0:
                raise InvalidPointerError(
                    f"{pointer:#x} belongs to cache {self.objects.name(cache)!r}, not to kmalloc", pointer
                )
            self.slabs.locate(cache, pointer)
            return pfn
        if kind == KIND_LARGE and offset & FRAME_MASK == 0 and self.halves[at + D_HEAD] == pfn:
            return pfn
        return self.refuse(pointer, offset)

    def refuse(self, pointer: int, offset: int) -> int:
        """Raise for an address that is in no slab and does not start large memory."""
        history = self.tracking.history(pointer)
        if "freed at" in history:
            raise DoubleFreeError(f"{pointer:#x} was freed already{history}", pointer)
        what = self.frames.describe(offset)
        raise InvalidPointerError(f"{pointer:#x} is not an allocation of kmalloc: {what}", pointer)

    # What callers use: every argument checked.

    def kmalloc(self, size: int) -> int:
        """Allocate `size` bytes, contents undefined; the kernel address, which the caller owns.

        0 (NULL) for 0 bytes or no memory, and then nothing has changed.
        """
        address = self.allocate(as_u64(size))
        if address == 0:
            self.frames.failed("kmalloc", size)
        return address

    def kzalloc(self, size: int) -> int:
        """`kmalloc`, filled with zero bytes."""
        address = self.allocate_zeroed(as_u64(size))
        if address == 0:
            self.frames.failed("kzalloc", size)
        return address

    def allocate_zeroed(self, size: int) -> int:
        """`kzalloc` of a checked size."""
        address = self.allocate(size)
        if address:
            fill_range(self.bytes, address - self.kernel_base, size, 0)
        return address

    def kmalloc_aligned(self, size: int, align: int) -> int:
        """`kmalloc` at a multiple of `align`, a power of two up to 16 MiB; 0 means the natural alignment.

        0 (NULL) also for any other alignment. kfree, krealloc and kmalloc_size take the address as any
        other; krealloc keeps the alignment only when it stays in place.
        """
        address = self.allocate_aligned(as_u64(size), as_u64(align))
        if address == 0:
            self.frames.failed("kmalloc_aligned", size, align)
        return address

    def allocate_aligned(self, size: int, align: int) -> int:
        """`kmalloc_aligned` of a checked size and alignment."""
        if align & (align - 1) or size == 0:
            return 0
        if align <= 8:
            return self.allocate(size)
        hooks = self.words[SB_HOOKS]
        if hooks & HOOK_NO_HEAP:
            return self.note(0, size)
        if hooks & HOOK_INJECT and self.frames.injection.should_fail(POINT_KMALLOC, size):
            return self.note(0, size)
        cache = 0 if hooks & HOOK_DEBUG else self.aligned_cache(size, align)
        if cache:
            return self.note(self.objects.take_object(cache), size)
        return self.note(self.large.allocate(size, max(align >> FRAME_SHIFT, 1)), size)

    def aligned_cache(self, size: int, align: int) -> int:
        """The smallest class whose objects all lie at multiples of `align`; 0 if there is none."""
        if align > FRAME_MASK or size > LARGEST_CLASS:
            return 0
        wanted = size + align - 1 & -align
        while wanted <= LARGEST_CLASS:
            cache = self.halves[self.table + (wanted >> 3)]
            if self.words[cache + C_STRIDE] & (align - 1) == 0:
                return cache
            wanted += align
        return 0

    def krealloc(self, ptr: int, size: int) -> int:
        """Change an allocation's size; its address, which may be another, with the contents kept.

        `ptr` 0 allocates; `size` 0 frees and returns 0 (NULL). Without memory it returns 0, and `ptr` is
        as it was. Raises like `kfree` for what is no allocation.
        """
        address = self.reallocate(as_u64(ptr), as_u64(size))
        if address == 0 and (size or not ptr):
            self.frames.failed("krealloc", ptr, size)
        return address

    def reallocate(self, pointer: int, size: int) -> int:
        """`krealloc` of a checked address and size."""
        if pointer == 0:
            return self.allocate(size)
        pfn = self.allocation_at(pointer)
        if size == 0:
            self.release(pointer)
            return 0
        if self.words[SB_HOOKS] & HOOK_DEBUG:
            self.check_zones(pfn, pointer)
        if self.resize_in_place(pfn, pointer, size):
            return self.note(pointer, size)
        kept = min(self.usable(pfn, pointer), size)
        address = self.allocate(size)
        if address:
            base = self.kernel_base
            copy_range(self.bytes, address - base, pointer - base, kept)
            self.release(pointer)
        return address

    def resize_in_place(self, pfn: int, pointer: int, size: int) -> bool:
        """Whether an allocation could be made `size` bytes where it is; then it has been."""
        if self.frames.kind(pfn) == KIND_LARGE:
            return size > LARGEST_CLASS and self.large.resize(pfn, size)
        cache = self.halves[self.first_half + (pfn << 4) + D_OWNER]
        if size > LARGEST_CLASS or self.halves[self.table + ((size + 7) >> 3)] != cache:
            return False
        if self.words[SB_HOOKS] & HOOK_DEBUG:
            self.objects.zones.paint_zones(pointer, size, self.words[cache + C_STRIDE])
        return True

    def kfree(self, ptr: int) -> None:
        """Free an allocation of kmalloc, kzalloc, kmalloc_aligned or krealloc; 0 (NULL) is nothing.

        Raises DoubleFreeError for one that is free, InvalidPointerError for any other address; with
        debugging on, CorruptionError if its red zones were overwritten. Nothing is changed then.
        """
        self.release(as_u64(ptr))

    def kmalloc_size(self, ptr: int) -> int:
        """How many bytes of an allocation the caller may write, at least those asked for; 0 for 0 (NULL).

        Raises like `kfree`.
        """
        return self.size_of(as_u64(ptr))

    def size_of(self, pointer: int) -> int:
        """`kmalloc_size` of a checked address."""
        return self.usable(self.allocation_at(pointer), pointer) if pointer else 0

    def usable(self, pfn: int, pointer: int) -> int:
        """`kmalloc_size` of a live allocation; with debugging on, the bytes asked for."""
        at = self.first_half + (pfn << 4)
        if self.frames.kind(pfn) == KIND_LARGE:
            return self.large.usable(pfn)
        cache = self.halves[at + D_OWNER]
        if self.words[SB_HOOKS] & HOOK_DEBUG:
            return self.objects.zones.asked(pointer, self.words[cache + C_STRIDE])
        return self.words[cache + C_OBJECT_SIZE]

    def classes(self) -> list[CacheInfo]:
        """The size classes' caches, smallest first."""
        if self.table == 0:
            return []
        found = dict.fromkeys(self.halves[self.table + entry] for entry in range((LARGEST_CLASS >> 3) + 1))
        return [self.slabs.info(cache) for cache in found]

    def statistics(self) -> KmallocStatistics:
        """Totals over all classes and large memory, now."""
        word = SB_KMALLOC
        large_bytes = self.words[word + KMALLOC_LARGE_FRAMES] << FRAME_SHIFT
        live = live_bytes = allocations = failures = 0
        for info in self.classes():
            live += info.active
            live_bytes += info.active * info.object_size
            allocations += info.allocations
            failures += info.failures
        return KmallocStatistics(
            live=live + self.words[word + KMALLOC_LARGE],
            live_bytes=live_bytes + large_bytes,
            allocations=allocations + self.words[word + KMALLOC_LARGE_ALLOCATIONS],
            failures=failures + self.words[word + KMALLOC_FAILURES],
            large=self.words[word + KMALLOC_LARGE],
            large_bytes=large_bytes,
        )
