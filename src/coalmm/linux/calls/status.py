"""stat and its kin, in the layouts of both ABIs. Source: asm/stat.h, linux/stat.h, asm/statfs.h."""

from __future__ import annotations

import os
import struct
from errno import EINVAL, EOVERFLOW

from coalmm.linux.abi import signed
from coalmm.linux.calls.paths import AT_EMPTY_PATH, AT_FDCWD, AT_NO_AUTOMOUNT, AT_SYMLINK_NOFOLLOW, find_node
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.attributes import Attributes
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.overlay import MOST_NODES
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

SECOND = 1_000_000_000
HALF = 0xFFFF_FFFF
STATX_GIVEN = 0x17FF  # STATX_BASIC_STATS and STATX_MNT_ID
MOUNT = 20  # what mountinfo calls the root
STATX_RESERVED = 0x8000_0000
AT_STATX_SYNC = 0x6000


def encode_device(device: int) -> int:
    """A host's st_dev as the kernel's new_encode_dev has it: 32 bits."""
    major, minor = os.major(device), os.minor(device)
    return minor & 0xFF | major << 8 & 0xFFF00 | (minor & ~0xFF) << 12 & 0xFFF0_0000


def times(found: Attributes) -> list[int]:
    """atime, mtime and ctime, each as seconds and nanoseconds."""
    return [part for time in (found.atime, found.mtime, found.ctime) for part in divmod(time, SECOND)]


def stat_64(found: Attributes) -> bytes:
    """struct stat of x86-64, 144 bytes."""
    return struct.pack(
        "<QQQIIIIQqqqqQqQqQ24x",
        encode_device(found.dev), found.ino, found.nlink, found.mode, found.uid, found.gid, 0,
        encode_device(found.rdev), found.size, found.blksize, found.blocks, *times(found),
    )  # fmt: skip


def stat64_32(found: Attributes) -> bytes:
    """struct stat64 of i386, 96 bytes."""
    seconds = [value & HALF for value in times(found)]
    return struct.pack(
        "<Q4xIIIIIQ4xqIQIIIIIIQ",
        encode_device(found.dev), found.ino & HALF, found.mode, found.nlink & HALF, found.uid, found.gid,
        encode_device(found.rdev), found.size, found.blksize, found.blocks, *seconds, found.ino,
    )  # fmt: skip


def stat_32(found: Attributes) -> bytes:
    """struct stat of i386, 64 bytes: EOVERFLOW for what does not fit."""
    if found.size >> 31 or found.ino >> 32:
        raise failure(EOVERFLOW)
    seconds = [value & HALF for value in times(found)]
    return struct.pack(
        "<IIHHHHIIIIIIIIII8x",
        encode_device(found.dev), found.ino, found.mode, found.nlink & 0xFFFF, found.uid & 0xFFFF, found.gid & 0xFFFF,
        encode_device(found.rdev), found.size, found.blksize, found.blocks & HALF, *seconds[:6],
    )  # fmt: skip


def old_stat(found: Attributes, task: Task) -> bytes:
    """What stat, lstat and fstat write."""
    return stat_64(found) if task.abi.word == 8 else stat_32(found)


def at_path(task: Task, path: int, follow: bool) -> Attributes:
    """The attributes of a path's file."""
    return find_node(task, AT_FDCWD, path, 0 if follow else AT_SYMLINK_NOFOLLOW).attributes()


def at_flags(task: Task, directory: int, path: int, flags: int) -> Attributes:
    """The attributes for a call with AT_ flags; those of an open file are its own."""
    flags &= HALF
    if flags & AT_EMPTY_PATH and signed(directory) != AT_FDCWD and (path == 0 or not task.read_path(path)):
        return task.files.get(directory).attributes()
    return find_node(task, directory, path, flags, AT_NO_AUTOMOUNT).attributes()


@system_call("stat")
def stat(task: Task, path: int, buffer: int) -> int:
    """stat(2)."""
    task.write(buffer, old_stat(at_path(task, path, True), task))
    return 0


@system_call("lstat")
def lstat(task: Task, path: int, buffer: int) -> int:
    """lstat(2)."""
    task.write(buffer, old_stat(at_path(task, path, False), task))
    return 0


@system_call("fstat")
def fstat(task: Task, fd: int, buffer: int) -> int:
    """fstat(2)."""
    task.write(buffer, old_stat(task.files.get(fd).attributes(), task))
    return 0


