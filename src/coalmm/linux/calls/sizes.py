"""The size of files and when they reach the disk: truncate, fallocate, fsync."""

from __future__ import annotations

import stat
from errno import EBADF, EFBIG, EINVAL, EISDIR, ENODEV, EOPNOTSUPP

from coalmm.linux.abi import signed
from coalmm.linux.calls.files import pair
from coalmm.linux.calls.paths import AT_FDCWD, find, named_at
from coalmm.linux.calls.transfer import too_large, writing
from coalmm.linux.group import RLIMIT_FSIZE
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.attributes import MAY_WRITE, check_access
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.notify import IN_MODIFY, tell, tell_file
from coalmm.linux.vfs.open_file import MOST_OFFSET
from coalmm.linux.vfs.regular import RegularFile
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

ZEROS = 0x12  # FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE
PIECE = 1 << 32  # bytes that are made zero between two looks at the clock
FALLOC_MODES = (0, 1, 3, 8, 0x10, 0x11, 0x20, 0x40, 0x41)  # what linux/falloc.h lets be combined


def check_limit(task: Task, size: int) -> None:
    """SIGXFSZ and EFBIG for a file that RLIMIT_FSIZE does not let grow so large."""
    if size > task.group.limit(RLIMIT_FSIZE)[0]:
        raise too_large(task)


def do_truncate(task: Task, path: int, size: int) -> int:
    """truncate(2) with a signed size."""
    if size < 0:
        raise failure(EINVAL)
    node = named_at(find(task, AT_FDCWD, path))
    if node.kind == stat.S_IFDIR:
        raise failure(EISDIR)
    if node.kind != stat.S_IFREG:
        raise failure(EINVAL)
    check_access(node.attributes(), MAY_WRITE)
    check_limit(task, size)
    node.truncate(size)
    tell(node, IN_MODIFY)
    return 0


def do_ftruncate(task: Task, fd: int, size: int) -> int:
    """ftruncate(2) with a signed size."""
    if size < 0:
        raise failure(EINVAL)
    file = task.files.opened(fd)
    check_limit(task, size)
    file.truncate(size)
    tell_file(file, IN_MODIFY)
    return 0


@system_call("truncate")
def truncate(task: Task, path: int, size: int) -> int:
    """truncate(2)."""
    return do_truncate(task, path, signed(size, task.abi.word * 8))


@system_call("truncate64")
def truncate64(task: Task, path: int, low: int, high: int) -> int:
    """truncate(2) with its size in two registers."""
    return do_truncate(task, path, pair(low, high))


@system_call("ftruncate")
def ftruncate(task: Task, fd: int, size: int) -> int:
    """ftruncate(2)."""
    return do_ftruncate(task, fd, signed(size, task.abi.word * 8))


@system_call("ftruncate64")
def ftruncate64(task: Task, fd: int, low: int, high: int) -> int:
    """ftruncate(2) with its size in two registers."""
    return do_ftruncate(task, fd, pair(low, high))


@system_call("fallocate")
def fallocate(task: Task, fd: int, mode: int, offset: int, length: int) -> int:
    """fallocate(2)."""
    return do_fallocate(task, fd, mode, signed(offset, 64), signed(length, 64))


@system_call("fallocate", only_32=True)
def fallocate_32(task: Task, fd: int, mode: int, low: int, high: int, length: int, length_high: int) -> int:
    """fallocate(2) with two registers a number."""
    return do_fallocate(task, fd, mode, pair(low, high), pair(length, length_high))


def do_fallocate(task: Task, fd: int, mode: int, offset: int, length: int) -> int:
    """fallocate(2) with signed numbers."""
    file = task.files.opened(fd)
    if offset < 0 or length <= 0:
        raise failure(EINVAL)
    if mode & 0xFFFF_FFFF not in FALLOC_MODES:
        raise failure(EOPNOTSUPP)
    writing(task, fd)
    if not isinstance(file, RegularFile):
        raise failure(ENODEV)
    if offset + length > MOST_OFFSET:
        raise failure(EFBIG)
    for at in range(offset, offset + length, PIECE if mode & ZEROS else length):
        file.allocate(mode & 0xFFFF_FFFF, at, min(PIECE, offset + length - at) if mode & ZEROS else length)
        if task.system.is_late:
            break
    tell_file(file, IN_MODIFY)
    return 0


@system_call("fsync", "fdatasync")
def fsync(task: Task, fd: int) -> int:
    """fsync(2)."""
    task.files.opened(fd).sync()
    return 0


@system_call("sync")
def sync(task: Task) -> int:
    """sync(2): the overlay has nothing to write; a map of a writable file is written by msync."""
    return 0


@system_call("syncfs")
def syncfs(task: Task, fd: int) -> int:
    """syncfs(2)."""
    task.files.opened(fd)
    return 0


@system_call("sync_file_range")
def sync_file_range(task: Task, fd: int, offset: int, length: int, flags: int) -> int:
    """sync_file_range(2)."""
    if flags & 0xFFFF_FFFF & ~7:
        raise failure(EINVAL)
    task.files.opened(fd).sync()
    return 0


@system_call("readahead")
def readahead(task: Task, fd: int, offset: int, count: int) -> int:
    """readahead(2): pages come when they are needed."""
    if not task.files.opened(fd).is_readable:
        raise failure(EBADF)
    return 0


@system_call("fadvise64", "fadvise64_64")
def fadvise64(task: Task, fd: int, offset: int, length: int, advice: int) -> int:
    """posix_fadvise(2): checked, and without effect."""
    if not isinstance(task.files.opened(fd), RegularFile):
        task.files.opened(fd).seek(0, 1)
    if task.abi.word == 8 and advice & 0xFFFF_FFFF > 5:
        raise failure(EINVAL)
    return 0
