"""Who a process is: its number, process group and session, and capabilities. User ids are in ids.py."""

from __future__ import annotations

import struct
from errno import EINVAL, EPERM, ESRCH

from coalmm.linux.abi import signed
from coalmm.linux.group import ThreadGroup
from coalmm.linux.registry import system_call
from coalmm.linux.task import Task

CAPABILITY_V1, CAPABILITY_V2, CAPABILITY_V3 = 0x19980330, 0x20071026, 0x20080522


@system_call("getpid")
def getpid(task: Task) -> int:
    """getpid(2)."""
    return task.group.pid


@system_call("gettid")
def gettid(task: Task) -> int:
    """gettid(2)."""
    return task.tid


@system_call("getppid")
def getppid(task: Task) -> int:
    """getppid(2): 0 for the first process, 1 for one whose parent has ended."""
    parent = task.group.parent
    return parent.pid if parent is not None else 0 if task.group.is_first else 1


# --- process groups and sessions ---


def group_of(task: Task, pid: int) -> ThreadGroup:
    """The process with a pid, 0 for the caller's. OSError ESRCH."""
    number = signed(pid)
    group = task.group if number == 0 else task.system.groups.get(number)
    if group is None:
        raise OSError(ESRCH, "no such process")
    return group


@system_call("getpgid")
def getpgid(task: Task, pid: int) -> int:
    """getpgid(2)."""
    return group_of(task, pid).process_group


@system_call("getpgrp")
def getpgrp(task: Task) -> int:
    """getpgrp(2)."""
    return task.group.process_group


@system_call("getsid")
def getsid(task: Task, pid: int) -> int:
    """getsid(2)."""
    return group_of(task, pid).session


@system_call("setpgid")
def setpgid(task: Task, pid: int, number: int) -> int:
    """setpgid(2)."""
    wanted = signed(number)
    if wanted < 0:
        return -EINVAL
    group = group_of(task, pid)
    if group is not task.group and group.parent is not task.group:
        return -ESRCH
    if group is not task.group and group.has_executed:
        return -13
    wanted = wanted or group.pid
    others = [each for each in task.system.groups.values() if each.process_group == wanted]
    if group.session == group.pid or group.session != task.group.session:
        return -EPERM
    if wanted != group.pid and all(each.session != group.session for each in others):
        return -EPERM
    group.process_group = wanted
    return 0


@system_call("setsid")
def setsid(task: Task) -> int:
    """setsid(2)."""
    group = task.group
    if any(each.process_group == group.pid for each in task.system.groups.values()):
        return -EPERM
    group.session = group.process_group = group.pid
    return group.pid


# --- capabilities ---


@system_call("capget")
def capget(task: Task, header: int, data: int) -> int:
    """capget(2): none, of whomever."""
    version, pid = struct.unpack("<Ii", task.read(header, 8))
    count = {CAPABILITY_V1: 1, CAPABILITY_V2: 2, CAPABILITY_V3: 2}.get(version)
    if count is None:
        task.write(header, struct.pack("<I", CAPABILITY_V3))
        return -EINVAL if data else 0
    if pid < 0:
        return -EINVAL
    if pid and pid not in task.system.tasks:
        return -ESRCH
    if data:
        task.write(data, bytes(12 * count))
    return 0


@system_call("capset")
def capset(task: Task, header: int, data: int) -> int:
    """capset(2): only its own, and to what there is, nothing."""
    version, pid = struct.unpack("<Ii", task.read(header, 8))
    count = {CAPABILITY_V1: 1, CAPABILITY_V2: 2, CAPABILITY_V3: 2}.get(version)
    if count is None:
        task.write(header, struct.pack("<I", CAPABILITY_V3))
        return -EINVAL
    if pid not in (0, task.tid):
        return -EPERM
    return -EPERM if any(task.read(data, 12 * count)) else 0
