"""`kernel.memory[...]`: bytes by virtual address, as kernel code sees them.

An index or slice is a virtual address, translated by the current directory with supervisor rights and
without setting accessed or dirty bits: a look, not an access of the modelled CPU.
"""

from coalmm.errors import PageFaultError
from coalmm.hardware.bits import as_u64
from coalmm.hardware.constants import FRAME_MASK, FRAME_SIZE
from coalmm.hardware.ram import Ram
from coalmm.typed import Callable

Translate = Callable[[int], int]  # the physical address, -1 if nothing is mapped


class Memory:
    """The memory of one machine, by virtual address.

    Reading or writing where nothing is mapped raises PageFaultError, before a byte was written.
    """

    def __init__(self, ram: Ram, translate: Translate) -> None:
        self._ram = ram
        self._translate = translate

    def __repr__(self) -> str:
        return f"<Memory: {self._ram.size >> 10:,} KiB of RAM by virtual address>"

    def __getitem__(self, key: int | slice) -> int | bytes:
        if isinstance(key, slice):
            return self.read(*bounds(key))
        return self.read(key, 1)[0]

    def __setitem__(self, key: int | slice, value: int | bytes | bytearray | memoryview) -> None:
        if isinstance(key, slice):
            start, size = bounds(key)
            if isinstance(value, int):
                raise TypeError("a slice of memory is set to bytes, not to an int")
            data = memoryview(value).cast("B")
            if len(data) != size:
                raise ValueError(f"{len(data)} bytes do not fill a slice of {size}")
            self.write(start, data)
        elif isinstance(value, int):
            self.write(key, bytes((value,)))
        else:
            raise TypeError("one byte of memory is set to an int")

    def read(self, vaddr: int, size: int) -> bytes:
        """A copy of `size` bytes from `vaddr` on."""
        return b"".join(self._ram.read(paddr, length) for paddr, length in self.pieces(as_u64(vaddr), as_u64(size)))

    def write(self, vaddr: int, data: bytes | bytearray | memoryview) -> None:
        """Write bytes from `vaddr` on."""
        view = memoryview(data).cast("B")
        done = 0
        for paddr, length in list(self.pieces(as_u64(vaddr), len(view))):
            self._ram.write(paddr, view[done : done + length])
            done += length

    def pieces(self, vaddr: int, size: int) -> list[tuple[int, int]]:
        """(physical address, bytes) of each page that a range touches; PageFaultError if one is not mapped."""
        found = []
        done = 0
        while done < size:
            at = vaddr + done
            length = min(FRAME_SIZE - (at & FRAME_MASK), size - done)
            paddr = self._translate(at)
            if paddr < 0 or paddr + length > self._ram.size:
                raise PageFaultError(f"nothing is mapped at {at:#x}", at, 0)
            found.append((paddr, length))
            done += length
        return found


def bounds(key: slice) -> tuple[int, int]:
    """(start, size) of a slice of addresses; ValueError unless it has a start and a stop and no step."""
    if key.start is None or key.stop is None or key.step not in (None, 1) or key.stop < key.start:
        raise ValueError("a slice of memory is [start:stop] with start <= stop")
    return key.start, key.stop - key.start
