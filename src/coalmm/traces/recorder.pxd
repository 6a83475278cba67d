from libc.stdint cimport uint8_t as u8, uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.traces.constants cimport (
    ALLOCATE,
    ALLOCATE_ZEROED,
    CHUNK_EVENTS,
    FREE,
    LARGEST_U32,
    MOST_NAMES,
    NO_SLOT,
    PAGE_ALLOCATE,
    PAGE_FREE,
    PAGE_SIZE,
    REALLOCATE,
    SPARE,
)
from coalmm.traces.slots cimport Slots


@cython.final
cdef class Recorder:
    cdef Slots slots
    cdef readonly list sites
    cdef readonly list caches
    cdef dict site_numbers
    cdef dict cache_numbers
    cdef public u64 lines
    cdef public u64 other_lines
    cdef readonly u64 events
    cdef readonly u64 unknown_frees
    cdef readonly u64 null_frees
    cdef readonly u64 lost_frees
    cdef public u64 failed
    cdef public double now
    cdef readonly u64 count
    cdef object chunk
    cdef u8[::1] ops
    cdef u32[::1] slot_column
    cdef u64[::1] sizes
    cdef u32[::1] aligns
    cdef u32[::1] labels
    cdef u32[::1] site_column
    cdef double[::1] times

    cdef int new_chunk(self) except -1
    cdef int bind(self, object chunk) except -1
    cpdef bint is_full(self) noexcept
    @cython.locals(count=u64)
    cpdef object take(self)
    cpdef bint recognised(self)
    cpdef u64 site(self, object name) except? 0xFFFFFFFFFFFFFFFF
    cpdef u64 cache(self, object name) except? 0xFFFFFFFFFFFFFFFF
    cdef u64 raw_site(self, bytes name) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(at=u64)
    cdef int emit(self, u64 op, u64 slot, u64 size, u64 align, u64 label, u64 site) except -1
    @cython.locals(slot=u64)
    cdef int begin(self, u64 address, u64 op, u64 size, u64 align, u64 label, u64 site) except -1
    @cython.locals(slot=u64)
    cdef int end_lost(self, u64 address) except -1
    cpdef int allocate(self, u64 address, u64 size, u64 align, u64 label, u64 site) except -1
    cpdef int allocate_zeroed(self, u64 address, u64 size, u64 label, u64 site) except -1
    cpdef int free(self, u64 address) except -1
    @cython.locals(slot=u64)
    cdef int end(self, u64 address, u64 op) except -1
    @cython.locals(slot=u64)
    cpdef int reallocate(self, u64 old, u64 address, u64 size, u64 site) except -1
    cpdef int allocate_pages(self, u64 address, u64 order, u64 site) except -1
    cpdef int free_pages(self, u64 address) except -1


cdef u64 number_of(object key, object name, list names, dict numbers) except? 0xFFFFFFFFFFFFFFFF
