from libc.stdint cimport uint8_t as u8, uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport ALL_ONES, bit, ctz
from coalmm.hardware.constants cimport FRAME_SHIFT
from coalmm.heap.buddy cimport Buddy
from coalmm.heap.constants cimport (
    C_ALIGN, C_ALLOCATIONS, C_AT, C_BASE, C_COLOUR_STEP, C_COLOURS, C_CURRENT, C_EMPTIES, C_EMPTY, C_FAILURES, C_FREES,
    C_LEFT, C_NAME, C_NAME_BYTES, C_NAME_LENGTH, C_OBJECT_SIZE, C_PARTIAL, C_RECIPROCAL, C_SHAPE, C_SLABS, C_STRIDE,
    CACHE_BUSY, CACHE_CONSTRUCTED, CACHE_DEBUG, CACHE_KMALLOC, CACHE_WORDS, MOST_OBJECTS, SHAPE_FLAGS_SHIFT, SHAPE_OBJECTS, SHAPE_PAGES,
    SHAPE_PAGES_SHIFT,
)
from coalmm.heap.fast_path cimport FastPath
from coalmm.physical.constants cimport (
    D_COUNT, D_DATA, D_HEAD, D_KIND, D_NEXT, D_PREVIOUS, FLAGS_SHIFT, KIND_MASK, KIND_SLAB, SB_FRAMES, SB_KERNEL_BASE, SB_LOWMEM,
)
from coalmm.physical.frames cimport Frames


@cython.final
cdef class Objects:
    cdef readonly Buddy buddy
    cdef readonly Frames frames
    cdef readonly FastPath fast
    cdef u8[::1] bytes
    cdef u64[::1] words
    cdef u32[::1] halves
    cdef u64 first_half
    cdef u64 first_word
    cdef u64 cache_limit
    cdef readonly u64 kernel_base
    cdef readonly u64 low_frames
    cdef readonly object zones
    cdef readonly dict callbacks

    @cython.locals(address=u64)
    cpdef u64 take_object(self, u64 cache) except? 0
    @cython.locals(slab=u64)
    cdef u64 take_further(self, u64 cache) except? 0
    @cython.locals(at=u64, index=u64)
    cdef bint next_word(self, u64 cache, u64 slab) except -1
    @cython.locals(colour=u64, offset=u64, index=u64)
    cpdef u64 object_index(self, u64 cache, u64 slab, u64 pointer) except? 0xFFFFFFFFFFFFFFFE
    @cython.locals(at=u64, count=u64)
    cpdef int give_object(self, u64 cache, u64 slab, u64 index) except -1
    cdef int relist(self, u64 cache, u64 slab, u64 count) except -1
    cpdef u64 slab_of(self, u64 pointer) except? 0
    @cython.locals(slab=u64)
    cpdef u64 next_slab(self, u64 cache) except? 0
    @cython.locals(colour=u64)
    @cython.locals(slab=u64, live=u64)
    cpdef int put_aside(self, u64 cache) except -1
    cpdef u64 first_object(self, u64 slab) except? 0
    @cython.locals(shape=u64, flags=u64, pages=u64, align=u64, slab=u64, colour=u64)
    cpdef u64 new_slab(self, u64 cache) except? 0
    @cython.locals(at=u64)
    cdef int set_all_free(self, u64 slab, u64 objects) except -1
    @cython.locals(colours=u64, count=u64, colour=u64, following=u64)
    cdef u64 next_colour(self, u64 cache) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(shape=u64, base=u64, stride=u64, objects=u64, built=u64)
    cpdef object prepare_objects(self, u64 cache, u64 slab)
    cpdef int retire(self, u64 cache, u64 slab) except -1
    @cython.locals(shape=u64, base=u64, stride=u64, index=u64)
    cpdef object destroy_slab(self, u64 cache, u64 slab)
    @cython.locals(pages=u64)
    cpdef int discard(self, u64 cache, u64 slab) except -1
    @cython.locals(at=u64, after=u64)
    cpdef int link(self, u64 head, u64 slab) except -1
    @cython.locals(at=u64, after=u64, before=u64)
    cpdef int unlink(self, u64 head, u64 slab) except -1
    cpdef u64 address(self, u64 cache) except? 0
    @cython.locals(start=u64, length=u64)
    cpdef str name(self, u64 cache)
