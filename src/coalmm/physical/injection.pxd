from libc.stdint cimport uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport ALL_ONES
from coalmm.physical.constants cimport (
    HOOK_INJECT, INJECT_EVERY, INJECT_FAILED, INJECT_HIGH, INJECT_LOW, INJECT_NTH, INJECT_POINTS, INJECT_SEEN,
    SB_HOOKS, SB_INJECT,
)


@cython.final
cdef class Injection:
    cdef u64[::1] words

    @cython.locals(at=u64, seen=u64, every=u64)
    cpdef bint should_fail(self, u64 point, u64 size) except -1 nogil
