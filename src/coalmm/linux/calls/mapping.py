"""mmap in its three forms, and remap_file_pages: what a map shows, and whether the open file allows it.

What is wrong with the file is found after what is wrong with the address, as in Linux (do_mmap, mm/mmap.c).
There is no pool of huge pages, so MAP_HUGETLB fails as on a machine whose pool is empty.
"""

from __future__ import annotations

import os
import stat
from errno import EACCES, EBADF, EINVAL, ENOMEM, EOPNOTSUPP, EOVERFLOW

from coalmm.hardware.bits import ALL_ONES
from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT
from coalmm.linux.registry import system_call
from coalmm.typed import TYPE_CHECKING
from coalmm.virtual.areas import Area
from coalmm.virtual.constants import (
    AREA_LOCKED,
    AREA_MAPPING,
    AREA_SHARED,
    MAP_ANONYMOUS,
    MAP_FIXED,
    MAP_FIXED_NOREPLACE,
    MAP_GROWSDOWN,
    MAP_HUGETLB,
    MAP_LEGACY,
    MAP_LOCKED,
    MAP_NONBLOCK,
    MAP_POPULATE,
    MAP_PRIVATE,
    MAP_READ_ONLY,
    MAP_SHARED,
    MAP_SHARED_VALIDATE,
    MAP_TYPE,
    MAY_WRITE,
    RIGHT_WRITE,
    RIGHTS,
)

if TYPE_CHECKING:
    from coalmm.linux.task import Task
    from coalmm.linux.vfs.open_file import OpenFile

INT = 0xFFFF_FFFF
HUGE_SHIFT = 26
HUGE_SIZES = (21, 30)  # log2 of what x86 has
HUGE_DEFAULT = 21
MOST_OFFSET = (1 << 63) - 1


@system_call("mmap")
def mmap(task: Task, vaddr: int, length: int, rights: int, flags: int, fd: int, offset: int) -> int:
    """mmap(2) of 64-bit programs: `offset` in bytes."""
    if offset & FRAME_MASK:
        return -EINVAL
    return map_pages(task, vaddr, length, rights, flags, fd, offset)


@system_call("mmap2")
def mmap2(task: Task, vaddr: int, length: int, rights: int, flags: int, fd: int, page: int) -> int:
    """mmap2(2) of 32-bit programs: the offset in pages."""
    return map_pages(task, vaddr, length, rights, flags, fd, page << FRAME_SHIFT)


@system_call("mmap", only_32=True)
def old_mmap(task: Task, arguments: int) -> int:
    """The old mmap of 32-bit programs: its six arguments lie in memory."""
    return mmap(task, *task.read_words(arguments, 6))


def map_pages(task: Task, vaddr: int, length: int, rights: int, flags: int, fd: int, offset: int) -> int:
    """mmap with an offset that is page-aligned: the address or a negative errno."""
    mappings = task.process.processes.mappings
    space = task.process.space
    if flags & MAP_ANONYMOUS:
        if flags & MAP_HUGETLB:
            return no_huge_pages(task, vaddr, length, flags, offset)
        return mappings.map(space, vaddr, length, rights & INT, flags & INT, 0, 0, AREA_MAPPING)
    file = task.files.get(fd)
    if file.flags & os.O_PATH:
        return -EBADF
    if flags & MAP_HUGETLB:
        return -EINVAL
    try:
        number = mapped_file(task, file, length, rights, flags, offset)
    except OSError as error:
        placed = mappings.place(space, vaddr, length, flags & INT)
        return placed if placed < 0 else -(error.errno or EINVAL)
    read_only = 0 if file.is_writable else MAP_READ_ONLY
    try:
        return mappings.map(space, vaddr, length, rights & INT, flags & INT | read_only, number, offset, AREA_MAPPING)
    finally:
        task.process.processes.spaces.files.release(number)


