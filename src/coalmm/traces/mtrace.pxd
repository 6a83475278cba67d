from libc.stdint cimport uint64_t as u64

cimport cython

from coalmm.traces.constants cimport ALL_ONES
from coalmm.traces.recorder cimport Recorder
from coalmm.traces.scan cimport find_byte, find_last_byte, hex_value, is_hex, same_bytes


@cython.final
cdef class Parser:
    cdef Recorder recorder
    cdef str name
    cdef u64 moving
    cdef bytes last_site
    cdef u64 last_site_number

    @cython.locals(size=Py_ssize_t, end=Py_ssize_t)
    cpdef Py_ssize_t parse(self, bytes data, Py_ssize_t start) except -1
    @cython.locals(at=Py_ssize_t, bracket=Py_ssize_t)
    cdef int line(self, bytes data, Py_ssize_t start, Py_ssize_t end) except -1
    @cython.locals(operation=int, space=Py_ssize_t, has_size=bint, good=bint, address=u64, size=u64)
    cdef int event(self, bytes data, Py_ssize_t start, Py_ssize_t at, Py_ssize_t end) except -1
    cdef int record(self, int operation, u64 address, u64 size, u64 site) except -1
    cdef u64 site(self, bytes data, Py_ssize_t start, Py_ssize_t at) except? 0xFFFFFFFFFFFFFFFF
    cdef int refuse(self, bytes data, Py_ssize_t start, Py_ssize_t end) except -1
