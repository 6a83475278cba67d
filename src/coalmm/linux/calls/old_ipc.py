"""ipc: the old call of 32-bit programs for all of System V IPC. Source: ipc(2), ipc/syscall.c."""

from __future__ import annotations

from errno import EINVAL, ENOSYS

from coalmm.linux.abi import signed
from coalmm.linux.registry import system_call
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

SEMOP, SEMGET, SEMCTL, SEMTIMEDOP = 1, 2, 3, 4
MSGSND, MSGRCV, MSGGET, MSGCTL = 11, 12, 13, 14
SHMAT, SHMDT, SHMGET, SHMCTL = 21, 22, 23, 24


@system_call("ipc", only_32=True)
def ipc(task: Task, call: int, first: int, second: int, third: int, pointer: int, fifth: int) -> int:
    """ipc(2)."""
    version, call = call >> 16, call & 0xFFFF
    if call <= SEMTIMEDOP:
        return of_semaphores(task, call, first, second, third, pointer, fifth)
    if call <= MSGCTL:
        return of_queues(task, call, version, first, second, third, pointer, fifth)
    return of_memory(task, call, first, second, third, pointer)


def of_semaphores(task: Task, call: int, first: int, second: int, third: int, pointer: int, fifth: int) -> int:
    """The calls of semaphores."""
    from coalmm.linux.calls import semaphores

    if call == SEMOP:
        return semaphores.semop(task, first, pointer, second)
    if call == SEMTIMEDOP:
        return semaphores.semtimedop(task, first, pointer, second, fifth)
    if call == SEMGET:
        return semaphores.semget(task, first, second, third)
    if call != SEMCTL:
        return -ENOSYS
    return semaphores.semctl(task, first, second, third, *task.read_words(pointer, 1)) if pointer else -EINVAL


def of_queues(
    task: Task, call: int, version: int, first: int, second: int, third: int, pointer: int, fifth: int
) -> int:
    """The calls of message queues."""
    from coalmm.linux.calls import message_queues

    if call == MSGSND:
        return message_queues.msgsnd(task, first, pointer, second, third)
    if call == MSGGET:
        return message_queues.msgget(task, first, second)
    if call == MSGCTL:
        return message_queues.msgctl(task, first, second, pointer)
    if call != MSGRCV or signed(first) < 0:
        return -EINVAL if call == MSGRCV else -ENOSYS
    if not version:  # the pointer is to a pair
        pointer, fifth = task.read_words(pointer, 2)
    return message_queues.msgrcv(task, first, pointer, second, fifth, third)


def of_memory(task: Task, call: int, first: int, second: int, third: int, pointer: int) -> int:
    """The calls of shared memory."""
    from coalmm.linux.calls import shared_memory

    if call == SHMGET:
        return shared_memory.shmget(task, first, second, third)
    if call == SHMDT:
        return shared_memory.shmdt(task, pointer)
    if call == SHMCTL:
        return shared_memory.shmctl(task, first, second, pointer)
    if call != SHMAT:
        return -ENOSYS
    result = shared_memory.shmat(task, first, pointer, second)
    if result >= 0:
        task.write_words(third, result)
        return 0
    return result
