# header only
"""C forms of ticker.py: a thread that sleeps a few milliseconds at a time."""
from libc.stdint cimport uint64_t as u64

cdef extern from *:
    """
    #include <pthread.h>
    #include <stdatomic.h>
    #include <stdint.h>
    #include <stdlib.h>
    #include <time.h>

    typedef struct {
        pthread_t thread;
        uint64_t stop_function, uc;
        _Atomic uint64_t deadline; /* nanoseconds, monotonic; 0: none */
        _Atomic int ended;
    } coalmm_ticker;

    static inline uint64_t coalmm_now(void) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    }

    static void *coalmm_tick(void *argument) {
        coalmm_ticker *ticker = argument;
        struct timespec step = {0, 2000000};
        while (!atomic_load(&ticker->ended)) {
            nanosleep(&step, NULL);
            uint64_t deadline = atomic_load(&ticker->deadline);
            if (deadline && coalmm_now() >= deadline)
                ((int (*)(void *))ticker->stop_function)((void *)ticker->uc);
        }
        return NULL;
    }

    static inline uint64_t coalmm_start_ticker(uint64_t stop_function, uint64_t uc) {
        coalmm_ticker *ticker = calloc(1, sizeof *ticker);
        if (!ticker)
            return 0;
        ticker->stop_function = stop_function;
        ticker->uc = uc;
        if (pthread_create(&ticker->thread, NULL, coalmm_tick, ticker)) {
            free(ticker);
            return 0;
        }
        return (uint64_t)ticker;
    }

    static inline void coalmm_end_ticker(uint64_t handle) {
        coalmm_ticker *ticker = (coalmm_ticker *)handle;
        if (!ticker)
            return;
        atomic_store(&ticker->ended, 1);
        pthread_join(ticker->thread, NULL);
        free(ticker);
    }

    static inline uint64_t coalmm_begin_slice(uint64_t handle, uint64_t microseconds) {
        if (!handle)
            return microseconds;
        atomic_store(&((coalmm_ticker *)handle)->deadline, microseconds ? coalmm_now() + microseconds * 1000 : 0);
        return 0;
    }

    static inline void coalmm_end_slice(uint64_t handle) {
        if (handle)
            atomic_store(&((coalmm_ticker *)handle)->deadline, 0);
    }
    """
    u64 start_ticker "coalmm_start_ticker"(u64 stop_function, u64 uc)
    void end_ticker "coalmm_end_ticker"(u64 ticker)
    u64 begin_slice "coalmm_begin_slice"(u64 ticker, u64 microseconds)
    void end_slice "coalmm_end_slice"(u64 ticker)
