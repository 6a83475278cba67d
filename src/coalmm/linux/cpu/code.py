"""Frames that hold instructions which the emulator has translated.

The emulator keeps translations by frame and does not see what the kernel writes into one: a frame may
be freed and hold another program's code, a file may change, a program may store through an alias. So a
copy of each frame is kept from when its code was first allowed to run; when it is allowed again, and
the bytes differ, the old translation has to go.
"""

import cython

if not cython.compiled:
    from coalmm.hardware.blocks import range_equals
    from coalmm.hardware.constants import FRAME_SHIFT, FRAME_SIZE
    from coalmm.hardware.ram import Ram


class CodeFrames:
    """Which frames of `ram` have translated code, and what it was translated from."""

    def __init__(self, ram: "Ram") -> None:
        self.bytes = ram.bytes
        marks = bytearray(ram.size >> FRAME_SHIFT)
        self.marks = memoryview(marks)
        self.copies: dict[int, bytes] = {}

    def has(self, pfn: int) -> bool:
        """Whether the emulator may have translations of a frame."""
        return self.marks[pfn] != 0

    def is_stale(self, pfn: int) -> bool:
        """Whether a frame that has translations differs from what they were made from."""
        copy = self.copies[pfn]
        return not range_equals(self.bytes, pfn << FRAME_SHIFT, copy)

    def keep(self, pfn: int) -> None:
        """Remember a frame's contents before its code runs for the first time."""
        start = pfn << FRAME_SHIFT
        self.copies[pfn] = bytes(self.bytes[start : start + FRAME_SIZE])
        self.marks[pfn] = 1

    def drop(self, pfn: int) -> None:
        """The translations of a frame are gone."""
        self.marks[pfn] = 0
        self.copies.pop(pfn, None)
