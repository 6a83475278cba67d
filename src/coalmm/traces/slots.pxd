from libc.stdint cimport uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.traces.constants cimport ALL_ONES, HASH_MULTIPLIER, NO_SLOT, SMALLEST_TABLE


@cython.final
cdef class Slots:
    cdef readonly u64 live
    cdef readonly u64 next_slot
    cdef u64[::1] table
    cdef u64 mask
    cdef int shift
    cdef u32[::1] released
    cdef u64 released_room
    cdef u64 released_count

    cdef int new_table(self, u64 entries) except -1
    cdef u64 home(self, u64 address) noexcept
    @cython.locals(index=u64)
    cdef u64 place(self, u64 address) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(index=u64)
    cpdef u64 find(self, u64 address) except? 0xFFFFFFFFFFFFFFFF
    cpdef u64 fresh(self) except? 0xFFFFFFFFFFFFFFFF
    cdef int grow_released(self) except -1
    cpdef int release(self, u64 slot) except -1
    @cython.locals(index=u64)
    cpdef int put(self, u64 address, u64 slot) except -1
    @cython.locals(old=u64[::1], entries=u64, index=u64, place=u64)
    cdef int grow(self) except -1
    @cython.locals(index=u64, slot=u64)
    cpdef u64 take(self, u64 address) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(index=u64, home=u64)
    cdef int close_hole(self, u64 hole) except -1
