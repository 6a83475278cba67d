"""signalfd: pending signals as records that are read. Source: signalfd(2), linux/signalfd.h."""

from __future__ import annotations

import struct
from errno import EAGAIN, EINVAL
from select import POLLIN

from coalmm.linux.registry import Blocked
from coalmm.linux.signals.numbers import SI_TIMER, SIGCHLD
from coalmm.linux.signals.state import Info
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.events import AnonymousFile, AnonymousNode
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.abi import Abi
    from coalmm.linux.task import Task

RECORD = 128  # bytes of struct signalfd_siginfo
FAULT_VALUES = "<IiiIIiIIIIiiQQQQ"  # its fields up to ssi_addr


class SignalFile(AnonymousFile):
    """Signals of whoever reads. `mask` has the bits of those that it takes; `task` is who asked last.

    A signal is taken when it is peeked: as on Linux it is lost if the program's buffer is bad.
    """

    def __init__(self, task: Task, mask: int, flags: int) -> None:
        super().__init__(AnonymousNode("[signalfd]"), None, flags)
        self.task = task
        self.mask = mask

    def waiting(self, task: Task | None = None) -> int:
        """The bits of signals that could be read."""
        self.task = task or self.task
        return (self.task.pending.mask | self.task.group.pending.mask) & self.mask

    def peek(self, task: Task, size: int) -> bytes:
        if size < RECORD:
            raise failure(EINVAL)
        if not self.waiting(task):
            if self.is_nonblocking:
                raise failure(EAGAIN)
            raise Blocked(lambda: self.waiting(task))
        taken: list[Info] = []
        for queue in (task.pending, task.group.pending):
            while len(taken) < size // RECORD and (info := queue.take(self.mask)):
                taken.append(info)
        self.activity += 1
        return b"".join(record(info, task.abi) for info in taken)

    def poll(self) -> int:
        return POLLIN if self.waiting() else 0

    def poll_for(self, task: Task) -> int:
        return POLLIN if self.waiting(task) else 0


def record(info: Info, abi: Abi) -> bytes:
    """struct signalfd_siginfo."""
    start = 16 if abi.word == 8 else 12
    packed = info.pack(abi)
    first, second, third = struct.unpack_from("<IIi", packed, start)
    value = int.from_bytes(packed[start + 8 : start + 8 + abi.word], "little")
    number, code = info.signal, struct.unpack_from("<i", packed, 8)[0]
    pid = uid = tid = overrun = status = whole = pointer = address = 0
    if info.address is not None:
        address = info.address
    elif code == SI_TIMER:
        tid, overrun, whole, pointer = first, second, third, value
    else:
        pid, uid = first, second
        if number == SIGCHLD and code > 0:
            status = third
        elif code < 0:
            whole, pointer = third, value
    fields = (number, 0, code, pid, uid, 0, tid, 0, overrun, 0, status, whole, pointer, 0, 0, address)
    return struct.pack(FAULT_VALUES, *fields).ljust(RECORD, b"\0")
