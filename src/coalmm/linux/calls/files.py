"""Opening files, and moving bytes: open, read, write, lseek and their kin. Sources: the pages of man 2."""

from __future__ import annotations

import os
from errno import EINVAL, EOPNOTSUPP, EOVERFLOW

from coalmm.linux.abi import signed
from coalmm.linux.calls.buffers import CHUNK, MOST_BYTES, copy_in, vectors
from coalmm.linux.calls.paths import start_of
from coalmm.linux.calls.transfer import read_into, read_parts, reading, within_limit, write_from, write_parts, writing
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.notify import accessed, modified
from coalmm.linux.vfs.open_file import SEEK_HOLE
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

RWF_KNOWN = 0x1F  # RWF_HIPRI, DSYNC, SYNC, NOWAIT, APPEND
LARGE_FILE = 0o100000  # O_LARGEFILE, which 64-bit programs always have
HOW_SIZE = 24  # struct open_how


def do_open(task: Task, directory: int, path: int, flags: int, mode: int) -> int:
    """Open and give it the lowest descriptor."""
    name = task.read_path(path)
    flags = flags & 0xFFFF_FFFF | (LARGE_FILE if task.abi.word == 8 else 0)
    start = start_of(task, directory, name)
    task.files.free_fd()
    file = task.system.vfs.open(task.fs, name, flags, mode, task, start)
    return task.files.install(file, bool(flags & os.O_CLOEXEC))


@system_call("open")
def open_(task: Task, path: int, flags: int, mode: int) -> int:
    """open(2)."""
    return do_open(task, -100, path, flags, mode)


@system_call("openat")
def openat(task: Task, directory: int, path: int, flags: int, mode: int) -> int:
    """openat(2)."""
    return do_open(task, directory, path, flags, mode)


@system_call("creat")
def creat(task: Task, path: int, mode: int) -> int:
    """creat(2)."""
    return do_open(task, -100, path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode)


@system_call("close")
def close(task: Task, fd: int) -> int:
    """close(2)."""
    task.files.close(fd)
    return 0


# --- at the file's offset ---


@system_call("read")
def read(task: Task, fd: int, buffer: int, size: int) -> int:
    """read(2)."""
    return read_into(task, reading(task, fd), [(buffer, min(size, MOST_BYTES))])


@system_call("readv")
def readv(task: Task, fd: int, array: int, count: int) -> int:
    """readv(2)."""
    return read_into(task, reading(task, fd), vectors(task, array, signed(count)))


@system_call("write")
def write(task: Task, fd: int, buffer: int, size: int) -> int:
    """write(2)."""
    return write_from(task, writing(task, fd), [(buffer, min(size, MOST_BYTES))])


@system_call("writev")
def writev(task: Task, fd: int, array: int, count: int) -> int:
    """writev(2)."""
    return write_from(task, writing(task, fd), vectors(task, array, signed(count)))


# --- at an offset ---


def pread(task: Task, fd: int, parts: list[tuple[int, int]], offset: int) -> int:
    """Read at an offset to an iovec array."""
    if offset < 0:
        raise failure(EINVAL)
    file = reading(task, fd)
    return accessed(file, read_parts(task, parts, lambda size, done: file.pread(size, offset + done)))


def pwrite(task: Task, fd: int, parts: list[tuple[int, int]], offset: int) -> int:
    """Write at an offset from an iovec array."""
    if offset < 0:
        raise failure(EINVAL)
    file = writing(task, fd)

    def put(data: bytes, done: int) -> int:
        return file.pwrite(within_limit(task, file, data, done, offset + done), offset + done)

    return modified(file, write_parts(task, parts, put))


@system_call("pread64")
def pread64(task: Task, fd: int, buffer: int, size: int, offset: int) -> int:
    """pread(2)."""
    return pread(task, fd, [(buffer, min(size, MOST_BYTES))], signed(offset, 64))


@system_call("pwrite64")
def pwrite64(task: Task, fd: int, buffer: int, size: int, offset: int) -> int:
    """pwrite(2)."""
    return pwrite(task, fd, [(buffer, min(size, MOST_BYTES))], signed(offset, 64))


