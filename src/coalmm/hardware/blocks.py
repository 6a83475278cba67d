"""Whole ranges of a byte view: fill, copy, compare. The caller has checked that the ranges are in the view.

The compiled modules use the C forms in blocks.pxd; both do the same.
"""

POPULATE_WRITE = 23  # MADV_POPULATE_WRITE, Linux 5.14


def fill_range(view: memoryview, start: int, size: int, value: int) -> None:
    """Set `size` bytes from `start` to `value`."""
    view[start : start + size] = bytes((value,)) * size


def copy_range(view: memoryview, to: int, source: int, size: int) -> None:
    """Copy `size` bytes from `source` to `to`; the two may overlap."""
    view[to : to + size] = view[source : source + size]


def populate_range(view: memoryview, start: int, size: int) -> None:
    """Have the host put memory behind whole pages now; an older host does it at each one's first touch instead."""
    try:
        view.obj.madvise(POPULATE_WRITE, start, size)  # type: ignore[attr-defined]
    except OSError:
        pass


def range_equals(view: memoryview, start: int, content: bytes) -> bool:
    """Whether the bytes from `start` on are those of `content`."""
    return view[start : start + len(content)] == content
