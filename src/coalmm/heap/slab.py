"""The slab allocator's callers' side: caches are made, used and destroyed, every argument checked.

A cache is named by the kernel address of its record, which is an object of a cache itself: the root
cache, whose own record has a frame that boot placed. How objects are found and freed is in objects.py.
"""

from array import array

import cython

from coalmm.errors import DoubleFreeError, InUseError, InvalidPointerError
from coalmm.heap.buddy import Buddy
from coalmm.heap.geometry import natural_alignment, object_stride, slab_shape
from coalmm.heap.objects import Objects
from coalmm.heap.tracking import Tracking
from coalmm.typed import Callable, Iterator, NamedTuple

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES, as_u64
    from coalmm.hardware.constants import FRAME_SHIFT
    from coalmm.heap.constants import (
        C_ALIGN,
        C_ALLOCATIONS,
        C_AT,
        C_COLOUR_STEP,
        C_COLOURS,
        C_CURRENT,
        C_EMPTIES,
        C_EMPTY,
        C_FAILURES,
        C_FREES,
        C_LEFT,
        C_MAGIC,
        C_NAME,
        C_NAME_BYTES,
        C_NAME_LENGTH,
        C_NEXT,
        C_OBJECT_SIZE,
        C_PREVIOUS,
        C_RECIPROCAL,
        C_SHAPE,
        C_SLABS,
        C_STRIDE,
        CACHE_BUSY,
        CACHE_CONSTRUCTED,
        CACHE_DEBUG,
        CACHE_DESTROYED,
        CACHE_KMALLOC,
        CACHE_MAGIC,
        CACHE_SIZE,
        LEFT_ZONE,
        RIGHT_ZONE,
        SHAPE_FLAGS_SHIFT,
        SHAPE_OBJECTS,
        SHAPE_PAGES,
        SHAPE_PAGES_SHIFT,
        SLAB_CACHES,
        SLAB_COUNT,
        SLAB_ROOT,
    )
    from coalmm.physical.constants import (
        D_COUNT,
        D_DATA,
        D_HEAD,
        D_OWNER,
        HOOK_DEBUG,
        HOOK_INJECT,
        HOOK_TRACK,
        KIND_KERNEL,
        KIND_SLAB,
        POINT_SLAB,
        SB_HOOKS,
        SB_SLAB,
    )

Callback = Callable[[int], object]


class CacheInfo(NamedTuple):
    """One cache, now. Sizes in bytes; `active` counts live objects, `objects` all that the slabs hold."""

    name: str
    address: int
    object_size: int
    stride: int
    align: int
    objects_per_slab: int
    pages_per_slab: int
    active: int
    objects: int
    slabs: int
    empty_slabs: int
    allocations: int
    frees: int
    failures: int


