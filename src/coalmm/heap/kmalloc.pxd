from libc.stdint cimport uint8_t as u8, uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport ALL_ONES, as_u64
from coalmm.hardware.blocks cimport copy_range, fill_range
from coalmm.hardware.constants cimport FRAME_MASK, FRAME_SHIFT
from coalmm.heap.buddy cimport Buddy
from coalmm.heap.constants cimport (
    BUDDY_TOTAL, C_OBJECT_SIZE, C_SHAPE, C_STRIDE, CACHE_KMALLOC, KMALLOC_FAILURES, KMALLOC_LARGE, KMALLOC_LARGE_ALLOCATIONS,
    KMALLOC_LARGE_FRAMES, KMALLOC_TABLE, LARGEST_CLASS,
    SHAPE_FLAGS_SHIFT,
)
from coalmm.heap.fast_path cimport FastPath
from coalmm.heap.large cimport Large
from coalmm.heap.objects cimport Objects
from coalmm.heap.slab cimport Slabs
from coalmm.heap.tracking cimport Tracking
from coalmm.physical.constants cimport (
    D_COUNT, D_DATA, D_HEAD, D_KIND, D_OWNER, HOOK_DEBUG, HOOK_INJECT, HOOK_NO_HEAP, HOOK_TRACK, KIND_KERNEL, KIND_LARGE,
    KIND_MASK, KIND_SLAB, ORDER_SHIFT, POINT_KMALLOC, SB_BUDDY, SB_HOOKS, SB_KERNEL_BASE, SB_KMALLOC, SB_LOWMEM,
)
from coalmm.physical.frames cimport Frames


@cython.final
cdef class Kmalloc:
    cdef readonly Slabs slabs
    cdef readonly Objects objects
    cdef readonly FastPath fast
    cdef readonly Large large
    cdef readonly Buddy buddy
    cdef readonly Frames frames
    cdef readonly Tracking tracking
    cdef u8[::1] bytes
    cdef u64[::1] words
    cdef u32[::1] halves
    cdef u64 first_half
    cdef u64 first_word
    cdef readonly u64 kernel_base
    cdef readonly u64 low_frames
    cdef u64 table

    @cython.locals(address=u64)
    cpdef u64 allocate(self, u64 size) except? 0 nogil
    cpdef int release(self, u64 pointer) except -1 nogil
    @cython.locals(hooks=u64, total=u64, address=u64, cache=u64)
    cpdef u64 allocate_slowly(self, u64 size) except? 0 nogil
    cdef u64 note(self, u64 address, u64 size) except? 0 nogil
    @cython.locals(pfn=u64, at=u64, cache=u64, slab=u64)
    cpdef int release_slowly(self, u64 pointer) except -1 nogil
    @cython.locals(cache=u64)
    cpdef int check_zones(self, u64 pfn, u64 pointer) except -1 with gil
    @cython.locals(offset=u64, pfn=u64, at=u64, kind=u64, cache=u64)
    cpdef u64 allocation_at(self, u64 pointer) except? 0 nogil
    cdef int refuse(self, u64 pointer, u64 offset) except -1 with gil
    @cython.locals(address=u64)
    cpdef u64 kmalloc(self, object size) except? 0
    @cython.locals(address=u64)
    cpdef u64 kzalloc(self, object size) except? 0
    @cython.locals(address=u64)
    cdef u64 allocate_zeroed(self, u64 size) except? 0 nogil
    @cython.locals(address=u64)
    cpdef u64 kmalloc_aligned(self, object size, object align) except? 0
    @cython.locals(hooks=u64, cache=u64)
    cdef u64 allocate_aligned(self, u64 size, u64 align) except? 0 nogil
    @cython.locals(wanted=u64, cache=u64)
    cdef u64 aligned_cache(self, u64 size, u64 align) except? 0 nogil
    @cython.locals(address=u64)
    cpdef u64 krealloc(self, object ptr, object size) except? 0
    @cython.locals(pfn=u64, kept=u64, address=u64, base=u64)
    cpdef u64 reallocate(self, u64 pointer, u64 size) except? 0 nogil
    @cython.locals(cache=u64, stride=u64)
    cdef bint resize_in_place(self, u64 pfn, u64 pointer, u64 size) except -1 nogil
    cpdef object kfree(self, object ptr)
    cpdef u64 kmalloc_size(self, object ptr) except? 0
    cdef u64 size_of(self, u64 pointer) except? 0 nogil
    @cython.locals(at=u64, cache=u64)
    cpdef u64 usable(self, u64 pfn, u64 pointer) except? 0 nogil
