"""execve: another program in a process. Source: execve(2)."""

from __future__ import annotations

from errno import EINVAL, ENOMEM

from coalmm.errors import PageFaultError
from coalmm.linux.abi import signed
from coalmm.linux.calls.paths import start_of
from coalmm.linux.calls.robust import release_robust
from coalmm.linux.cpu.cpu import Cpu
from coalmm.linux.group import RLIMIT_STACK
from coalmm.linux.limits import put_limits
from coalmm.linux.programs.execute import Program, check_sizes, find_program, load_program, most_bytes
from coalmm.linux.registry import system_call
from coalmm.linux.signals.numbers import SIGCHLD, SIGKILL, SIGSEGV
from coalmm.linux.signals.state import AlternateStack
from coalmm.linux.system import program_name
from coalmm.linux.task import Task


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
    most = most_bytes(limit)
    arguments, environment = task.read_strings(argv, most), task.read_strings(environ, most)
    check_sizes(arguments, environment, limit)
    program = find_program(system.vfs, task.fs, path, arguments or [b""], task)
    try:
        cpu = find_cpu(task, program)
        if not renew(task):
            return -ENOMEM
        take_ids(task, program)
        put_limits(task.process, task.group, task.credentials.is_root)
        task.process.name = program_name(path)
        try:
            start = load_program(system, task.process, program, environment)
        except (OSError, PageFaultError) as error:
            system.note(f"{task.process.name} ({task.tid}): the program's image cannot be loaded: {error}")
            system.ending.end_group(task.group, SIGKILL if isinstance(error, OSError) else SIGSEGV)
            return 0
    finally:
        program.close()
    new_program(task)
    task.abi, task.cpu = cpu.abi, cpu
    system.begin(task, start, environment)
    system.registers_replaced = True
    system.enter(task)
    return 0


def find_cpu(task: Task, program: Program) -> Cpu:
    """The CPU for a program. ENOEXEC, with a line in the report, if the machine's page tables are not for it."""
    try:
        return task.system.cpu(program.image.abi)
    except OSError as error:
        path = program.path.decode(errors="replace")
        task.system.note(f"{task.process.name} ({task.tid}): {path} is not executed: {error.strerror}")
        raise


def take_ids(task: Task, program: Program) -> None:
    """The ids that a set-id program gives. Where coalmm is not run by root it gives none, as without new privileges."""
    found = program.file.node.attributes()
    mode = found.mode if task.system.credentials.is_root else 0
    task.credentials.execute(mode, found.uid, found.gid)


def renew(task: Task) -> bool:
    """A new address space and no other threads; False, with nothing changed, for no memory.

    A thread that is not the first one takes its place before; if memory is short then, the process ends.
    """
    processes = task.process.processes
    is_leader = task.tid == task.group.pid
    release_robust(task)

    def goes() -> None:
        task.system.ending.memory_goes(task)

    if is_leader and not processes.renew(task.tid, goes):
        return False
    leave_threads(task)
    if not is_leader and not processes.renew(task.tid, goes):
        task.system.note(f"{task.process.name} ({task.tid}): killed, no memory for a new program")
        task.system.ending.end_group(task.group, SIGKILL)
        return False
    return True


def leave_threads(task: Task) -> None:
    """The other threads of the process end; this one becomes its leader."""
    group = task.group
    for other in list(group.tasks):
        if other is not task:
            task.system.ending.end_task(other)
    task.system.ending.become_leader(task)
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
    if group.timers is not None:
        group.timers.delete_posix()
    group.actions = group.actions.copy()
    group.actions.reset()
    group.vfork_parent = None
    group.is_dumpable = not task.credentials.is_secure
    task.alternate = AlternateStack()
    task.descriptors = [0, 0, 0]
    task.clear_child_tid = task.robust_list = 0
