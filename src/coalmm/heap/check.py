"""The checker of the slab allocator: caches, slabs, lists and bitmaps against each other."""

from collections import Counter

from coalmm.errors import CorruptionError
from coalmm.hardware.constants import FRAME_SHIFT
from coalmm.heap.constants import (
    C_ALIGN,
    C_ALLOCATIONS,
    C_AT,
    C_BASE,
    C_COLOUR_STEP,
    C_COLOURS,
    C_CURRENT,
    C_EMPTIES,
    C_EMPTY,
    C_FREES,
    C_LEFT,
    C_MAGIC,
    C_NAME_BYTES,
    C_NAME_LENGTH,
    C_NEXT,
    C_OBJECT_SIZE,
    C_PARTIAL,
    C_PREVIOUS,
    C_RECIPROCAL,
    C_SHAPE,
    C_SLABS,
    C_STRIDE,
    CACHE_CONSTRUCTED,
    CACHE_DEBUG,
    CACHE_MAGIC,
    LARGEST_BLOCK_FRAMES,
    MOST_OBJECTS,
    SHAPE_FLAGS_SHIFT,
    SHAPE_OBJECTS,
    SHAPE_PAGES,
    SHAPE_PAGES_SHIFT,
    SLAB_CACHES,
    SLAB_COUNT,
    SLAB_ROOT,
)
from coalmm.heap.slab import Slabs
from coalmm.physical.constants import (
    D_COUNT,
    D_DATA,
    D_HEAD,
    D_KIND,
    D_NEXT,
    D_OWNER,
    D_PREVIOUS,
    DESCRIPTOR_SIZE,
    FLAGS_SHIFT,
    KIND_SLAB,
    SB_SLAB,
)

COLOUR_STEP = 64  # a processor cache line


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
        root = self.words[SB_SLAB + SLAB_ROOT]
        if (root not in caches) if caches else root:
            raise CorruptionError(f"superblock: the root of the slab caches is not at {root << 3:#x}", root << 3)
        live: Counter[int] = Counter()
        slabs: Counter[int] = Counter()
        listed: Counter[tuple[int, int]] = Counter()  # by cache and the list that they belong on
        for slab in self.slab_heads():
            cache = self.half(slab, D_OWNER)
            if cache not in caches:
                raise CorruptionError(f"the slab at {slab << FRAME_SHIFT:#x} belongs to no cache", slab << FRAME_SHIFT)
            used = self.check_slab(cache, slab)
            live[cache] += used
            slabs[cache] += 1
            if slab != self.words[cache + C_CURRENT] and used < self.words[cache + C_SHAPE] & SHAPE_OBJECTS:
                listed[cache, C_PARTIAL if used else C_EMPTY] += 1
        for cache in caches:
            self.check_cache(cache, live[cache], slabs[cache])
            self.check_list(cache, C_PARTIAL, listed[cache, C_PARTIAL])
            self.check_list(cache, C_EMPTY, listed[cache, C_EMPTY])
            if self.words[cache + C_EMPTIES] != listed[cache, C_EMPTY]:
                raise CorruptionError(f"cache {self.objects.name(cache)!r} miscounts its empty slabs", cache << 3)

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
            if not self.has_shape(cache):
                raise CorruptionError(f"the shape of the slab cache at {cache << 3:#x} is damaged", cache << 3)
            found.add(cache)
            before, cache = cache, self.words[cache + C_NEXT]
        if len(found) != self.words[SB_SLAB + SLAB_COUNT]:
            raise CorruptionError(f"{len(found)} slab caches listed, {self.words[SB_SLAB + SLAB_COUNT]} counted")
        return found

    def has_shape(self, cache: int) -> bool:
        """Whether the numbers of a cache's record fit each other."""
        word = self.words
        stride, align, shape = word[cache + C_STRIDE], word[cache + C_ALIGN], word[cache + C_SHAPE]
        objects, pages = shape & SHAPE_OBJECTS, shape >> SHAPE_PAGES_SHIFT & SHAPE_PAGES
        colours, step = word[cache + C_COLOURS], word[cache + C_COLOUR_STEP]
        count, colour = colours & 0xFFFF_FFFF, colours >> 32
        if not (0 < objects <= MOST_OBJECTS and stride and align and count and colour < count):
            return False
        spare = (pages << FRAME_SHIFT) - word[cache + C_LEFT] - objects * stride
        return bool(
            0 < word[cache + C_OBJECT_SIZE] <= stride
            and align & (align - 1) == 0
            and stride % align == 0
            and step == max(align, COLOUR_STEP)
            and 0 <= (count - 1) * step <= spare
            and pages <= LARGEST_BLOCK_FRAMES
            and word[cache + C_RECIPROCAL] == ((1 << 32) + stride - 1) // stride
            and word[cache + C_NAME_LENGTH] <= C_NAME_BYTES
        )

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
        room = self.words[cache + C_COLOUR_STEP] * ((self.words[cache + C_COLOURS] & 0xFFFF_FFFF) - 1)
        colour = (self.half(slab, D_KIND) >> FLAGS_SHIFT << 3) - self.words[cache + C_LEFT]
        if not 0 <= colour <= room or colour % self.words[cache + C_COLOUR_STEP]:
            raise CorruptionError(
                f"cache {self.objects.name(cache)!r}: the slab at {slab << FRAME_SHIFT:#x} has no such colour",
                slab << FRAME_SHIFT,
            )
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
        if not self.is_current(cache, current):
            raise CorruptionError(f"cache {name!r}: its current slab {current << FRAME_SHIFT:#x} is none", cache << 3)

    def is_current(self, cache: int, slab: int) -> bool:
        """Whether a slab (0 for none) and the word that allocations come from can be the current ones."""
        at, base = self.words[cache + C_AT], self.words[cache + C_BASE]
        if slab == 0:
            return bool(at == 0)
        index = at - (self.frames.first_word + (slab << 3) + D_DATA)
        if not self.is_slab_of(cache, slab) or not 0 <= index < MOST_OBJECTS >> 6:
            return False
        return bool(base == self.objects.first_object(slab) + (index << 6) * self.words[cache + C_STRIDE])

    def is_slab_of(self, cache: int, slab: int) -> bool:
        """Whether a slab of a cache starts at a frame."""
        return bool(
            slab < self.frames.pfn_limit
            and self.frames.kind(slab) == KIND_SLAB
            and self.half(slab, D_OWNER) == cache
            and self.half(slab, D_HEAD) == slab
        )

    def check_list(self, cache: int, head: int, want: int) -> None:
        """Check that `want` slabs stand on a list, and that they belong there."""
        current, objects = self.words[cache + C_CURRENT], self.words[cache + C_SHAPE] & SHAPE_OBJECTS
        low, high = (1, objects - 1) if head == C_PARTIAL else (0, 0)
        name = self.objects.name(cache)
        found = before = 0
        slab = self.words[cache + head]
        while slab:
            where = f"cache {name!r}: the slab at {slab << FRAME_SHIFT:#x}"
            if not self.is_slab_of(cache, slab) or slab == current or self.half(slab, D_PREVIOUS) != before:
                raise CorruptionError(f"{where} stands on a list that is damaged", slab << FRAME_SHIFT)
            if not low <= self.half(slab, D_COUNT) <= high:
                raise CorruptionError(f"{where} is on the wrong list", slab << FRAME_SHIFT)
            found += 1
            before, slab = slab, self.half(slab, D_NEXT)
        if found != want:
            what = "partial" if head == C_PARTIAL else "empty"
            raise CorruptionError(f"cache {name!r}: {found} {what} slabs are listed, there are {want}", cache << 3)
