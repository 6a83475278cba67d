# header only
"""C form of clock.py."""
from libc.stdint cimport uint64_t as u64

cdef extern from *:
    """
    #include <stdint.h>
    #include <time.h>

    static inline uint64_t coalmm_clock_now(void) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    }
    """
    u64 now "coalmm_clock_now"()
