from libc.stdint cimport int64_t as i64, uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport ALL_ONES, bit
from coalmm.hardware.constants cimport FRAME_MASK, FRAME_SHIFT, PAGE_DIRTY, PAGE_NX, PAGE_PRESENT
from coalmm.physical.constants cimport KIND_CACHE
from coalmm.physical.frames cimport Frames
from coalmm.virtual.constants cimport RIGHT_FLAGS
from coalmm.virtual.leaves cimport Leaves
from coalmm.virtual.tables cimport Tables


@cython.final
cdef class TableRanges:
    cdef readonly Tables tables
    cdef readonly Leaves leaves
    cdef readonly Frames frames
    cdef u32[::1] halves
    cdef u64 user_top
    cdef readonly u64 found_vaddr, found_level, found_entry, found_where

    @cython.locals(pages=u64)
    cpdef i64 unmap(self, u64 root, u64 start, u64 end) except -1
    @cython.locals(pages=u64)
    cpdef i64 protect(self, u64 root, u64 start, u64 end, u64 flags) except -1
    cdef int prepare(self, u64 root, u64 start, u64 end) except -1
    @cython.locals(level=u64, size=u64, whole=u64)
    cdef int split_edge(self, u64 root, u64 vaddr) except -1
    @cython.locals(size=u64, shift=u64, index=u64, last=u64, where=u64, entry=u64, pages=u64, removed=u64, base=u64,
                   pfn=u64, child=u64)
    cdef u64 unmap_entries(self, u64 table, u64 level, u64 start, u64 end) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(size=u64, shift=u64, index=u64, last=u64, where=u64, entry=u64, pages=u64, base=u64)
    cdef u64 protect_entries(self, u64 table, u64 level, u64 start, u64 end, u64 rights) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(level=u64, size=u64)
    cpdef bint next_leaf(self, u64 root, u64 vaddr, u64 end) except -1
    @cython.locals(own=u64, cached=u64, dirty=u64, until=u64, pages=u64, pfn=u64)
    cpdef tuple resident(self, u64 root, u64 start, u64 end)
