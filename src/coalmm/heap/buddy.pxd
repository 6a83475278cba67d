from libc.stdint cimport uint8_t as u8, uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport as_u64, bit, clz, ctz
from coalmm.hardware.blocks cimport fill_range
from coalmm.hardware.constants cimport FRAME_MASK, FRAME_SHIFT
from coalmm.heap.constants cimport (
    BLOCK_FIXED, BUDDY_ALLOCATIONS, BUDDY_COUNTS, BUDDY_FAILURES, BUDDY_FREE, BUDDY_FREES, BUDDY_HEADS,
    BUDDY_MASK, BUDDY_PEAK, BUDDY_READY, BUDDY_TOTAL, KMALLOC_LARGE_FRAMES, LARGEST_BLOCK, MAX_ORDER, ORDERS,
)
from coalmm.heap.tracking cimport Tracking
from coalmm.physical.constants cimport (
    D_COUNT, D_HEAD, D_KIND, D_NEXT, D_OWNER, D_PREVIOUS, DESCRIPTOR_HALVES, FLAGS_KIND_MASK, FLAGS_SHIFT, HOOK_INJECT, HOOK_TRACK, KIND_BUDDY, KIND_BUDDY_FREE, KIND_FRAME,
    KIND_HEAP, KIND_MASK, ORDER_SHIFT, POINT_BUDDY, SB_BUDDY, SB_FREE, SB_HOOKS, SB_KERNEL_BASE, SB_KINDS, SB_KMALLOC, SB_LOWMEM,
    SB_TOTAL,
)
from coalmm.physical.frames cimport Frames


cpdef u64 order_of(u64 pages) noexcept nogil


@cython.final
cdef class Buddy:
    cdef readonly Frames frames
    cdef readonly Tracking tracking
    cdef u8[::1] bytes
    cdef u64[::1] words
    cdef u32[::1] halves
    cdef u64 first_half
    cdef readonly u64 kernel_base
    cdef readonly u64 low_frames

    @cython.locals(have=u64, pfn=u64, flags=u64)
    cpdef u64 take(self, u64 order) except? 0 nogil
    @cython.locals(used=u64)
    cpdef int note_peak(self) except -1 nogil
    @cython.locals(flags=u64, other=u64, free=u64)
    cpdef int give(self, u64 pfn, u64 order) except -1 nogil
    @cython.locals(order=u64, pfn=u64, flags=u64)
    cpdef u64 take_pages(self, u64 pages, u64 align) except? 0 nogil
    @cython.locals(order=u64, most=u64)
    cpdef int give_pages(self, u64 pfn, u64 pages) except -1 nogil
    @cython.locals(at=u64)
    cdef int mark(self, u64 pfn, u64 kind) except -1 nogil
    cpdef u64 flags(self, u64 pfn) except? 0xFFFFFFFFFFFFFFFF nogil
    @cython.locals(each=u64, at=u64)
    cpdef int lend(self, u64 pfn, u64 pages, u64 kind, u64 flags, u64 owner) except -1 nogil
    @cython.locals(each=u64, at=u64, region=u64, index=u64)
    cpdef int give_lent(self, u64 pfn, u64 marked, u64 pages) except -1 nogil
    @cython.locals(at=u64, head=u64)
    cdef int link(self, u64 pfn, u64 order, u64 flags) except -1 nogil
    @cython.locals(at=u64, after=u64, before=u64)
    cdef u64 unlink(self, u64 pfn, u64 order) except? 0xFFFFFFFFFFFFFFFF nogil
    @cython.locals(frames=u64, order=u64)
    cdef u64 grow_order(self) except? 0xFFFFFFFFFFFFFFFF nogil
    @cython.locals(wanted=u64, pfn=u64)
    cdef bint grow(self, u64 order) except -1 nogil
    cdef bint regrow(self, u64 order) except -1 nogil
    @cython.locals(number=u64, end=u64)
    cdef bint has_room(self, u64 order) except -1 nogil
    @cython.locals(kind=u64)
    cdef u64 first_in_use(self, u64 pfn, u64 end) except? 0xFFFFFFFFFFFFFFFF nogil
    cdef bint has_spare(self) except -1 nogil
    cdef int release(self, u64 pfn, u64 order) except -1 nogil
    @cython.locals(before=u64, order=u64, pfn=u64, at=u64, after=u64, _=u64)
    cpdef u64 trim(self) except? 0xFFFFFFFFFFFFFFFF nogil
    @cython.locals(address=u64, length=u64, offset=u64, limit=u64, first=u64, last=u64, pfn=u64)
    cpdef object initialise(self, object start, object size)
    cpdef object check_unused(self, u64 pfn)
    @cython.locals(address=u64)
    cpdef u64 allocate(self, object size) except? 0
    @cython.locals(pfn=u64)
    cdef u64 allocate_block(self, u64 size) except? 0 nogil
    @cython.locals(pointer=u64)
    cpdef object free(self, object address)
    @cython.locals(pfn=u64, order=u64)
    cdef int free_block(self, u64 pointer) except -1 nogil
    @cython.locals(pfn=u64)
    cpdef u64 size_of(self, object address) except? 0
    @cython.locals(offset=u64, pfn=u64, kind=u64)
    cdef u64 block_at(self, u64 pointer) except? 0 nogil
    cdef str describe(self, u64 pointer)
    @cython.locals(order=u64, head=u64, kind=u64)
    cdef bint is_inside_free(self, u64 pfn) except -1 nogil
    @cython.locals(blocks=u64, before=u64, pfn=u64, counted=u64, has=u64)
    cdef u64 validate_list(self, u64 order) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(paddr=u64, at=u64, kind=u64, other=u64, twin=u64)
    cdef int validate_block(self, u64 pfn, u64 before, u64 order) except -1
