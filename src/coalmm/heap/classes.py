"""kmalloc's size classes: what an allocation of some size is rounded up to.

Every 8 bytes up to 128, then eight to a doubling up to 32 KiB: rounding wastes at most 1/9, and half
of that on average. What is larger is counted in whole frames.
"""

from coalmm.heap.constants import LARGEST_CLASS

SMALLEST_CLASS = 16
FINE_STEP = 8
FINE_LIMIT = 128
STEPS = 8  # classes to a doubling


def size_classes() -> list[int]:
    """The classes in bytes, ascending."""
    classes = list(range(SMALLEST_CLASS, FINE_LIMIT + 1, FINE_STEP))
    while classes[-1] < LARGEST_CLASS:
        doubling = classes[-1]
        classes += [doubling + doubling * step // STEPS for step in range(1, STEPS + 1)]
    return classes
