"""Processes by descriptor. Source: pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2)."""

from __future__ import annotations

import os
from errno import EBADF, EINVAL, ENOENT, EPERM, ESRCH

from coalmm.linux.abi import signed
from coalmm.linux.calls.signals import may_signal, user_info
from coalmm.linux.registry import system_call
from coalmm.linux.signals.deliver import send
from coalmm.linux.signals.numbers import MOST, SI_TKILL, SI_USER
from coalmm.linux.signals.state import INFO_SIZE, Info
from coalmm.linux.task import Task
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.pidfd import PidFile

PIDFD_NONBLOCK, PIDFD_THREAD = os.O_NONBLOCK, os.O_EXCL
SIGNAL_THREAD, SIGNAL_GROUP, SIGNAL_PROCESS_GROUP = 1, 2, 4


@system_call("pidfd_open")
def pidfd_open(task: Task, pid: int, flags: int) -> int:
    """pidfd_open(2)."""
    number, flags = signed(pid), flags & 0xFFFF_FFFF
    if flags & ~(PIDFD_NONBLOCK | PIDFD_THREAD) or number <= 0:
        return -EINVAL
    thread = task.system.tasks.get(number)
    group = task.system.groups.get(number)
    if flags & PIDFD_THREAD:
        if thread is None:
            return -ESRCH
        return task.files.install(PidFile(thread.group, flags & PIDFD_NONBLOCK, thread), True)
    if group is None:
        return -ESRCH if thread is None else -ENOENT
    return task.files.install(PidFile(group, flags & PIDFD_NONBLOCK), True)


def pidfd_of(task: Task, fd: int) -> PidFile:
    """The process of a descriptor. OSError EBADF."""
    file = task.files.get(fd)
    if not isinstance(file, PidFile):
        raise failure(EBADF)
    return file


@system_call("pidfd_send_signal")
def pidfd_send_signal(task: Task, fd: int, signal: int, info: int, flags: int) -> int:
    """pidfd_send_signal(2)."""
    flags, number = flags & 0xFFFF_FFFF, signed(signal)
    scopes = (0, SIGNAL_THREAD, SIGNAL_GROUP, SIGNAL_PROCESS_GROUP)
    if flags not in scopes:
        return -EINVAL
    file = pidfd_of(task, fd)
    to_thread = flags == SIGNAL_THREAD or (not flags and file.thread is not None)
    thread = (file.thread or file.group.leader) if to_thread else None
    if info:
        content = task.read(info, INFO_SIZE)
        if int.from_bytes(content[:4], "little", signed=True) != number:
            return -EINVAL
        code = int.from_bytes(content[8:12], "little", signed=True)
        if (code >= 0 or code == SI_TKILL) and file.group is not task.group:
            return -EPERM
        entry = Info(number, code, raw=content)
    else:
        entry = user_info(task, number, SI_TKILL if to_thread else SI_USER)
    if not 0 <= number <= MOST:
        return -EINVAL
    members = [file.group]
    if flags == SIGNAL_PROCESS_GROUP:
        groups = task.system.groups.values()
        members = [group for group in groups if group.process_group == file.group.process_group]
    elif file.group.is_reaped or (to_thread and (thread is None or thread.is_dead)):
        return -ESRCH
    members = [group for group in members if may_signal(task, group.leader, number)]
    if not members:
        return -EPERM
    for group in members if number else ():
        send(group, entry, thread)
    return 0


@system_call("pidfd_getfd")
def pidfd_getfd(task: Task, fd: int, target: int, flags: int) -> int:
    """pidfd_getfd(2): a descriptor of another process, here."""
    if flags & 0xFFFF_FFFF:
        return -EINVAL
    file = pidfd_of(task, fd)
    other = file.thread or file.group.leader
    if other is None or other.is_dead:
        return -ESRCH
    if not may_trace(task, other):
        return -EPERM
    return task.files.install(other.files.get(target), True)


def may_trace(task: Task, other: Task) -> bool:
    """PTRACE_MODE_ATTACH_REALCREDS: whether a thread may look into another one (ptrace(2))."""
    if other.group is task.group or task.credentials.is_root:
        return True
    return other.group.is_dumpable and task.credentials.may_trace(other.credentials)
