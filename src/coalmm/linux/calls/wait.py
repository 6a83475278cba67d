"""Waiting for children: wait4, waitid. Source: wait(2)."""

from __future__ import annotations

import struct
from errno import EAGAIN, ECHILD, EINVAL

from coalmm.linux.abi import signed
from coalmm.linux.calls.pidfds import pidfd_of
from coalmm.linux.calls.usage import child_usage
from coalmm.linux.group import ThreadGroup
from coalmm.linux.registry import Blocked, system_call
from coalmm.linux.signals.numbers import (
    CLD_CONTINUED,
    CLD_DUMPED,
    CLD_EXITED,
    CLD_KILLED,
    CLD_STOPPED,
    SA_NOCLDWAIT,
    SIG_IGN,
    SIGCHLD,
)
from coalmm.linux.signals.state import Info
from coalmm.linux.task import Task

WNOHANG, WUNTRACED, WEXITED, WCONTINUED, WNOWAIT = 1, 2, 4, 8, 0x01000000
WNOTHREAD, WALL, WCLONE = 1 << 29, 1 << 30, 1 << 31
WAIT_EXTRA = WNOTHREAD | WALL | WCLONE  # the first makes no difference here
P_ALL, P_PID, P_PGID, P_PIDFD = range(4)


def chosen(group: ThreadGroup, kind: int, number: int, options: int) -> list[ThreadGroup]:
    """The children that a wait asks about: those that end with SIGCHLD, the others (__WCLONE), or all (__WALL)."""
    others = bool(options & WCLONE)
    return [
        child
        for child in group.children
        if (options & WALL or (child.exit_signal != SIGCHLD) == others)
        and (
            kind == P_ALL
            or (kind == P_PID and child.pid == number)
            or (kind == P_PGID and child.process_group == (number or group.process_group))
        )
    ]


def find_change(children: list[ThreadGroup], options: int) -> tuple[ThreadGroup, int, int] | None:
    """(child, CLD_* code, status) of a child that has something to tell."""
    for child in children:
        if options & WEXITED and child.status is not None:
            status = child.status
            if status & 0x7F == 0:
                return child, CLD_EXITED, status >> 8
            return child, CLD_DUMPED if status & 0x80 else CLD_KILLED, status & 0x7F
        if child.report is not None:
            what, signal = child.report
            if what == "stopped" and options & WUNTRACED:
                return child, CLD_STOPPED, signal
            if what == "continued" and options & WCONTINUED:
                return child, CLD_CONTINUED, signal
    return None


def ignores_children(group: ThreadGroup) -> bool:
    """Whether children that end leave no zombies."""
    action = group.actions.of(SIGCHLD)
    return action.handler == SIG_IGN or bool(action.flags & SA_NOCLDWAIT)


def wait_for(task: Task, kind: int, number: int, options: int) -> tuple[ThreadGroup, int, int] | None:
    """Wait as waitid does; None with WNOHANG and nothing to tell. OSError ECHILD; Blocked."""
    group = task.group
    if ignores_children(group):
        for child in [child for child in group.children if child.status is not None]:
            task.system.ending.reap(group, child)
    children = chosen(group, kind, number, options)
    if not children:
        raise OSError(ECHILD, "no such child")
    found = find_change(children, options)
    if found is None:
        if options & WNOHANG:
            return None
        raise Blocked(lambda: find_change(children, options) or (ignores_children(group) and any_ended(children)))
    child, code, _ = found
    if not options & WNOWAIT:
        if code in (CLD_STOPPED, CLD_CONTINUED):
            child.report = None
        else:
            task.system.ending.reap(group, child)
    return found


def any_ended(children: list[ThreadGroup]) -> bool:
    """Whether one of them has ended."""
    return any(child.status is not None for child in children)


@system_call("wait4")
def wait4(task: Task, pid: int, status: int, options: int, usage: int) -> int:
    """wait4(2)."""
    number = signed(pid)
    if options & ~(WNOHANG | WUNTRACED | WCONTINUED | WAIT_EXTRA):
        return -EINVAL
    if number == -(1 << 31):
        return -3
    kind = P_PID if number > 0 else P_ALL if number == -1 else P_PGID
    found = wait_for(task, kind, abs(number), options & 0xFFFF_FFFF | WEXITED)
    if found is None:
        return 0
    child, code, value = found
    if status:
        word = {CLD_EXITED: value << 8, CLD_STOPPED: value << 8 | 0x7F, CLD_CONTINUED: 0xFFFF}.get(code, value)
        task.write(status, struct.pack("<I", word & 0xFFFF_FFFF))
    if usage:
        task.write(usage, child_usage(task, child))
    return child.pid


@system_call("waitpid")
def waitpid(task: Task, pid: int, status: int, options: int) -> int:
    """waitpid of 32-bit programs."""
    return wait4(task, pid, status, options, 0)


@system_call("waitid")
def waitid(task: Task, kind: int, number: int, info: int, options: int, usage: int) -> int:
    """waitid(2)."""
    known = WNOHANG | WUNTRACED | WEXITED | WCONTINUED | WNOWAIT | WAIT_EXTRA
    if options & ~known or not options & (WUNTRACED | WEXITED | WCONTINUED) or kind > P_PIDFD:
        return -EINVAL
    may_wait = True
    if kind == P_PIDFD:
        file = pidfd_of(task, number)
        kind, number, may_wait = P_PID, file.group.pid, not file.is_nonblocking
    try:
        found = wait_for(task, kind, signed(number), options)
    except Blocked:
        if may_wait:
            raise
        return -EAGAIN
    if found is None:
        if info:
            task.write(info, bytes(128))
        return 0
    child, code, value = found
    if info:
        task.write(info, Info(SIGCHLD, code, (child.pid, 0, value, 0, 0)).pack(task.abi))
    if usage:
        task.write(usage, child_usage(task, child))
    return 0
