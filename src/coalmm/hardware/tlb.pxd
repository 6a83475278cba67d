from libc.stdint cimport uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport bit
from coalmm.hardware.constants cimport FRAME_MASK, FRAME_SHIFT

cdef extern from *:
    """
    #define coalmm_tlb_ALL_ONES 0xFFFFFFFFFFFFFFFFULL
    #define coalmm_tlb_SMALL_ENTRIES 1024ULL
    #define coalmm_tlb_HUGE_ENTRIES 64ULL
    #define coalmm_tlb_ENTRIES 1152ULL
    #define coalmm_tlb_ENTRY_GLOBAL 0x100ULL
    """
    const u64 ALL_ONES "coalmm_tlb_ALL_ONES"
    const u64 SMALL_ENTRIES "coalmm_tlb_SMALL_ENTRIES"
    const u64 HUGE_ENTRIES "coalmm_tlb_HUGE_ENTRIES"
    const u64 ENTRIES "coalmm_tlb_ENTRIES"
    const u64 ENTRY_GLOBAL "coalmm_tlb_ENTRY_GLOBAL"


@cython.final
cdef class Tlb:
    cdef u64[1152] tags
    cdef u64[1152] data
    cdef u64 shift_large, shift_largest, filled, huge_filled
    cdef readonly u64 hits, misses

    @cython.locals(slot=u64)
    cpdef u64 lookup(self, u64 vaddr, u64 need) noexcept
    @cython.locals(slot=u64, shift=u64)
    cdef u64 _lookup_huge(self, u64 vaddr, u64 need) noexcept
    cdef u64 _slot(self, u64 vaddr, u64 shift) noexcept
    @cython.locals(slot=u64, mask=u64)
    cpdef void insert(self, u64 vaddr, u64 paddr, u64 shift, u64 bits) noexcept
    cdef void _drop(self, u64 vaddr, u64 shift) noexcept
    cpdef void invalidate(self, u64 vaddr) noexcept
    @cython.locals(slot=u64)
    cpdef void flush_local(self) noexcept
    @cython.locals(slot=u64)
    cpdef void flush_all(self) noexcept
