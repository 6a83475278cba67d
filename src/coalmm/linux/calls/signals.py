"""Signals: actions, masks, sending, waiting, and the way back from a handler. Sources: signal(7), man 2."""

from __future__ import annotations

import struct
import time
from errno import EAGAIN, EINVAL, ENOMEM, EPERM, ESRCH

from coalmm.errors import PageFaultError
from coalmm.linux.abi import signed
from coalmm.linux.calls.clocks import get_timespec, is_wide
from coalmm.linux.group import ThreadGroup
from coalmm.linux.registry import Blocked, system_call
from coalmm.linux.signals import frames
from coalmm.linux.signals.deliver import fault, send
from coalmm.linux.signals.numbers import (
    MOST,
    NEVER_CAUGHT,
    SI_KERNEL,
    SI_TKILL,
    SI_USER,
    SIGCONT,
    SIGSEGV,
    SS_AUTODISARM,
    SS_DISABLE,
    SS_ONSTACK,
    bit,
)
from coalmm.linux.signals.state import INFO_SIZE, Action, AlternateStack, Info, blockable
from coalmm.linux.task import Task

SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK = 0, 1, 2
SMALLEST_STACK = 2048


def check_size(size: int) -> None:
    """A signal set has 8 bytes."""
    if size != 8:
        raise OSError(EINVAL, "not the size of a signal set")


# --- actions ---


@system_call("rt_sigaction")
def rt_sigaction(task: Task, signal: int, new: int, old: int, size: int) -> int:
    """rt_sigaction(2)."""
    check_size(size)
    number = signed(signal)
    if not 1 <= number <= MOST or (new and number in NEVER_CAUGHT):
        return -EINVAL
    word = task.abi.word
    replacement = None
    if new:
        handler, flags, restorer = task.abi.unpack_words(task.read(new, 3 * word))
        (mask,) = struct.unpack("<Q", task.read(new + 3 * word, 8))
        replacement = Action(handler, flags, restorer, blockable(mask))
    if old:
        action = task.group.actions.of(number)
        words = task.abi.pack_words(action.handler, action.flags, action.restorer)
        task.write(old, words + struct.pack("<Q", action.mask))
    if replacement is not None:
        set_action(task, number, replacement)
    return 0


@system_call("sigaction", only_32=True)
def sigaction(task: Task, signal: int, new: int, old: int) -> int:
    """The old sigaction of 32-bit programs: handler, mask, flags, restorer."""
    number = signed(signal)
    if not 1 <= number <= MOST or (new and number in NEVER_CAUGHT):
        return -EINVAL
    replacement = None
    if new:
        handler, mask, flags, restorer = struct.unpack("<4I", task.read(new, 16))
        replacement = Action(handler, flags, restorer, blockable(mask))
    if old:
        action = task.group.actions.of(number)
        content = struct.pack("<4I", action.handler, action.mask & 0xFFFF_FFFF, action.flags, action.restorer)
        task.write(old, content)
    if replacement is not None:
        set_action(task, number, replacement)
    return 0


@system_call("signal", only_32=True)
def signal_(task: Task, signal: int, handler: int) -> int:
    """The old signal of 32-bit programs: one shot, with no mask."""
    number = signed(signal)
    if not 1 <= number <= MOST or number in NEVER_CAUGHT:
        return -EINVAL
    old = task.group.actions.of(number).handler
    set_action(task, number, Action(handler, 0xC000_0000))
    return old


def set_action(task: Task, signal: int, action: Action) -> None:
    """Set it; what is pending and ignored now is dropped."""
    actions = task.group.actions
    actions.by_signal[signal] = action
    if actions.ignores(signal):
        task.group.pending.drop(bit(signal))
        for each in task.group.tasks:
            each.pending.drop(bit(signal))


# --- masks ---


@system_call("rt_sigprocmask")
def rt_sigprocmask(task: Task, how: int, new: int, old: int, size: int) -> int:
    """rt_sigprocmask(2)."""
    check_size(size)
    before = task.mask
    if new:
        (mask,) = struct.unpack("<Q", task.read(new, 8))
        if how == SIG_BLOCK:
            task.mask = blockable(before | mask)
        elif how == SIG_UNBLOCK:
            task.mask = blockable(before & ~mask)
        elif how == SIG_SETMASK:
            task.mask = blockable(mask)
        else:
            return -EINVAL
    if old:
        task.write(old, struct.pack("<Q", before))
    return 0


