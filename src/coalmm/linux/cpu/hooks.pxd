# header only
"""C forms of hooks.py: the types of the emulator's callbacks, and their addresses."""
from libc.stdint cimport int64_t as i64, uint32_t as u32, uint64_t as u64

cdef struct Answer:
    u64 paddr
    int rights

ctypedef bint (*fill_function)(void *uc, u64 vaddr, int kind, Answer *answer, void *handle) noexcept
ctypedef void (*number_function)(void *uc, u32 number, void *handle) noexcept
ctypedef void (*plain_function)(void *uc, void *handle) noexcept
ctypedef u32 (*in_function)(void *uc, u32 port, int size, void *handle) noexcept
ctypedef void (*out_function)(void *uc, u32 port, int size, u32 value, void *handle) noexcept
ctypedef void (*access_function)(void *uc, int kind, u64 address, int size, i64 value, void *handle) noexcept

cdef inline u64 handle_of(object engine) noexcept:
    return <u64><void *>engine

cdef inline void let_go(object engine) noexcept:
    pass

cdef inline void put_answer(Answer *answer, u64 paddr, int rights) noexcept:
    answer.paddr = paddr
    answer.rights = rights

cdef inline u64 fill_address(fill_function function) noexcept:
    return <u64>function

cdef inline u64 number_address(number_function function) noexcept:
    return <u64>function

cdef inline u64 plain_address(plain_function function) noexcept:
    return <u64>function

cdef inline u64 in_address(in_function function) noexcept:
    return <u64>function

cdef inline u64 out_address(out_function function) noexcept:
    return <u64>function

cdef inline u64 access_address(access_function function) noexcept:
    return <u64>function
