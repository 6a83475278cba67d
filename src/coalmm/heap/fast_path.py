"""The fast paths of kmalloc, kfree and slab_alloc: what most calls need, and nothing that can fail.

An allocation takes the lowest set bit of the word that its cache is allocating from; a free sets the bit
of its object. Whatever needs more (a hook, another word, another slab, an error) is left to the slow path:
the answer is 0 or False then, and nothing was changed.

They raise nothing, need no Python object and no lock of the interpreter, so C code can call them as they
are. What they read from RAM and use as an index is compared with a limit first, so that they can do without
a check at each access:

    the record of a cache                                  < cache_limit, the last word with room for one
    a word of a descriptor, from the cache's record        in the descriptors of frames that the kernel maps
    the frame under a pointer, the first one of its slab   < low_frames
    the number of an object                                masked: LAST_DATA

Costs: 25 to 40 machine instructions for an allocation, about 75 for a free; one line of 64 bytes of the
cache's record, one or two of descriptors.
"""

import cython

from coalmm.errors import CorruptionError
from coalmm.physical.frames import Frames

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES, bit, ctz
    from coalmm.hardware.constants import FRAME_SHIFT
    from coalmm.heap.constants import (
        C_ALLOCATIONS,
        C_AT,
        C_BASE,
        C_CURRENT,
        C_FREES,
        C_RECIPROCAL,
        C_SHAPE,
        C_STRIDE,
        CACHE_KMALLOC,
        CACHE_WORDS,
        KMALLOC_TABLE,
        KMALLOC_TABLE_SIZE,
        LARGEST_CLASS,
        LAST_DATA,
        SHAPE_FLAGS_SHIFT,
        SHAPE_OBJECTS,
    )
    from coalmm.physical.constants import (
        D_COUNT,
        D_DATA,
        FLAGS_KIND_MASK,
        KIND_SLAB,
        SB_FRAMES,
        SB_HOOKS,
        SB_KERNEL_BASE,
        SB_KMALLOC,
        SB_LOWMEM,
    )


class FastPath:
    """The fast paths over one machine's RAM. Here a cache is the word index of its record."""

    def __init__(self, frames: Frames) -> None:
        self.words = frames.words
        self.halves = frames.halves
        self.first_word = frames.first_word
        self.descriptor_words = self.words[SB_LOWMEM] << 3
        self.cache_limit = (self.words[SB_FRAMES] << FRAME_SHIFT >> 3) - CACHE_WORDS
        self.kernel_base = self.words[SB_KERNEL_BASE]
        self.low_frames = self.words[SB_LOWMEM]
        self.read_table()

    def read_table(self) -> None:
        """Find the table of kmalloc's classes. Raises CorruptionError if it is not in RAM."""
        paddr = self.words[SB_KMALLOC + KMALLOC_TABLE]
        if paddr > (self.words[SB_FRAMES] << FRAME_SHIFT) - KMALLOC_TABLE_SIZE:
            raise CorruptionError("superblock: the table of kmalloc classes is wrong", paddr)
        self.table = paddr >> 2

    @cython.boundscheck(False)
    @cython.nonecheck(False)
    def allocate(self, size: int) -> int:
        """`kmalloc(size)`: the kernel address, or 0."""
        if self.words[SB_HOOKS] or (size - 1) & ALL_ONES >= LARGEST_CLASS:
            return 0
        return self.take(self.halves[self.table + ((size + 7) >> 3)])

    @cython.boundscheck(False)
    @cython.nonecheck(False)
    def take(self, cache: int) -> int:
        """An object of a cache: the kernel address, or 0."""
        if cache >= self.cache_limit:
            return 0
        at = self.words[cache + C_AT]
        if (at - self.first_word) & ALL_ONES >= self.descriptor_words:
            return 0
        word = self.words[at]
        if word == 0:
            return 0
        self.words[at] = word & (word - 1)
        self.halves[(at >> 3 << 4) + D_COUNT] += 1
        self.words[cache + C_ALLOCATIONS] += 1
        return self.words[cache + C_BASE] + ctz(word) * self.words[cache + C_STRIDE]

    @cython.boundscheck(False)
    @cython.nonecheck(False)
    def release(self, pointer: int) -> bool:
        """`kfree(pointer)`; False if there is no live object of kmalloc, or if its slab changes lists."""
        offset = (pointer - self.kernel_base) & ALL_ONES
        pfn = offset >> FRAME_SHIFT
        if pfn >= self.low_frames or self.words[SB_HOOKS]:
            return False
        at = self.first_word + (pfn << 3)
        kind = self.words[at + 1]
        cache = self.words[at + 3] >> 32
        slab = kind >> 32
        if kind & FLAGS_KIND_MASK != KIND_SLAB or cache >= self.cache_limit or slab >= self.low_frames:
            return False
        shape = self.words[cache + C_SHAPE]
        offset = (offset - (slab << FRAME_SHIFT)) & ALL_ONES
        index = (offset * self.words[cache + C_RECIPROCAL] & ALL_ONES) >> 32
        if index * self.words[cache + C_STRIDE] != offset or shape >> SHAPE_FLAGS_SHIFT != CACHE_KMALLOC:
            return False
        objects = shape & SHAPE_OBJECTS
        at = self.first_word + (slab << 3)
        half = at + at + D_COUNT
        count = self.halves[half]
        if index >= objects:
            return False
        if (count - 2) & ALL_ONES >= (objects - 2) & ALL_ONES and slab != self.words[cache + C_CURRENT]:
            return False  # it was full, or is empty now
        at += D_DATA + (index >> 6 & LAST_DATA)
        word = self.words[at]
        if word & bit(index):
            return False
        self.words[at] = word | bit(index)
        self.words[cache + C_FREES] += 1
        self.halves[half] = count - 1
        return True

    @cython.boundscheck(False)
    @cython.nonecheck(False)
    def rounded(self, size: int) -> int:
        """The bytes that `kmalloc(size)` has room for; 0 for what the fast path does not serve."""
        if self.words[SB_HOOKS] or (size - 1) & ALL_ONES >= LARGEST_CLASS:
            return 0
        cache = self.halves[self.table + ((size + 7) >> 3)]
        return self.words[cache + C_STRIDE] if cache < self.cache_limit else 0

    @cython.boundscheck(False)
    @cython.nonecheck(False)
    def room(self, pointer: int) -> int:
        """The bytes of the live object of kmalloc at a kernel address; 0 if there is none, or with hooks."""
        offset = (pointer - self.kernel_base) & ALL_ONES
        pfn = offset >> FRAME_SHIFT
        if pfn >= self.low_frames or self.words[SB_HOOKS]:
            return 0
        at = self.first_word + (pfn << 3)
        kind = self.words[at + 1]
        cache = self.words[at + 3] >> 32
        slab = kind >> 32
        if kind & FLAGS_KIND_MASK != KIND_SLAB or cache >= self.cache_limit or slab >= self.low_frames:
            return 0
        shape = self.words[cache + C_SHAPE]
        offset = (offset - (slab << FRAME_SHIFT)) & ALL_ONES
        index = (offset * self.words[cache + C_RECIPROCAL] & ALL_ONES) >> 32
        if index * self.words[cache + C_STRIDE] != offset or shape >> SHAPE_FLAGS_SHIFT != CACHE_KMALLOC:
            return 0
        if index >= shape & SHAPE_OBJECTS:
            return 0
        free = self.words[self.first_word + (slab << 3) + D_DATA + (index >> 6 & LAST_DATA)] & bit(index)
        return 0 if free else self.words[cache + C_STRIDE]
