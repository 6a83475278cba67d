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

cdef extern from *:
    """
    /* The value of an exact, not negative int of one to three digits, read in place. 1 if it was one. */
    static inline int coalmm_short_int(PyObject *value, uint64_t *number)
    {
    #if PY_VERSION_HEX < 0x030F0000 && !defined(Py_LIMITED_API) && PyLong_SHIFT == 30
    #if PY_VERSION_HEX < 0x030C0000
        const digit *digits = ((PyLongObject *)value)->ob_digit;
        #define COALMM_DIGITS Py_SIZE(value)
    #else
        const digit *digits = ((PyLongObject *)value)->long_value.ob_digit;
        uintptr_t tag = ((PyLongObject *)value)->long_value.lv_tag;
        #define COALMM_DIGITS ((tag & 3) == 0 ? (Py_ssize_t)(tag >> 3) : -1)
    #endif
        if (!PyLong_CheckExact(value)) return 0;
        switch (COALMM_DIGITS) {
        case 3: if (digits[2] >> 4) return 0;
                *number = (uint64_t)digits[2] << 60 | (uint64_t)digits[1] << 30 | digits[0]; return 1;
        case 2: *number = (uint64_t)digits[1] << 30 | digits[0]; return 1;
        case 1: *number = digits[0]; return 1;
        }
    #endif
        return 0;
    }
    """
    bint short_int "coalmm_short_int"(object value, u64 *number)

cdef extern from "Python.h":
    unsigned long long PyLong_AsUnsignedLongLong(object value) noexcept
    void *PyErr_Occurred()
    void PyErr_Clear()

cdef inline u64 as_u64(object value) except? 0xFFFFFFFFFFFFFFFF:
    cdef u64 number
    if short_int(value, &number):
        return number
    if not isinstance(value, int):
        raise TypeError(f"an int is needed, not {type(value).__name__}")
    number = PyLong_AsUnsignedLongLong(value)
    if number == <u64>-1 and PyErr_Occurred() is not NULL:
        PyErr_Clear()
        raise ValueError(f"{'negative' if value < 0 else 'more than 64 bits'}: {value:#x}")
    return number
