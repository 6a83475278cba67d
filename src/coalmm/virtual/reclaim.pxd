from libc.stdint cimport uint64_t as u64

cimport cython

from coalmm.physical.frames cimport Frames
from coalmm.virtual.constants cimport F_PAGES, F_REFERENCES, F_WRITABLE, SB_CACHE_LISTED, SB_RECLAIMED, YOUNG
from coalmm.virtual.page_cache cimport PageCache
from coalmm.virtual.reverse_map cimport ReverseMap


@cython.final
cdef class Reclaim:
    cdef readonly object files
    cdef PageCache cache
    cdef Frames frames
    cdef u64[::1] words
    cdef readonly ReverseMap reverse_map

    @cython.locals(freed=u64, left=u64, pfn=u64)
    cpdef u64 shrink(self, u64 count) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(freed=u64, left=u64, pfn=u64)
    cpdef u64 shrink_idle(self, u64 count) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(freed=u64)
    cdef u64 _shrink_by(self, object policy, u64 count) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(pfn=u64, mappings=u64, used=bint, cache=PageCache)
    cdef object _candidates(self)
    cdef bint _is_still_free_to_go(self, u64 pfn) except -1
    cdef bint _is_held(self, u64 pfn) except -1
    cdef bint _is_free_to_go(self, u64 pfn) except -1
    cdef bint _can_be_read_again(self, u64 pfn) except -1
    @cython.locals(used=bint)
    cdef bint _may_go(self, u64 pfn) except -1
    @cython.locals(file=u64)
    cdef bint _give_up(self, u64 pfn) except -1
