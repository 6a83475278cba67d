"""signalfd(2)."""

from __future__ import annotations

import os
from errno import EINVAL

from coalmm.linux.abi import signed
from coalmm.linux.registry import system_call
from coalmm.linux.signals.state import blockable
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.signalfd import SignalFile
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task


@system_call("signalfd4")
def signalfd4(task: Task, fd: int, mask: int, size: int, flags: int) -> int:
    """signalfd(2): a new one for descriptor -1, else another mask for one that is there."""
    flags &= 0xFFFF_FFFF
    if flags & ~(os.O_CLOEXEC | os.O_NONBLOCK) or size != 8:
        raise failure(EINVAL)
    wanted = blockable(int.from_bytes(task.read(mask, 8), "little"))
    if signed(fd) == -1:
        file = SignalFile(task, wanted, os.O_RDWR | flags & os.O_NONBLOCK)
        return task.files.install(file, bool(flags & os.O_CLOEXEC))
    old = task.files.get(fd)
    if not isinstance(old, SignalFile):
        raise failure(EINVAL)
    old.mask = wanted
    return signed(fd)


@system_call("signalfd")
def signalfd(task: Task, fd: int, mask: int, size: int) -> int:
    """signalfd(2) of old."""
    return signalfd4(task, fd, mask, size, 0)
