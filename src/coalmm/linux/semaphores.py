"""Semaphores of System V: operations are done all or none, in the order in which they wait. Source: ipc/sem.c."""

from __future__ import annotations

import struct
import time
from errno import EAGAIN, EIDRM, ENOSPC, ERANGE

from coalmm.linux.ipc import IPC_NOWAIT, IpcObject, error
from coalmm.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from coalmm.kernel import Kernel
    from coalmm.linux.credentials import Credentials
    from coalmm.linux.group import ThreadGroup
    from coalmm.linux.system import System
    from coalmm.linux.task import Task

MOST_IN_SET, MOST_SEMAPHORES, MOST_OPERATIONS, MOST_VALUE = 32000, 1_024_000_000, 500, 32767  # SEMMSL, SEMMNS, SEMOPM
SEM_UNDO = 0x1000
ENTRY = 8  # bytes of a semaphore in memory: its value, and who changed it last


class Operation(NamedTuple):
    """struct sembuf."""

    number: int
    change: int
    flags: int


class Waiter:
    """Operations that cannot be done yet. `blocking` stops them; `result` is there when they are done."""

    def __init__(self, task: Task, operations: list[Operation], blocking: Operation) -> None:
        self.task = task
        self.operations = operations
        self.blocking = blocking
        self.result: int | None = None


class SemaphoreSet(IpcObject):
    """A set. `undo` has what SEM_UNDO takes back when a process ends, by semaphore."""

    def __init__(self, kernel: Kernel, key: int, count: int, mode: int, owner: Credentials) -> None:
        super().__init__(kernel, key, mode, owner)
        self.count = count
        self.memory = self.allocate(count * ENTRY)
        kernel.memory.write(self.memory, bytes(count * ENTRY))
        self.used = 0  # sem_otime
        self.waiters: list[Waiter] = []
        self.undo: dict[ThreadGroup, dict[int, int]] = {}

    # --- values ---

    def value(self, number: int) -> int:
        """GETVAL."""
        return int.from_bytes(self.kernel.memory.read(self.memory + number * ENTRY, 4), "little")

    def last(self, number: int) -> int:
        """GETPID."""
        return int.from_bytes(self.kernel.memory.read(self.memory + number * ENTRY + 4, 4), "little")

    def put(self, number: int, value: int, pid: int) -> None:
        """A value, and who changed it."""
        self.kernel.memory.write(self.memory + number * ENTRY, struct.pack("<II", value, pid))

    def values(self) -> list[int]:
        """GETALL."""
        content = self.kernel.memory.read(self.memory, self.count * ENTRY)
        return list(struct.unpack(f"<{2 * self.count}I", content)[::2])

    def set_values(self, first: int, values: list[int], pid: int) -> None:
        """SETVAL, SETALL: nobody takes back what was there before. ERANGE."""
        if any(not 0 <= value <= MOST_VALUE for value in values):
            raise error(ERANGE)
        for number, value in enumerate(values, first):
            self.put(number, value, pid)
            for adjustments in self.undo.values():
                adjustments.pop(number, None)
        self.changed = int(time.time())
        self.update()

    def waiting(self, number: int, for_zero: bool) -> int:
        """GETZCNT, GETNCNT: how many wait because of a semaphore."""
        blocking = [each.blocking for each in self.waiters if not each.task.is_dead]
        return sum(each.number == number and (each.change == 0) == for_zero for each in blocking)

    # --- operations ---

    def attempt(self, group: ThreadGroup, operations: list[Operation]) -> Operation | None:
        """Do all operations, or none: the one that has to wait. ERANGE."""
        values: dict[int, int] = {}
        adjusted = dict(self.undo.get(group, {}))
        for each in operations:
            value = values.get(each.number, -1)
            value = self.value(each.number) if value < 0 else value
            if (each.change == 0 and value) or value + each.change < 0:
                return each
            if value + each.change > MOST_VALUE:
                raise error(ERANGE)
            if each.flags & SEM_UNDO:
                adjusted[each.number] = adjusted.get(each.number, 0) - each.change
                if not -MOST_VALUE - 1 <= adjusted[each.number] <= MOST_VALUE:
                    raise error(ERANGE)
            values[each.number] = value + each.change
        for number, value in values.items():
            self.put(number, value, group.pid)
        self.used = int(time.time())
        if any(each.flags & SEM_UNDO for each in operations):
            self.undo[group] = adjusted
        return None

    def operate(self, task: Task, operations: list[Operation]) -> Waiter | None:
        """semop: None if it is done; else who waits for it. EAGAIN, ERANGE."""
        blocking = self.attempt(task.group, operations)
        if blocking is None:
            if any(each.change for each in operations):
                self.update()
            return None
        if blocking.flags & IPC_NOWAIT:
            raise error(EAGAIN)
        waiter = Waiter(task, operations, blocking)
        self.waiters.append(waiter)
        return waiter

    def update(self) -> None:
        """Values have changed: do what waits and can be done, who came first first."""
        again = True
        while again:
            again = False
            for waiter in list(self.waiters):
                if self._try(waiter):
                    self.waiters.remove(waiter)
                    again |= any(each.change for each in waiter.operations)

    def _try(self, waiter: Waiter) -> bool:
        """Whether a waiter waits no more."""
        if waiter.task.is_dead:
            return True
        try:
            blocking = self.attempt(waiter.task.group, waiter.operations)
        except OSError as failed:
            waiter.result = -(failed.errno or ERANGE)
            return True
        if blocking is None:
            waiter.result = 0
        elif blocking.flags & IPC_NOWAIT:
            waiter.result = -EAGAIN
        else:
            waiter.blocking = blocking
            return False
        return True

    def leave(self, waiter: Waiter) -> None:
        """It waits no more: a signal, or its time is over."""
        if waiter in self.waiters:
            self.waiters.remove(waiter)

    def take_back(self, group: ThreadGroup) -> None:
        """A process has ended: undo its operations with SEM_UNDO, as far as values go."""
        adjustments = self.undo.pop(group, {})
        for number, change in adjustments.items():
            if change:
                self.put(number, min(max(self.value(number) + change, 0), MOST_VALUE), group.pid)
        if any(adjustments.values()):
            self.used = int(time.time())
            self.update()

    def release(self) -> None:
        super().release()
        for waiter in self.waiters:
            waiter.result = -EIDRM
        self.waiters.clear()
        self.undo.clear()
        self.kernel.kfree(self.memory)


def new_set(system: System, key: int, count: int, mode: int, owner: Credentials) -> SemaphoreSet:
    """A new set of zeros. ENOSPC, ENOMEM."""
    if sum(each.count for each in system.ipc.semaphores.by_index.values()) + count > MOST_SEMAPHORES:
        raise error(ENOSPC)
    return SemaphoreSet(system.kernel, key, count, mode, owner)


def process_ends(system: System, group: ThreadGroup) -> None:
    """What its SEM_UNDO asks for."""
    for each in list(system.ipc.semaphores.by_index.values()):
        each.take_back(group)
