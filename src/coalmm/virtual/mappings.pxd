from libc.stdint cimport int64_t as i64, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport ALL_ONES
from coalmm.hardware.constants cimport FRAME_MASK, FRAME_SHIFT, FRAME_SIZE, PAGE_COW, PAGE_PRESENT
from coalmm.physical.constants cimport SB_TOTAL
from coalmm.virtual.address_space cimport AddressSpaces
from coalmm.virtual.areas cimport Areas
from coalmm.virtual.faults cimport Faults
from coalmm.virtual.constants cimport (
    A_END, A_FILE, A_FLAGS, A_OFFSET, A_START, AREA_GROWS_DOWN, AREA_HEAP, AREA_LOCKED, AREA_NO_FORK,
    AREA_NO_RESERVE, AREA_SHARED, AREA_WIPE_ON_FORK, AREAS_LIMIT, ENTRY_ADDRESS, F_KIND, F_WRITABLE, FILE_HOST, LOWEST, MADV_DODUMP,
    MADV_DOFORK, MADV_DONTFORK, MADV_DONTNEED, MADV_FREE, MADV_KEEPONFORK, MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_WIPEONFORK,
    MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_GROWSDOWN, MAP_LOCKED, MAP_NORESERVE, MAP_POPULATE, MAP_PRIVATE,
    MAP_SHARED, MAP_SHARED_VALIDATE, MAP_TYPE, MAY_SHIFT, MAY_WRITE, MREMAP_DONTUNMAP, MREMAP_FIXED,
    MREMAP_MAYMOVE, RIGHT_READ, RIGHT_WRITE, RIGHTS, S_BRK, S_BRK_START, S_MMAP_BASE, S_VIRTUAL,
)
from coalmm.virtual.page_tables cimport PageTables


@cython.final
cdef class Mappings:
    cdef readonly AddressSpaces spaces
    cdef readonly Areas areas
    cdef readonly Faults handler
    cdef u64[::1] words
    cdef readonly object files
    cdef readonly PageTables tables
    cdef u64 top

    @cython.locals(kind_of_map=u64, start=i64, wanted=u64, result=i64)
    cpdef i64 map(self, u64 space, u64 vaddr, u64 length, u64 rights, u64 flags, u64 file, u64 offset, u64 kind) except? -1
    @cython.locals(hint=u64)
    cdef i64 _place(self, u64 space, u64 vaddr, u64 length, u64 flags) except? -1
    @cython.locals(table=u64, base=u64, start=u64)
    cpdef i64 find_place(self, u64 space, u64 hint, u64 length) except? -1
    cdef bint _is_free(self, u64 table, u64 start, u64 length) except -1
    @cython.locals(result=u64)
    cdef u64 _area_flags(self, u64 rights, u64 flags, u64 file, u64 kind) except? 0xFFFFFFFFFFFFFFFF
    cdef bint _is_too_much(self, u64 length, u64 flags) except -1
    @cython.locals(table=u64, end=u64)
    cdef i64 _add(self, u64 space, u64 start, u64 length, u64 flags, u64 file, u64 offset) except? -1
    @cython.locals(end=u64)
    cpdef i64 unmap(self, u64 space, u64 vaddr, u64 length) except? -1
    @cython.locals(covered=u64)
    cdef i64 _take_out(self, u64 space, u64 start, u64 end) except? -1
    @cython.locals(end=u64, table=u64, record=u64, word=u64, flags=u64, until=u64)
    cpdef i64 protect(self, u64 space, u64 vaddr, u64 length, u64 rights) except? -1
    @cython.locals(bits=u64)
    cdef int _set_rights(self, u64 space, u64 start, u64 end, u64 flags) except -1
    @cython.locals(known=u64, record=u64, word=u64)
    cpdef i64 remap(self, u64 space, u64 old, u64 old_length, u64 length, u64 flags, u64 target) except? -1
    @cython.locals(result=i64, table=u64, index=u64, word=u64, end=u64, extra=u64, fits=bint)
    cdef i64 _resize(self, u64 space, u64 old, u64 old_length, u64 length, u64 flags) except? -1
    @cython.locals(table=u64, place=i64, word=u64, kind=u64, file=u64, offset=u64)
    cdef i64 _move(self, u64 space, u64 old, u64 old_length, u64 length, u64 flags, u64 target) except? -1
    @cython.locals(root=u64, at=u64, entry=u64, pfn=u64)
    cdef bint _move_entries(self, u64 space, u64 old, u64 length, u64 target) except -1
    cpdef int set_brk_start(self, u64 space, u64 vaddr) except -1
    @cython.locals(first=u64, now=u64, old_end=u64, end=u64)
    cpdef i64 brk(self, u64 space, u64 vaddr) except? -1
    @cython.locals(table=u64, flags=u64, room=u64)
    cdef bint _extend_heap(self, u64 space, u64 start, u64 end) except -1
    @cython.locals(end=u64, table=u64, result=i64, index=u64, word=u64, until=u64, done=i64)
    cpdef i64 advise(self, u64 space, u64 vaddr, u64 length, u64 advice) except? -1
    cdef bint _is_advice(self, u64 advice) noexcept
    @cython.locals(flags=u64)
    cdef i64 _advise_area(self, u64 space, u64 word, u64 start, u64 end, u64 advice) except? -1
    @cython.locals(end=u64, table=u64, index=u64, word=u64, low=u64, high=u64, first=u64, last=u64, written=i64)
    cpdef i64 sync(self, u64 space, u64 vaddr, u64 length) except? -1
