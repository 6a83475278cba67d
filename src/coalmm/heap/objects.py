"""Objects of slabs: taking and giving them, and the slabs of a cache.

A slab is a few adjacent frames cut into objects. Which of them are free is a bitmap in the first
frame's descriptor, outside of the objects: an overflow cannot corrupt it, a free object keeps its
constructed state, and a second free is one bit to test.

    descriptor of a slab's first frame          the slab
    +---------------------------------+         +------+--------+--------+--------+---+
    | kind, colour / 8, first frame   |         |colour|object 0|object 1|object 2|...|
    | next, previous, in use, cache   |         +------+--------+--------+--------+---+
    | 256 bits: 1 = object is free    |
    +---------------------------------+         every other frame's descriptor: kind, first frame

    cache: current slab (on no list) | partial slabs | empty slabs | full slabs (on no list)

Costs: take and give are O(1), one line of 64 bytes of the cache and one of the descriptor.

Two objects that lie at the same offset of different slabs would fall into the same processor cache
sets; `colour` shifts each new slab's objects within what would be wasted.
"""

import cython

from coalmm.errors import CorruptionError, InUseError
from coalmm.heap.buddy import Buddy
from coalmm.heap.fast_path import FastPath
from coalmm.heap.redzone import RedZones
from coalmm.typed import Callable

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES, bit
    from coalmm.hardware.constants import FRAME_SHIFT
    from coalmm.heap.constants import (
        C_ALIGN,
        C_AT,
        C_BASE,
        C_COLOUR_STEP,
        C_COLOURS,
        C_CURRENT,
        C_EMPTIES,
        C_EMPTY,
        C_FAILURES,
        C_FREES,
        C_LEFT,
        C_NAME,
        C_NAME_BYTES,
        C_NAME_LENGTH,
        C_OBJECT_SIZE,
        C_PARTIAL,
        C_SHAPE,
        C_SLABS,
        C_STRIDE,
        CACHE_BUSY,
        CACHE_CONSTRUCTED,
        CACHE_DEBUG,
        CACHE_DESTROYED,
        CACHE_WORDS,
        COLOUR_COUNT,
        EMPTIES_KEPT,
        MOST_OBJECTS,
        SHAPE_FLAGS_SHIFT,
        SHAPE_OBJECTS,
        SHAPE_PAGES,
        SHAPE_PAGES_SHIFT,
    )
    from coalmm.physical.constants import (
        D_COUNT,
        D_DATA,
        D_HEAD,
        D_KIND,
        D_NEXT,
        D_PREVIOUS,
        FLAGS_SHIFT,
        KIND_SLAB,
        SB_FRAMES,
        SB_KERNEL_BASE,
        SB_LOWMEM,
    )

Callback = Callable[[int], object]


