from libc.stdint cimport uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport ALL_ONES
from coalmm.hardware.constants cimport FRAME_SHIFT
from coalmm.physical.bitmap cimport Bitmap
from coalmm.physical.constants cimport (
    D_COUNT, DESCRIPTOR_WORDS, KIND_CACHE, KIND_FRAME, KINDS, REFERENCES_LIMIT, SB_CACHE_MAPPED, SB_FREE, SB_KERNEL_END,
    SB_KINDS, SB_MAP, SB_USER,
)
from coalmm.physical.frames cimport Frames


@cython.final
cdef class FrameCheck:
    cdef readonly Frames frames
    cdef Bitmap bitmap
    cdef u64[::1] words
    cdef u32[::1] halves

    @cython.locals(pfn=u64, at=u64, references=u64, mappings=u64, kind=u64, own=u64)
    cpdef int check_descriptors(self, u64 first, u64 last, u64[::1] tally) except -1
    @cython.locals(at=u64, index=u64)
    cpdef int check_empty(self, u64 pfn) except -1
    cpdef int refuse(self, u64 pfn, str what) except -1
