from libc.stdint cimport uint8_t as u8, uint64_t as u64

cimport cython

from coalmm.hardware.blocks cimport range_equals
from coalmm.hardware.constants cimport FRAME_SHIFT, FRAME_SIZE
from coalmm.hardware.ram cimport Ram


@cython.final
cdef class CodeFrames:
    cdef u8[::1] bytes
    cdef u8[::1] marks
    cdef readonly dict copies

    cpdef bint has(self, u64 pfn) except -1
    @cython.locals(copy=bytes)
    cpdef bint is_stale(self, u64 pfn) except -1
    @cython.locals(start=u64)
    cpdef object keep(self, u64 pfn)
    cpdef object drop(self, u64 pfn)
