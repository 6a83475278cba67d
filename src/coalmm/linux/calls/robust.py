"""What a thread leaves behind: the word that tells of its end, and the locks that it holds (get_robust_list(2))."""

from __future__ import annotations

import struct
from errno import EINVAL, ESRCH

from coalmm.errors import PageFaultError
from coalmm.linux.registry import system_call
from coalmm.linux.task import Task

ROBUST_HEAD_WORDS = 3
MOST_ROBUST = 2048
OWNER, WAITERS, OWNER_DIED = 0x3FFF_FFFF, 0x8000_0000, 0x4000_0000


@system_call("set_tid_address")
def set_tid_address(task: Task, pointer: int) -> int:
    """set_tid_address(2)."""
    task.clear_child_tid = pointer
    return task.tid


@system_call("set_robust_list")
def set_robust_list(task: Task, head: int, size: int) -> int:
    """set_robust_list(2)."""
    if size != ROBUST_HEAD_WORDS * task.abi.word:
        return -EINVAL
    task.robust_list = head
    return 0


@system_call("get_robust_list")
def get_robust_list(task: Task, tid: int, head: int, size: int) -> int:
    """get_robust_list(2)."""
    target = task if tid == 0 else task.system.tasks.get(tid & 0x7FFF_FFFF)
    if target is None:
        return -ESRCH
    task.write_words(head, target.robust_list)
    task.write_words(size, ROBUST_HEAD_WORDS * task.abi.word)
    return 0


def release_robust(task: Task) -> None:
    """Mark the locks that a thread holds as it ends, and wake one that waits for each (get_robust_list(2))."""
    head, task.robust_list = task.robust_list, 0
    if not head:
        return
    try:
        release_list(task, head)
    except PageFaultError:
        pass  # a list that leads to nowhere: the rest is lost, as on Linux


def release_list(task: Task, head: int) -> None:
    """The locks on a list, and the one that was being taken or given back. PageFaultError."""
    entry, offset, pending = task.read_words(head, ROBUST_HEAD_WORDS)
    for _ in range(MOST_ROBUST):
        if entry & ~1 == head:
            break
        (following,) = task.read_words(entry & ~1, 1)
        if entry != pending:
            release_lock(task, ((entry & ~1) + offset) & task.abi.mask, False)
        entry = following
    if pending:
        release_lock(task, ((pending & ~1) + offset) & task.abi.mask, True)


def release_lock(task: Task, vaddr: int, is_pending: bool) -> None:
    """One lock of a thread that ends."""
    if vaddr & 3:
        return
    from coalmm.linux.calls.futex import value_at, wake

    value = value_at(task, vaddr)
    if is_pending and value == 0:
        wake(task, vaddr, 1)
    elif value & OWNER == task.tid:
        task.write(vaddr, struct.pack("<I", value & WAITERS | OWNER_DIED))
        if value & WAITERS:
            wake(task, vaddr, 1)