@system_call("newfstatat")
def newfstatat(task: Task, directory: int, path: int, buffer: int, flags: int) -> int:
    """fstatat(2) of 64-bit programs."""
    task.write(buffer, stat_64(at_flags(task, directory, path, flags)))
    return 0


@system_call("stat64")
def stat64(task: Task, path: int, buffer: int) -> int:
    """stat(2) of i386 programs with 64-bit sizes."""
    task.write(buffer, stat64_32(at_path(task, path, True)))
    return 0


@system_call("lstat64")
def lstat64(task: Task, path: int, buffer: int) -> int:
    """lstat(2) of i386 programs with 64-bit sizes."""
    task.write(buffer, stat64_32(at_path(task, path, False)))
    return 0


@system_call("fstat64")
def fstat64(task: Task, fd: int, buffer: int) -> int:
    """fstat(2) of i386 programs with 64-bit sizes."""
    task.write(buffer, stat64_32(task.files.get(fd).attributes()))
    return 0


@system_call("fstatat64")
def fstatat64(task: Task, directory: int, path: int, buffer: int, flags: int) -> int:
    """fstatat(2) of i386 programs."""
    task.write(buffer, stat64_32(at_flags(task, directory, path, flags)))
    return 0


@system_call("statx")
def statx(task: Task, directory: int, path: int, flags: int, mask: int, buffer: int) -> int:
    """statx(2): the basic fields."""
    if mask & STATX_RESERVED or flags & AT_STATX_SYNC == AT_STATX_SYNC:
        raise failure(EINVAL)
    found = at_flags(task, directory, path, flags & ~AT_STATX_SYNC)
    stamps = [struct.pack("<qI4x", *divmod(time, SECOND)) for time in (found.atime, 0, found.ctime, found.mtime)]
    numbers = (os.major(found.rdev), os.minor(found.rdev), os.major(found.dev), os.minor(found.dev))
    head = struct.pack(
        "<IIQIIIHxxQQQQ",
        STATX_GIVEN, found.blksize, 0, found.nlink & HALF, found.uid, found.gid, found.mode, found.ino,
        found.size, found.blocks, 0,
    )  # fmt: skip
    task.write(buffer, (head + b"".join(stamps) + struct.pack("<IIIIQ", *numbers, MOUNT)).ljust(256, b"\0"))
    return 0


# --- the file system ---

EXT4 = 0xEF53
PROC = 0x9FA0
FS_BLOCK = 4096


def statfs_numbers(task: Task) -> tuple[int, ...]:
    """type, block size, blocks, free, available, files, free files: what the overlay has room for."""
    overlay = task.system.vfs.overlay
    total = overlay.limit // FS_BLOCK
    free = max(overlay.limit - overlay.used, 0) // FS_BLOCK
    return EXT4, FS_BLOCK, total, free, free, MOST_NODES, MOST_NODES - overlay.nodes


def statfs_bytes(task: Task) -> bytes:
    """struct statfs."""
    if task.abi.word == 8:
        return struct.pack("<7Q8xQQQ32x", *statfs_numbers(task), 255, FS_BLOCK, 0)
    return struct.pack("<7I8xIII16x", *(min(value, HALF) for value in statfs_numbers(task)), 255, FS_BLOCK, 0)


def statfs64_bytes(task: Task, size: int) -> bytes:
    """struct statfs64 of i386, 84 bytes."""
    if size not in (84, 88):
        raise failure(EINVAL)
    kind, block, *rest = statfs_numbers(task)
    return struct.pack("<II5Q8xIII16x", kind, block, *rest, 255, FS_BLOCK, 0)


@system_call("statfs")
def statfs(task: Task, path: int, buffer: int) -> int:
    """statfs(2)."""
    at_path(task, path, True)
    task.write(buffer, statfs_bytes(task))
    return 0


@system_call("fstatfs")
def fstatfs(task: Task, fd: int, buffer: int) -> int:
    """fstatfs(2)."""
    task.files.get(fd)
    task.write(buffer, statfs_bytes(task))
    return 0


@system_call("statfs64")
def statfs64(task: Task, path: int, size: int, buffer: int) -> int:
    """statfs(2) of i386 programs."""
    at_path(task, path, True)
    task.write(buffer, statfs64_bytes(task, size))
    return 0


@system_call("fstatfs64")
def fstatfs64(task: Task, fd: int, size: int, buffer: int) -> int:
    """fstatfs(2) of i386 programs."""
    task.files.get(fd)
    task.write(buffer, statfs64_bytes(task, size))
    return 0
