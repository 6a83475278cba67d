from libc.stdint cimport uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.constants cimport FRAME_SHIFT, PAGE_ACCESSED, PAGE_PRESENT
from coalmm.physical.constants cimport D_NEXT
from coalmm.physical.frames cimport Frames
from coalmm.virtual.address_space cimport AddressSpaces
from coalmm.virtual.areas cimport Areas
from coalmm.virtual.constants cimport (
    A_END, A_FILE, A_FLAGS, A_OFFSET, A_START, AREA_LOCKED, ENTRY_ADDRESS, S_RSS_FILE, SB_DIRECTORIES,
)
from coalmm.virtual.page_cache cimport PageCache
from coalmm.virtual.page_tables cimport PageTables
from coalmm.virtual.tables cimport Tables


@cython.final
cdef class ReverseMap:
    cdef AddressSpaces spaces
    cdef Areas areas
    cdef PageCache cache
    cdef Frames frames
    cdef PageTables pages
    cdef Tables tables
    cdef u64[::1] words
    cdef u32[::1] halves
    cdef readonly u64 found
    cdef readonly bint is_accessed, is_locked
    cdef bint changed

    cpdef int look(self, u64 pfn) except -1
    cpdef bint is_whole(self, u64 pfn) except -1
    cpdef int unmap(self, u64 pfn) except -1
    cpdef int finish(self) except -1
    @cython.locals(file=u64, index=u64, wanted=u64, directory=u64, space=u64)
    cdef int _visit(self, u64 pfn, bint unmaps) except -1
    @cython.locals(table=u64, root=u64, number=u64, area=u64, first=u64, pages=u64, vaddr=u64)
    cdef int _visit_space(self, u64 space, u64 file, u64 index, u64 pfn, bint unmaps) except -1
    @cython.locals(level=u64, entry=u64)
    cdef bint _maps(self, u64 root, u64 vaddr, u64 pfn) except -1
    @cython.locals(entry=u64)
    cdef int _note(self, u64 root, u64 flags) except -1
    cdef int _take_away(self, u64 space, u64 root, u64 vaddr) except -1
    cdef int _note_change(self, u64 root) except -1
