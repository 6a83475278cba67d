from libc.stdint cimport uint64_t as u64

cimport cython

from coalmm.hardware.ram cimport Ram


@cython.final
cdef class RedZones:
    cdef readonly Ram ram
    cdef readonly object kernel_base

    cpdef int paint_zones(self, u64 address, u64 asked, u64 stride) except -1 with gil
    cpdef u64 asked(self, u64 address, u64 stride, str history=*) except? 0xFFFFFFFFFFFFFFFF with gil
