# header only
"""C forms of blocks.py, inlined into the modules that cimport them."""
from libc.stdint cimport uint8_t as u8, uint64_t as u64
from libc.string cimport memcmp, memmove, memset

cdef extern from *:
    """
    #include <sys/mman.h>
    #ifndef MADV_POPULATE_WRITE
    #define MADV_POPULATE_WRITE 23
    #endif
    """
    int madvise(void *address, size_t size, int advice) noexcept nogil
    int MADV_POPULATE_WRITE


cdef inline void fill_range(u8[::1] view, u64 start, u64 size, u8 value) noexcept nogil:
    if size and start < <u64>view.shape[0] and size <= <u64>view.shape[0] - start:
        memset(&view[start], value, size)


cdef inline void copy_range(u8[::1] view, u64 to, u64 source, u64 size) noexcept nogil:
    cdef u64 room = <u64>view.shape[0]
    if size and to < room and size <= room - to and source < room and size <= room - source:
        memmove(&view[to], &view[source], size)


cdef inline void populate_range(u8[::1] view, u64 start, u64 size) noexcept nogil:
    if size and start < <u64>view.shape[0] and size <= <u64>view.shape[0] - start:
        madvise(&view[start], size, MADV_POPULATE_WRITE)


cdef inline bint range_equals(u8[::1] view, u64 start, bytes content) noexcept:
    cdef u64 size = <u64>len(content)
    if start > <u64>view.shape[0] or size > <u64>view.shape[0] - start:
        return False
    return size == 0 or memcmp(&view[start], <const char *>content, size) == 0
