"""What happens to a task before it goes back to its program: the signals that it can take."""

from __future__ import annotations

from errno import EINTR, ENOMEM

from coalmm.errors import PageFaultError
from coalmm.linux.signals.numbers import (
    CLD_CONTINUED,
    CLD_STOPPED,
    CORE,
    SA_NOCLDSTOP,
    SA_NODEFER,
    SA_RESETHAND,
    SA_RESTART,
    SI_KERNEL,
    SIG_DFL,
    SIG_IGN,
    SIGCHLD,
    SIGCONT,
    SIGKILL,
    SIGSEGV,
    SIGSTOP,
    STOPPING,
    bit,
)
from coalmm.linux.signals.state import Action, Info, blockable
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.group import ThreadGroup
    from coalmm.linux.system import System
    from coalmm.linux.task import Task, Wait

# Calls that are made again after a handler with SA_RESTART (signal(7)).
RESTARTED = frozenset(
    (
        *("read", "readv", "write", "writev", "open", "openat", "ioctl", "flock", "fcntl", "fcntl64", "splice"),
        *("wait4", "waitid", "waitpid", "futex", "getrandom"),
        *("accept", "accept4", "connect", "recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg", "sendmmsg"),
    )
)


def send(group: ThreadGroup, info: Info, task: Task | None = None) -> None:
    """A signal from somewhere to a process, or to one of its threads."""
    if group.status is not None:
        return
    if info.signal in STOPPING:
        group.pending.drop(bit(SIGCONT))
    elif info.signal in (SIGCONT, SIGKILL):
        group.pending.drop(sum(bit(signal) for signal in STOPPING))
        if group.is_stopped:
            group.is_stopped = False
            if info.signal == SIGCONT:
                group.report = ("continued", SIGCONT)
                tell_parent(group, CLD_CONTINUED, SIGCONT)
    blocked = all(each.mask & bit(info.signal) for each in group.tasks)
    if group.actions.ignores(info.signal) and not blocked and not waits_for(group, info.signal):
        return
    (task.pending if task is not None else group.pending).add(info)


def waits_for(group: ThreadGroup, signal: int) -> bool:
    """Whether a thread is in sigtimedwait for a signal."""
    return any(isinstance(task.resume, frozenset) and signal in task.resume for task in group.tasks)


def fault(task: Task, info: Info) -> None:
    """A signal that the task's own instruction causes: blocked or ignored, it kills."""
    action = task.group.actions.of(info.signal)
    if task.mask & bit(info.signal) or action.handler == SIG_IGN:
        task.group.actions.by_signal[info.signal] = Action()
        task.mask &= ~bit(info.signal)
    task.pending.add(info)


def tell_parent(group: ThreadGroup, code: int, status: int) -> None:
    """SIGCHLD for the parent of a process that ended, stopped or went on."""
    parent = group.parent
    if parent is None or parent.status is not None:
        return
    if code in (CLD_STOPPED, CLD_CONTINUED) and parent.actions.of(SIGCHLD).flags & SA_NOCLDSTOP:
        return
    signal = group.exit_signal or 0
    if signal:
        send(parent, Info(signal, code, (group.pid, 0, status, 0, 0)))


def is_orphaned(group: ThreadGroup) -> bool:
    """Whether nobody outside a process group, in its session, could continue it: terminals do not stop it then."""
    members = [each for each in task_groups(group) if each.process_group == group.process_group]
    return not any(
        each.is_first or (
            each.parent is not None
            and each.parent.process_group != group.process_group
            and each.parent.session == group.session
        )
        for each in members
    )


def task_groups(group: ThreadGroup) -> list[ThreadGroup]:
    """All living processes of the system that a process belongs to."""
    return [each for each in group.tasks[0].system.groups.values() if each.status is None]


def restarts(name: str, wait: Wait) -> bool:
    """Whether a call is made again; a futex with a timeout is not."""
    return wait.why.restarts and name in RESTARTED and not (name.startswith("futex") and wait.arguments[3])


class Delivery:
    """Takes signals for the running task of one system."""

    def __init__(self, system: System) -> None:
        self.system = system

    def deliver(self, task: Task) -> None:
        """Take every signal that the task can take now: handlers are set up, defaults are done."""
        while not task.is_dead and not task.is_stopped:
            info = self.take(task)
            if info is None:
                return
            action = task.group.actions.of(info.signal)
            if action.handler == SIG_IGN:
                continue
            if action.handler == SIG_DFL:
                self.default(task, info)
            else:
                self.handle(task, info, action)

    def take(self, task: Task) -> Info | None:
        """The next signal of a task, its own ones first."""
        allowed = ~task.mask
        return task.pending.take(allowed) or task.group.pending.take(allowed)

    def default(self, task: Task, info: Info) -> None:
        """What happens without a handler."""
        signal = info.signal
        if task.group.actions.ignores(signal):
            return
        if signal in STOPPING:
            if signal != SIGSTOP and is_orphaned(task.group):
                return
            task.group.is_stopped = True
            task.group.report = ("stopped", signal)
            tell_parent(task.group, CLD_STOPPED, signal)
            return
        if signal in CORE:
            self.system.note_crash(task, info)
        self.system.ending.end_group(task.group, signal)

    def handle(self, task: Task, info: Info, action: Action) -> None:
        """Set up a frame, and the registers at the start of the handler."""
        if task.wait is not None:
            self.interrupt_call(task, action)
        mask = task.mask if task.saved_mask is None else task.saved_mask
        try:
            from coalmm.linux.signals import frames

            frames.push(task, info, action, mask, *task.trap)
        except PageFaultError as bad:
            if bad.error == -ENOMEM:
                self.system.out_of_memory(task, bad.address)
            else:
                self.no_stack(task, info)
            return
        task.saved_mask = None
        task.mask = blockable(task.mask | action.mask | (0 if action.flags & SA_NODEFER else bit(info.signal)))
        if action.flags & SA_RESETHAND:
            task.group.actions.by_signal[info.signal] = action._replace(handler=SIG_DFL)

    def no_stack(self, task: Task, info: Info) -> None:
        """There is nothing where a frame would go: SIGSEGV, for which there is no handler then."""
        task.group.actions.by_signal[SIGSEGV] = Action()
        task.mask &= ~bit(SIGSEGV)
        if info.signal == SIGSEGV:
            self.default(task, info)
        else:
            task.pending.add(Info(SIGSEGV, SI_KERNEL, address=0))

    def interrupt_call(self, task: Task, action: Action) -> None:
        """End the call that a task waits in: with -EINTR, or so that it is made again after the handler."""
        wait = task.wait
        assert wait is not None
        dispatcher = self.system.dispatcher
        result = dispatcher.interrupted(task)
        if result == -EINTR and action.flags & SA_RESTART and restarts(dispatcher.name(task.abi, wait.number), wait):
            task.cpu.put(task.abi.number, wait.number)
            task.cpu.put(task.abi.instruction, task.cpu.instruction - 2)
        else:
            task.cpu.put(task.abi.number, result)