class Objects:
    """The objects of one machine's slabs. Here a cache is the word index of its record in RAM."""

    def __init__(self, buddy: Buddy) -> None:
        self.buddy = buddy
        self.frames = buddy.frames
        self.bytes = self.frames.bytes
        self.words = self.frames.words
        self.halves = self.frames.halves
        self.first_half = self.frames.first_half
        self.first_word = self.frames.first_word
        self.cache_limit = (self.words[SB_FRAMES] << FRAME_SHIFT >> 3) - CACHE_WORDS
        self.kernel_base = self.words[SB_KERNEL_BASE]
        self.low_frames = self.words[SB_LOWMEM]
        self.fast = FastPath(self.frames)
        self.zones = RedZones(self.frames)
        self.callbacks: dict[int, tuple[Callback | None, Callback | None]] = {}

    def take_object(self, cache: int) -> int:
        """Take an object of a cache; its kernel address, 0 if there is no memory."""
        address = self.fast.take(cache)
        return address if address else self.take_further(cache)

    def take_further(self, cache: int) -> int:
        """`take_object` when the current word has no free object: from the next one, or another slab."""
        if cache >= self.cache_limit:
            raise CorruptionError(f"there is no slab cache at {cache << 3:#x}", cache << 3)
        slab = self.words[cache + C_CURRENT]
        if slab >= self.low_frames:
            raise CorruptionError(f"the slab cache at {cache << 3:#x} has no slab {slab:#x}", cache << 3)
        if slab == 0 or not self.next_word(cache, slab):
            slab = self.next_slab(cache)
            if slab == 0 or not self.next_word(cache, slab):
                self.words[cache + C_FAILURES] += 1
                return 0
        return self.take_object(cache)

    def next_word(self, cache: int, slab: int) -> bool:
        """Let allocations come from the first word of a slab that has a free object; False if none has."""
        at = self.first_word + (slab << 3) + D_DATA
        for index in range(MOST_OBJECTS >> 6):
            if self.words[at + index]:
                self.words[cache + C_AT] = at + index
                self.words[cache + C_BASE] = self.first_object(slab) + (index << 6) * self.words[cache + C_STRIDE]
                return True
        return False

    def object_index(self, cache: int, slab: int, pointer: int) -> int:
        """Which object of slab `slab` (pfn) starts at kernel address `pointer`; ALL_ONES if none does."""
        colour = self.halves[self.first_half + (slab << 4) + D_KIND] >> FLAGS_SHIFT << 3
        offset = pointer - self.kernel_base - (slab << FRAME_SHIFT) - colour
        if pointer - self.kernel_base < (slab << FRAME_SHIFT) + colour or self.words[cache + C_STRIDE] == 0:
            return ALL_ONES
        index = offset // self.words[cache + C_STRIDE]
        if index * self.words[cache + C_STRIDE] != offset or index >= self.words[cache + C_SHAPE] & SHAPE_OBJECTS:
            return ALL_ONES
        return index

    def give_object(self, cache: int, slab: int, index: int) -> None:
        """Free the live object `index` of a slab."""
        self.words[self.first_word + (slab << 3) + D_DATA + (index >> 6)] |= bit(index)
        at = self.first_half + (slab << 4) + D_COUNT
        count = self.halves[at]
        self.halves[at] = count - 1
        self.words[cache + C_FREES] += 1
        if slab != self.words[cache + C_CURRENT]:
            self.relist(cache, slab, count)

    def relist(self, cache: int, slab: int, count: int) -> None:
        """A slab that is not the current one had `count` live objects and has one less: is its list right?"""
        if count == self.words[cache + C_SHAPE] & SHAPE_OBJECTS:
            self.link(cache + C_PARTIAL, slab)
        if count == 1:
            self.retire(cache, slab)

    def slab_of(self, pointer: int) -> int:
        """The pfn of the slab under the kernel address of an object."""
        return self.halves[self.first_half + (pointer - self.kernel_base >> FRAME_SHIFT << 4) + D_HEAD]

    # Slabs of a cache.

    def next_slab(self, cache: int) -> int:
        """Make a slab with free objects the current one: a partial, an empty or a new one; its pfn, or 0."""
        slab = self.words[cache + C_PARTIAL]
        if slab:
            self.unlink(cache + C_PARTIAL, slab)
        else:
            slab = self.words[cache + C_EMPTY]
            if slab:
                self.unlink(cache + C_EMPTY, slab)
                self.words[cache + C_EMPTIES] -= 1
            else:
                slab = self.new_slab(cache)
                if slab == 0:
                    return 0
                self.put_aside(cache)
        self.words[cache + C_CURRENT] = slab
        return slab

    def put_aside(self, cache: int) -> None:
        """List the current slab that a new one replaces, if the constructor has freed objects of it."""
        slab = self.words[cache + C_CURRENT]
        live = self.halves[self.first_half + (slab << 4) + D_COUNT]
        if slab and live == 0:
            self.link(cache + C_EMPTY, slab)
            self.words[cache + C_EMPTIES] += 1
        elif slab and live != self.words[cache + C_SHAPE] & SHAPE_OBJECTS:
            self.link(cache + C_PARTIAL, slab)

    def first_object(self, slab: int) -> int:
        """The kernel address of a slab's object 0."""
        colour = self.halves[self.first_half + (slab << 4) + D_KIND] >> FLAGS_SHIFT << 3
        return self.kernel_base + (slab << FRAME_SHIFT) + colour

    def new_slab(self, cache: int) -> int:
        """Get frames for a slab and construct its objects; its pfn, 0 if there is no memory."""
        shape = self.words[cache + C_SHAPE]
        flags = shape >> SHAPE_FLAGS_SHIFT
        if flags & CACHE_BUSY:
            raise InUseError(
                f"cache {self.name(cache)!r} is used inside its own constructor or destructor", self.address(cache)
            )
        pages = shape >> SHAPE_PAGES_SHIFT & SHAPE_PAGES
        if pages == 0 or shape & SHAPE_OBJECTS == 0 or shape & SHAPE_OBJECTS > MOST_OBJECTS:
            raise CorruptionError(f"the shape of the slab cache at {cache << 3:#x} is damaged", cache << 3)
        align = self.words[cache + C_ALIGN] >> FRAME_SHIFT
        slab = self.buddy.take_pages(pages, align if align else 1)
        if slab == 0:
            return 0
        colour = (self.words[cache + C_LEFT] + self.next_colour(cache)) >> 3
        self.buddy.lend(slab, pages, KIND_SLAB, colour, cache)
        self.set_all_free(slab, shape & SHAPE_OBJECTS)
        self.words[cache + C_SLABS] += 1
        if flags & (CACHE_DEBUG | CACHE_CONSTRUCTED):
            self.prepare_objects(cache, slab)
        return slab

    def set_all_free(self, slab: int, objects: int) -> None:
        """Set the bits of a new slab's objects."""
        at = self.first_word + (slab << 3) + D_DATA
        while objects >= 64:
            self.words[at] = ALL_ONES
            at += 1
            objects -= 64
        if objects:
            self.words[at] = bit(objects) - 1

    def next_colour(self, cache: int) -> int:
        """The bytes by which the next slab's objects are shifted."""
        colours = self.words[cache + C_COLOURS]
        count = colours & COLOUR_COUNT
        if count <= 1:
            return 0
        colour = colours >> 32
        following = colour + 1 if colour + 1 < count else 0
        self.words[cache + C_COLOURS] = count | following << 32
        return colour * self.words[cache + C_COLOUR_STEP]

    def prepare_objects(self, cache: int, slab: int) -> None:
        """Paint the red zones of a new slab and run the constructor."""
        shape = self.words[cache + C_SHAPE]
        constructed = shape >> SHAPE_FLAGS_SHIFT & CACHE_CONSTRUCTED
        base, stride, objects = self.first_object(slab), self.words[cache + C_STRIDE], shape & SHAPE_OBJECTS
        if shape >> SHAPE_FLAGS_SHIFT & CACHE_DEBUG:
            self.zones.prepare(base, stride, objects, self.words[cache + C_OBJECT_SIZE], constructed == 0)
        if constructed:
            self.construct(cache, slab, base, stride, objects)

    def construct(self, cache: int, slab: int, base: int, stride: int, objects: int) -> None:
        """Run the constructor over the objects of a new slab; a raising one undoes the slab."""
        constructor = self.callbacks.get(cache, (None, None))[0]
        if constructor is None:
            self.discard(cache, slab)
            raise InUseError(f"the constructor of cache {self.name(cache)!r} is not bound", self.address(cache))
        built = 0
        self.words[cache + C_SHAPE] |= CACHE_BUSY << SHAPE_FLAGS_SHIFT
        try:
            while built < objects:
                constructor(base + built * stride)
                built += 1
        finally:
            self.words[cache + C_SHAPE] &= ALL_ONES ^ (CACHE_BUSY << SHAPE_FLAGS_SHIFT)
            if built < objects:
                self.discard(cache, slab)

    def retire(self, cache: int, slab: int) -> None:
        """A slab on the partial list has no live object left: keep it as an empty one, or give it back."""
        self.unlink(cache + C_PARTIAL, slab)
        if self.words[cache + C_EMPTIES] < EMPTIES_KEPT:
            self.link(cache + C_EMPTY, slab)
            self.words[cache + C_EMPTIES] += 1
        else:
            self.destroy_slab(cache, slab)

    def destroy_slab(self, cache: int, slab: int) -> None:
        """Run the destructor over an unlinked, empty slab and give its frames back, whatever it raises."""
        if self.words[cache + C_SHAPE] >> SHAPE_FLAGS_SHIFT & CACHE_DESTROYED:
            self.destroy_objects(cache, slab)
        else:
            self.discard(cache, slab)

    def destroy_objects(self, cache: int, slab: int) -> None:
        """`destroy_slab` with a destructor, unless that of an attached image is not bound."""
        destructor = self.callbacks.get(cache, (None, None))[1]
        shape = self.words[cache + C_SHAPE]
        base, stride = self.first_object(slab), self.words[cache + C_STRIDE]
        self.words[cache + C_SHAPE] = shape | CACHE_BUSY << SHAPE_FLAGS_SHIFT
        try:
            if destructor is not None:
                for index in range(shape & SHAPE_OBJECTS):
                    destructor(base + index * stride)
        finally:
            self.words[cache + C_SHAPE] = shape
            self.discard(cache, slab)

    def discard(self, cache: int, slab: int) -> None:
        """Give the frames of an unlinked slab back to the buddy allocator."""
        pages = self.words[cache + C_SHAPE] >> SHAPE_PAGES_SHIFT & SHAPE_PAGES
        self.words[cache + C_SLABS] -= 1
        self.buddy.give_lent(slab, pages, pages)

    def link(self, head: int, slab: int) -> None:
        """Put a slab at the head of the list whose first pfn is word `head`."""
        at = self.first_half + (slab << 4)
        after = self.words[head]
        self.halves[at + D_NEXT] = after
        self.halves[at + D_PREVIOUS] = 0
        if after:
            self.halves[self.first_half + (after << 4) + D_PREVIOUS] = slab
        self.words[head] = slab

    def unlink(self, head: int, slab: int) -> None:
        """Take a slab off the list whose first pfn is word `head`."""
        at = self.first_half + (slab << 4)
        after = self.halves[at + D_NEXT]
        before = self.halves[at + D_PREVIOUS]
        if after:
            self.halves[self.first_half + (after << 4) + D_PREVIOUS] = before
        if before:
            self.halves[self.first_half + (before << 4) + D_NEXT] = after
        else:
            self.words[head] = after
        self.halves[at + D_NEXT] = 0
        self.halves[at + D_PREVIOUS] = 0

    def address(self, cache: int) -> int:
        """The kernel address of a cache's record, which is what callers know it by."""
        return self.kernel_base + (cache << 3)

    def name(self, cache: int) -> str:
        """The name of a cache, as text."""
        start = (cache + C_NAME) << 3
        length = min(self.words[cache + C_NAME_LENGTH], C_NAME_BYTES)
        return bytes(self.bytes[start : start + length]).decode("utf-8", "replace")
