from libc.stdint cimport uint8_t as u8, uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport as_u64
from coalmm.hardware.blocks cimport copy_range, fill_range, populate_range


@cython.final
cdef class Ram:
    cdef readonly u64 size
    cdef readonly int fd
    cdef readonly object mapping
    cdef readonly u8[::1] bytes
    cdef readonly u32[::1] halves
    cdef readonly u64[::1] words

    cpdef int check(self, u64 paddr, u64 size) except -1 nogil
    @cython.locals(start=u64, length=u64)
    cpdef bytes read(self, object paddr, object size)
    @cython.locals(start=u64)
    cpdef object write(self, object paddr, object data)
    cpdef int fill(self, u64 paddr, u64 size, u8 value) except -1
    cpdef int copy(self, u64 to, u64 source, u64 size) except -1
    cpdef int back(self, u64 paddr, u64 size) except -1 nogil
