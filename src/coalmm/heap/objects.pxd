from libc.stdint cimport uint8_t as u8, uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport ALL_ONES, bit, ctz
from coalmm.hardware.constants cimport FRAME_SHIFT
from coalmm.heap.buddy cimport Buddy
from coalmm.heap.constants cimport (
    C_ALIGN, C_ALLOCATIONS, C_AT, C_BASE, C_COLOUR_STEP, C_COLOURS, C_CURRENT, C_EMPTIES, C_EMPTY, C_FAILURES, C_FREES,
    C_LEFT, C_NAME, C_NAME_BYTES, C_NAME_LENGTH, C_OBJECT_SIZE, C_PARTIAL, C_RECIPROCAL, C_SHAPE, C_SLABS, C_STRIDE,
    CACHE_BUSY, CACHE_CONSTRUCTED, CACHE_DEBUG, CACHE_DESTROYED, CACHE_KMALLOC, COLOUR_COUNT, CACHE_WORDS, EMPTIES_KEPT, MOST_OBJECTS, SHAPE_FLAGS_SHIFT, SHAPE_OBJECTS, SHAPE_PAGES,
    SHAPE_PAGES_SHIFT,
)
from coalmm.heap.fast_path cimport FastPath
from coalmm.heap.redzone cimport RedZones
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
    cdef readonly RedZones zones
    cdef readonly dict callbacks

    @cython.locals(address=u64)
    cpdef u64 take_object(self, u64 cache) except? 0 nogil
    @cython.locals(slab=u64)
    cdef u64 take_further(self, u64 cache) except? 0 nogil
    @cython.locals(at=u64, index=u64)
    cdef bint next_word(self, u64 cache, u64 slab) except -1 nogil
    @cython.locals(colour=u64, offset=u64, index=u64)
    cpdef u64 object_index(self, u64 cache, u64 slab, u64 pointer) except? 0xFFFFFFFFFFFFFFFE nogil
    @cython.locals(at=u64, count=u64)
    cpdef int give_object(self, u64 cache, u64 slab, u64 index) except -1 nogil
    cdef int relist(self, u64 cache, u64 slab, u64 count) except -1 nogil
    cpdef u64 slab_of(self, u64 pointer) except? 0 nogil
    @cython.locals(slab=u64)
    cpdef u64 next_slab(self, u64 cache) except? 0 nogil
    @cython.locals(slab=u64, live=u64)
    cpdef int put_aside(self, u64 cache) except -1 nogil
    @cython.locals(colour=u64)
    cpdef u64 first_object(self, u64 slab) except? 0 nogil
    @cython.locals(shape=u64, flags=u64, pages=u64, align=u64, slab=u64, colour=u64)
    cpdef u64 new_slab(self, u64 cache) except? 0 nogil
    @cython.locals(at=u64)
    cdef int set_all_free(self, u64 slab, u64 objects) except -1 nogil
    @cython.locals(colours=u64, count=u64, colour=u64, following=u64)
    cdef u64 next_colour(self, u64 cache) except? 0xFFFFFFFFFFFFFFFF nogil
    @cython.locals(shape=u64, constructed=u64, base=u64, stride=u64, objects=u64)
    cpdef int prepare_objects(self, u64 cache, u64 slab) except -1 with gil
    @cython.locals(built=u64)
    cdef int construct(self, u64 cache, u64 slab, u64 base, u64 stride, u64 objects) except -1
    cpdef int retire(self, u64 cache, u64 slab) except -1 nogil
    cpdef int destroy_slab(self, u64 cache, u64 slab) except -1 nogil
    @cython.locals(shape=u64, base=u64, stride=u64, index=u64)
    cdef int destroy_objects(self, u64 cache, u64 slab) except -1 with gil
    @cython.locals(pages=u64)
    cpdef int discard(self, u64 cache, u64 slab) except -1 nogil
    @cython.locals(at=u64, after=u64)
    cpdef int link(self, u64 head, u64 slab) except -1 nogil
    @cython.locals(at=u64, after=u64, before=u64)
    cpdef int unlink(self, u64 head, u64 slab) except -1 nogil
    cpdef u64 address(self, u64 cache) except? 0 nogil
    @cython.locals(start=u64, length=u64)
    cpdef str name(self, u64 cache)
