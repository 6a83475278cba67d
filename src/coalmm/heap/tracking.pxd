from libc.stdint cimport uint64_t as u64

cimport cython

from coalmm.hardware.ram cimport Ram
from coalmm.physical.frames cimport Frames


@cython.final
cdef class Tracking:
    cdef readonly Frames frames
    cdef readonly Ram ram
    cdef u64[::1] words
    cdef dict known
    cdef public object caller
    cdef public object describe

    cpdef int allocated(self, u64 address, u64 size) except -1 with gil
    cpdef int freed(self, u64 address) except -1 with gil
