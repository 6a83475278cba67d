"""New processes and threads: fork, vfork, clone. Source: clone(2)."""

from __future__ import annotations

import struct
from errno import E2BIG, EAGAIN, EINVAL, EPERM

from coalmm.linux.credentials import ROOT
from coalmm.linux.group import RLIM_INFINITY, RLIMIT_NPROC, ThreadGroup
from coalmm.linux.registry import Blocked, system_call
from coalmm.linux.signals.numbers import SIGCHLD
from coalmm.linux.task import Task
from coalmm.linux.vfs.pidfd import PidFile
from coalmm.process.process import Process

CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND = 0x100, 0x200, 0x400, 0x800
CLONE_VFORK, CLONE_PARENT, CLONE_THREAD = 0x4000, 0x8000, 0x10000
CLONE_SETTLS, CLONE_PARENT_SETTID, CLONE_CHILD_CLEARTID = 0x80000, 0x100000, 0x200000
CLONE_CHILD_SETTID, CLONE_CLEAR_SIGHAND = 0x1000000, 1 << 32
NAMESPACES = 0x2C020000 | 0x50000000 | 0x80
CLONE_PIDFD, CLONE_DETACHED = 0x1000, 0x400000
USER_TOP = 1 << 47
MOST_DESCRIPTORS = 1 << 20  # of all processes, if each has as many as the one that forks: they are memory here
CLONE_ARGS_SIZES = (64, 80, 88)


def start_child(
    task: Task, flags: int, stack: int, tls: int, parent_tid: int, child_tid: int, exit_signal: int, pidfd_at: int = 0
) -> int:
    """The work of every form of clone; the tid of the new task. `pidfd_at` is where CLONE_PIDFD writes."""
    system = task.system
    if flags & CLONE_SIGHAND and not flags & CLONE_VM:
        return -EINVAL
    if flags & CLONE_THREAD and not flags & CLONE_SIGHAND:
        return -EINVAL
    if flags & NAMESPACES:
        return -EINVAL
    if flags & CLONE_CLEAR_SIGHAND and flags & CLONE_SIGHAND:
        return -EINVAL
    if len(system.tasks) >= system.most_processes or not may_have_more(task):
        return -EAGAIN
    if not flags & CLONE_FILES and len(task.files.slots) * len(system.groups) > MOST_DESCRIPTORS:
        return -EAGAIN
    descriptors = thread_areas(task, flags, tls)
    if flags & CLONE_PIDFD:
        task.write(pidfd_at, struct.pack("<i", task.files.free_fd()))
    processes = task.process.processes
    pid = processes.share(task.process.pid) if flags & CLONE_VM else processes.fork(task.process.pid)
    if pid < 0:
        return pid
    process = processes.find(pid)
    assert process is not None
    processes.adopt(pid, task.group.pid)
    child = make_task(task, process, flags)
    child.descriptors = descriptors
    child.group = task.group if flags & CLONE_THREAD else new_group(task, child, flags, exit_signal)
    task.cpu.engine.save(child.context)
    system.admit(child)
    if flags & CLONE_PIDFD:
        task.files.install(PidFile(child.group, 0, child if flags & CLONE_THREAD else None), close_on_exec=True)
    finish_child(task, child, flags, stack, tls)
    if flags & CLONE_PARENT_SETTID:
        system.tell(task, parent_tid, struct.pack("<I", child.tid))
    if flags & CLONE_CHILD_SETTID and not child.is_dead:
        system.tell(child, child_tid, struct.pack("<I", child.tid))
    if not task.is_dead:
        system.enter(task)
    if flags & CLONE_CHILD_CLEARTID:
        child.clear_child_tid = child_tid
    return child.tid


def may_have_more(task: Task) -> bool:
    """RLIMIT_NPROC: whether the user has less threads than the limit; root may have any number."""
    limit, user = task.group.limit(RLIMIT_NPROC)[0], task.credentials.user.real
    if limit == RLIM_INFINITY or user == ROOT or task.credentials.is_root:
        return True
    return sum(each.credentials.user.real == user for each in task.system.tasks.values()) < limit


def make_task(task: Task, process: Process, flags: int) -> Task:
    """A task like `task`, sharing what the flags say."""
    files = task.files.share() if flags & CLONE_FILES else task.files.fork_copy()
    child = Task(task.system, process, task.abi, files, task.fs if flags & CLONE_FS else task.fs.copy())
    child.cpu = task.cpu
    child.context, child.context_cpu = task.cpu.new_context(), task.cpu
    child.mask = task.mask
    if not flags & CLONE_VM or flags & CLONE_VFORK:
        child.alternate = task.alternate
    return child


