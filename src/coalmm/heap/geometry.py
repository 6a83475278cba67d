"""How many frames a slab has, and how many objects fit: small slabs that waste little."""

from coalmm.hardware.constants import FRAME_SHIFT, FRAME_SIZE
from coalmm.heap.constants import LARGEST_BLOCK, MOST_OBJECTS, SMALLEST_STRIDE

MOST_PAGES = 8  # of a slab of several objects
WASTE_SHARE = 16  # a slab is good enough when at most 1/16 of it is not objects


def object_stride(size: int, align: int) -> int:
    """Bytes from one object to the next: `size` rounded up to `align`, at least 16; 0 if it is too large."""
    if size > LARGEST_BLOCK or align > LARGEST_BLOCK:
        return 0
    stride = max((size + align - 1) // align * align, SMALLEST_STRIDE)
    return stride if stride <= LARGEST_BLOCK else 0


def natural_alignment(size: int) -> int:
    """The alignment that a C compiler could need for an object of `size` bytes: 1, 2, 4, 8 or 16."""
    return min(size & -size, 8) if size & 15 else 16


def slab_shape(stride: int, left: int) -> tuple[int, int]:
    """(frames, objects) of a slab whose objects start `left` bytes in; (0, 0) if none can be had.

    Among slabs of 1, 2, 4 and 8 frames, which are whole buddy blocks, the first that wastes at most 1/16, or
    the one that wastes least. A larger object is a slab of its own.
    """
    best = (0, 0)
    best_waste = 1.0
    smallest = (stride + left + FRAME_SIZE - 1) >> FRAME_SHIFT
    for pages in [pages for pages in (1, 2, 4, MOST_PAGES) if pages >= smallest] or [smallest]:
        bytes_ = pages << FRAME_SHIFT
        objects = min((bytes_ - left) // stride, MOST_OBJECTS)
        waste = 1 - objects * stride / bytes_
        if waste < best_waste:
            best, best_waste = (pages, objects), waste
        if waste * WASTE_SHARE <= 1:
            break
    return best if best[0] << FRAME_SHIFT <= LARGEST_BLOCK else (0, 0)
