"""RAM: bytes of physical memory, sparse, shared by everything that looks at them.

Anonymous memory of the process, so that only the pages that were written cost the host anything, and C
code and an emulated CPU in this process use the very same bytes. On request a `memfd`, which other
processes can map too; a first touch of its pages costs the host a third more.
"""

import mmap
import os

import cython

from coalmm.typed import Any, Iterator, Protocol

if not cython.compiled:
    from coalmm.hardware.bits import as_u64
    from coalmm.hardware.blocks import copy_range, fill_range, populate_range

FRAME_SIZE = 4096
SMALLEST = 1 << 20
LARGEST = 1 << 46
NO_RESERVE = 0x4000  # MAP_NORESERVE, which Python's mmap module does not name
PAGEMAP_CHUNK = 1 << 17  # entries of 8 bytes that are read at once
BACKED = rb"[\x40-\xff]+"  # top bytes of entries: bit 63 in memory, bit 62 in swap (man 5 proc_pid_pagemap)


class Place(Protocol):
    """Addresses of this process, from `base` on, that RAM can be mapped at."""

    base: int

    def map(self, fd: int, size: int) -> Any:
        """Map a file, or memory if `fd` is -1, there; a buffer with the methods of `mmap.mmap`."""


class Ram:
    """`size` bytes of physical memory, all zero; rounded up to whole frames.

    `bytes`, `halves` and `words` are views of the same memory as unsigned 8-, 32- and 64-bit
    numbers; an index into them is a physical address divided by 1, 4 or 8.

    With `shared`, RAM is a memfd, `fd`, for other processes to map; else `fd` is -1. With `image`, the descriptor
    of a file (which it closes in the end), RAM starts as that file and changes stay in the process. With a
    `place`, RAM is mapped where that says.
    Raises ValueError for a size below 1 MiB or above 64 TiB, OSError if the host refuses.
    """

    def __init__(self, size: int, image: int = -1, shared: bool = False, place: Place | None = None) -> None:
        self.fd = -1  # until this object owns one: __del__ closes it
        if not SMALLEST <= size <= LARGEST:
            raise ValueError(f"RAM of {size} bytes: from 1 MiB to 64 TiB can be had")
        self.size = (size + FRAME_SIZE - 1) & -FRAME_SIZE
        self.fd = image
        if shared:
            self.fd = os.memfd_create("coal-ram", os.MFD_CLOEXEC)
            os.ftruncate(self.fd, self.size)
        if place is None:
            flags = NO_RESERVE | (mmap.MAP_SHARED if shared else mmap.MAP_PRIVATE)
            self.mapping = mmap.mmap(self.fd, self.size, flags | (mmap.MAP_ANONYMOUS if self.fd < 0 else 0))
        else:
            self.mapping = place.map(self.fd, self.size)
        try:
            self.mapping.madvise(mmap.MADV_NOHUGEPAGE, 0, self.size)  # memory of the host comes page by page
        except OSError:
            pass  # a host without huge pages
        view = memoryview(self.mapping)
        self.bytes = view
        self.halves = view.cast("I")
        self.words = view.cast("Q")

    def __repr__(self) -> str:
        return f"<Ram: {self.size >> 10:,} KiB{', memfd' if self.fd >= 0 else ''}>"

    def __del__(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def check(self, paddr: int, size: int) -> None:
        """Raise IndexError unless `size` bytes at `paddr` are in RAM."""
        if paddr > self.size or size > self.size - paddr:
            raise IndexError(f"{size} bytes at {paddr:#x} are not in RAM of {self.size:#x} bytes")

    def read(self, paddr: int, size: int) -> bytes:
        """A copy of `size` bytes at `paddr`. IndexError outside RAM."""
        start = as_u64(paddr)
        length = as_u64(size)
        self.check(start, length)
        return bytes(memoryview(self.mapping)[start : start + length])

    def write(self, paddr: int, data: bytes | bytearray | memoryview) -> None:
        """Copy `data` to `paddr`. IndexError outside RAM, and then nothing is written."""
        start = as_u64(paddr)
        self.check(start, len(data))
        memoryview(self.mapping)[start : start + len(data)] = data

    def fill(self, paddr: int, size: int, value: int) -> None:
        """Set `size` bytes at `paddr` to `value`. IndexError outside RAM."""
        self.check(paddr, size)
        fill_range(self.bytes, paddr, size, value)

    def copy(self, to: int, source: int, size: int) -> None:
        """Copy `size` bytes from `source` to `to`, which may overlap. IndexError outside RAM."""
        self.check(to, size)
        self.check(source, size)
        copy_range(self.bytes, to, source, size)

    def back(self, paddr: int, size: int) -> None:
        """Ask the host for the memory behind whole frames at once, which is cheaper than one by one."""
        self.check(paddr, size)
        populate_range(self.bytes, paddr, size)

    def extents(self) -> Iterator[tuple[int, int]]:
        """The ranges (start, end) of RAM that the host has memory behind, in order; the rest is zero."""
        return self.file_extents() if self.fd >= 0 else self.memory_extents()

    def file_extents(self) -> Iterator[tuple[int, int]]:
        """`extents` of a memfd or an image: what is no hole in the file."""
        end = 0
        while end < self.size:
            try:
                start = os.lseek(self.fd, end, os.SEEK_DATA)
            except OSError:  # ENXIO: no data after `end`
                return
            end = os.lseek(self.fd, start, os.SEEK_HOLE)
            if start < self.size:
                yield start, min(end, self.size)

    def memory_extents(self) -> Iterator[tuple[int, int]]:
        """`extents` of anonymous memory, from /proc/self/pagemap; all of RAM where the host has none."""
        import ctypes
        import re

        first = ctypes.addressof(ctypes.c_char.from_buffer(self.mapping)) // FRAME_SIZE
        try:
            with open("/proc/self/pagemap", "rb", buffering=0) as file:
                for frame in range(0, self.size // FRAME_SIZE, PAGEMAP_CHUNK):
                    count = min(PAGEMAP_CHUNK, self.size // FRAME_SIZE - frame)
                    entries = os.pread(file.fileno(), 8 * count, 8 * (first + frame))
                    for run in re.finditer(BACKED, entries[7::8]):
                        yield (frame + run.start()) * FRAME_SIZE, (frame + run.end()) * FRAME_SIZE
        except OSError:
            yield 0, self.size

    def touched(self) -> int:
        """Bytes of host memory behind this RAM."""
        return sum(end - start for start, end in self.extents())

    def digest(self) -> str:
        """SHA-256 of the contents, independent of which zero frames the host has backed."""
        import hashlib

        total = hashlib.sha256(self.size.to_bytes(8, "little"))
        zeros = bytes(FRAME_SIZE)
        memory = memoryview(self.mapping)
        for start, end in self.extents():
            for frame in range(start, end, FRAME_SIZE):
                content = memory[frame : frame + FRAME_SIZE]
                if content != zeros:
                    total.update(frame.to_bytes(8, "little"))
                    total.update(content)
        return total.hexdigest()
