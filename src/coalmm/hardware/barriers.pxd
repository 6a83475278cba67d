cdef extern from *:
    """
    #if defined(__x86_64__) || defined(__i386__)
    #define coalmm_mfence() __asm__ volatile("mfence" ::: "memory")
    #define coalmm_lfence() __asm__ volatile("lfence" ::: "memory")
    #define coalmm_sfence() __asm__ volatile("sfence" ::: "memory")
    #else
    #include <stdatomic.h>
    #define coalmm_mfence() atomic_thread_fence(memory_order_seq_cst)
    #define coalmm_lfence() atomic_thread_fence(memory_order_acquire)
    #define coalmm_sfence() atomic_thread_fence(memory_order_release)
    #endif
    """
    void mfence "coalmm_mfence"() noexcept nogil
    void lfence "coalmm_lfence"() noexcept nogil
    void sfence "coalmm_sfence"() noexcept nogil

cpdef void mb() noexcept
cpdef void rmb() noexcept
cpdef void wmb() noexcept
