from libc.stdint cimport int64_t as i64, uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport bit
from coalmm.hardware.constants cimport (
    FRAME_MASK, FRAME_SHIFT, FRAME_SIZE, PAGE_GLOBAL, PAGE_HUGE, PAGE_PRESENT, PAGE_USER, PAGE_WRITABLE,
)
from coalmm.hardware.mmu cimport Mmu
from coalmm.physical.constants cimport D_COUNT, D_NEXT, KIND_TABLE, SB_KERNEL_DIRECTORY
from coalmm.physical.frames cimport Frames
from coalmm.virtual.constants cimport D_ENTRY, D_GLOBAL, FEW_PAGES, SB_DIRECTORIES

cdef extern from *:
    """
    #define coalmm_tables_LOW_HALF 0xFFFFFFFFULL
    """
    const u64 LOW_HALF "coalmm_tables_LOW_HALF"


@cython.final
cdef class Tables:
    cdef readonly Frames frames
    cdef readonly Mmu mmu
    cdef readonly object form
    cdef u64[::1] words
    cdef u32[::1] halves
    cdef u64[5] shifts, index_shifts, index_masks, leaf_bits, table_bits, entries
    cdef u64[5] path
    cdef u64[5] spare
    cdef readonly u64 last, entry_shift, address_mask, kernel_base, kernel_index, hole_first, hole_last, limit
    cdef readonly u64 entry
    cdef readonly bint narrow, loads_root

    cpdef u64 get(self, u64 where) except? 0xFFFFFFFFFFFFFFFF
    cpdef int put(self, u64 where, u64 entry) except -1
    cdef u64 count_at(self, u64 where) noexcept
    @cython.locals(table=u64, level=u64, where=u64, entry=u64)
    cpdef u64 descend(self, u64 root, u64 vaddr, u64 target) except? 0xFFFFFFFFFFFFFFFF
    cpdef u64 place(self, u64 level) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(n=u64, k=u64, pfn=u64)
    cpdef int reserve(self, u64 count, u64 owner) except -1
    @cython.locals(n=u64, pfn=u64, need=u64)
    cpdef int extend(self, u64 root, u64 vaddr, u64 level, u64 target) except -1
    cpdef int note_entry(self, u64 pfn, u64 where, u64 vaddr) except -1
    cpdef int add(self, u64 level, u64 entry) except -1
    @cython.locals(where=u64, at=u64)
    cpdef int clear(self, u64 level) except -1
    @cython.locals(offset=u64, pfn=u64, at=u64)
    cpdef int spread(self, u64 where, u64 entry, bint adds) except -1
    @cython.locals(need=u64, n=u64)
    cpdef int split(self, u64 root, u64 vaddr, u64 level, u64 target) except -1
    @cython.locals(entry=u64, table=u64, below=u64, size=u64, child=u64, index=u64)
    cpdef int split_one(self, u64 vaddr, u64 level, u64 pfn) except -1
    cpdef u64 leaf_address(self, u64 entry, u64 level) noexcept
    cpdef u64 frames_of(self, u64 level) noexcept
    cpdef u64 owner(self, u64 root, u64 vaddr) noexcept
    @cython.locals(n=u64)
    cpdef int forget(self, u64 root, u64 vaddr, u64 pages) except -1
    cpdef int forget_user(self, u64 root) except -1
    cpdef int note_global(self, u64 root) except -1
    cpdef bint has_global(self, u64 root) except -1
