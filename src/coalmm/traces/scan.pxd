# header only
"""C forms of scan.py, inlined into the modules that cimport them; a range outside `data` is empty."""
from libc.stdint cimport uint64_t as u64

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    static inline int coalmm_in(Py_ssize_t size, Py_ssize_t start, Py_ssize_t end) {
        return 0 <= start && start <= end && end <= size;
    }
    static inline Py_ssize_t coalmm_find(PyObject *data, Py_ssize_t start, Py_ssize_t end, int byte) {
        const char *text = PyBytes_AS_STRING(data), *found;
        if (!coalmm_in(PyBytes_GET_SIZE(data), start, end)) return -1;
        found = (const char *)memchr(text + start, byte, (size_t)(end - start));
        return found ? found - text : -1;
    }
    static inline Py_ssize_t coalmm_find_last(PyObject *data, Py_ssize_t start, Py_ssize_t end, int byte) {
        const char *text = PyBytes_AS_STRING(data);
        if (!coalmm_in(PyBytes_GET_SIZE(data), start, end)) return -1;
        while (end > start) if (text[--end] == (char)byte) return end;
        return -1;
    }
    static inline int coalmm_hex(PyObject *data, Py_ssize_t start, Py_ssize_t end, uint64_t *value) {
        const char *text = PyBytes_AS_STRING(data);
        Py_ssize_t at = start;
        *value = 0;
        if (!coalmm_in(PyBytes_GET_SIZE(data), start, end)) return 0;
        if (end - start == 5 && memcmp(text + start, "(nil)", 5) == 0) return 1;
        if (end - at >= 2 && text[at] == '0' && text[at + 1] == 'x') at += 2;
        if (end - at < 1 || end - at > 16) return 0;
        for (; at < end; at++) {
            unsigned char c = (unsigned char)text[at];
            unsigned digit = c - '0';
            if (digit > 9) {
                digit = (unsigned)(c | 32) - 'a';
                if (digit > 5) return 0;
                digit += 10;
            }
            *value = *value << 4 | digit;
        }
        return 1;
    }
    static inline int coalmm_is_hex(PyObject *data, Py_ssize_t start, Py_ssize_t end) {
        uint64_t value;
        return coalmm_hex(data, start, end, &value);
    }
    static inline uint64_t coalmm_hex_value(PyObject *data, Py_ssize_t start, Py_ssize_t end) {
        uint64_t value;
        return coalmm_hex(data, start, end, &value) ? value : UINT64_MAX;
    }
    static inline int coalmm_same(PyObject *data, Py_ssize_t start, Py_ssize_t end, PyObject *other) {
        Py_ssize_t size = PyBytes_GET_SIZE(other);
        return coalmm_in(PyBytes_GET_SIZE(data), start, end) && end - start == size
            && memcmp(PyBytes_AS_STRING(data) + start, PyBytes_AS_STRING(other), (size_t)size) == 0;
    }
    """
    Py_ssize_t find_byte "coalmm_find"(bytes data, Py_ssize_t start, Py_ssize_t end, int byte)
    Py_ssize_t find_last_byte "coalmm_find_last"(bytes data, Py_ssize_t start, Py_ssize_t end, int byte)
    bint is_hex "coalmm_is_hex"(bytes data, Py_ssize_t start, Py_ssize_t end)
    u64 hex_value "coalmm_hex_value"(bytes data, Py_ssize_t start, Py_ssize_t end)
    bint same_bytes "coalmm_same"(bytes data, Py_ssize_t start, Py_ssize_t end, bytes other)
