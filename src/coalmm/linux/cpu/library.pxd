# header only
"""C forms of library.py: a function of Unicorn is called by its address."""
from libc.stdint cimport uint64_t as u64

cdef extern from *:
    """
    #include <stdint.h>
    #include <stddef.h>
    static inline int coalmm_uc_emu_start(uint64_t f, uint64_t uc, uint64_t begin, uint64_t until, uint64_t timeout, uint64_t count)
    { return ((int (*)(void *, uint64_t, uint64_t, uint64_t, size_t))f)((void *)uc, begin, until, timeout, count); }
    static inline int coalmm_uc_emu_stop(uint64_t f, uint64_t uc)
    { return ((int (*)(void *))f)((void *)uc); }
    static inline int coalmm_uc_context(uint64_t f, uint64_t uc, uint64_t context)
    { return ((int (*)(void *, void *))f)((void *)uc, (void *)context); }
    static inline int coalmm_uc_ctl_0(uint64_t f, uint64_t uc, int control)
    { return ((int (*)(void *, int, ...))f)((void *)uc, control); }
    static inline int coalmm_uc_ctl_2(uint64_t f, uint64_t uc, int control, uint64_t first, uint64_t second)
    { return ((int (*)(void *, int, ...))f)((void *)uc, control, first, second); }
    static inline uint64_t coalmm_uc_reg_read(uint64_t f, uint64_t uc, int reg)
    { uint64_t value = 0; ((int (*)(void *, int, void *))f)((void *)uc, reg, &value); return value; }
    static inline void coalmm_uc_reg_write(uint64_t f, uint64_t uc, int reg, uint64_t value)
    { ((int (*)(void *, int, const void *))f)((void *)uc, reg, &value); }
    """
    int emu_start "coalmm_uc_emu_start"(u64 function, u64 uc, u64 begin, u64 until, u64 timeout, u64 count)
    int emu_stop "coalmm_uc_emu_stop"(u64 function, u64 uc)
    int context_save "coalmm_uc_context"(u64 function, u64 uc, u64 context)
    int context_restore "coalmm_uc_context"(u64 function, u64 uc, u64 context)
    int control_0 "coalmm_uc_ctl_0"(u64 function, u64 uc, int control)
    int control_2 "coalmm_uc_ctl_2"(u64 function, u64 uc, int control, u64 first, u64 second)
    u64 register_read "coalmm_uc_reg_read"(u64 function, u64 uc, int number)
    void register_write "coalmm_uc_reg_write"(u64 function, u64 uc, int number, u64 value)
