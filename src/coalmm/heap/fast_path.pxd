from libc.stdint cimport uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport ALL_ONES, bit, ctz
from coalmm.hardware.constants cimport FRAME_SHIFT
from coalmm.heap.constants cimport (
    C_ALLOCATIONS, C_AT, C_BASE, C_CURRENT, C_FREES, C_RECIPROCAL, C_SHAPE, C_STRIDE, CACHE_KMALLOC, CACHE_WORDS,
    KMALLOC_TABLE, KMALLOC_TABLE_SIZE, LARGEST_CLASS, LAST_DATA, SHAPE_FLAGS_SHIFT, SHAPE_OBJECTS,
)
from coalmm.physical.constants cimport (
    D_COUNT, D_DATA, FLAGS_KIND_MASK, KIND_SLAB, SB_FRAMES, SB_HOOKS, SB_KERNEL_BASE, SB_KMALLOC, SB_LOWMEM,
)
from coalmm.physical.frames cimport Frames


@cython.final
cdef class FastPath:
    cdef u64[::1] words
    cdef u32[::1] halves
    cdef u64 first_word
    cdef u64 descriptor_words
    cdef u64 cache_limit
    cdef u64 kernel_base
    cdef u64 low_frames
    cdef u64 table

    @cython.locals(paddr=u64)
    cpdef int read_table(self) except -1
    cdef u64 allocate(self, u64 size) noexcept nogil
    @cython.locals(at=u64, word=u64)
    cdef u64 take(self, u64 cache) noexcept nogil
    @cython.locals(
        offset=u64, pfn=u64, at=u64, kind=u64, cache=u64, slab=u64, shape=u64, index=u64, objects=u64, half=u64, word=u64, count=u64
    )
    cdef bint release(self, u64 pointer) noexcept nogil
    @cython.locals(cache=u64)
    cdef u64 rounded(self, u64 size) noexcept nogil
    @cython.locals(offset=u64, pfn=u64, at=u64, kind=u64, cache=u64, slab=u64, shape=u64, index=u64, free=u64)
    cdef u64 room(self, u64 pointer) noexcept nogil
