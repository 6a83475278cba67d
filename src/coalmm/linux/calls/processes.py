"""Processes and threads: fork, clone, execve, exit, wait. Sources: the pages of man 2, clone(2) above all."""

from __future__ import annotations

import struct
from errno import E2BIG, EAGAIN, ECHILD, EINVAL, ENOMEM

from coalmm.errors import PageFaultError
from coalmm.linux.abi import signed
from coalmm.linux.calls.futex import release_robust
from coalmm.linux.calls.paths import start_of
from coalmm.linux.group import RLIMIT_NPROC, RLIMIT_STACK, ThreadGroup
from coalmm.linux.limits import put_limits
from coalmm.linux.programs.execute import check_sizes, find_program, load_program
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
    SIGKILL,
    SIGSEGV,
)
from coalmm.linux.signals.state import AlternateStack, Info
from coalmm.linux.system import program_name
from coalmm.linux.task import Task
from coalmm.process.process import Process

CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND = 0x100, 0x200, 0x400, 0x800
CLONE_VFORK, CLONE_PARENT, CLONE_THREAD = 0x4000, 0x8000, 0x10000
CLONE_SETTLS, CLONE_PARENT_SETTID, CLONE_CHILD_CLEARTID = 0x80000, 0x100000, 0x200000
CLONE_CHILD_SETTID, CLONE_CLEAR_SIGHAND = 0x1000000, 1 << 32
NAMESPACES = 0x2C020000 | 0x50000000 | 0x80
WNOHANG, WUNTRACED, WEXITED, WCONTINUED, WNOWAIT = 1, 2, 4, 8, 0x01000000
WNOTHREAD, WALL, WCLONE = 1 << 29, 1 << 30, 1 << 31
WAIT_EXTRA = WNOTHREAD | WALL | WCLONE  # the first makes no difference here
P_ALL, P_PID, P_PGID = 0, 1, 2
CLONE_ARGS_SIZES = (64, 80, 88)


# --- fork and clone ---


def start_child(
    task: Task, flags: int, stack: int, tls: int, parent_tid: int, child_tid: int, exit_signal: int
) -> int:
    """The work of every form of clone; the tid of the new task."""
    system = task.system
    if flags & CLONE_SIGHAND and not flags & CLONE_VM:
        return -EINVAL
    if flags & CLONE_THREAD and not flags & CLONE_SIGHAND:
        return -EINVAL
    if flags & NAMESPACES:
        return -EINVAL
    if flags & CLONE_CLEAR_SIGHAND and flags & CLONE_SIGHAND:
        return -EINVAL
    limit = min(system.most_processes, task.group.limit(RLIMIT_NPROC)[0])
    if len(system.tasks) >= limit:
        return -EAGAIN
    processes = task.process.processes
    pid = processes.share(task.process.pid) if flags & CLONE_VM else processes.fork(task.process.pid)
    if pid < 0:
        return pid
    process = processes.find(pid)
    assert process is not None
    processes.adopt(pid, task.group.pid)
    child = make_task(task, process, flags)
    child.group = task.group if flags & CLONE_THREAD else new_group(task, child, flags, exit_signal)
    task.cpu.engine.save(child.context)
    system.admit(child)
    finish_child(task, child, flags, stack, tls)
    try:
        if flags & CLONE_PARENT_SETTID:
            task.write(parent_tid, struct.pack("<I", child.tid))
        if flags & CLONE_CHILD_SETTID:
            child.write(child_tid, struct.pack("<I", child.tid))
    except PageFaultError:
        pass  # Linux ignores it too
    finally:
        system.enter(task)
    if flags & CLONE_CHILD_CLEARTID:
        child.clear_child_tid = child_tid
    return child.tid


def make_task(task: Task, process: Process, flags: int) -> Task:
    """A task like `task`, sharing what the flags say."""
    files = task.files.share() if flags & CLONE_FILES else task.files.fork_copy()
    child = Task(task.system, process, task.abi, files, task.fs if flags & CLONE_FS else task.fs.copy())
    child.cpu = task.cpu
    child.context, child.context_cpu = task.cpu.new_context(), task.cpu
    child.mask = task.mask
    child.descriptors = list(task.descriptors)
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
        if flags & CLONE_SETTLS:
            if abi.word == 8:
                task.cpu.put("fs_base", tls)
            else:
                set_area(child, tls)
        engine.save(child.context)
    finally:
        engine.restore(task.context)
    if flags & CLONE_VFORK:
        child.group.vfork_parent = task


def set_area(child: Task, pointer: int) -> None:
    """CLONE_SETTLS of a 32-bit program: a struct user_desc."""
    from coalmm.linux.calls.areas import install_area

    install_area(child, pointer)


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
    pid = start_child(task, flags & ~0xFF, stack, tls, parent_tid, child_tid, flags & 0xFF)
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
    """clone3(2). No pidfd, no set_tid, no cgroup."""
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
    flags, _, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, _, _ = words
    if flags & 0xFF or exit_signal > 64 or set_tid or flags & 0x1000 or flags >> 33:
        return -EINVAL
    if bool(stack) != bool(stack_size) or (flags & CLONE_THREAD and exit_signal):
        return -EINVAL
    pid = start_child(task, flags, stack + stack_size, tls, parent_tid, child_tid, exit_signal)
    return vfork_wait(task, pid) if pid > 0 and flags & CLONE_VFORK else pid


@system_call("fork", stopped=True)
def fork(task: Task) -> int:
    """fork(2)."""
    return start_child(task, 0, 0, 0, 0, 0, SIGCHLD)