def new_group(task: Task, child: Task, flags: int, exit_signal: int) -> ThreadGroup:
    """The group of a new process."""
    old = task.group
    parent = old.parent if flags & CLONE_PARENT else old
    group = ThreadGroup(child.tid, parent, old.process_group, old.session)
    group.actions = old.actions if flags & CLONE_SIGHAND else old.actions.copy()
    if flags & CLONE_CLEAR_SIGHAND:
        group.actions.reset()
    group.limits = dict(old.limits)
    group.no_new_privileges, group.is_dumpable = old.no_new_privileges, old.is_dumpable
    group.exit_signal = exit_signal
    group.executable, group.arguments = old.executable, old.arguments
    group.environment, group.auxiliary = old.environment, old.auxiliary
    if parent is not None:
        parent.children.append(group)
    return group


def finish_child(task: Task, child: Task, flags: int, stack: int, tls: int) -> None:
    """The registers in which a child differs: result 0, its stack, its thread area."""
    engine, abi = task.cpu.engine, task.abi
    engine.save(task.context)
    try:
        engine.restore(child.context)
        engine.put_result(0)
        if stack:
            task.cpu.put(abi.stack, stack)
        if flags & CLONE_SETTLS and abi.word == 8:
            task.cpu.put("fs_base", tls)
        engine.save(child.context)
    finally:
        engine.restore(task.context)
    if flags & CLONE_VFORK:
        child.group.vfork_parent = task


def thread_areas(task: Task, flags: int, tls: int) -> list[int]:
    """The descriptors of a child; CLONE_SETTLS names a base address or a struct user_desc. OSError, PageFaultError."""
    from coalmm.linux.calls.areas import with_area

    if not flags & CLONE_SETTLS:
        return list(task.descriptors)
    if task.abi.word == 4:
        return with_area(task, tls, choose=False)[1]
    if tls >= USER_TOP:
        raise OSError(EPERM, "no user address")
    return list(task.descriptors)


def vfork_wait(task: Task, pid: int) -> int:
    """The parent of a vfork goes on when the child has executed or ended."""
    group = task.system.groups.get(pid)
    if group is None or group.status is not None or group.vfork_parent is None:
        return pid
    task.resume = pid
    raise Blocked(lambda: group.vfork_parent is None or group.status is not None, interruptible=False)


def clone(task: Task, flags: int, stack: int, parent_tid: int, child_tid: int, tls: int) -> int:
    """clone(2) with its arguments in one order; the exit signal is in the low byte of `flags`."""
    if isinstance(task.resume, int):
        return vfork_wait(task, task.resume)
    if flags & CLONE_PIDFD and flags & (CLONE_PARENT_SETTID | CLONE_DETACHED):
        return -EINVAL  # it is written where the tid would be
    pid = start_child(task, flags & ~0xFF, stack, tls, parent_tid, child_tid, flags & 0xFF, parent_tid)
    return vfork_wait(task, pid) if pid > 0 and flags & CLONE_VFORK else pid


@system_call("clone", stopped=True)
def clone_64(task: Task, flags: int, stack: int, parent_tid: int, child_tid: int, tls: int) -> int:
    """clone(2) of 64-bit programs."""
    return clone(task, flags & 0xFFFF_FFFF, stack, parent_tid, child_tid, tls)


@system_call("clone", only_32=True, stopped=True)
def clone_32(task: Task, flags: int, stack: int, parent_tid: int, tls: int, child_tid: int) -> int:
    """clone(2) of 32-bit programs: two arguments change places."""
    return clone(task, flags, stack, parent_tid, child_tid, tls)


@system_call("clone3", stopped=True)
def clone3(task: Task, pointer: int, size: int) -> int:
    """clone3(2). No set_tid, no cgroup."""
    if isinstance(task.resume, int):
        return vfork_wait(task, task.resume)
    if size < CLONE_ARGS_SIZES[0]:
        return -EINVAL
    if size > 4096:
        return -E2BIG
    content = task.read(pointer, size)
    if any(content[CLONE_ARGS_SIZES[-1] :]):
        return -E2BIG
    words = struct.unpack("<11Q", content[: CLONE_ARGS_SIZES[-1]].ljust(CLONE_ARGS_SIZES[-1], b"\0"))
    flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, _, _ = words
    if flags & 0xFF or exit_signal > 64 or set_tid or flags & CLONE_DETACHED or flags >> 33:
        return -EINVAL
    if bool(stack) != bool(stack_size) or (flags & CLONE_THREAD and exit_signal):
        return -EINVAL
    pid = start_child(task, flags, stack + stack_size, tls, parent_tid, child_tid, exit_signal, pidfd)
    return vfork_wait(task, pid) if pid > 0 and flags & CLONE_VFORK else pid


@system_call("fork", stopped=True)
def fork(task: Task) -> int:
    """fork(2)."""
    return start_child(task, 0, 0, 0, 0, 0, SIGCHLD)


@system_call("vfork", stopped=True)
def vfork(task: Task) -> int:
    """vfork(2): the child has the parent's memory until it executes."""
    return clone(task, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0)
