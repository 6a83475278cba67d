from libc.stdint cimport uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport ALL_ONES, as_u64
from coalmm.hardware.constants cimport FRAME_SHIFT
from coalmm.heap.buddy cimport Buddy
from coalmm.heap.constants cimport (
    C_ALIGN, C_ALLOCATIONS, C_AT, C_COLOUR_STEP, C_COLOURS, C_CURRENT, C_EMPTIES, C_EMPTY, C_FAILURES, C_FREES, C_LEFT,
    C_MAGIC, C_NAME, C_NAME_BYTES, C_NAME_LENGTH, C_NEXT, C_OBJECT_SIZE, C_PREVIOUS, C_RECIPROCAL, C_SHAPE, C_SLABS,
    C_STRIDE, CACHE_BUSY, CACHE_CONSTRUCTED, CACHE_DEBUG, CACHE_DESTROYED, CACHE_KMALLOC, CACHE_MAGIC, CACHE_SIZE, LEFT_ZONE,
    RIGHT_ZONE, SHAPE_FLAGS_SHIFT, SHAPE_OBJECTS, SHAPE_PAGES, SHAPE_PAGES_SHIFT, SLAB_CACHES, SLAB_COUNT,
    SLAB_ROOT,
)
from coalmm.heap.objects cimport Objects
from coalmm.heap.tracking cimport Tracking
from coalmm.physical.constants cimport (
    D_COUNT, D_DATA, D_HEAD, D_OWNER, HOOK_DEBUG, HOOK_INJECT, HOOK_TRACK, KIND_KERNEL, KIND_SLAB, POINT_SLAB,
    SB_HOOKS, SB_SLAB,
)
from coalmm.physical.frames cimport Frames


@cython.final
cdef class Slabs:
    cdef readonly Objects objects
    cdef readonly Tracking tracking
    cdef readonly Frames frames
    cdef u64[::1] words
    cdef u32[::1] halves
    cdef readonly u64 kernel_base
    cdef readonly u64 low_frames

    @cython.locals(pointer=u64, index=u64, live=u64, root=u64)
    cpdef object destroy(self, object cache)
    @cython.locals(after=u64, before=u64, at=u64, root=u64, slab=u64, pointer=u64)
    cpdef object forget(self, u64 cache)
    @cython.locals(offset=u64, pfn=u64, root=u64, at=u64, is_record=bint)
    cpdef u64 cache_at(self, u64 pointer) except? 0 nogil
    @cython.locals(address=u64)
    cpdef u64 allocate(self, object cache) except? 0
    @cython.locals(index=u64)
    cdef u64 take(self, u64 cache) except? 0 nogil
    @cython.locals(size=u64, hooks=u64, address=u64)
    cdef u64 allocate_slowly(self, u64 cache) except? 0 nogil
    @cython.locals(size=u64)
    cpdef int hand_out(self, u64 cache, u64 address, u64 asked) except -1 with gil
    @cython.locals(size=u64, stride=u64)
    cpdef int take_back(self, u64 cache, u64 address) except -1 with gil
    cpdef object free(self, object cache, object ptr)
    @cython.locals(index=u64)
    cdef int give(self, u64 cache, u64 pointer) except -1 nogil
    @cython.locals(number=u64, hooks=u64)
    cdef int give_live(self, u64 index, u64 pointer) except -1 nogil
    @cython.locals(offset=u64, pfn=u64, at=u64, owner=u64, slab=u64, number=u64)
    cpdef u64 locate(self, u64 cache, u64 pointer) except? 0xFFFFFFFFFFFFFFFF nogil
    @cython.locals(cache=u64, _=u64)
    cpdef int reap(self) except -1 nogil
    cpdef u64 most_caches(self) except? 0 nogil
    @cython.locals(pages=u64, cache=u64, following=u64, _=u64)
    cpdef u64 shrink(self) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(slabs=u64, current=u64, slab=u64)
    cpdef u64 shrink_cache(self, u64 cache) except? 0xFFFFFFFFFFFFFFFF nogil
