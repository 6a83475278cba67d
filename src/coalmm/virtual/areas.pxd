from libc.stdint cimport int64_t as i64, uint8_t as u8, uint64_t as u64

cimport cython

from coalmm.hardware.blocks cimport copy_range
from coalmm.physical.constants cimport SB_KERNEL_BASE
from coalmm.virtual.constants cimport (
    AREA_SHARED, A_END,
    A_FILE,
    A_FLAGS,
    A_OFFSET,
    A_START,
    AREA_GROWS_DOWN,
    AREA_SIZE,
    AREA_WORDS,
    AREAS_LIMIT,
    GUARD_GAP,
    T_ARRAY,
    T_CAPACITY,
    T_COUNT,
    T_HINT,
)


@cython.final
cdef class Areas:
    cdef u64[::1] words
    cdef u8[::1] bytes
    cdef readonly object heap
    cdef readonly object files
    cdef u64 kernel_base

    cpdef u64 count(self, u64 table) except? 0xFFFFFFFFFFFFFFFF
    cpdef u64 record(self, u64 table, u64 index) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(header=u64, array=u64, high=u64, hint=u64, word=u64, low=u64, middle=u64)
    cpdef u64 index_above(self, u64 table, u64 vaddr) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(index=u64, record=u64)
    cpdef u64 peek(self, u64 table, u64 vaddr) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(header=u64, index=u64, record=u64)
    cpdef u64 find(self, u64 table, u64 vaddr) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(index=u64)
    cpdef bint has_any(self, u64 table, u64 start, u64 end) except -1
    @cython.locals(index=u64, word=u64)
    cpdef bint covers(self, u64 table, u64 start, u64 end) except -1
    @cython.locals(word=u64)
    cpdef object area(self, u64 record)
    @cython.locals(index=u64, floor=u64, limit=u64, start=u64)
    cpdef u64 find_gap_below(self, u64 table, u64 length, u64 low, u64 high, u64 align) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(index=u64, limit=u64, start=u64)
    cpdef u64 find_gap_above(self, u64 table, u64 length, u64 low, u64 high, u64 align) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(word=u64, end=u64)
    cdef u64 _gap_end(self, u64 table, u64 index, u64 high) except? 0xFFFFFFFFFFFFFFFF

    @cython.locals(header=u64, count=u64, capacity=u64, kaddr=u64, old=u64, array=u64)
    cpdef i64 reserve(self, u64 table, u64 extra) except? -1
    @cython.locals(extra=u64)
    cpdef i64 reserve_splits(self, u64 table, u64 start, u64 end) except? -1
    @cython.locals(index=u64, word=u64, i=u64)
    cpdef i64 insert(self, u64 table, u64 start, u64 end, u64 flags, u64 file, u64 offset) except? -1
    @cython.locals(first=u64, last=u64, index=u64, file=u64)
    cpdef i64 remove(self, u64 table, u64 start, u64 end) except? -1
    @cython.locals(first=u64, last=u64, index=u64, word=u64)
    cpdef i64 change(self, u64 table, u64 start, u64 end, u64 clear, u64 put) except? -1
    @cython.locals(word=u64)
    cpdef i64 resize(self, u64 table, u64 index, u64 start, u64 end) except? -1
    @cython.locals(count=u64, size=u64, kaddr=u64, index=u64, file=u64)
    cpdef i64 copy(self, u64 table, u64 source) except? -1
    @cython.locals(header=u64, index=u64, file=u64, i=u64)
    cpdef i64 clear(self, u64 table) except? -1

    @cython.locals(count=u64, record=u64)
    cdef int _open_slot(self, u64 table, u64 index) except -1
    @cython.locals(count=u64)
    cdef int _close_slots(self, u64 table, u64 first, u64 last) except -1
    @cython.locals(record=u64)
    cdef u64 _is_inside(self, u64 table, u64 at) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(index=u64, word=u64, start=u64)
    cdef u64 _split(self, u64 table, u64 at) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(index=u64, word=u64)
    cdef int _merge(self, u64 table, u64 first, u64 last) except -1
    cdef bint _joins(self, u64 left, u64 right) except -1
