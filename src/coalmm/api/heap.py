# cython: binding=False, embedsignature=True, embedsignature.format=clinic
"""Heap Management: the document's functions over the current kernel.

Compiled they are plain C functions, which Python calls faster than what it can bind to objects.
"""

import cython

from coalmm import current
from coalmm.api.structures import buddy_stats_t, fill, is_null
from coalmm.kernel import Kernel
from coalmm.typed import Callable

if not cython.compiled:
    from coalmm.hardware.bits import as_u64
    from coalmm.heap.buddy import Buddy
    from coalmm.heap.fast_path import FastPath
    from coalmm.heap.kmalloc import Kmalloc
    from coalmm.heap.slab import Slabs

_last = _last_address = 1  # an object freed and allocated again has the same address: the same int serves
_fast: "FastPath | None" = None
_heap: "Kmalloc | None" = None
_buddy: "Buddy | None" = None
_slabs: "Slabs | None" = None


def _follow(kernel: Kernel | None) -> None:
    """Act on another kernel from now on; with none, the next call boots one."""
    global _fast, _heap, _buddy, _slabs
    writable = kernel if kernel is not None and not kernel.read_only else None
    _fast = writable.heap.fast if writable else None
    _heap = writable.heap if writable else None
    _buddy = writable.buddy if writable else None
    _slabs = writable.slabs if writable else None


current.follow(_follow)


def kmalloc(size: int, /) -> int:
    """Allocate `size` bytes of kernel memory; the address, or 0 (NULL) for 0 bytes or no memory."""
    global _last, _last_address
    if _fast is None or _heap is None:
        return current.require().heap.kmalloc(size)
    address = _fast.allocate(as_u64(size)) or _heap.allocate_slowly(as_u64(size))
    if address != _last_address:
        if address == 0:
            return _failed(size)
        _last_address = _last = address
    return _last


def _failed(size: int) -> int:
    """Tell that kmalloc fails; 0."""
    current.require().frames.failed("kmalloc", size)
    return 0


def kfree(ptr: int, /) -> None:
    """Free memory of the kmalloc family; 0 (NULL) is nothing.

    Raises DoubleFreeError or InvalidPointerError, with nothing changed, for any other address.
    """
    if _fast is None or _heap is None:
        current.require().heap.kfree(ptr)
    elif not _fast.release(as_u64(ptr)):
        _heap.release_slowly(as_u64(ptr))


def kmalloc_aligned(size: int, align: int) -> int:
    """Allocate `size` bytes at a multiple of `align`, a power of two up to 16 MiB (0: any); address or 0."""
    return (_heap or current.require().heap).kmalloc_aligned(size, align)


def kzalloc(size: int) -> int:
    """Allocate `size` zero bytes; address or 0."""
    return (_heap or current.require().heap).kzalloc(size)


def krealloc(ptr: int, size: int) -> int:
    """Change the size of an allocation, contents kept; its address, 0 without memory (then `ptr` is as it was).

    `ptr` 0 allocates; `size` 0 frees and returns 0. Raises like kfree.
    """
    return (_heap or current.require().heap).krealloc(ptr, size)


def kmalloc_size(ptr: int) -> int:
    """How many bytes of an allocation may be written; 0 for 0 (NULL). Raises like kfree."""
    return (_heap or current.require().heap).kmalloc_size(ptr)


def buddy_init(start: int, size: int) -> None:
    """Give the buddy allocator the whole frames in `size` bytes of kernel memory from `start`.

    The first region of a machine that was booted without a heap brings slab caches and kmalloc. Raises
    InvalidPointerError for a range that is empty or not kernel memory, InUseError for frames that something uses.
    """
    current.require().buddy_init(start, size)


def buddy_alloc(size: int) -> int:
    """Allocate `size` bytes rounded up to a power of two, 4 KiB to 16 MiB, aligned to it; address or 0."""
    return (_buddy or current.require().buddy).allocate(size)


def buddy_free(ptr: int) -> None:
    """Free a block of buddy_alloc; 0 (NULL) is nothing. Raises DoubleFreeError or InvalidPointerError."""
    (_buddy or current.require().buddy).free(ptr)


def buddy_get_stats(stats: buddy_stats_t) -> None:
    """Fill `stats`; None or 0 (NULL) is nothing."""
    if not is_null(stats, buddy_stats_t):
        fill(stats, (_buddy or current.require().buddy).statistics())


def slab_cache_create(
    name: str | bytes | int | None,
    size: int,
    align: int,
    ctor: Callable[[int], object] | int | None,
    dtor: Callable[[int], object] | int | None,
) -> int:
    """Make a cache of objects of `size` bytes; the cache, or 0 (NULL): see `Slabs.create`."""
    return (_slabs or current.require().slabs).create(name, size, align, ctor, dtor)


def slab_cache_destroy(cache: int) -> None:
    """Destroy a cache without live objects; 0 (NULL) is nothing. Raises InUseError with live ones."""
    (_slabs or current.require().slabs).destroy(cache)


def slab_alloc(cache: int) -> int:
    """Allocate an object of a cache; its address, or 0 (NULL) without memory or for cache 0."""
    return (_slabs or current.require().slabs).allocate(cache)


def slab_free(cache: int, ptr: int) -> None:
    """Free an object of a cache; ptr 0 (NULL) is nothing. Raises DoubleFreeError or InvalidPointerError."""
    (_slabs or current.require().slabs).free(cache, ptr)


def slab_shrink_caches() -> int:
    """Give every empty slab of every cache back; how many pages that were."""
    return (_slabs or current.require().slabs).shrink()
