"""/proc/PID/mem and /proc/PID/pagemap: a process's memory, and where it is. Source: proc(5), pagemap.rst."""

from __future__ import annotations

import os
import struct
from errno import EINVAL, EIO

from coalmm.errors import PageFaultError
from coalmm.hardware.constants import FRAME_SHIFT, FRAME_SIZE
from coalmm.linux.vfs.attributes import Attributes
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Node, Place
from coalmm.linux.vfs.open_file import OpenFile, sought
from coalmm.physical.constants import KIND_CACHE
from coalmm.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coalmm.linux.task import Task

PRESENT, FILE, EXCLUSIVE = 1 << 63, 1 << 61, 1 << 56
ENTRY = 8
MOST_PAGES = 1 << 16  # of pagemap in one read


class MemoryNode(Node):
    """mem or pagemap of one task."""

    def __init__(self, attributes: Attributes, shown: Task, name: bytes) -> None:
        self.status = attributes
        self.shown = shown
        self.name = name

    def attributes(self) -> Attributes:
        return self.status

    def open(self, place: Place, flags: int, task: Any = None) -> OpenFile:
        return (MemoryFile if self.name == b"mem" else PagemapFile)(self, place, flags)


class MemoryFile(OpenFile):
    """mem: the offset is an address."""

    node: MemoryNode

    def peek(self, task: Task, size: int) -> bytes:
        return self.pread(size, self.offset)

    def pread(self, size: int, offset: int) -> bytes:
        process = self.node.shown.process
        if not process.is_alive or not size:
            return b""
        try:
            return process.read(offset, size)
        except PageFaultError as fault:
            good = fault.address - offset
            if not 0 < good < size:
                raise failure(EIO) from None
            return process.read(offset, good)

    def write(self, task: Task, data: bytes) -> int:
        done = self.pwrite(data, self.offset)
        self.offset += done
        return done

    def pwrite(self, data: bytes, offset: int) -> int:
        if not self.node.shown.process.is_alive:
            return 0
        try:
            self.node.shown.write(offset, data)
        except PageFaultError:
            raise failure(EIO) from None
        return len(data)

    def seek(self, offset: int, whence: int) -> int:
        if whence not in (os.SEEK_SET, os.SEEK_CUR):
            raise failure(EINVAL)
        self.offset = offset + (self.offset if whence else 0) & (1 << 64) - 1
        return self.offset if self.offset < 1 << 63 else self.offset - (1 << 64)


class PagemapFile(OpenFile):
    """pagemap: 8 bytes for each page of the address space."""

    node: MemoryNode

    def peek(self, task: Task, size: int) -> bytes:
        return self.pread(size, self.offset)

    def pread(self, size: int, offset: int) -> bytes:
        if size % ENTRY or offset % ENTRY:
            raise failure(EINVAL)
        process = self.node.shown.process
        top = process.processes.spaces.top >> FRAME_SHIFT if process.is_alive else 0
        first = offset // ENTRY
        count = min(size // ENTRY, MOST_PAGES, max(top - first, 0))
        entries = [0] * count
        kernel = self.node.shown.system.kernel
        start, end = first << FRAME_SHIFT, first + count << FRAME_SHIFT
        for vaddr, paddr, length, _ in kernel.page_tables.for_each_leaf(process.root, start, end) if count else ():
            for at in range(max(vaddr, start), min(vaddr + length, end), FRAME_SIZE):
                entries[(at - start) >> FRAME_SHIFT] = entry(kernel, paddr + at - vaddr >> FRAME_SHIFT)
        return struct.pack(f"<{count}Q", *entries)

    def seek(self, offset: int, whence: int) -> int:
        self.offset = sought(self, offset, whence, 0)
        return self.offset


def entry(kernel: Any, pfn: int) -> int:
    """What pagemap says of a present page in this frame."""
    inside = pfn < kernel.frames.pfn_limit
    found = PRESENT | pfn
    if inside and kernel.frames.kind(pfn) == KIND_CACHE:
        found |= FILE
    if inside and kernel.frames.mappings(pfn) == 1:
        found |= EXCLUSIVE
    return found
