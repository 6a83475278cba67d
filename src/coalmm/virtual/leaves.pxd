from libc.stdint cimport uint64_t as u64

cimport cython

from coalmm.hardware.constants cimport FRAME_SHIFT
from coalmm.physical.constants cimport (
    KIND_ANONYMOUS, KIND_CACHE, KIND_FRAME, KIND_FREE, SB_KERNEL_END, SB_MAP,
)
from coalmm.physical.frames cimport Frames


@cython.final
cdef class Leaves:
    cdef readonly Frames frames
    cdef u64[::1] words

    @cython.locals(kind=u64)
    cpdef bint mappable(self, u64 pfn) except -1
    @cython.locals(n=u64)
    cpdef bint all_mappable(self, u64 pfn, u64 count) except -1
    @cython.locals(n=u64)
    cpdef bint take(self, u64 pfn, u64 count, bint user) except -1
    cdef bint take_one(self, u64 pfn, bint user) except -1
    @cython.locals(n=u64)
    cpdef int drop(self, u64 pfn, u64 count, bint user) except -1
    cpdef int drop_page(self, u64 pfn) except -1
