# header only
"""C forms of bits.py, inlined into the modules that cimport them."""
from libc.stdint cimport uint64_t as u64

cdef extern from *:
    """
    #include <stdint.h>
    static inline uint64_t coalmm_ctz(uint64_t word) { return word ? (uint64_t)__builtin_ctzll(word) : 64; }
    static inline uint64_t coalmm_clz(uint64_t word) { return word ? (uint64_t)__builtin_clzll(word) : 64; }
    static inline uint64_t coalmm_popcount(uint64_t word) { return (uint64_t)__builtin_popcountll(word); }
    static inline uint64_t coalmm_bit(uint64_t index) { return (uint64_t)1 << (index & 63); }
    """
    const u64 ALL_ONES "UINT64_MAX"
    u64 ctz "coalmm_ctz"(u64 word) nogil
    u64 clz "coalmm_clz"(u64 word) nogil
    u64 popcount "coalmm_popcount"(u64 word) nogil
    u64 bit "coalmm_bit"(u64 index) nogil

cdef extern from "Python.h":
    unsigned long long PyLong_AsUnsignedLongLong(object value) noexcept
    void *PyErr_Occurred()
    void PyErr_Clear()

cdef inline u64 as_u64(object value) except? 0xFFFFFFFFFFFFFFFF:
    cdef u64 number
    if not isinstance(value, int):
        raise TypeError(f"an int is needed, not {type(value).__name__}")
    number = PyLong_AsUnsignedLongLong(value)
    if number == <u64>-1 and PyErr_Occurred() is not NULL:
        PyErr_Clear()
        raise ValueError(f"{'negative' if value < 0 else 'more than 64 bits'}: {value:#x}")
    return number
