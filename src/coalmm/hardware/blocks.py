"""Whole ranges of a byte view: fill, copy, compare. The caller has checked that the ranges are in the view.

The compiled modules use the C forms in blocks.pxd; both do the same.
"""


def fill_range(view: memoryview, start: int, size: int, value: int) -> None:
    """Set `size` bytes from `start` to `value`."""
    view[start : start + size] = bytes((value,)) * size


def copy_range(view: memoryview, to: int, source: int, size: int) -> None:
    """Copy `size` bytes from `source` to `to`; the two may overlap."""
    view[to : to + size] = view[source : source + size]


def range_equals(view: memoryview, start: int, content: bytes) -> bool:
    """Whether the bytes from `start` on are those of `content`."""
    return view[start : start + len(content)] == content
