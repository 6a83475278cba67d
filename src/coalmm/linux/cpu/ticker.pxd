# header only
"""C forms of ticker.py: a thread that sleeps until the slice is over.

It is woken only for a slice that ends before the time it sleeps until: usually slices end early and the next ones
end later, and it finds the new end when it looks. A stop that comes before the emulator runs is lost, so the
thread asks again and again until the slice has ended.
"""
from libc.stdint cimport uint64_t as u64

from coalmm.hardware.clock cimport now  # whose C form is used below

cdef extern from *:
    """
    #include <pthread.h>
    #include <stdatomic.h>
    #include <stdint.h>
    #include <stdlib.h>
    #include <time.h>

    #define COALMM_AGAIN 200000u /* nanoseconds between two stops of one slice */

    typedef struct {
        pthread_t thread;
        pthread_mutex_t mutex;
        pthread_cond_t sooner;
        uint64_t stop_function, uc;
        _Atomic uint64_t deadline; /* nanoseconds, monotonic; 0: no slice runs, or one without end */
        _Atomic uint64_t asleep_until;
        int ended;
    } coalmm_ticker;

    static void *coalmm_tick(void *argument) {
        coalmm_ticker *ticker = argument;
        pthread_mutex_lock(&ticker->mutex);
        while (!ticker->ended) {
            uint64_t now = coalmm_clock_now(), until = UINT64_MAX;
            atomic_store(&ticker->asleep_until, until); /* a slice that begins from here on wakes us */
            uint64_t deadline = atomic_load(&ticker->deadline);
            if (deadline && now >= deadline) {
                ((int (*)(void *))ticker->stop_function)((void *)ticker->uc);
                until = now + COALMM_AGAIN;
            } else if (deadline) {
                until = deadline;
            }
            atomic_store(&ticker->asleep_until, until);
            if (until == UINT64_MAX) {
                pthread_cond_wait(&ticker->sooner, &ticker->mutex);
            } else {
                struct timespec end = {(time_t)(until / 1000000000u), (long)(until % 1000000000u)};
                pthread_cond_timedwait(&ticker->sooner, &ticker->mutex, &end);
            }
        }
        pthread_mutex_unlock(&ticker->mutex);
        return NULL;
    }

    static inline uint64_t coalmm_start_ticker(uint64_t stop_function, uint64_t uc) {
        coalmm_ticker *ticker = calloc(1, sizeof *ticker);
        if (!ticker)
            return 0;
        pthread_condattr_t monotonic;
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&ticker->sooner, &monotonic);
        pthread_condattr_destroy(&monotonic);
        pthread_mutex_init(&ticker->mutex, NULL);
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
        pthread_mutex_lock(&ticker->mutex);
        ticker->ended = 1;
        pthread_cond_signal(&ticker->sooner);
        pthread_mutex_unlock(&ticker->mutex);
        pthread_join(ticker->thread, NULL);
        pthread_cond_destroy(&ticker->sooner);
        pthread_mutex_destroy(&ticker->mutex);
        free(ticker);
    }

    static inline uint64_t coalmm_begin_slice(uint64_t handle, uint64_t microseconds) {
        coalmm_ticker *ticker = (coalmm_ticker *)handle;
        if (!ticker)
            return microseconds;
        uint64_t deadline = microseconds ? coalmm_clock_now() + microseconds * 1000 : 0;
        atomic_store(&ticker->deadline, deadline);
        if (deadline && deadline < atomic_load(&ticker->asleep_until)) {
            pthread_mutex_lock(&ticker->mutex);
            pthread_cond_signal(&ticker->sooner);
            pthread_mutex_unlock(&ticker->mutex);
        }
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
