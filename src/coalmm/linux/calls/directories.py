"""The working directory, and reading directories."""

from __future__ import annotations

import stat
import struct
from errno import EINVAL, ENOENT, EPERM, ERANGE

from coalmm.linux.calls.paths import AT_FDCWD, find
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.attributes import MAY_EXECUTE, check_access
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Directory, Entry
from coalmm.linux.vfs.notify import IN_ACCESS, tell_file
from coalmm.linux.vfs.open_file import DirectoryFile
from coalmm.linux.vfs.resolve import must_be_directory, must_exist
from coalmm.typed import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from coalmm.linux.task import Task

    Record = Callable[[Task, Entry, int], bytes]


@system_call("getcwd")
def getcwd(task: Task, buffer: int, size: int) -> int:
    """getcwd(2): the size with the NUL."""
    cwd = task.fs.cwd
    if cwd.is_gone:
        raise failure(ENOENT)
    data = path_in(task, cwd) + b"\0"
    if size < len(data):
        raise failure(ERANGE)
    task.write(buffer, data)
    return len(data)


def path_in(task: Task, directory: Directory) -> bytes:
    """Where a directory is, from the task's root."""
    root = task.fs.root
    if not directory.is_below(root):
        return b"(unreachable)" + directory.path
    above = root.path.rstrip(b"/")
    return directory.path[len(above) :] or b"/"


@system_call("chdir")
def chdir(task: Task, path: int) -> int:
    """chdir(2)."""
    return change(task, must_be_directory(must_exist(find(task, AT_FDCWD, path))))


@system_call("fchdir")
def fchdir(task: Task, fd: int) -> int:
    """fchdir(2)."""
    return change(task, must_be_directory(task.files.get(fd).node))


def change(task: Task, directory: Directory) -> int:
    """Go to a directory. EACCES."""
    check_access(directory.attributes(), MAY_EXECUTE)
    task.fs.cwd = directory
    return 0


@system_call("chroot")
def chroot(task: Task, path: int) -> int:
    """chroot(2): for root."""
    directory = must_be_directory(must_exist(find(task, AT_FDCWD, path)))
    check_access(directory.attributes(), MAY_EXECUTE)
    if not task.credentials.is_root:
        raise failure(EPERM)
    task.fs.root = directory
    return 0


@system_call("umask")
def umask(task: Task, mask: int) -> int:
    """umask(2)."""
    old, task.fs.umask = task.fs.umask, mask & 0o777
    return old


@system_call("getdents64")
def getdents64(task: Task, fd: int, buffer: int, size: int) -> int:
    """getdents64(2)."""
    return list_into(task, fd, buffer, size, record_64)


@system_call("getdents")
def getdents(task: Task, fd: int, buffer: int, size: int) -> int:
    """getdents(2): the older form, with longs."""
    return list_into(task, fd, buffer, size, record_old)


def list_into(task: Task, fd: int, buffer: int, size: int, record: Record) -> int:
    """Write as many records as fit; EINVAL if not even one does."""
    file = task.files.get(fd)
    if not isinstance(file, DirectoryFile):
        file.entries(task)
        raise failure(EINVAL)
    if file.node.is_gone:
        raise failure(ENOENT)
    data = bytearray()
    count = 0
    remaining = file.remaining(task)
    for entry in remaining:
        line = record(task, entry, file.offset + count + 1)
        if len(data) + len(line) > size:
            break
        data += line
        count += 1
    if remaining and not count:
        raise failure(EINVAL)
    task.write(buffer, data)
    file.offset += count
    tell_file(file, IN_ACCESS)
    return len(data)


def record_64(task: Task, entry: Entry, offset: int) -> bytes:
    """struct linux_dirent64: inode, offset of the next, length, type, name; a multiple of 8 bytes."""
    length = 19 + len(entry.name) + 1 + 7 & ~7
    head = struct.pack("<QqHB", entry.ino, offset, length, stat.S_IFMT(entry.kind) >> 12)
    return (head + entry.name).ljust(length, b"\0")


def record_old(task: Task, entry: Entry, offset: int) -> bytes:
    """struct linux_dirent: longs, the name, and the type in the last byte."""
    word = task.abi.word
    length = 2 * word + 2 + len(entry.name) + 2 + word - 1 & -word
    head = task.abi.pack_words(entry.ino, offset) + struct.pack("<H", length)
    return (head + entry.name).ljust(length - 1, b"\0") + bytes([stat.S_IFMT(entry.kind) >> 12])
