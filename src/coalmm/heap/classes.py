"""kmalloc's size classes: what an allocation of some size is rounded up to.

Every 8 bytes up to 128, then eight to a doubling up to 1 KiB. From there on a class is what fills a slab:
16 KiB or 32 KiB divided by a small number, so that nothing is left over at a slab's end. Rounding wastes at
most a fifth, and 5 % on average; what is larger is counted in whole frames.
"""

from coalmm.heap.constants import LARGEST_CLASS

SMALLEST_CLASS = 16
FINE_STEP = 8
FINE_LIMIT = 128
STEPS = 8  # classes to a doubling,
STEPS_LIMIT = 1024  # up to here
SLABS = ((16384, (15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4)), (32768, (7, 6, 5)))  # bytes, and objects in them


def size_classes() -> list[int]:
    """The classes in bytes, ascending."""
    classes = list(range(SMALLEST_CLASS, FINE_LIMIT + 1, FINE_STEP))
    while classes[-1] < STEPS_LIMIT:
        doubling = classes[-1]
        classes += [doubling + doubling * step // STEPS for step in range(1, STEPS + 1)]
    classes += [size // objects & -16 for size, counts in SLABS for objects in counts]
    return [*classes, LARGEST_CLASS]