class Slabs:
    """The slab caches of one machine."""

    def __init__(self, buddy: Buddy, tracking: Tracking) -> None:
        self.objects = Objects(buddy)
        self.tracking = tracking
        self.frames = buddy.frames
        self.words = self.frames.words
        self.halves = self.frames.halves
        self.kernel_base = self.objects.kernel_base
        self.low_frames = self.objects.low_frames

    def __repr__(self) -> str:
        caches = list(self.caches())
        live, slabs = sum(each.active for each in caches), sum(each.slabs for each in caches)
        return f"<Slabs: {len(caches)} caches, {live:,} live objects, {slabs:,} slabs>"

    def format(self) -> None:
        """Make the root cache, at boot. Raises MemoryError if there is no frame for it."""
        pfn = self.frames.take_low(KIND_KERNEL, 0)
        if pfn == 0:
            raise MemoryError("no frame for the root of the slab caches")
        self.frames.zero(pfn)
        root = pfn << FRAME_SHIFT >> 3
        shape = self.shape(CACHE_SIZE, CACHE_SIZE, 0)
        self.fill_record(root, "slab_cache", CACHE_SIZE, CACHE_SIZE, 0, shape, False)
        self.words[SB_SLAB + SLAB_ROOT] = root
        self.enlist(root)

    # Making and destroying caches.

    def create(
        self,
        name: str | bytes | int | None,
        size: int,
        align: int = 0,
        ctor: Callback | int | None = None,
        dtor: Callback | int | None = None,
    ) -> int:
        """Make a cache of objects of `size` bytes, aligned to `align` (0: what C would need).

        `ctor(address)` runs once for each object when its slab is made, `dtor(address)` once when the
        slab is given back. Returns the cache, which the caller owns; 0 (NULL) for size 0, an alignment
        that is not a power of two, objects of more than 16 MiB, or no memory. `name` is copied, at most
        80 bytes of it; it may be 0 or None. TypeError for a name or callback of another type.
        """
        wanted, alignment = as_u64(size), as_u64(align)
        text = name_bytes(name)
        callbacks = (callback(ctor), callback(dtor))
        flags = (CACHE_CONSTRUCTED if callbacks[0] else 0) | (CACHE_DESTROYED if callbacks[1] else 0)
        cache = 0
        if wanted != 0 and not alignment & (alignment - 1):
            cache = self.make(text, wanted, alignment or natural_alignment(wanted), flags, True)
        if cache == 0:
            self.frames.failed("slab_cache_create", name, size, align)
            return 0
        if flags:
            self.objects.callbacks[cache] = callbacks
        return self.kernel_base + (cache << 3)

    def make(self, name: bytes, size: int, align: int, flags: int, coloured: bool) -> int:
        """Make a cache from checked arguments; its word index, 0 if it cannot be had."""
        if self.words[SB_HOOKS] & HOOK_DEBUG:
            flags |= CACHE_DEBUG
        shape = self.shape(size, align, flags)
        if self.words[SB_SLAB + SLAB_ROOT] == 0 or not shape[1]:
            return 0
        address = self.objects.take_object(self.words[SB_SLAB + SLAB_ROOT])
        if address == 0:
            return 0
        cache = int(address - self.kernel_base) >> 3
        for index in range(CACHE_SIZE >> 3):
            self.words[cache + index] = 0
        self.fill_record(cache, name, size, align, flags, shape, coloured)
        self.enlist(cache)
        return cache

    def shape(self, size: int, align: int, flags: int) -> tuple[int, int, int, int]:
        """(stride, frames, objects, left zone) of a cache; objects is 0 if there can be none."""
        left = 0
        if flags & CACHE_DEBUG:
            align = max(align, 8)
            left = max(LEFT_ZONE, align)
            size = size + RIGHT_ZONE + LEFT_ZONE
        stride = object_stride(size, align)
        if stride == 0:
            return 0, 0, 0, 0
        pages, objects = slab_shape(stride, left)
        return stride, pages, objects, left

    def fill_record(
        self,
        cache: int,
        name: str | bytes,
        size: int,
        align: int,
        flags: int,
        shape: tuple[int, int, int, int],
        coloured: bool,
    ) -> None:
        """Write the record of a new cache over zero words; `shape` as `shape` says it."""
        stride, pages, objects, left = shape
        step = max(align, 64)
        colours = ((pages << FRAME_SHIFT) - left - objects * stride) // step + 1 if coloured else 1
        text = name.encode() if isinstance(name, str) else name
        for word, value in (
            (C_MAGIC, CACHE_MAGIC),
            (C_STRIDE, stride),
            (C_RECIPROCAL, ((1 << 32) + stride - 1) // stride),
            (C_SHAPE, objects | pages << SHAPE_PAGES_SHIFT | flags << SHAPE_FLAGS_SHIFT),
            (C_OBJECT_SIZE, size),
            (C_ALIGN, align),
            (C_LEFT, left),
            (C_COLOURS, colours),
            (C_COLOUR_STEP, step),
            (C_NAME_LENGTH, len(text)),
        ):
            self.words[cache + word] = value
        self.frames.ram.write((cache + C_NAME) << 3, text)

    def enlist(self, cache: int) -> None:
        """Put a cache at the head of the list of caches."""
        head = self.words[SB_SLAB + SLAB_CACHES]
        self.words[cache + C_NEXT] = head
        if head:
            self.words[head + C_PREVIOUS] = cache
        self.words[SB_SLAB + SLAB_CACHES] = cache
        self.words[SB_SLAB + SLAB_COUNT] += 1

    def destroy(self, cache: int) -> None:
        """Destroy a cache without live objects: its slabs go back, its destructor runs; 0 is nothing.

        A destructor that raises is not run for the objects that are left; the cache is gone all the
        same. Raises InUseError with live objects or for kmalloc's own caches, DoubleFreeError for a destroyed
        cache, InvalidPointerError for anything else; nothing is changed then.
        """
        pointer = as_u64(cache)
        if pointer == 0:
            return
        index = self.cache_at(pointer)
        live = self.words[index + C_ALLOCATIONS] - self.words[index + C_FREES]
        root = self.words[SB_SLAB + SLAB_ROOT]
        if index == root or self.words[index + C_SHAPE] >> SHAPE_FLAGS_SHIFT & CACHE_KMALLOC:
            raise InUseError(f"cache {self.objects.name(index)!r} is the allocator's own", pointer)
        if live:
            raise InUseError(f"cache {self.objects.name(index)!r} has {live} live objects", pointer)
        if self.words[index + C_SHAPE] >> SHAPE_FLAGS_SHIFT & CACHE_BUSY:
            raise InUseError(f"cache {self.objects.name(index)!r} runs its constructor or destructor", pointer)
        try:
            self.shrink_cache(index)
        finally:
            self.objects.callbacks.pop(index, None)
            self.shrink_cache(index)
            self.forget(index)

    def forget(self, cache: int) -> None:
        """Take a cache without slabs off the list and free its record."""
        after, before = self.words[cache + C_NEXT], self.words[cache + C_PREVIOUS]
        if after:
            self.words[after + C_PREVIOUS] = before
        if before:
            self.words[before + C_NEXT] = after
        else:
            self.words[SB_SLAB + SLAB_CACHES] = after
        self.words[SB_SLAB + SLAB_COUNT] -= 1
        self.words[cache + C_MAGIC] = 0
        at = self.frames.first_half + (cache >> 9 << 4)
        root, slab = self.halves[at + D_OWNER], self.halves[at + D_HEAD]
        pointer = self.kernel_base + (cache << 3)
        self.objects.give_object(root, slab, self.objects.object_index(root, slab, pointer))

    def bind(self, cache: int, ctor: Callback | None, dtor: Callback | None) -> None:
        """Give a cache of an attached image its constructor and destructor, which RAM cannot hold."""
        self.objects.callbacks[self.cache_at(as_u64(cache))] = (callback(ctor), callback(dtor))

    def cache_at(self, pointer: int) -> int:
        """The word index of the cache at a kernel address; raises if there is none."""
        offset = pointer - self.kernel_base & ALL_ONES
        pfn = offset >> FRAME_SHIFT
        root = self.words[SB_SLAB + SLAB_ROOT]
        if pfn < self.low_frames and offset & (CACHE_SIZE - 1) == 0:
            at = self.frames.first_half + (pfn << 4)
            is_record = root != 0 and self.frames.kind(pfn) == KIND_SLAB and self.halves[at + D_OWNER] == root
            if is_record or (root != 0 and offset >> 3 == root):
                if self.words[(offset >> 3) + C_MAGIC] == CACHE_MAGIC:
                    return offset >> 3
                raise DoubleFreeError(f"the slab cache at {pointer:#x} was destroyed", pointer)
        raise InvalidPointerError(f"{pointer:#x} is not a slab cache", pointer)

    # Objects.

    def allocate(self, cache: int) -> int:
        """Allocate an object; its kernel address, or 0 for no memory or cache 0. Contents as constructed.

        Raises DoubleFreeError for a destroyed cache, InvalidPointerError for what is none.
        """
        address = self.take(as_u64(cache))
        if address == 0:
            self.frames.failed("slab_alloc", cache)
        return address

    def take(self, cache: int) -> int:
        """`allocate` of a checked cache."""
        if cache == 0:
            return 0
        index = self.cache_at(cache)
        if self.words[SB_HOOKS]:
            return self.allocate_slowly(index)
        return self.objects.take_object(index)

    def allocate_slowly(self, cache: int) -> int:
        """`allocate` with fault injection, tracking or debugging on."""
        size = self.words[cache + C_OBJECT_SIZE]
        hooks = self.words[SB_HOOKS]
        if hooks & HOOK_INJECT and self.frames.injection.should_fail(POINT_SLAB, size):
            self.words[cache + C_FAILURES] += 1
            return 0
        address = self.objects.take_object(cache)
        if address and self.words[cache + C_SHAPE] >> SHAPE_FLAGS_SHIFT & CACHE_DEBUG:
            self.hand_out(cache, address, size)
        if address and hooks & HOOK_TRACK:
            self.tracking.allocated(address, size)
        return address

    def hand_out(self, cache: int, address: int, asked: int) -> None:
        """Check the poison of a debug cache's free object and paint its zones for `asked` bytes.

        If the poison is damaged the object stays out of use, and CorruptionError is raised.
        """
        zones = self.objects.zones
        size = self.words[cache + C_OBJECT_SIZE]
        if self.words[cache + C_SHAPE] >> SHAPE_FLAGS_SHIFT & CACHE_CONSTRUCTED == 0:
            zones.check_poison(address, size, self.tracking.history(address))
        zones.paint_zones(address, asked, self.words[cache + C_STRIDE])

    def take_back(self, cache: int, address: int) -> None:
        """Check the zones of a debug cache's object that is being freed, and poison it."""
        zones = self.objects.zones
        size, stride = self.words[cache + C_OBJECT_SIZE], self.words[cache + C_STRIDE]
        zones.check_zones(address, stride, self.tracking.history(address))
        zones.paint_zones(address, size, stride)
        if self.words[cache + C_SHAPE] >> SHAPE_FLAGS_SHIFT & CACHE_CONSTRUCTED == 0:
            zones.poison(address, size)

    def free(self, cache: int, ptr: int) -> None:
        """Free an object of `allocate`, in its constructed state; ptr 0 (NULL) is nothing.

        Raises DoubleFreeError or InvalidPointerError (an object of another cache, a pointer into an
        object, no object at all), CorruptionError for a damaged red zone; nothing is changed then.
        """
        self.give(as_u64(cache), as_u64(ptr))

    def give(self, cache: int, pointer: int) -> None:
        """`free` of a checked cache and address."""
        index = self.cache_at(cache)
        if pointer:
            self.give_live(index, pointer)

    def give_live(self, index: int, pointer: int) -> None:
        """`free` of an address that is not NULL, to the cache whose word index is known."""
        number = self.locate(index, pointer)
        hooks = self.words[SB_HOOKS]
        if hooks and self.words[index + C_SHAPE] >> SHAPE_FLAGS_SHIFT & CACHE_DEBUG:
            self.take_back(index, pointer)
        self.objects.give_object(index, self.objects.slab_of(pointer), number)
        if hooks & HOOK_TRACK:
            self.tracking.freed(pointer)

    def locate(self, cache: int, pointer: int) -> int:
        """The number, in its slab, of the live object of `cache` at a kernel address; raises if there is none."""
        offset = pointer - self.kernel_base & ALL_ONES
        pfn = offset >> FRAME_SHIFT
        if pfn >= self.low_frames:
            raise InvalidPointerError(f"{pointer:#x} is not a kernel address", pointer)
        at = self.frames.first_half + (pfn << 4)
        if self.frames.kind(pfn) != KIND_SLAB:
            raise InvalidPointerError(f"{pointer:#x} is not an object: {self.frames.describe(offset)}", pointer)
        owner, slab = self.halves[at + D_OWNER], self.halves[at + D_HEAD]
        if owner != cache:
            raise InvalidPointerError(
                f"{pointer:#x} belongs to cache {self.objects.name(owner)!r}, not {self.objects.name(cache)!r}", pointer
            )
        number = self.objects.object_index(cache, slab, pointer)
        if number == ALL_ONES:
            raise InvalidPointerError(
                f"{pointer:#x} is not the start of an object of cache {self.objects.name(cache)!r}", pointer
            )
        if self.words[self.frames.first_word + (slab << 3) + D_DATA + (number >> 6)] >> (number & 63) & 1:
            raise DoubleFreeError(
                f"{pointer:#x} of cache {self.objects.name(cache)!r} is free{self.tracking.history(pointer)}", pointer
            )
        return number

    def allocate_many(self, cache: int, count: int) -> "array[int]":
        """Allocate `count` objects: an array of their addresses, empty if not all can be had."""
        objects = array("Q")
        for _ in range(as_u64(count)):
            address = self.allocate(cache)
            if address == 0:
                self.free_many(cache, objects)
                return array("Q")
            objects.append(address)
        return objects

    def free_many(self, cache: int, pointers: "array[int] | list[int]") -> None:
        """Free objects of one cache; all are checked before the first is freed."""
        index = self.cache_at(as_u64(cache))
        if len(set(pointers)) != len(pointers):
            raise DoubleFreeError("an object stands twice in the list")
        for pointer in pointers:
            self.locate(index, as_u64(pointer))
            if self.words[index + C_SHAPE] >> SHAPE_FLAGS_SHIFT & CACHE_DEBUG:
                stride = self.words[index + C_STRIDE]
                self.objects.zones.check_zones(pointer, stride, self.tracking.history(pointer))
        for pointer in pointers:
            self.free(cache, pointer)

    # Giving memory back.

    def shrink(self) -> int:
        """Give every empty slab of every cache back; returns how many pages (4096 bytes) that were."""
        pages = 0
        cache = self.words[SB_SLAB + SLAB_CACHES]
        for _ in range(self.most_caches()):
            if cache == 0:
                break
            following = self.words[cache + C_NEXT]
            pages += self.shrink_cache(cache)
            cache = following
        return pages

    def reap(self) -> None:
        """Give the empty slabs of kmalloc's classes back."""
        cache = self.words[SB_SLAB + SLAB_CACHES]
        for _ in range(self.most_caches()):
            if cache == 0:
                break
            if self.words[cache + C_SHAPE] >> SHAPE_FLAGS_SHIFT & CACHE_KMALLOC:
                self.shrink_cache(cache)
            cache = self.words[cache + C_NEXT]

    def most_caches(self) -> int:
        """How many caches there are, and no more than RAM has room for: a damaged list may not be endless."""
        return min(self.words[SB_SLAB + SLAB_COUNT], self.frames.ram.size // CACHE_SIZE)

    def shrink_cache(self, cache: int) -> int:
        """Give the empty slabs of one cache back, the current one too; returns pages."""
        slabs = 0
        current = self.words[cache + C_CURRENT]
        if current and self.halves[self.frames.first_half + (current << 4) + D_COUNT] == 0:
            self.words[cache + C_CURRENT] = 0
            self.words[cache + C_AT] = 0
            self.words[cache + C_EMPTIES] += 1
            self.objects.link(cache + C_EMPTY, current)
        while self.words[cache + C_EMPTY]:
            slab = self.words[cache + C_EMPTY]
            self.objects.unlink(cache + C_EMPTY, slab)
            self.words[cache + C_EMPTIES] -= 1
            slabs += 1
            self.objects.destroy_slab(cache, slab)
        return slabs * (self.words[cache + C_SHAPE] >> SHAPE_PAGES_SHIFT & SHAPE_PAGES)

    # Looking.

    def caches(self) -> Iterator[CacheInfo]:
        """Every cache, the newest first."""
        cache = self.words[SB_SLAB + SLAB_CACHES]
        for _ in range(self.most_caches()):
            if cache == 0:
                return
            yield self.info(cache)
            cache = self.words[cache + C_NEXT]

    def info(self, cache: int) -> CacheInfo:
        """One cache, by the word index of its record."""
        word = self.words
        shape = word[cache + C_SHAPE]
        return CacheInfo(
            name=self.objects.name(cache),
            address=self.kernel_base + (cache << 3),
            object_size=word[cache + C_OBJECT_SIZE],
            stride=word[cache + C_STRIDE],
            align=word[cache + C_ALIGN],
            objects_per_slab=shape & SHAPE_OBJECTS,
            pages_per_slab=shape >> SHAPE_PAGES_SHIFT & SHAPE_PAGES,
            active=word[cache + C_ALLOCATIONS] - word[cache + C_FREES],
            objects=word[cache + C_SLABS] * (shape & SHAPE_OBJECTS),
            slabs=word[cache + C_SLABS],
            empty_slabs=word[cache + C_EMPTIES],
            allocations=word[cache + C_ALLOCATIONS],
            frees=word[cache + C_FREES],
            failures=word[cache + C_FAILURES],
        )


def name_bytes(name: str | bytes | int | None) -> bytes:
    """At most 80 bytes of a name, none for NULL; TypeError for what is not a name."""
    if name is None or (isinstance(name, int) and name == 0):
        return b""
    if isinstance(name, str):
        return name.encode("utf-8", "surrogateescape")[:C_NAME_BYTES]
    if isinstance(name, (bytes, bytearray)):
        return bytes(name[:C_NAME_BYTES])
    raise TypeError(f"a cache's name is a str or bytes, not {type(name).__name__}")


def callback(value: Callback | int | None) -> Callback | None:
    """A constructor or destructor, None for NULL; TypeError for what cannot be called."""
    if value is None or value == 0:
        return None
    if not callable(value):
        raise TypeError(f"a constructor or destructor is a function, not {type(value).__name__}")
    return value
