"""Descriptors: dup, fcntl, ioctl, close_range."""

from __future__ import annotations

import os
from errno import EBADF, EINVAL

from coalmm.linux.abi import signed
from coalmm.linux.calls.locks import LOCK_COMMANDS, lock
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.memfd import MemoryFile
from coalmm.linux.vfs.open_file import OpenFile
from coalmm.linux.vfs.pipe import pipe_of
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL = range(5)
F_SETOWN, F_GETOWN = 8, 9
F_DUPFD_CLOEXEC = 1030
F_SETPIPE_SZ, F_GETPIPE_SZ = 1031, 1032
F_ADD_SEALS, F_GET_SEALS = 1033, 1034
FD_CLOEXEC = 1
CHANGEABLE = os.O_APPEND | os.O_NONBLOCK | 0o20000 | 0o40000 | 0o1000000  # ASYNC, DIRECT, NOATIME
CLOSE_RANGE_UNSHARE, CLOSE_RANGE_CLOEXEC = 2, 4
FIONBIO, FIONREAD, FIOCLEX, FIONCLEX = 0x5421, 0x541B, 0x5451, 0x5450


@system_call("dup")
def dup(task: Task, fd: int) -> int:
    """dup(2)."""
    return task.files.install(task.files.get(fd))


@system_call("dup2")
def dup2(task: Task, old: int, new: int) -> int:
    """dup2(2)."""
    file = task.files.get(old)
    if old & 0xFFFF_FFFF != new & 0xFFFF_FFFF:
        task.files.put(signed(new), file)
    return signed(new)


@system_call("dup3")
def dup3(task: Task, old: int, new: int, flags: int) -> int:
    """dup3(2)."""
    if flags & 0xFFFF_FFFF & ~os.O_CLOEXEC or signed(old) == signed(new):
        raise failure(EINVAL)
    task.files.put(signed(new), task.files.get(old), bool(flags & os.O_CLOEXEC))
    return signed(new)


@system_call("fcntl", "fcntl64")
def fcntl(task: Task, fd: int, command: int, argument: int) -> int:
    """fcntl(2)."""
    slot = task.files.slot(fd)
    command &= 0xFFFF_FFFF
    if command in (F_DUPFD, F_DUPFD_CLOEXEC):
        if not 0 <= signed(argument) < task.files.limit:
            raise failure(EINVAL)
        return task.files.install(slot.file, command == F_DUPFD_CLOEXEC, signed(argument))
    if command == F_GETFD:
        return FD_CLOEXEC if slot.close_on_exec else 0
    if command == F_SETFD:
        task.files.set_close_on_exec(fd, bool(argument & FD_CLOEXEC))
        return 0
    if command == F_GETFL:
        return slot.file.flags
    if slot.file.flags & os.O_PATH:
        raise failure(EBADF)
    if command == F_SETFL:
        return set_flags(slot.file, argument)
    if command in (F_GETOWN, F_SETOWN):
        return 0  # signals for input are not sent
    if command in (F_GETPIPE_SZ, F_SETPIPE_SZ):
        pipe = pipe_of(slot.file)
        return pipe.capacity if command == F_GETPIPE_SZ else pipe.resize(signed(argument), task.credentials.is_root)
    if command in (F_ADD_SEALS, F_GET_SEALS):
        return seals(slot.file, command, argument & 0xFFFF_FFFF)
    if command in LOCK_COMMANDS:
        return lock(task, slot.file, command, argument)
    raise failure(EINVAL)


def seals(file: OpenFile, command: int, wanted: int) -> int:
    """F_ADD_SEALS and F_GET_SEALS: of a memfd only."""
    if not isinstance(file, MemoryFile):
        raise failure(EINVAL)
    if command == F_ADD_SEALS:
        file.node.seal(wanted, file.is_writable)
    return file.node.seals if command == F_GET_SEALS else 0


def set_flags(file: OpenFile, flags: int) -> int:
    """F_SETFL: the status flags that can change."""
    file.flags = file.flags & ~CHANGEABLE | flags & CHANGEABLE
    return 0


@system_call("ioctl")
def ioctl(task: Task, fd: int, request: int, argument: int) -> int:
    """ioctl(2)."""
    slot = task.files.slot(fd)
    request &= 0xFFFF_FFFF
    if slot.file.flags & os.O_PATH:
        raise failure(EBADF)
    if request in (FIOCLEX, FIONCLEX):
        task.files.set_close_on_exec(fd, request == FIOCLEX)
        return 0
    if request == FIONBIO:
        wanted = any(task.read(argument, 4))
        slot.file.flags = slot.file.flags & ~os.O_NONBLOCK | (os.O_NONBLOCK if wanted else 0)
        return 0
    return slot.file.ioctl(task, request, argument)


@system_call("close_range")
def close_range(task: Task, first: int, last: int, flags: int) -> int:
    """close_range(2)."""
    first, last, flags = first & 0xFFFF_FFFF, last & 0xFFFF_FFFF, flags & 0xFFFF_FFFF
    if flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) or first > last:
        raise failure(EINVAL)
    if flags & CLOSE_RANGE_UNSHARE and task.files.users > 1:
        shared, task.files = task.files, task.files.fork_copy()
        shared.drop()
    for fd in [fd for fd in task.files if first <= fd <= last]:
        if flags & CLOSE_RANGE_CLOEXEC:
            task.files.set_close_on_exec(fd, True)
        else:
            task.files.close(fd)
    return 0
