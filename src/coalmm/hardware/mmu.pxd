from libc.stdint cimport uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport as_u64
from coalmm.hardware.clock cimport now
from coalmm.hardware.constants cimport (
    FAULT_NON_CANONICAL, ACCESS_READ, ACCESS_WRITE, FRAME_MASK, FRAME_SIZE, PAGE_DIRTY, PAGE_GLOBAL,
)
from coalmm.hardware.ram cimport Ram
from coalmm.hardware.tlb cimport ENTRY_GLOBAL, Tlb
from coalmm.hardware.walk cimport Walker, ALL_ONES


@cython.final
cdef class Mmu:
    cdef readonly Ram ram
    cdef readonly object form
    cdef readonly Walker walker
    cdef readonly Tlb tlb
    cdef readonly u64 cr3, fault_code, fault_address, generation
    cdef readonly bint write_protect, global_pages, nx
    cdef public u64 deadline

    cpdef object set_cr3(self, u64 root)
    cpdef void invlpg(self, u64 vaddr) noexcept
    cpdef void flush(self) noexcept
    cpdef bint is_late(self) noexcept
    @cython.locals(paddr=u64)
    cpdef u64 translate(self, u64 vaddr, u64 access, bint user) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(paddr=u64, bits=u64)
    cdef u64 _miss(self, u64 vaddr, u64 access, bint user) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(at=u64, done=u64)
    cdef bint _reachable(self, u64 vaddr, u64 size, u64 access, bint user) except -1
    @cython.locals(start=u64, length=u64, done=u64, part=u64, paddr=u64)
    cpdef object load(self, object vaddr, object size, bint user=*)
    @cython.locals(start=u64, length=u64, done=u64, part=u64, paddr=u64)
    cpdef object store(self, object vaddr, object data, bint user=*)
