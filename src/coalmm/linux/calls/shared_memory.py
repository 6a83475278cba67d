"""System V shared memory: shmget, shmat, shmdt, shmctl, and the old ipc of 32-bit programs. Source: ipc/shm.c."""

from __future__ import annotations

import struct
import time
from errno import EINVAL

from coalmm.hardware.constants import FRAME_MASK
from coalmm.linux.abi import signed
from coalmm.linux.ipc import IPC_64, IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT, pack_permissions, pack_times, read_owner
from coalmm.linux.registry import system_call
from coalmm.linux.segments import MOST_SEGMENTS, MOST_SIZE, Segment
from coalmm.typed import TYPE_CHECKING
from coalmm.virtual.areas import Area
from coalmm.virtual.constants import (
    AREA_MAPPING,
    F_PAGES,
    MAP_FIXED,
    MAP_READ_ONLY,
    MAP_SHARED,
    RIGHT_EXECUTE,
    RIGHT_READ,
    RIGHT_WRITE,
)

if TYPE_CHECKING:
    from coalmm.linux.task import Task

SHM_RDONLY, SHM_RND, SHM_REMAP, SHM_EXEC = 0o10000, 0o20000, 0o40000, 0o100000
SHM_LOCK, SHM_UNLOCK, SHM_STAT, SHM_INFO, SHM_STAT_ANY = 11, 12, 13, 14, 15
SHM_DEST, SHM_LOCKED = 0o1000, 0o2000


@system_call("shmget")
def shmget(task: Task, key: int, size: int, flags: int) -> int:
    """shmget(2)."""
    owner = (task.credentials.user.effective, task.credentials.group.effective)
    return task.system.segments.get(signed(key), size, flags & 0xFFFF_FFFF, task.group.pid, owner).number


@system_call("shmat")
def shmat(task: Task, number: int, vaddr: int, flags: int) -> int:
    """shmat(2): the address."""
    if signed(number) < 0:
        return -EINVAL
    if vaddr & FRAME_MASK and flags & SHM_RND:
        vaddr &= ~FRAME_MASK
        if not vaddr and flags & SHM_REMAP:
            return -EINVAL
    if vaddr & FRAME_MASK or (not vaddr and flags & SHM_REMAP):
        return -EINVAL
    segment = task.system.segments.find(signed(number))
    rights = RIGHT_READ | (0 if flags & SHM_RDONLY else RIGHT_WRITE) | (RIGHT_EXECUTE if flags & SHM_EXEC else 0)
    wanted = MAP_SHARED | (MAP_FIXED if vaddr else 0) | (MAP_READ_ONLY if flags & SHM_RDONLY else 0)
    processes, space = task.process.processes, task.process.space
    if vaddr and not flags & SHM_REMAP and overlaps(task, vaddr, segment.size):
        return -EINVAL
    processes.spaces.files.hold(segment.file)
    try:
        result = processes.mappings.map(space, vaddr, segment.size, rights, wanted, segment.file, 0, AREA_MAPPING)
    finally:
        processes.spaces.files.release(segment.file)
    if result >= 0:
        segment.attached, segment.last = int(time.time()), task.group.pid
    return result


def overlaps(task: Task, vaddr: int, size: int) -> bool:
    """Whether a range wraps or meets an area."""
    end = vaddr + size
    areas, table = task.process.processes.mappings.areas, task.process.processes.spaces.table(task.process.space)
    return end > task.abi.mask or bool(areas.has_any(table, vaddr, end))


@system_call("shmdt")
def shmdt(task: Task, vaddr: int) -> int:
    """shmdt(2): all that is left of the segment that was attached at `vaddr`."""
    if vaddr & FRAME_MASK:
        return -EINVAL
    segments = {segment.file: segment for segment in task.system.segments.by_number.values()}
    found: Segment | None = None
    for area in task.process.areas:
        segment = segments.get(area.file)
        if segment is None or not is_part(area, vaddr) or (found is not None and segment is not found):
            continue
        found = segment
        task.process.unmap(area.start, area.end - area.start)
    if found is None:
        return -EINVAL
    found.detached, found.last = int(time.time()), task.group.pid
    task.system.segments.purge()
    return 0


def is_part(area: Area, vaddr: int) -> bool:
    """Whether an area shows what an attachment at `vaddr` showed there."""
    return area.start >= vaddr and area.start - vaddr == area.offset


@system_call("shmctl")
def shmctl(task: Task, number: int, command: int, buffer: int) -> int:
    """shmctl(2)."""
    command &= 0xFFFF_FFFF & ~IPC_64
    if signed(number) < 0 and command not in (IPC_INFO, SHM_INFO):
        return -EINVAL
    if command in (IPC_INFO, SHM_INFO):
        return information(task, command, buffer)
    if command not in (IPC_RMID, IPC_SET, IPC_STAT, SHM_STAT, SHM_STAT_ANY, SHM_LOCK, SHM_UNLOCK):
        return -EINVAL
    segment = task.system.segments.find(signed(number))
    if command == IPC_RMID:
        task.system.segments.remove(segment)
    elif command in (SHM_LOCK, SHM_UNLOCK):
        segment.mode = segment.mode & ~SHM_LOCKED | (SHM_LOCKED if command == SHM_LOCK else 0)
    elif command == IPC_SET:
        change(task, segment, buffer)
    else:
        task.write(buffer, description(task, segment))
        return segment.number if command != IPC_STAT else 0
    return 0


def change(task: Task, segment: Segment, buffer: int) -> None:
    """IPC_SET: owner and mode."""
    segment.uid, segment.gid, mode = read_owner(task, buffer)
    segment.mode = segment.mode & ~0o777 | mode & 0o777
    segment.changed = int(time.time())


def description(task: Task, segment: Segment) -> bytes:
    """struct shmid64_ds, as programs of either word size have it."""
    system = task.system
    mode = segment.mode | (SHM_DEST if segment.is_removed else 0)
    owner = (segment.uid, segment.gid, *segment.made_by)
    times = (segment.attached, segment.detached, segment.changed)
    count = system.segments.attachments(segment)
    head = pack_permissions(task.abi.word, segment.key, owner, mode, 0)
    last = segment.creator, segment.last, count, 0, 0
    if task.abi.word == 8:
        return head + struct.pack("<QqqqiiQQQ", segment.size, *times, *last)
    return head + struct.pack("<I", segment.size) + pack_times(4, *times) + struct.pack("<iiIII", *last)


def information(task: Task, command: int, buffer: int) -> int:
    """IPC_INFO, the limits; SHM_INFO, what is used. Returns the highest index."""
    segments = task.system.segments.by_number.values()
    if command == IPC_INFO:
        most = MOST_SIZE & task.abi.mask
        task.write_words(buffer, most, 1, MOST_SEGMENTS, MOST_SEGMENTS, most, 0, 0, 0, 0)
    else:
        pages = sum((each.size + FRAME_MASK) >> 12 for each in segments)
        resident = sum(task.system.kernel.files.get(each.file, F_PAGES) for each in segments if not each.is_removed)
        head = struct.pack("<i", len(segments)) + bytes(task.abi.word - 4)
        task.write(buffer, head + task.abi.pack_words(pages, resident, 0, 0, 0))
    return max((each.number for each in segments), default=0)