def no_huge_pages(task: Task, vaddr: int, length: int, flags: int, offset: int) -> int:
    """The errno of an anonymous map of huge pages: what is wrong with it, or that the pool is empty."""
    shift = flags >> HUGE_SHIFT & 0x3F or HUGE_DEFAULT
    if shift not in HUGE_SIZES or length == 0:
        return -EINVAL
    mask = (1 << shift) - 1
    length = (length + mask) & ~mask & ALL_ONES
    if length == 0:
        return -EINVAL
    if length <= task.process.processes.mappings.top and flags & (MAP_FIXED | MAP_FIXED_NOREPLACE) and vaddr & mask:
        return -EINVAL
    placed = task.process.processes.mappings.place(task.process.space, vaddr, length, flags & INT)
    if placed < 0:
        return placed
    if offset > MOST_OFFSET - length:
        return -EOVERFLOW
    kind = flags & MAP_TYPE
    if kind == MAP_SHARED_VALIDATE and flags & ~MAP_LEGACY & ~MAP_TYPE:
        return -EOPNOTSUPP
    if not MAP_SHARED <= kind <= MAP_SHARED_VALIDATE or flags & MAP_GROWSDOWN or offset & mask:
        return -EINVAL
    return -ENOMEM


def mapped_file(task: Task, file: OpenFile, length: int, rights: int, flags: int, offset: int) -> int:
    """A reference to the file of `kernel.files` behind an open file. OSError for a map that it does not allow."""
    if stat.S_ISREG(file.node.kind) and offset > MOST_OFFSET - min(length + FRAME_MASK & ~FRAME_MASK, MOST_OFFSET):
        raise OSError(EOVERFLOW, "the offset is past what a file can have")
    kind = flags & MAP_TYPE
    if kind == MAP_SHARED_VALIDATE and flags & ~MAP_LEGACY & ~MAP_TYPE:
        raise OSError(EOPNOTSUPP, "a flag that MAP_SHARED_VALIDATE does not know")
    if not MAP_SHARED <= kind <= MAP_SHARED_VALIDATE:
        raise OSError(EINVAL, "neither private nor shared")
    shared = kind != MAP_PRIVATE
    if not file.is_readable or (shared and rights & RIGHT_WRITE and not file.is_writable):
        raise OSError(EACCES, "the file is not open for that")
    number = file.mapping(task.system.kernel, shared and file.is_writable)
    if not number:
        raise OSError(ENOMEM, "no memory for the file's record")
    return number


@system_call("remap_file_pages")
def remap_file_pages(task: Task, vaddr: int, size: int, rights: int, page: int, flags: int) -> int:
    """remap_file_pages(2), which Linux makes a new map of since 4.0."""
    start, length = vaddr & ~FRAME_MASK, size & ~FRAME_MASK
    if rights or start + length > ALL_ONES or length == 0 or page + (length >> FRAME_SHIFT) > ALL_ONES:
        return -EINVAL
    area = common_area(task, start, start + length)
    if area is None:
        return -EINVAL
    wanted = flags & MAP_NONBLOCK | MAP_SHARED | MAP_FIXED | MAP_POPULATE
    if area.flags & AREA_LOCKED:
        wanted |= MAP_LOCKED
    mappings, files = task.process.processes.mappings, task.process.processes.spaces.files
    rights, offset = area.flags & RIGHTS, page << FRAME_SHIFT
    if offset > MOST_OFFSET - length:
        return -EOVERFLOW
    files.hold(area.file)  # the area that names it goes
    try:
        return min(mappings.map(task.process.space, start, length, rights, wanted, area.file, offset, AREA_MAPPING), 0)
    finally:
        files.release(area.file)


def common_area(task: Task, start: int, end: int) -> Area | None:
    """The shared, writable area at `start` if all of [start, end) is in such areas of one file and right."""
    first: Area | None = None
    at = start
    for area in task.process.areas:
        if area.end <= start:
            continue
        if area.start > at or not area.flags & AREA_SHARED or not area.flags & MAY_WRITE:
            return None
        first = first or area
        if (area.file, area.flags) != (first.file, first.flags):
            return None
        at = area.end
        if at >= end:
            return first
    return None
