from libc.stdint cimport uint8_t as u8, uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.blocks cimport fill_range
from coalmm.hardware.constants cimport FRAME_MASK, FRAME_SHIFT
from coalmm.heap.buddy cimport Buddy
from coalmm.heap.constants cimport KMALLOC_LARGE, KMALLOC_LARGE_ALLOCATIONS, KMALLOC_LARGE_FRAMES, LARGE_ZONE, RED_ZONE
from coalmm.heap.redzone cimport RedZones
from coalmm.heap.tracking cimport Tracking
from coalmm.physical.constants cimport (
    D_COUNT, D_DATA, D_HEAD, HOOK_DEBUG, KIND_LARGE, SB_HOOKS, SB_KERNEL_BASE, SB_KMALLOC, SB_LOWMEM,
)
from coalmm.physical.frames cimport Frames


@cython.final
cdef class Large:
    cdef readonly Buddy buddy
    cdef readonly Frames frames
    cdef readonly RedZones zones
    cdef readonly Tracking tracking
    cdef u8[::1] bytes
    cdef u64[::1] words
    cdef u32[::1] halves
    cdef u64 first_half
    cdef u64 first_word
    cdef readonly u64 kernel_base
    cdef readonly u64 low_frames

    @cython.locals(pages=u64, pfn=u64)
    cpdef u64 allocate(self, u64 size, u64 align) except? 0 nogil
    @cython.locals(room=u64, pages=u64)
    cpdef u64 pages(self, u64 size) except? 0 nogil
    @cython.locals(at=u64, start=u64)
    cpdef int set_size(self, u64 pfn, u64 pages, u64 size) except -1 nogil
    @cython.locals(pages=u64, have=u64)
    cpdef bint resize(self, u64 pfn, u64 size) except -1 nogil
    @cython.locals(pages=u64)
    cpdef int release(self, u64 pfn) except -1 nogil
    cpdef u64 asked(self, u64 pfn) except? 0 nogil
    cpdef u64 usable(self, u64 pfn) except? 0 nogil
    @cython.locals(asked=u64, room=u64, address=u64)
    cpdef int check_zone(self, u64 pfn) except -1 with gil
