from libc.stdint cimport uint64_t as u64

cimport cython

from coalmm.replay.constants cimport SAMPLES


@cython.final
cdef class Samples:
    cdef readonly u64 count
    cdef readonly u64 interval
    cdef readonly u64 due
    cdef u64[::1] events
    cdef u64[::1] live
    cdef u64[::1] blocks
    cdef u64[::1] footprint
    cdef u64[::1] spare

    @cython.locals(at=u64)
    cpdef int add(self, u64 events, u64 live, u64 blocks, u64 footprint, u64 spare) except -1
    @cython.locals(at=u64)
    cdef int thin(self) except -1
