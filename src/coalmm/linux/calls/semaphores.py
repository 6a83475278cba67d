"""semget, semop, semtimedop, semctl. Source: semget(2), semop(2), semctl(2)."""

from __future__ import annotations

import struct
import time
from errno import E2BIG, EAGAIN, EFBIG, EINVAL, ERANGE

from coalmm.linux.abi import signed
from coalmm.linux.calls.poll import read_timespec
from coalmm.linux.ipc import (
    IPC_64,
    IPC_INFO,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    MAY_READ,
    MAY_WRITE,
    MOST_OBJECTS,
    error,
    pack_times,
    read_owner,
)
from coalmm.linux.registry import Blocked, system_call
from coalmm.linux.semaphores import (
    MOST_IN_SET,
    MOST_OPERATIONS,
    MOST_SEMAPHORES,
    MOST_VALUE,
    Operation,
    SemaphoreSet,
    Waiter,
    new_set,
)
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

GETPID, GETVAL, GETALL, GETNCNT, GETZCNT, SETVAL, SETALL = 11, 12, 13, 14, 15, 16, 17
SEM_STAT, SEM_INFO, SEM_STAT_ANY = 18, 19, 20
UNDO_SIZE = 20  # semusz


@system_call("semget")
def semget(task: Task, key: int, count: int, flags: int) -> int:
    """semget(2)."""
    key, count, flags = signed(key), signed(count), flags & 0xFFFF_FFFF
    if not 0 <= count <= MOST_IN_SET:
        return -EINVAL

    def check(found: SemaphoreSet) -> None:
        if count > found.count:
            raise error(EINVAL)

    def make() -> SemaphoreSet:
        if not count:
            raise error(EINVAL)
        return new_set(task.system, key, count, flags, task.credentials)

    return task.system.ipc.semaphores.get(task.credentials, key, flags, check, make).number


# --- operations ---


def operate(task: Task, number: int, array: int, count: int, timeout: int, size: int) -> int:
    """semtimedop(2) with a struct timespec of `size` bytes."""
    if task.resume is not None:
        return result_of(task, *task.resume)
    number, count = signed(number), count & 0xFFFF_FFFF
    if count < 1 or number < 0:
        return -EINVAL
    if count > MOST_OPERATIONS:
        return -E2BIG
    content = task.read(array, 6 * count)
    operations = [Operation(*parts) for parts in struct.iter_unpack("<Hhh", content)]
    seconds = read_timespec(task, timeout, size)
    found = task.system.ipc.semaphores.find(number)
    if any(each.number >= found.count for each in operations):
        return -EFBIG
    found.check(task.credentials, MAY_WRITE if any(each.change for each in operations) else MAY_READ)
    waiter = found.operate(task, operations)
    if waiter is None:
        return 0
    task.resume = found, waiter
    deadline = None if seconds is None else time.monotonic() + seconds
    raise Blocked(lambda: waiter.result is not None, deadline, lambda: found.leave(waiter))


def result_of(task: Task, found: SemaphoreSet, waiter: Waiter) -> int:
    """Of operations that have waited: done, or their time is over."""
    found.leave(waiter)
    return -EAGAIN if waiter.result is None else waiter.result


@system_call("semtimedop")
def semtimedop(task: Task, number: int, array: int, count: int, timeout: int) -> int:
    """semtimedop(2)."""
    return operate(task, number, array, count, timeout, 2 * task.abi.word)


@system_call("semtimedop_time64")
def semtimedop_time64(task: Task, number: int, array: int, count: int, timeout: int) -> int:
    """semtimedop(2) of i386 with 64-bit times."""
    return operate(task, number, array, count, timeout, 16)


@system_call("semop")
def semop(task: Task, number: int, array: int, count: int) -> int:
    """semop(2)."""
    return operate(task, number, array, count, 0, 16)


# --- control ---


@system_call("semctl")
def semctl(task: Task, number: int, index: int, command: int, argument: int) -> int:
    """semctl(2)."""
    number, index, command = signed(number), signed(index), command & 0xFFFF_FFFF & ~IPC_64
    table = task.system.ipc.semaphores
    if number < 0:
        return -EINVAL
    if command in (IPC_INFO, SEM_INFO):
        return information(task, command, argument)
    if command in (SEM_STAT, SEM_STAT_ANY):
        found = table.at(number)
        if command == SEM_STAT:
            found.check(task.credentials, MAY_READ)
        task.write(argument, description(task, found))
        return found.number
    if command == IPC_SET:
        owner = read_owner(task, argument)
    elif command not in (IPC_RMID, IPC_STAT, GETPID, GETVAL, GETALL, GETNCNT, GETZCNT, SETVAL, SETALL):
        return -EINVAL
    found = table.find(number)
    if command in (IPC_SET, IPC_RMID):
        found.check_owner(task.credentials)
        if command == IPC_RMID:
            table.remove(found)
        else:
            found.set_owner(*owner)
        return 0
    if command == SETVAL and not 0 <= signed(argument) <= MOST_VALUE:
        return -ERANGE
    if command not in (GETALL, SETALL, IPC_STAT) and not 0 <= index < found.count and command != SETVAL:
        found.check(task.credentials, MAY_READ)
        return -EINVAL
    found.check(task.credentials, MAY_WRITE if command in (SETVAL, SETALL) else MAY_READ)
    if command == SETVAL and not 0 <= index < found.count:
        return -EINVAL
    return values_of(task, found, index, command, argument)


def values_of(task: Task, found: SemaphoreSet, index: int, command: int, argument: int) -> int:
    """The commands that read and set values."""
    form = f"<{found.count}H"
    if command == IPC_STAT:
        task.write(argument, description(task, found))
    elif command == GETALL:
        task.write(argument, struct.pack(form, *found.values()))
    elif command == SETALL:
        found.set_values(0, list(struct.unpack(form, task.read(argument, struct.calcsize(form)))), task.group.pid)
    elif command == SETVAL:
        found.set_values(index, [signed(argument)], task.group.pid)
    elif command == GETVAL:
        return found.value(index)
    elif command == GETPID:
        return found.last(index)
    else:
        return found.waiting(index, command == GETZCNT)
    return 0


def description(task: Task, found: SemaphoreSet) -> bytes:
    """struct semid64_ds."""
    word = task.abi.word
    times = pack_times(word, found.used, found.changed)
    return found.pack(word) + times + task.abi.pack_words(found.count, 0, 0)


def information(task: Task, command: int, buffer: int) -> int:
    """IPC_INFO, the limits; SEM_INFO, what is used. The highest index."""
    table = task.system.ipc.semaphores
    used, semaphores = UNDO_SIZE, MOST_VALUE
    if command == SEM_INFO:
        used, semaphores = len(table.by_index), sum(each.count for each in table.by_index.values())
    task.write(
        buffer,
        struct.pack(
            "<10i", MOST_SEMAPHORES, MOST_OBJECTS, MOST_SEMAPHORES, MOST_SEMAPHORES, MOST_IN_SET, MOST_OPERATIONS,
            MOST_OPERATIONS, used, MOST_VALUE, semaphores,
        ),
    )  # fmt: skip
    return table.highest
