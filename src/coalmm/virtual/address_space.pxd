from libc.stdint cimport int64_t as i64, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport ALL_ONES
from coalmm.hardware.constants cimport FRAME_SHIFT, FRAME_SIZE, PAGE_NX, PAGE_PRESENT, PAGE_SHARED, PAGE_USER
from coalmm.physical.constants cimport D_NEXT, KIND_ANONYMOUS, KIND_CACHE
from coalmm.physical.frames cimport Frames
from coalmm.virtual.areas cimport Areas
from coalmm.virtual.constants cimport (
    A_END, A_FILE, A_FLAGS, A_OFFSET, A_START, AREA_GROWS_DOWN, AREA_KIND, AREA_LOCKED, AREA_LOCKS, AREA_NO_FORK,
    AREA_SHARED, AREA_STACK, AREA_TEXT, AREA_WIPE_ON_FORK, D_SPACE, ENTRY_ADDRESS, F_KIND, FILE_HOST, RIGHT_EXECUTE,
    RIGHT_WRITE, RIGHTS, S_BRK, S_BRK_START, S_DEFAULT_FLAGS, S_FAULTS_ZERO, S_LOCKED, S_MMAP_BASE, S_PEAK_RSS,
    S_PEAK_VIRTUAL, S_REFERENCES, S_ROOT, S_RSS_ANONYMOUS, S_RSS_FILE, S_RSS_SHARED, S_TOP, S_SIZE_LIMIT, S_STACK_LIMIT,
    S_TABLE, S_VIRTUAL, SB_DIRECTORIES, SB_SPACE_SLAB, SPACE_SIZE,
)
from coalmm.virtual.page_tables cimport PageTables
from coalmm.virtual.table_ranges cimport TableRanges


@cython.final
cdef class AddressSpaces:
    cdef u64[::1] words
    cdef readonly Frames frames
    cdef readonly Areas areas
    cdef readonly object files, records
    cdef readonly PageTables tables
    cdef readonly u64 top, no_execute
    cdef u64 first_word

    @cython.locals(top=u64)
    cpdef u64 top_of(self, u64 space) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(root=u64, space=u64, word=u64, limit=u64)
    cpdef u64 create(self) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(copy=u64, root=u64, word=u64, field=u64)
    cpdef u64 clone(self, u64 space) except? 0xFFFFFFFFFFFFFFFF
    cpdef int hold(self, u64 space) except -1
    @cython.locals(word=u64, root=u64)
    cpdef object release(self, u64 space)
    @cython.locals(index=u64, word=u64, start=u64, end=u64, flags=u64)
    cdef int _leave_out(self, u64 space) except -1
    cpdef u64 table(self, u64 space) noexcept
    cpdef u64 root(self, u64 space) except? 0xFFFFFFFFFFFFFFFF
    cpdef u64 space_of(self, u64 root) except? 0xFFFFFFFFFFFFFFFF
    cpdef u64 get(self, u64 space, u64 field) except? 0xFFFFFFFFFFFFFFFF
    cpdef int put(self, u64 space, u64 field, u64 value) except -1
    @cython.locals(word=u64)
    cpdef u64 rss(self, u64 space) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(bits=u64)
    cpdef u64 leaf_rights(self, u64 flags) noexcept
    @cython.locals(table=u64, index=u64, count=u64, covered=u64, word=u64, low=u64, high=u64)
    cpdef u64 zap(self, u64 space, u64 start, u64 end) except? 0xFFFFFFFFFFFFFFFF
    cpdef u64 covered(self, u64 space, u64 start, u64 end) except? 0xFFFFFFFFFFFFFFFF
    cpdef u64 locked(self, u64 space, u64 start, u64 end) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(table=u64, index=u64, count=u64, total=u64, word=u64, low=u64, high=u64)
    cdef u64 _sum(self, u64 space, u64 start, u64 end, u64 flag) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(table=u64, total=u64, index=u64, word=u64)
    cpdef u64 data_size(self, u64 space) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(root=u64, ranges=TableRanges, vaddr=u64, entry=u64, pfn=u64)
    cpdef bint move_pages(self, u64 space, u64 old, u64 length, u64 target) except -1
    @cython.locals(root=u64, file=u64, own=u64, pages=i64)
    cpdef int drop_pages(self, u64 space, u64 area, u64 start, u64 end) except -1
    @cython.locals(own=u64, ranges=TableRanges)
    cpdef u64 count_own(self, u64 root, u64 start, u64 end) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(pfn=u64, space=u64)
    cpdef int unmap_file(self, u64 file, u64 first, u64 last, bint copies) except -1
    @cython.locals(table=u64, index=u64, word=u64, begin=u64, end=u64, start=u64, stop=u64)
    cdef int _unmap_file_here(self, u64 space, u64 file, u64 first, u64 last, bint copies) except -1
    @cython.locals(root=u64, ranges=TableRanges)
    cdef int _drop_cached(self, u64 space, u64 area, u64 start, u64 end) except -1
    @cython.locals(word=u64, have=u64)
    cpdef int subtract(self, u64 space, u64 field, u64 amount) except -1
    @cython.locals(word=u64, resident=u64)
    cpdef int add(self, u64 space, u64 field, u64 amount) except -1