@system_call("pread64", only_32=True)
def pread64_32(task: Task, fd: int, buffer: int, size: int, low: int, high: int) -> int:
    """pread(2) with its offset in two registers."""
    return pread(task, fd, [(buffer, min(size, MOST_BYTES))], pair(low, high))


@system_call("pwrite64", only_32=True)
def pwrite64_32(task: Task, fd: int, buffer: int, size: int, low: int, high: int) -> int:
    """pwrite(2) with its offset in two registers."""
    return pwrite(task, fd, [(buffer, min(size, MOST_BYTES))], pair(low, high))


def pair(low: int, high: int) -> int:
    """A signed 64-bit number from two registers."""
    return signed(high << 32 | low & 0xFFFF_FFFF, 64)


def position(task: Task, low: int, high: int) -> int:
    """The offset of preadv and pwritev: two longs, of which a 64-bit program uses the first only."""
    return signed(low, 64) if task.abi.word == 8 else pair(low, high)


@system_call("preadv")
def preadv(task: Task, fd: int, array: int, count: int, low: int, high: int) -> int:
    """preadv(2)."""
    return pread(task, fd, vectors(task, array, signed(count)), position(task, low, high))


@system_call("pwritev")
def pwritev(task: Task, fd: int, array: int, count: int, low: int, high: int) -> int:
    """pwritev(2)."""
    return pwrite(task, fd, vectors(task, array, signed(count)), position(task, low, high))


@system_call("preadv2")
def preadv2(task: Task, fd: int, array: int, count: int, low: int, high: int, flags: int) -> int:
    """preadv2(2): offset -1 is the file's own."""
    check_rwf(flags)
    if position(task, low, high) == -1:
        return readv(task, fd, array, count)
    return preadv(task, fd, array, count, low, high)


@system_call("pwritev2")
def pwritev2(task: Task, fd: int, array: int, count: int, low: int, high: int, flags: int) -> int:
    """pwritev2(2)."""
    check_rwf(flags)
    if position(task, low, high) == -1:
        return writev(task, fd, array, count)
    return pwritev(task, fd, array, count, low, high)


def check_rwf(flags: int) -> None:
    """EOPNOTSUPP for a flag of preadv2 that is not known."""
    if flags & 0xFFFF_FFFF & ~RWF_KNOWN:
        raise failure(EOPNOTSUPP)


# --- the offset ---


@system_call("lseek")
def lseek(task: Task, fd: int, offset: int, whence: int) -> int:
    """lseek(2)."""
    return seek(task, fd, signed(offset, 64), whence)


def seek(task: Task, fd: int, offset: int, whence: int) -> int:
    """Move the offset of a descriptor."""
    file = task.files.opened(fd)
    if not 0 <= signed(whence) <= SEEK_HOLE:
        raise failure(EINVAL)
    return file.seek(offset, signed(whence))


@system_call("lseek", only_32=True)
def lseek_32(task: Task, fd: int, offset: int, whence: int) -> int:
    """lseek(2): what does not fit a long is EOVERFLOW."""
    found = seek(task, fd, signed(offset), whence)
    if found >> 31:
        raise failure(EOVERFLOW)
    return found


@system_call("_llseek")
def llseek(task: Task, fd: int, high: int, low: int, result: int, whence: int) -> int:
    """_llseek(2)."""
    found = seek(task, fd, pair(low, high), whence)
    task.write(result, found.to_bytes(8, "little"))
    return 0


@system_call("openat2")
def openat2(task: Task, directory: int, path: int, how: int, size: int) -> int:
    """openat2(2), without its RESOLVE_ flags: every walk stays in the root as it is."""
    if size < HOW_SIZE:
        raise failure(EINVAL)
    flags, mode, resolve = (int.from_bytes(task.read(how + at, 8), "little") for at in (0, 8, 16))
    if resolve or any(copy_in(task, how + HOW_SIZE, min(size, CHUNK) - HOW_SIZE)):
        raise failure(EINVAL)
    return do_open(task, directory, path, flags, mode)
