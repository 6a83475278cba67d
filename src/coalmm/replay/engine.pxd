from libc.stdint cimport uint8_t as u8, uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport clz
from coalmm.hardware.blocks cimport copy_range, fill_range
from coalmm.hardware.constants cimport FRAME_SHIFT
from coalmm.heap.buddy cimport Buddy
from coalmm.heap.constants cimport (
    BUDDY_FREE, C_ALLOCATIONS, C_FREES, C_OBJECT_SIZE, KMALLOC_LARGE_FRAMES, LARGEST_CLASS,
)
from coalmm.heap.kmalloc cimport Kmalloc
from coalmm.physical.constants cimport SB_BUDDY, SB_FREE, SB_KMALLOC
from coalmm.replay.constants cimport BUCKETS, BUDDY_BLOCK, HEAP_BLOCK, NOTHING
from coalmm.replay.samples cimport Samples
from coalmm.traces.constants cimport ALLOCATE_ZEROED, FREE, PAGE_ALLOCATE, PAGE_FREE, REALLOCATE


@cython.final
cdef class Engine:
    cdef Kmalloc heap
    cdef Buddy buddy
    cdef bint only_buddy
    cdef u8[::1] bytes
    cdef u64[::1] words
    cdef u64 kernel_base
    cdef u64[::1] blocks
    cdef u64[::1] sizes
    cdef u32[::1] sites
    cdef u8[::1] kinds
    cdef u64 room
    cdef readonly u64 events
    cdef readonly u64 failures
    cdef readonly u64 zero_sizes
    cdef readonly u64 live_bytes
    cdef readonly u64 live_blocks
    cdef readonly u64 buddy_bytes
    cdef readonly u64 peak_live_bytes
    cdef readonly u64 peak_live_blocks
    cdef readonly u64 peak_frames
    cdef readonly object counts
    cdef readonly object asked
    cdef readonly object most_active
    cdef u64[::1] count_column
    cdef u64[::1] asked_column
    cdef u64[::1] active_column
    cdef readonly Samples samples
    cdef u64 classes
    cdef u64[::1] class_words
    cdef u64[::1] class_of
    cdef u64 free_at_start
    cdef u64 blocks_at_start

    cpdef object find_classes(self)
    cpdef object reserve(self, object slots)
    @cython.locals(
        ops=u8[::1], slots=u32[::1], sizes=u64[::1], aligns=u32[::1], sites=u32[::1], at=u64, op=u64, slot=u64, size=u64
    )
    cpdef u64 run(self, object chunk, u64 start, u64 stop) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(address=u64)
    cdef int begin(self, u64 slot, u64 size, u64 align, u64 site, bint zeroed) except -1
    @cython.locals(address=u64)
    cdef int begin_in_buddy(self, u64 slot, u64 size, u64 align, u64 site, bint zeroed) except -1
    cdef int note(self, u64 slot, u64 address, u64 size, u64 site, u64 kind) except -1
    @cython.locals(bucket=u64)
    cdef int count_request(self, u64 size) except -1
    @cython.locals(frames=u64)
    cdef int note_peaks(self) except -1
    @cython.locals(kind=u64)
    cdef int free(self, u64 slot) except -1
    @cython.locals(kind=u64)
    cdef int reallocate(self, u64 slot, u64 size, u64 site) except -1
    cdef int note_moved(self, u64 slot, u64 address, u64 size, u64 site) except -1
    @cython.locals(old=u64, room=u64, address=u64, kept=u64)
    cdef u64 move_in_buddy(self, u64 slot, u64 size) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(free=u64)
    cpdef u64 frames_used(self) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(total=u64, number=u64, cache=u64, active=u64)
    cpdef u64 block_bytes(self) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(footprint=u64, spare=u64)
    cpdef object sample(self)
    @cython.locals(slot=u64)
    cpdef dict live_by_site(self)