@system_call("sigprocmask", only_32=True)
def sigprocmask(task: Task, how: int, new: int, old: int) -> int:
    """The old sigprocmask: 32 signals."""
    before = task.mask
    if new:
        (mask,) = struct.unpack("<I", task.read(new, 4))
        high = before & ~0xFFFF_FFFF
        if how == SIG_BLOCK:
            task.mask = blockable(before | mask)
        elif how == SIG_UNBLOCK:
            task.mask = blockable(before & ~mask)
        elif how == SIG_SETMASK:
            task.mask = blockable(high | mask)
        else:
            return -EINVAL
    if old:
        task.write(old, struct.pack("<I", before & 0xFFFF_FFFF))
    return 0


@system_call("rt_sigpending")
def rt_sigpending(task: Task, result: int, size: int) -> int:
    """rt_sigpending(2)."""
    if size > 8:
        return -EINVAL
    mask = (task.pending.mask | task.group.pending.mask) & task.mask
    task.write(result, struct.pack("<Q", mask)[:size])
    return 0


@system_call("rt_sigsuspend")
def rt_sigsuspend(task: Task, mask: int, size: int) -> int:
    """rt_sigsuspend(2)."""
    check_size(size)
    if task.saved_mask is None:
        task.set_temporary_mask(struct.unpack("<Q", task.read(mask, 8))[0])
    raise Blocked(lambda: False)


@system_call("sigsuspend", only_32=True)
def sigsuspend(task: Task, first: int, second: int, mask: int) -> int:
    """The old sigsuspend."""
    if task.saved_mask is None:
        task.set_temporary_mask(mask)
    raise Blocked(lambda: False)


# --- waiting for one ---


def timed_wait(task: Task, mask: int, info: int, timeout: int, wide: bool) -> int:
    """rt_sigtimedwait of either width."""
    (wanted,) = struct.unpack("<Q", task.read(mask, 8))
    wanted = blockable(wanted)
    found = task.pending.take(wanted) or task.group.pending.take(wanted)
    if found is not None:
        if info:
            task.write(info, found.pack(task.abi))
        return found.signal
    if task.wait is not None:
        deadline = task.wait.deadline
    else:
        deadline = time.monotonic() + get_timespec(task, timeout, wide) / 1e9 if timeout else None
    if deadline is not None and time.monotonic() >= deadline:
        return -EAGAIN
    task.resume = frozenset(number for number in range(1, MOST + 1) if wanted & bit(number))
    raise Blocked(lambda: (task.pending.mask | task.group.pending.mask) & wanted, deadline)


@system_call("rt_sigtimedwait")
def rt_sigtimedwait(task: Task, mask: int, info: int, timeout: int, size: int) -> int:
    """rt_sigtimedwait(2)."""
    check_size(size)
    return timed_wait(task, mask, info, timeout, is_wide(task))


@system_call("rt_sigtimedwait_time64", only_32=True)
def rt_sigtimedwait_time64(task: Task, mask: int, info: int, timeout: int, size: int) -> int:
    """The same with 64-bit seconds."""
    check_size(size)
    return timed_wait(task, mask, info, timeout, True)


# --- sending ---


def targets(task: Task, pid: int) -> list[ThreadGroup]:
    """The processes that kill(2) means."""
    groups = [group for group in task.system.groups.values() if group.status is None]
    if pid > 0:
        return [group for group in task.system.groups.values() if group.pid == pid]
    if pid == -1:
        return [group for group in groups if group is not task.group]
    wanted = task.group.process_group if pid == 0 else -pid
    return [group for group in groups if group.process_group == wanted]


def user_info(task: Task, signal: int, code: int) -> Info:
    """siginfo of a signal that a program sends."""
    return Info(signal, code, (task.group.pid, task.credentials.user.real))


@system_call("kill")
def kill(task: Task, pid: int, signal: int) -> int:
    """kill(2)."""
    number = signed(signal)
    if not 0 <= number <= MOST:
        return -EINVAL
    groups = targets(task, signed(pid))
    if not groups:
        return -ESRCH
    allowed = [group for group in groups if may_signal(task, group.leader, number)]
    if not allowed:
        return -EPERM
    for group in allowed:
        if number:
            send(group, user_info(task, number, SI_USER))
    return 0


def may_signal(task: Task, other: Task | None, signal: int) -> bool:
    """Whether a task may send another one a signal; SIGCONT goes to all of the session."""
    if other is None or task.credentials.may_signal(other.credentials):
        return True
    return signal == SIGCONT and other.group.session == task.group.session


