from libc.stdint cimport int64_t as i64, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport ALL_ONES
from coalmm.hardware.constants cimport FRAME_MASK, FRAME_SHIFT, FRAME_SIZE, PAGE_COW
from coalmm.physical.constants cimport SB_TOTAL
from coalmm.virtual.address_space cimport AddressSpaces
from coalmm.virtual.areas cimport Areas
from coalmm.virtual.faults cimport Faults
from coalmm.virtual.constants cimport (
    A_END, A_FLAGS, A_START, AREA_GROWS_DOWN, AREA_HEAP, AREA_LOCK_ON_FAULT, AREA_LOCKED, AREA_NO_HUGE, AREA_NO_RESERVE, AREA_SHARED,
    AREAS_LIMIT, F_KIND, F_WRITABLE, FILE_HOST, LOWEST, MAP_32BIT, MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE,
    MAP_GROWSDOWN, MAP_LEGACY, MAP_LOCKED, MAP_NONBLOCK, MAP_NORESERVE, MAP_POPULATE, MAP_PRIVATE, MAP_READ_ONLY,
    MAP_SHARED, MAP_SHARED_VALIDATE, MAP_STACK, MAP_TYPE, MAY_SHIFT, MAY_WRITE, PROT_GROWSDOWN, PROT_GROWSUP, PROT_SEM,
    RIGHT_READ, RIGHT_WRITE, RIGHTS, S_BRK, S_BRK_START, S_DATA_END, S_DATA_LIMIT, S_DATA_START, S_DEFAULT_FLAGS,
    S_LOCK_LIMIT, S_LOCKED, S_MMAP_BASE, S_SIZE_LIMIT, S_VIRTUAL,
)
from coalmm.virtual.page_tables cimport PageTables

cdef extern from *:
    """
    #define coalmm_mappings_TOP_47 0x7FFFFFFFF000ULL
    #define coalmm_mappings_LOW_FIRST 0x40000000ULL
    #define coalmm_mappings_LOW_LAST 0x80000000ULL
    #define coalmm_mappings_MOST_OFFSET 0x7FFFFFFFFFFFFFFFULL
    """
    const u64 TOP_47 "coalmm_mappings_TOP_47"
    const u64 LOW_FIRST "coalmm_mappings_LOW_FIRST"
    const u64 LOW_LAST "coalmm_mappings_LOW_LAST"
    const u64 MOST_OFFSET "coalmm_mappings_MOST_OFFSET"


@cython.final
cdef class Mappings:
    cdef readonly AddressSpaces spaces
    cdef readonly Areas areas
    cdef readonly Faults handler
    cdef u64[::1] words
    cdef readonly object files
    cdef readonly PageTables tables
    cdef readonly u64 top

    @cython.locals(start=i64, wanted=u64, error=i64)
    cpdef i64 map(self, u64 space, u64 vaddr, u64 length, u64 rights, u64 flags, u64 file, u64 offset, u64 kind) except? -1
    @cython.locals(start=i64)
    cpdef i64 place(self, u64 space, u64 vaddr, u64 length, u64 flags) except? -1
    @cython.locals(limit=u64)
    cpdef bint may_lock(self, u64 space, u64 length) except -1
    @cython.locals(hint=u64, top=u64)
    cdef i64 _address(self, u64 space, u64 vaddr, u64 length, u64 flags) except? -1
    @cython.locals(table=u64, start=u64)
    cdef i64 _low_place(self, u64 space, u64 hint, u64 length) except? -1
    @cython.locals(table=u64, base=u64, top=u64, start=u64, end=u64)
    cpdef i64 find_place(self, u64 space, u64 hint, u64 length) except? -1
    cdef bint _is_free(self, u64 table, u64 start, u64 length) except -1
    @cython.locals(result=u64)
    cdef u64 _area_flags(self, u64 space, u64 rights, u64 flags, u64 file, u64 kind) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(kind_of_map=u64)
    cdef i64 _refusal(self, u64 length, u64 flags, u64 wanted, u64 file, u64 offset) except? -1
    @cython.locals(result=i64)
    cdef i64 _map_at(self, u64 space, u64 start, u64 length, u64 wanted, u64 flags, u64 file, u64 offset) except? -1
    cpdef i64 populate(self, u64 space, u64 start, u64 end, u64 flags) except? -1
    @cython.locals(limit=u64, covered=u64)
    cdef bint _exceeds(self, u64 space, u64 start, u64 length, u64 flags) except -1
    @cython.locals(limit=u64)
    cpdef bint exceeds_data(self, u64 space, u64 length, u64 flags) except -1
    @cython.locals(limit=u64)
    cpdef bint may_grow(self, u64 space, u64 length, u64 flags) except -1
    cdef bint _is_too_much(self, u64 length, u64 flags) except -1
    @cython.locals(table=u64, end=u64)
    cdef i64 _add(self, u64 space, u64 start, u64 length, u64 flags, u64 file, u64 offset) except? -1
    @cython.locals(end=u64, top=u64)
    cpdef i64 unmap(self, u64 space, u64 vaddr, u64 length) except? -1
    @cython.locals(covered=u64)
    cpdef i64 take_out(self, u64 space, u64 start, u64 end) except? -1
    @cython.locals(grows=u64, end=u64, start=i64)
    cpdef i64 protect(self, u64 space, u64 vaddr, u64 length, u64 rights) except? -1
    @cython.locals(table=u64, index=u64, word=u64)
    cdef i64 _grown_from(self, u64 space, u64 vaddr, u64 end, u64 grows) except? -1
    @cython.locals(table=u64, record=u64, word=u64, flags=u64, until=u64)
    cdef i64 _protect_areas(self, u64 space, u64 vaddr, u64 end, u64 rights) except? -1
    @cython.locals(wanted=u64)
    cdef bint _may_not_write(self, u64 space, u64 length, u64 flags) except -1
    @cython.locals(bits=u64)
    cdef int _set_rights(self, u64 space, u64 start, u64 end, u64 flags) except -1
    cpdef int set_brk_start(self, u64 space, u64 vaddr) except -1
    @cython.locals(first=u64, now=u64, old_end=u64, end=u64)
    cpdef i64 brk(self, u64 space, u64 vaddr) except? -1
    @cython.locals(limit=u64, data=u64)
    cdef bint _is_large_heap(self, u64 space, u64 size) except -1
    @cython.locals(table=u64, flags=u64)
    cdef bint _extend_heap(self, u64 space, u64 start, u64 end) except -1
