# cython: nonecheck=False
"""The allocators as C functions, for libcoalmm.so. A .pyx, because only Cython can make C functions of them.

Two kinds, both called with the library's lock held:
  - fast: without Python's lock; 0 or False sends the caller to the slow one, and nothing was changed;
  - slow: takes Python's lock and calls the compiled allocator with C numbers. What raises is told to
    calls.py, which reports it, and the answer is 0.
"""
from libc.stdint cimport uint64_t as u64

from coalmm.heap.buddy cimport Buddy
from coalmm.heap.fast_path cimport FastPath
from coalmm.heap.kmalloc cimport Kmalloc
from coalmm.heap.slab cimport Slabs
from coalmm.physical.frames cimport Frames

cdef FastPath _fast
cdef Kmalloc _heap
cdef Slabs _slabs
cdef Buddy _buddy
cdef Frames _frames
cdef object _report


cdef u64 fast_kmalloc(u64 size) noexcept nogil:
    return _fast.allocate(size)


cdef bint fast_kfree(u64 pointer) noexcept nogil:
    return _fast.release(pointer)


cdef u64 fast_rounded(u64 size) noexcept nogil:
    return _fast.rounded(size)


cdef u64 fast_room(u64 pointer) noexcept nogil:
    return _fast.room(pointer)


cdef u64 slow_kmalloc(u64 size, u64 _) noexcept with gil:
    try:
        return _heap.allocate_slowly(size)
    except BaseException as error:
        return _report(error)


cdef u64 slow_kfree(u64 pointer, u64 _) noexcept with gil:
    try:
        return _heap.release_slowly(pointer)
    except BaseException as error:
        return _report(error)


cdef u64 kzalloc(u64 size, u64 _) noexcept with gil:
    try:
        return _heap.kzalloc(size)
    except BaseException as error:
        return _report(error)


cdef u64 kmalloc_aligned(u64 size, u64 align) noexcept with gil:
    try:
        return _heap.kmalloc_aligned(size, align)
    except BaseException as error:
        return _report(error)


cdef u64 krealloc(u64 pointer, u64 size) noexcept with gil:
    try:
        return _heap.reallocate(pointer, size)
    except BaseException as error:
        return _report(error)


cdef u64 kmalloc_size(u64 pointer, u64 _) noexcept with gil:
    try:
        return _heap.kmalloc_size(pointer)
    except BaseException as error:
        return _report(error)


cdef u64 slab_alloc(u64 cache, u64 _) noexcept with gil:
    try:
        return _slabs.allocate(cache)
    except BaseException as error:
        return _report(error)


cdef u64 slab_free(u64 cache, u64 pointer) noexcept with gil:
    try:
        _slabs.free(cache, pointer)
    except BaseException as error:
        _report(error)
    return 0


cdef u64 buddy_alloc(u64 size, u64 _) noexcept with gil:
    try:
        return _buddy.allocate(size)
    except BaseException as error:
        return _report(error)


cdef u64 buddy_free(u64 pointer, u64 _) noexcept with gil:
    try:
        _buddy.free(pointer)
    except BaseException as error:
        _report(error)
    return 0


cdef u64 frame_alloc(u64 _, u64 __) noexcept with gil:
    try:
        return _frames.allocate()
    except BaseException as error:
        return _report(error)


cdef u64 frame_free(u64 frame, u64 _) noexcept with gil:
    try:
        _frames.free(frame)
    except BaseException as error:
        _report(error)
    return 0


def use(kernel, report):
    """Let the functions act on a machine; `report(error)` is told what they raise, and returns 0."""
    global _fast, _heap, _slabs, _buddy, _frames, _report
    _heap, _slabs, _buddy, _frames = kernel.heap, kernel.slabs, kernel.buddy, kernel.frames
    _fast, _report = _heap.fast, report


def forget():
    """Let go of the machine."""
    global _fast, _heap, _slabs, _buddy, _frames, _report
    _fast = _heap = _slabs = _buddy = _frames = _report = None


def addresses():
    """The address of each function, in the order of `struct binding` of libcoalmm.c."""
    return (
        <u64>&fast_kmalloc, <u64>&fast_kfree, <u64>&fast_rounded, <u64>&fast_room, <u64>&slow_kmalloc, <u64>&slow_kfree, <u64>&kzalloc,
        <u64>&kmalloc_aligned, <u64>&krealloc, <u64>&kmalloc_size, <u64>&slab_alloc, <u64>&slab_free,
        <u64>&buddy_alloc, <u64>&buddy_free, <u64>&frame_alloc, <u64>&frame_free,
    )