def thread_kill(task: Task, group: int, tid: int, signal: int) -> int:
    """tgkill; `group` 0 for tkill."""
    number = signed(signal)
    if signed(tid) <= 0 or not 0 <= number <= MOST:
        return -EINVAL
    target = task.system.tasks.get(signed(tid))
    if target is None or (group and target.group.pid != group):
        return -ESRCH
    if not may_signal(task, target, number):
        return -EPERM
    if number:
        send(target.group, user_info(task, number, SI_TKILL), target)
    return 0


@system_call("tkill")
def tkill(task: Task, tid: int, signal: int) -> int:
    """tkill(2)."""
    return thread_kill(task, 0, tid, signal)


@system_call("tgkill")
def tgkill(task: Task, group: int, tid: int, signal: int) -> int:
    """tgkill(2)."""
    if signed(group) <= 0:
        return -EINVAL
    return thread_kill(task, group, tid, signal)


def queued(task: Task, target: int, signal: int, pointer: int) -> Info:
    """The siginfo that a program gives. OSError EPERM for a code that only the kernel may send to others."""
    content = task.read(pointer, INFO_SIZE)
    code = struct.unpack_from("<i", content, 8)[0]
    if (code >= 0 or code == SI_TKILL) and target != task.group.pid:
        raise OSError(EPERM, "not a code for programs")
    return Info(signal, code, raw=content)


@system_call("rt_sigqueueinfo")
def rt_sigqueueinfo(task: Task, pid: int, signal: int, info: int) -> int:
    """rt_sigqueueinfo(2)."""
    number = signed(signal)
    entry = queued(task, signed(pid), number, info)
    group = task.system.groups.get(signed(pid))
    if group is None:
        return -ESRCH
    if not 0 <= number <= MOST:
        return -EINVAL
    if not may_signal(task, group.leader, number):
        return -EPERM
    if number:
        send(group, entry)
    return 0


@system_call("rt_tgsigqueueinfo")
def rt_tgsigqueueinfo(task: Task, group: int, tid: int, signal: int, info: int) -> int:
    """rt_tgsigqueueinfo(2)."""
    number = signed(signal)
    entry = queued(task, signed(group), number, info)
    if signed(group) <= 0 or signed(tid) <= 0:
        return -EINVAL
    target = task.system.tasks.get(signed(tid))
    if target is None or target.group.pid != signed(group):
        return -ESRCH
    if not 0 <= number <= MOST:
        return -EINVAL
    if not may_signal(task, target, number):
        return -EPERM
    if number:
        send(target.group, entry, target)
    return 0


# --- stacks and the way back ---


@system_call("sigaltstack")
def sigaltstack(task: Task, new: int, old: int) -> int:
    """sigaltstack(2)."""
    layout = "<QiiQ" if task.abi.word == 8 else "<IiI"
    current = task.alternate
    in_use = current.holds(task.cpu.stack)
    replacement = None
    if new:
        fields = struct.unpack(layout, task.read(new, struct.calcsize(layout)))
        start, flags, size = fields[0], fields[1] & 0xFFFF_FFFF, fields[-1]
        if in_use:
            return -EPERM
        mode = flags & ~SS_AUTODISARM
        if mode not in (0, SS_ONSTACK, SS_DISABLE):
            return -EINVAL
        if mode == SS_DISABLE:
            replacement = AlternateStack()
        elif size < SMALLEST_STACK:
            return -ENOMEM
        else:
            replacement = AlternateStack(start, size, flags & SS_AUTODISARM)
    if old:
        task.write(old, frames.stack_words(task, SS_ONSTACK if in_use else 0))
    if replacement is not None:
        task.alternate = replacement
    return 0


def come_back(task: Task, pop: object) -> int:
    """Restore what a frame says; a bad one is SIGSEGV."""
    try:
        pop(task)  # type: ignore[operator]
    except PageFaultError as bad:
        if bad.error == -ENOMEM:
            task.system.out_of_memory(task, bad.address)
            return 0
        fault(task, Info(SIGSEGV, SI_KERNEL, address=0))
    task.system.registers_replaced = True
    return 0


@system_call("rt_sigreturn", stopped=True)
def rt_sigreturn(task: Task) -> int:
    """rt_sigreturn(2)."""
    return come_back(task, frames.pop_64)


@system_call("rt_sigreturn", only_32=True, stopped=True)
def rt_sigreturn_32(task: Task) -> int:
    """rt_sigreturn of 32-bit programs."""
    return come_back(task, frames.pop_32_rt)


@system_call("sigreturn", only_32=True, stopped=True)
def sigreturn(task: Task) -> int:
    """sigreturn of 32-bit programs."""
    return come_back(task, frames.pop_32)


