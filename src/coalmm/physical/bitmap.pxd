from libc.stdint cimport uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport ALL_ONES, bit, ctz, popcount


@cython.final
cdef class Bitmap:
    cdef u64[::1] words
    cdef readonly u64[::1] bases
    cdef readonly u64 bits
    cdef readonly u64 levels

    cpdef bint test(self, u64 index) except -1 nogil
    cpdef u64 first_clear(self) except? 0 nogil
    @cython.locals(word=u64)
    cpdef u64 descend(self, u64 level, u64 index) except? 0 nogil
    @cython.locals(index=u64, level=u64, word=u64)
    cpdef u64 next_clear(self, u64 start) except? 0 nogil
    @cython.locals(index=u64, word=u64)
    cpdef u64 next_set(self, u64 start, u64 end) except? 0 nogil
    @cython.locals(start=u64, conflict=u64)
    cpdef u64 find_run(self, u64 count, u64 align, u64 limit) except? 0 nogil
    cpdef int set(self, u64 index) except -1 nogil
    cpdef int clear(self, u64 index) except -1 nogil
    @cython.locals(end=u64, size=u64)
    cpdef int set_range(self, u64 start, u64 count) except -1 nogil
    @cython.locals(end=u64, size=u64)
    cpdef int clear_range(self, u64 start, u64 count) except -1 nogil
    @cython.locals(level=u64, at=u64)
    cdef int set_bits(self, u64 index, u64 bits) except -1 nogil
    @cython.locals(level=u64, at=u64, full=bint)
    cdef int clear_bits(self, u64 index, u64 bits) except -1 nogil
    @cython.locals(size=u64, level=u64)
    cpdef int seal(self) except -1
    @cython.locals(size=u64, _=u64)
    cpdef u64 level_size(self, u64 level) except? 0 nogil
    @cython.locals(index=u64, word=u64, clear=u64)
    cpdef u64 validate(self, u64 start, u64 end) except? 0
    @cython.locals(level=u64, at=u64, summary=u64)
    cpdef int validate_above(self, u64 index, u64 word) except -1
