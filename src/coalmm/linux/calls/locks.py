"""flock and the locks of fcntl."""

from __future__ import annotations

import struct
from errno import EAGAIN, EBADF, EINVAL, EOVERFLOW

from coalmm.linux.abi import signed
from coalmm.linux.registry import Blocked, system_call
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.locks import END, READ, UNLOCK, WRITE, RecordLock
from coalmm.linux.vfs.open_file import OpenFile
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

F_GETLK, F_SETLK, F_SETLKW = 5, 6, 7
F_GETLK64, F_SETLK64, F_SETLKW64 = 12, 13, 14  # of i386
F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW = 36, 37, 38
GETS = (F_GETLK, F_GETLK64, F_OFD_GETLK)
WAITS = (F_SETLKW, F_SETLKW64, F_OFD_SETLKW)
OPEN_FILE = (F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW)
LOCK_COMMANDS = (*GETS, *WAITS, F_SETLK, F_SETLK64, F_OFD_SETLK)
LOCK_SH, LOCK_EX, LOCK_NB, LOCK_UN = 1, 2, 4, 8


def layout(task: Task, command: int) -> str:
    """struct flock: type, whence, start, length, pid."""
    if task.abi.word == 8:
        return "<hh4xqqi4x"
    return "<hhiii" if command in (F_GETLK, F_SETLK, F_SETLKW) else "<hhqqi"


def lock(task: Task, file: OpenFile, command: int, vaddr: int) -> int:
    """F_GETLK, F_SETLK and F_SETLKW in their forms."""
    form = layout(task, command)
    kind, whence, start, length, pid = struct.unpack(form, task.read(vaddr, struct.calcsize(form)))
    if kind not in (READ, WRITE, UNLOCK) or (command in OPEN_FILE and pid):
        raise failure(EINVAL)
    wanted = as_record(task, file, (kind, whence, start, length), command in OPEN_FILE)
    locks = file.node.locks
    other = locks.conflict(wanted) if kind != UNLOCK else None
    if command in GETS:
        if kind == UNLOCK:
            raise failure(EINVAL)
        told = (UNLOCK, whence, start, length, pid) if other is None else tell(other)
        task.write(vaddr, struct.pack(form, *told))
        return 0
    if (kind == READ and not file.is_readable) or (kind == WRITE and not file.is_writable):
        raise failure(EBADF)
    if other is not None:
        if command not in WAITS:
            raise failure(EAGAIN)
        raise Blocked(lambda: locks.conflict(wanted) is None)
    locks.set(wanted)
    return 0


def as_record(task: Task, file: OpenFile, fields: tuple[int, int, int, int], of_file: bool) -> RecordLock:
    """The bytes that a struct flock means. EINVAL, EOVERFLOW."""
    kind, whence, start, length = fields
    if whence not in (0, 1, 2):
        raise failure(EINVAL)
    base = (0, file.offset, file.attributes().size)[whence]
    first = base + start + min(length, 0)
    end = END if length == 0 else base + start + max(length, 0)
    if first < 0:
        raise failure(EINVAL)
    if end > END or base + start > END:
        raise failure(EOVERFLOW)
    return RecordLock(file if of_file else task.files, kind, first, end, -1 if of_file else task.group.pid)


def tell(held: RecordLock) -> tuple[int, int, int, int, int]:
    """A lock as F_GETLK tells it."""
    return held.kind, 0, held.start, 0 if held.end == END else held.end - held.start, held.pid


@system_call("flock")
def flock(task: Task, fd: int, operation: int) -> int:
    """flock(2)."""
    operation = signed(operation)
    kind = {LOCK_SH: READ, LOCK_EX: WRITE, LOCK_UN: UNLOCK}.get(operation & ~LOCK_NB)
    if kind is None:
        raise failure(EINVAL)
    file = task.files.opened(fd)
    locks = file.node.locks
    if kind == UNLOCK:
        locks.whole.pop(id(file), None)
        return 0
    if not locks.can_hold(id(file), kind):
        locks.whole.pop(id(file), None)  # a lock that is changed is given up first, as Linux does
        if operation & LOCK_NB:
            raise failure(EAGAIN)
        raise Blocked(lambda: locks.can_hold(id(file), kind))
    locks.whole[id(file)] = kind
    return 0
