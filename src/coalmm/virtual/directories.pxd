from libc.stdint cimport uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport as_u64
from coalmm.hardware.constants cimport (
    FRAME_MASK, FRAME_SHIFT, FRAME_SIZE, PAGE_ACCESSED, PAGE_COW, PAGE_DIRTY, PAGE_GLOBAL, PAGE_HUGE, PAGE_PRESENT,
    PAGE_SHARED, PAGE_WRITABLE,
)
from coalmm.physical.constants cimport (
    D_COUNT, D_KIND, D_NEXT, D_OWNER, D_PREVIOUS, KIND_DIRECTORY, KIND_FREE, KIND_MASK, KIND_TABLE, SB_CURRENT_DIRECTORY, SB_FRAMES,
    SB_KERNEL_BASE, SB_KERNEL_DIRECTORY, SB_LOWMEM, SB_PAGING,
)
from coalmm.physical.frames cimport Frames
from coalmm.hardware.mmu cimport Mmu
from coalmm.virtual.constants cimport LOWMEM_LIMIT, SB_DIRECTORIES
from coalmm.virtual.leaves cimport Leaves
from coalmm.virtual.tables cimport Tables


@cython.final
cdef class Directories:
    cdef readonly Tables tables
    cdef readonly Leaves leaves
    cdef readonly Frames frames
    cdef readonly Mmu mmu
    cdef u64[::1] words
    cdef u32[::1] halves
    cdef u64 chain

    @cython.locals(address=u64, pfn=u64)
    cpdef u64 check(self, object root) except? 0
    @cython.locals(pfn=u64, index=u64)
    cpdef u64 create(self) except? 0
    @cython.locals(head=u64)
    cpdef int link(self, u64 pfn) except -1
    @cython.locals(after=u64, before=u64)
    cpdef int unlink(self, u64 pfn) except -1
    @cython.locals(source=u64, copy=u64)
    cpdef u64 clone(self, object root) except? 0
    @cython.locals(index=u64, shift=u64, entry=u64, count=u64)
    cpdef u64 count_tables(self, u64 table, u64 level) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(n=u64, pfn=u64)
    cpdef bint reserve(self, u64 count) except -1
    cpdef int release(self) except -1
    @cython.locals(pfn=u64)
    cpdef u64 unchain(self, u64 owner) except? 0
    @cython.locals(index=u64, shift=u64, where=u64, entry=u64, pfn=u64, last=bint, added=u64)
    cpdef bint copy_table(self, u64 table, u64 to, u64 level, u64 owner) except -1
    @cython.locals(mask=u64, first=u64, narrow=bint, offset=u64, added=u64, entry=u64, pfn=u64)
    cpdef bint copy_pages(self, u64 table, u64 to) except -1
    @cython.locals(index=u64, shift=u64, where=u64, entry=u64, leaf=u64)
    cpdef int mark_shared(self, u64 table, u64 level) except -1
    @cython.locals(address=u64)
    cpdef object free(self, object root)
    cpdef int give_back(self, u64 root) except -1
    @cython.locals(index=u64, shift=u64, entry=u64, leaf=u64, last=bint)
    cpdef int free_entries(self, u64 table, u64 level) except -1
    @cython.locals(address=u64, current=u64)
    cpdef object switch(self, object root)
    @cython.locals(pfn=u64)
    cpdef int initialise(self) except -1
    @cython.locals(paddr=u64, end=u64, level=u64, flags=u64, vaddr=u64)
    cpdef int build_direct_map(self, u64 root) except -1
    @cython.locals(level=u64, size=u64)
    cpdef u64 direct_level(self, u64 paddr, u64 end) except? 0xFFFFFFFFFFFFFFFF