@system_call("vfork", stopped=True)
def vfork(task: Task) -> int:
    """vfork(2): the child has the parent's memory until it executes."""
    return clone(task, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0)


# --- execve ---


@system_call("execve", stopped=True)
def execve(task: Task, path: int, argv: int, environ: int) -> int:
    """execve(2)."""
    return execute(task, task.read_path(path), argv, environ)


@system_call("execveat", stopped=True)
def execveat(task: Task, directory: int, path: int, argv: int, environ: int, flags: int) -> int:
    """execveat(2)."""
    name = task.read_path(path)
    if flags & ~0x1100:
        return -EINVAL
    if not name and flags & 0x1000:
        name = task.files.get(directory).path
    elif not name.startswith(b"/") and signed(directory) != -100:
        start = start_of(task, directory, name)
        assert start is not None
        name = start.path.rstrip(b"/") + b"/" + name
    return execute(task, name, argv, environ)


def execute(task: Task, path: bytes, argv: int, environ: int) -> int:
    """Find the program first; then there is no way back, and a failure ends the process."""
    system = task.system
    limit = task.group.limit(RLIMIT_STACK)[0]
    most = max(min(limit, 1 << 32) // 4, 128 << 10)
    arguments, environment = task.read_strings(argv, most), task.read_strings(environ, most)
    check_sizes(arguments, environment, min(limit, 1 << 32))
    program = find_program(system.vfs, task.fs, path, arguments or [b""], task)
    try:
        cpu = system.cpu(program.image.abi)
        if not renew(task):
            return -ENOMEM
        put_limits(task.process, task.group, system.uid == 0)
        task.process.name = program_name(path)
        try:
            start = load_program(system, task.process, program, environment)
        except (OSError, PageFaultError) as error:
            system.crashes.append(f"{task.process.name} ({task.tid}): the program's image cannot be loaded: {error}")
            system.end_group(task.group, SIGKILL if isinstance(error, OSError) else SIGSEGV)
            return 0
    finally:
        program.close()
    new_program(task)
    task.abi, task.cpu = cpu.abi, cpu
    system.begin(task, start, environment)
    system.registers_replaced = True
    system.enter(task)
    return 0


def renew(task: Task) -> bool:
    """A new address space and no other threads; False, with nothing changed, for no memory.

    A thread that is not the first one takes its place before; if memory is short then, the process ends.
    """
    processes = task.process.processes
    is_leader = task.tid == task.group.pid
    release_robust(task)

    def goes() -> None:
        task.system.memory_goes(task)

    if is_leader and not processes.renew(task.tid, goes):
        return False
    leave_threads(task)
    if not is_leader and not processes.renew(task.tid, goes):
        task.system.crashes.append(f"{task.process.name} ({task.tid}): killed, no memory for a new program")
        task.system.end_group(task.group, SIGKILL)
        return False
    return True


def leave_threads(task: Task) -> None:
    """The other threads of the process end; this one becomes its leader."""
    group = task.group
    for other in list(group.tasks):
        if other is not task:
            task.system.end_task(other)
    task.system.become_leader(task)
    if group.exit_signal == 0:
        group.exit_signal = SIGCHLD


def new_program(task: Task) -> None:
    """What a new program does not inherit."""
    if task.files.users > 1:
        copy = task.files.fork_copy()
        task.files.drop()
        task.files = copy
    task.files.close_on_exec()
    group = task.group
    group.actions = group.actions.copy()
    group.actions.reset()
    group.vfork_parent = None
    task.alternate = AlternateStack()
    task.descriptors = [0, 0, 0]
    task.clear_child_tid = task.robust_list = 0


# --- exit ---


@system_call("exit")
def exit_thread(task: Task, status: int) -> int:
    """exit(2): one thread."""
    if len(task.group.tasks) == 1:
        return exit_group(task, status)
    task.system.end_task(task)
    return 0


@system_call("exit_group")
def exit_group(task: Task, status: int) -> int:
    """exit_group(2): all threads of the process."""
    task.system.end_group(task.group, (status & 0xFF) << 8)
    return 0


# --- wait ---


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
            task.system.reap(group, child)
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
            task.system.reap(group, child)
    return found


def any_ended(children: list[ThreadGroup]) -> bool:
    """Whether one of them has ended."""
    return any(child.status is not None for child in children)


def usage_bytes(task: Task, child: ThreadGroup) -> bytes:
    """struct rusage of a child."""
    user = child.user_time + child.children_time
    times = (int(user), int(user % 1 * 1e6), 0, 0)
    return task.abi.pack_words(*times, child.peak_rss >> 10, *([0] * 13))


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
        task.write(usage, usage_bytes(task, child))
    return child.pid


@system_call("waitpid")
def waitpid(task: Task, pid: int, status: int, options: int) -> int:
    """waitpid of 32-bit programs."""
    return wait4(task, pid, status, options, 0)


@system_call("waitid")
def waitid(task: Task, kind: int, number: int, info: int, options: int, usage: int) -> int:
    """waitid(2), without pidfds."""
    known = WNOHANG | WUNTRACED | WEXITED | WCONTINUED | WNOWAIT | WAIT_EXTRA
    if options & ~known or not options & (WUNTRACED | WEXITED | WCONTINUED) or kind > P_PGID:
        return -EINVAL
    found = wait_for(task, kind, signed(number), options)
    if found is None:
        if info:
            task.write(info, bytes(128))
        return 0
    child, code, value = found
    if info:
        task.write(info, Info(SIGCHLD, code, (child.pid, 0, value, 0, 0)).pack(task.abi))
    if usage:
        task.write(usage, usage_bytes(task, child))
    return 0
