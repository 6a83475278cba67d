from libc.stdint cimport int64_t as i64, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport as_u64, bit
from coalmm.hardware.constants cimport (
    FRAME_MASK, FRAME_SHIFT, FRAME_SIZE, PAGE_ACCESSED, PAGE_CACHE_DISABLE, PAGE_COW, PAGE_DIRTY, PAGE_GLOBAL,
    PAGE_HUGE, PAGE_NX, PAGE_PRESENT, PAGE_SHARED, PAGE_USER, PAGE_WRITABLE, PAGE_WRITE_THROUGH,
)
from coalmm.hardware.mmu cimport Mmu
from coalmm.physical.constants cimport SB_CURRENT_DIRECTORY, SB_LOWMEM
from coalmm.physical.frames cimport Frames
from coalmm.virtual.constants cimport DOCUMENT_FLAGS, LEAF_FLAGS
from coalmm.virtual.directories cimport Directories
from coalmm.virtual.leaves cimport Leaves
from coalmm.virtual.table_ranges cimport TableRanges
from coalmm.virtual.tables cimport Tables


@cython.final
cdef class PageTables:
    cdef readonly Frames frames
    cdef readonly Mmu mmu
    cdef readonly Tables tables
    cdef readonly Leaves leaves
    cdef readonly Directories directories
    cdef readonly TableRanges ranges
    cdef u64[::1] words

    cpdef int initialise(self) except -1
    cpdef int resume(self) except -1
    cpdef u64 create(self) except? 0
    cpdef u64 clone(self, object root) except? 0
    cpdef object free(self, object root)
    cpdef object switch(self, object root)
    @cython.locals(wanted=u64, directory=u64, size=u64)
    cpdef int map(self, object root, object vaddr, object paddr, object flags) except -1
    @cython.locals(level=u64, error=cython.int)
    cpdef int map_size(self, u64 root, u64 vaddr, u64 paddr, u64 flags, u64 size) except -1
    @cython.locals(size=u64)
    cdef int refusal(self, u64 vaddr, u64 paddr, u64 flags, u64 level) except -1
    cdef bint in_direct_map(self, u64 vaddr) except -1
    @cython.locals(reached=u64, entry=u64)
    cdef int install(self, u64 root, u64 vaddr, u64 paddr, u64 flags, u64 level) except -1
    cdef int fill(self, u64 root, u64 vaddr, u64 pfn, u64 flags, u64 reached, u64 level) except -1
    @cython.locals(old=u64)
    cdef int change(self, u64 root, u64 vaddr, u64 level, u64 entry) except -1
    cdef u64 huge_bit(self, u64 level) noexcept
    cpdef int unmap(self, object root, object vaddr) except -1
    @cython.locals(level=u64, entry=u64)
    cpdef int unmap_page(self, u64 root, u64 vaddr) except -1
    cpdef u64 physical(self, object root, object vaddr) except? 0
    @cython.locals(level=u64, entry=u64)
    cpdef u64 entry(self, u64 root, u64 vaddr) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(level=u64, entry=u64, old=u64, bits=u64)
    cpdef int set_leaf(self, u64 root, u64 vaddr, u64 pfn, u64 flags) except -1
    cpdef i64 unmap_range(self, u64 root, u64 start, u64 end) except -1
    cpdef i64 protect_range(self, u64 root, u64 start, u64 end, u64 flags) except -1
