# cython: nonecheck=False
"""The allocators as C functions, for libcoalmm.so. A .pyx, because only Cython can make C functions of them.

All are called with the library's lock held and without Python's: the compiled allocators take that for what
needs it (an error, a constructor, tracking). Two kinds:
  - the fast paths, `FastPath`'s own methods with the object first: 0 sends the caller to the slow one, and
    nothing was changed;
  - the others. When they answer 0 they may have raised, and `refused` tells calls.py, which reports it or says
    why there is nothing. That needs a thread that Python knows: the error is kept with it until then.
"""
from libc.stdint cimport uint64_t as u64

from coalmm.heap.buddy cimport Buddy
from coalmm.heap.fast_path cimport FastPath
from coalmm.heap.kmalloc cimport Kmalloc
from coalmm.heap.slab cimport Slabs
from coalmm.physical.frames cimport Frames

cdef extern from *:
    """
    static int coalmm_pending(void) { return PyErr_Occurred() ? -1 : 0; }
    """
    int raise_pending "coalmm_pending"() except -1

ctypedef u64 (*Fast)(FastPath, u64) noexcept nogil
ctypedef bint (*FastRelease)(FastPath, u64) noexcept nogil

cdef FastPath _fast
cdef Kmalloc _heap
cdef Slabs _slabs
cdef Buddy _buddy
cdef Frames _frames
cdef object _report, _tell


cdef u64 kmalloc(u64 size, u64 _) except? 0 nogil:
    return _heap.allocate_slowly(size)


cdef u64 kfree(u64 pointer, u64 _) except 0 nogil:
    _heap.release_slowly(pointer)
    return 1


cdef u64 kzalloc(u64 size, u64 _) except? 0 nogil:
    return _heap.allocate_zeroed(size)


cdef u64 kmalloc_aligned(u64 size, u64 align) except? 0 nogil:
    return _heap.allocate_aligned(size, align)


cdef u64 krealloc(u64 pointer, u64 size) except? 0 nogil:
    return _heap.reallocate(pointer, size)


cdef u64 kmalloc_size(u64 pointer, u64 _) except? 0 nogil:
    return _heap.size_of(pointer)


cdef u64 slab_alloc(u64 cache, u64 _) except? 0 nogil:
    return _slabs.take(cache)


cdef u64 slab_free(u64 cache, u64 pointer) except 0 nogil:
    _slabs.give(cache, pointer)
    return 1


cdef u64 buddy_alloc(u64 size, u64 _) except? 0 nogil:
    return _buddy.allocate_block(size)


cdef u64 buddy_free(u64 pointer, u64 _) except 0 nogil:
    if pointer:
        _buddy.free_block(pointer)
    return 1


cdef u64 frame_alloc(u64 _, u64 __) except? 0 nogil:
    return _frames.allocate()


cdef u64 frame_free(u64 frame, u64 _) except 0 nogil:
    _frames.give(frame)
    return 1


cdef u64 refused(const char *function, u64 first, u64 second) noexcept with gil:
    """Report what this thread's last call raised, or tell why it answered 0."""
    try:
        raise_pending()
        _tell(function.decode(), first, second)
    except BaseException as error:
        _report(error)
    return 0


def use(kernel, report, tell):
    """Let the functions act on a machine.

    `report(error)` is told what they raise, `tell(name, first, second)` which answered 0.
    """
    global _fast, _heap, _slabs, _buddy, _frames, _report, _tell
    _heap, _slabs, _buddy, _frames = kernel.heap, kernel.slabs, kernel.buddy, kernel.frames
    _fast, _report, _tell = _heap.fast, report, tell


def forget():
    """Let go of the machine."""
    global _fast, _heap, _slabs, _buddy, _frames, _report, _tell
    _fast = _heap = _slabs = _buddy = _frames = _report = _tell = None


def addresses():
    """The fast path, and the address of each function, in the order of `struct binding` of libcoalmm.c."""
    cdef Fast allocate = FastPath.allocate, rounded = FastPath.rounded, room = FastPath.room
    cdef FastRelease release = FastPath.release
    return (
        <u64><void *>_fast, <u64>allocate, <u64>release, <u64>rounded, <u64>room, <u64>&refused,
        <u64>&kmalloc, <u64>&kfree, <u64>&kzalloc, <u64>&kmalloc_aligned, <u64>&krealloc, <u64>&kmalloc_size,
        <u64>&slab_alloc, <u64>&slab_free, <u64>&buddy_alloc, <u64>&buddy_free, <u64>&frame_alloc, <u64>&frame_free,
    )
