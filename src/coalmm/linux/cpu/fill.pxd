from libc.stdint cimport int64_t as i64, uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport ALL_ONES
from coalmm.hardware.constants cimport (
    ACCESS_EXECUTE, ACCESS_READ, ACCESS_WRITE, FRAME_MASK, FRAME_SHIFT, FRAME_SIZE, PAGE_DIRTY,
)
from coalmm.hardware.mmu cimport Mmu
from coalmm.hardware.ram cimport Ram
from coalmm.hardware.walk cimport Walker
from coalmm.linux.cpu.code cimport CodeFrames
from coalmm.linux.cpu.constants cimport (
    FAULT, FLUSH, PROT_EXECUTE, PROT_READ, PROT_WRITE, SEVERAL, STALE, USER_FETCH, USER_WRITE,
)
from coalmm.virtual.faults cimport Faults


@cython.final
cdef class Fill:
    cdef readonly Mmu mmu
    cdef Walker walker
    cdef Faults faults
    cdef Ram ram
    cdef u64 kernel_base
    cdef readonly u64 page, page_address
    cdef readonly CodeFrames code
    cdef u32[::1] written, executed
    cdef u64[::1] written_at, executed_at
    cdef readonly u64 epoch, seen
    cdef public u64 window
    cdef public u64 paddr
    cdef readonly u64 stale, misses, flushes
    cdef public int outcome
    cdef readonly u64 fault_address, fault_access, fault_code
    cdef readonly i64 fault_error
    cdef public object error
    cdef public object on_fault

    @cython.locals(paddr=u64)
    cpdef int answer(self, u64 vaddr, u64 access) except? -1
    @cython.locals(code=u64, before=u64, error=i64)
    cdef bint _resolve(self, u64 vaddr, u64 access) except? -1
    cdef int _fault(self, u64 vaddr, u64 access, i64 error) except? -1
    cdef int _own_page(self, u64 vaddr, u64 access) except? -1
    @cython.locals(is_written=bint)
    cdef int _grant(self, u64 pfn, u64 vaddr, u64 access) except? -1
    cdef int _grant_data(self, u64 pfn, u64 vaddr) except? -1
    @cython.locals(is_code=bint)
    cdef int _grant_write(self, u64 pfn, u64 vaddr) except? -1
    cdef int _grant_code(self, u64 pfn, u64 vaddr) except? -1
    cdef int _both(self, u64 pfn, u64 vaddr) except? -1
    cdef void _note(self, u32[::1] epochs, u64[::1] addresses, u64 pfn, u64 vaddr) noexcept
    @cython.locals(pfn=u64)
    cpdef object flushed(self)
    cpdef bint is_behind(self) except? -1
    @cython.locals(done=u64, paddr=u64)
    cpdef bint wrote(self, u64 vaddr, u64 size) except? -1
