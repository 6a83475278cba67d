from libc.stdint cimport uint8_t as u8, uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport ALL_ONES, as_u64
from coalmm.hardware.blocks cimport fill_range
from coalmm.hardware.constants cimport FRAME_MASK, FRAME_SHIFT, FRAME_SIZE
from coalmm.hardware.ram cimport Ram
from coalmm.physical.bitmap cimport Bitmap
from coalmm.physical.constants cimport (
    D_COUNT, D_KIND, D_MAPPINGS, D_OWNER, D_REFERENCES, HOOK_INJECT, KIND_CACHE, KIND_FRAME,
    KIND_MASK, KINDS, POINT_FRAME, REFERENCES_LIMIT, SB_CACHE_MAPPED, SB_DESCRIPTORS, SB_FRAMES, SB_FREE,
    SB_HOOKS, SB_KERNEL_END, SB_KINDS, SB_LOWMEM, SB_MAP, SB_TOTAL, SB_USER,
)
from coalmm.physical.injection cimport Injection


@cython.final
cdef class Frames:
    cdef readonly Ram ram
    cdef u8[::1] bytes
    cdef readonly u32[::1] halves
    cdef readonly u64[::1] words
    cdef readonly Bitmap bitmap
    cdef readonly Injection injection
    cdef public object on_failure
    cdef readonly u64 descriptors
    cdef readonly u64 pfn_limit
    cdef readonly u64 first_word
    cdef readonly u64 first_half

    @cython.locals(low=u64, pfn=u64)
    cpdef u64 take(self, u64 kind, u64 owner) except? 0 nogil
    @cython.locals(pfn=u64)
    cpdef u64 take_low(self, u64 kind, u64 owner) except? 0 nogil
    cpdef u64 claim(self, u64 pfn, u64 kind, u64 owner) except? 0 nogil
    cpdef int claim_at(self, u64 pfn, u64 kind, u64 owner) except -1 nogil
    @cython.locals(low=u64)
    cpdef bint extend_run(self, u64 first, u64 count, u64 kind) except -1 nogil
    @cython.locals(pfn=u64, at=u64)
    cpdef int take_range(self, u64 first, u64 count, u64 kind, u64 owner) except -1 nogil
    @cython.locals(limit=u64, first=u64)
    cpdef u64 take_run(self, u64 count, u64 align, u64 kind, u64 owner, bint low) except? 0 nogil
    @cython.locals(pfn=u64)
    cpdef int give_run(self, u64 first, u64 count) except -1 nogil
    @cython.locals(at=u64, references=u64)
    cpdef bint hold(self, u64 pfn) except -1 nogil
    @cython.locals(at=u64, references=u64)
    cpdef u64 drop(self, u64 pfn) except? 0xFFFFFFFFFFFFFFFF nogil
    @cython.locals(at=u64, references=u64, mappings=u64)
    cpdef bint map_user(self, u64 pfn) except -1
    @cython.locals(at=u64, mappings=u64)
    cpdef u64 unmap_user(self, u64 pfn) except? 0xFFFFFFFFFFFFFFFF
    cpdef u64 kind(self, u64 pfn) except? 0xFFFFFFFFFFFFFFFF nogil
    @cython.locals(at=u64)
    cpdef int set_kind(self, u64 pfn, u64 kind) except -1 nogil
    cpdef u64 references(self, u64 pfn) except? 0xFFFFFFFFFFFFFFFF nogil
    cpdef u64 mappings(self, u64 pfn) except? 0xFFFFFFFFFFFFFFFF nogil
    cpdef bint is_allocated(self, u64 pfn) except -1 nogil
    cpdef int zero(self, u64 pfn) except -1 nogil

    @cython.locals(pfn=u64)
    cpdef u64 allocate(self) except? 0 nogil
    cdef int ran_out(self) except -1 with gil
    @cython.locals(paddr=u64)
    cpdef u64 allocate_zeroed(self) except? 0
    cpdef object free(self, object paddr)
    @cython.locals(pfn=u64)
    cpdef int give(self, u64 paddr) except -1 nogil
    @cython.locals(pfn=u64)
    cpdef u64 own(self, u64 paddr) except? 0 nogil
    @cython.locals(address=u64, pfn=u64, kind=u64)
    cpdef str describe(self, object paddr)
