"""The checker of the slab allocator: caches, slabs, lists and bitmaps against each other."""

from collections import Counter

from coalmm.errors import CorruptionError
from coalmm.hardware.constants import FRAME_SHIFT
from coalmm.heap.constants import (
    C_ALLOCATIONS,
    C_CURRENT,
    C_EMPTIES,
    C_EMPTY,
    C_FREES,
    C_MAGIC,
    C_NEXT,
    C_PARTIAL,
    C_PREVIOUS,
    C_SHAPE,
    C_SLABS,
    C_STRIDE,
    CACHE_CONSTRUCTED,
    CACHE_DEBUG,
    CACHE_MAGIC,
    SHAPE_FLAGS_SHIFT,
    SHAPE_OBJECTS,
    SHAPE_PAGES,
    SHAPE_PAGES_SHIFT,
    SLAB_CACHES,
    SLAB_COUNT,
)
from coalmm.heap.slab import Slabs
from coalmm.physical.constants import (
    D_COUNT,
    D_DATA,
    D_HEAD,
    D_NEXT,
    D_OWNER,
    DESCRIPTOR_SIZE,
    KIND_SLAB,
    SB_SLAB,
)


class SlabCheck:
    """One pass over the slabs of one machine."""

    def __init__(self, slabs: Slabs) -> None:
        self.slabs = slabs
        self.frames = slabs.frames
        self.words = self.frames.words
        self.halves = self.frames.halves
        self.objects = slabs.objects

    def validate(self) -> None:
        """Check everything; CorruptionError names the cache, and the slab's address."""
        caches = self.caches()
        live: Counter[int] = Counter()
        slabs: Counter[int] = Counter()
        for slab in self.slab_heads():
            cache = self.half(slab, D_OWNER)
            if cache not in caches:
                raise CorruptionError(f"the slab at {slab << FRAME_SHIFT:#x} belongs to no cache", slab << FRAME_SHIFT)
            live[cache] += self.check_slab(cache, slab)
            slabs[cache] += 1
        for cache in caches:
            self.check_cache(cache, live[cache], slabs[cache])

    def half(self, pfn: int, field: int) -> int:
        """A half of a frame's descriptor."""
        return int(self.halves[self.frames.first_half + (pfn << 4) + field])

    def caches(self) -> set[int]:
        """The word indices of all caches; checks the list that they stand on."""
        found: set[int] = set()
        before, cache = 0, self.words[SB_SLAB + SLAB_CACHES]
        while cache:
            good = cache < len(self.words) - C_PREVIOUS and self.words[cache + C_MAGIC] == CACHE_MAGIC
            if not good or cache in found or self.words[cache + C_PREVIOUS] != before:
                raise CorruptionError(f"the list of slab caches is damaged at {cache << 3:#x}", cache << 3)
            if self.words[cache + C_STRIDE] == 0 or self.words[cache + C_SHAPE] & SHAPE_OBJECTS == 0:
                raise CorruptionError(f"the slab cache at {cache << 3:#x} has no shape", cache << 3)
            found.add(cache)
            before, cache = cache, self.words[cache + C_NEXT]
        if len(found) != self.words[SB_SLAB + SLAB_COUNT]:
            raise CorruptionError(f"{len(found)} slab caches listed, {self.words[SB_SLAB + SLAB_COUNT]} counted")
        return found

    def slab_heads(self) -> list[int]:
        """The first frame of each slab, in order; checks that all its frames say so."""
        heads = []
        for first, last in self.frames.backed(self.frames.descriptors, self.frames.pfn_limit, DESCRIPTOR_SIZE):
            pfn = first
            while pfn < last:
                if self.frames.kind(pfn) == KIND_SLAB:
                    heads.append(pfn)
                    pfn = self.after_slab(pfn)
                else:
                    pfn += 1
        return heads

    def after_slab(self, slab: int) -> int:
        """The frame behind the slab that starts at `slab`."""
        cache = self.half(slab, D_OWNER)
        pages = 0
        if cache < len(self.words) - C_PREVIOUS:
            pages = self.words[cache + C_SHAPE] >> SHAPE_PAGES_SHIFT & SHAPE_PAGES
        for pfn in range(slab, slab + max(pages, 1)):
            good = pfn < self.frames.pfn_limit and self.frames.kind(pfn) == KIND_SLAB
            if not good or self.half(pfn, D_HEAD) != slab or self.half(pfn, D_OWNER) != cache or pages == 0:
                raise CorruptionError(f"the slab at {slab << FRAME_SHIFT:#x} is not whole", slab << FRAME_SHIFT)
        return int(slab + pages)

    def check_slab(self, cache: int, slab: int) -> int:
        """Check one slab's bitmap, and with debugging on its objects; returns its live objects."""
        at = self.frames.first_word + (slab << 3) + D_DATA
        objects = self.words[cache + C_SHAPE] & SHAPE_OBJECTS
        bits = sum(self.words[at + index] << 64 * index for index in range(4))
        live = objects - bits.bit_count()
        if bits >> objects or live != self.half(slab, D_COUNT):
            raise CorruptionError(
                f"cache {self.objects.name(cache)!r}: the slab at {slab << FRAME_SHIFT:#x} counts "
                f"{self.half(slab, D_COUNT)} live objects, its bitmap {live}",
                slab << FRAME_SHIFT,
            )
        if self.words[cache + C_SHAPE] >> SHAPE_FLAGS_SHIFT & CACHE_DEBUG:
            self.check_objects(cache, slab, bits)
        return int(live)

    def check_objects(self, cache: int, slab: int, free: int) -> None:
        """Check the red zones of a debug cache's live objects and the poison of its free ones."""
        shape, stride = self.words[cache + C_SHAPE], self.words[cache + C_STRIDE]
        for index in range(shape & SHAPE_OBJECTS):
            address = self.objects.first_object(slab) + index * stride
            history = self.slabs.tracking.history(address)
            self.objects.zones.check_zones(address, stride, history)
            if free >> index & 1 and shape >> SHAPE_FLAGS_SHIFT & CACHE_CONSTRUCTED == 0:
                size = self.slabs.info(cache).object_size
                self.objects.zones.check_poison(address, size, history)

    def check_cache(self, cache: int, live: int, slabs: int) -> None:
        """Check one cache's counters and lists against what its slabs say."""
        counted = self.words[cache + C_ALLOCATIONS] - self.words[cache + C_FREES]
        name = self.objects.name(cache)
        if live != counted or slabs != self.words[cache + C_SLABS]:
            raise CorruptionError(
                f"cache {name!r} counts {counted} live objects in {self.words[cache + C_SLABS]} slabs; "
                f"there are {live} in {slabs}",
                cache << 3,
            )
        current = self.words[cache + C_CURRENT]
        objects = self.words[cache + C_SHAPE] & SHAPE_OBJECTS
        for head, low, high in ((C_PARTIAL, 1, objects - 1), (C_EMPTY, 0, 0)):
            listed = self.check_list(cache, head, low, high, current)
            if head == C_EMPTY and listed != self.words[cache + C_EMPTIES]:
                raise CorruptionError(f"cache {name!r} miscounts its empty slabs", cache << 3)

    def check_list(self, cache: int, head: int, low: int, high: int, current: int) -> int:
        """Check that the slabs of a list belong to it; returns how many there are."""
        seen: set[int] = set()
        slab = self.words[cache + head]
        while slab:
            good = slab < self.frames.pfn_limit and self.frames.kind(slab) == KIND_SLAB and slab not in seen
            if not good or slab == current or self.half(slab, D_OWNER) != cache:
                raise CorruptionError(f"cache {self.objects.name(cache)!r}: a list of slabs is damaged", cache << 3)
            if not low <= self.half(slab, D_COUNT) <= high:
                raise CorruptionError(
                    f"cache {self.objects.name(cache)!r}: the slab at {slab << FRAME_SHIFT:#x} is on the wrong list",
                    slab << FRAME_SHIFT,
                )
            seen.add(slab)
            slab = self.half(slab, D_NEXT)
        return len(seen)
