from libc.stdint cimport uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport ALL_ONES, bit
from coalmm.hardware.constants cimport (
    FRAME_MASK, FRAME_SHIFT, PAGE_ACCESSED, PAGE_COW, PAGE_HUGE, PAGE_NX, PAGE_PRESENT, PAGE_USER, PAGE_WRITABLE,
)
from coalmm.physical.constants cimport (
    D_COUNT, D_MAPPINGS, D_NEXT, D_OWNER, D_PREVIOUS, D_REFERENCES, KIND_DIRECTORY, KIND_FREE, KIND_TABLE,
    SB_CURRENT_DIRECTORY, SB_KERNEL_DIRECTORY, SB_KINDS, SB_LOWMEM,
)
from coalmm.physical.frames cimport Frames
from coalmm.virtual.constants cimport D_ENTRY, LEAF_FLAGS, SB_DIRECTORIES
from coalmm.virtual.leaves cimport Leaves
from coalmm.virtual.tables cimport Tables


@cython.final
cdef class TableCheck:
    cdef readonly Tables tables
    cdef readonly Leaves leaves
    cdef readonly Frames frames
    cdef u32[::1] halves
    cdef u64[::1] words
    cdef u32[::1] mapped
    cdef u32[::1] held
    cdef u64 tables_found, kernel, wanted
    cdef bint counting
    cdef list suspects

    @cython.locals(pfn=u64, before=u64, number=u64)
    cdef list directories(self)
    @cython.locals(index=u64, present=u64, where=u64, entry=u64, last=u64, start=u64, vaddr=u64)
    cpdef int check_table(self, u64 table, u64 level, u64 first, u64 end, u64 base, u64 root) except -1
    @cython.locals(allowed=u64, needed=u64, table=u64, pfn=u64, owner=u64, at=u64)
    cdef int check_link(self, u64 where, u64 level, u64 entry, u64 vaddr, u64 root) except -1
    @cython.locals(pfn=u64, count=u64, allowed=u64, n=u64, user=bint)
    cdef int check_leaf(self, u64 where, u64 level, u64 entry, u64 vaddr) except -1
    cdef bint in_direct_map(self, u64 vaddr) except -1
    @cython.locals(index=u64, where=u64)
    cdef int check_kernel_half(self, u64 root) except -1
    cdef int check_count(self, u64 table, u64 present, str what) except -1
    cpdef int wrong(self, u64 where, u64 level, u64 entry, u64 vaddr, str what) except -1
    @cython.locals(pfn=u64, at=u64, excess=u64, missing=u64)
    cdef int compare(self, u64 first, u64 last) except -1
