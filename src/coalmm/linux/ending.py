"""How threads and processes end: memory and locks go, children get another parent, a zombie waits for its own."""

from __future__ import annotations

from coalmm.errors import PageFaultError
from coalmm.hardware.constants import FRAME_SHIFT
from coalmm.linux.group import ThreadGroup, faults_of
from coalmm.linux.signals import deliver
from coalmm.linux.signals.numbers import CLD_EXITED, CLD_KILLED, SIGCHLD
from coalmm.linux.signals.state import Info
from coalmm.linux.task import Task
from coalmm.typed import TYPE_CHECKING
from coalmm.virtual.constants import S_PEAK_RSS, S_REFERENCES

if TYPE_CHECKING:
    from coalmm.linux.system import System


class Ending:
    """The ends of one system's threads and processes."""

    def __init__(self, system: System) -> None:
        self.system = system

    def end_task(self, task: Task) -> None:
        """One thread ends: its memory goes if it was the last one that had it."""
        if task.is_dead:
            return
        task.is_dead = True
        wait, task.wait = task.wait, None
        if wait is not None and wait.why.stopped_by_signal is not None:
            wait.why.stopped_by_signal()
        is_last = self.is_last_user(task)
        if is_last:
            self.memory_goes(task)
        self.release_words(task, is_last)
        self.system.scheduler.remove(task)
        group = task.group
        group.tasks.remove(task)
        self.system.tasks.pop(task.tid, None)
        task.files.drop()
        group.vfork_parent = None
        processes = self.system.kernel.processes
        if task.tid != group.pid:
            task.process.exit(0)
            processes.reap(task.tid)
        if not group.tasks:
            processes.exit(group.pid, group.exiting or 0)  # its first thread's record is kept until then, as on Linux
            self.end_of_group(group)

    def is_last_user(self, task: Task) -> bool:
        """Whether no other task has a task's address space."""
        space = task.process.space
        if task.process.processes.spaces.get(space, S_REFERENCES) == 1:
            return True
        return not any(other.process.space == space for other in self.system.tasks.values() if other is not task)

    def memory_goes(self, task: Task) -> None:
        """An address space is about to go: tell who wants to look before."""
        peak = task.process.processes.spaces.get(task.process.space, S_PEAK_RSS)
        task.group.peak_rss = max(task.group.peak_rss, peak << FRAME_SHIFT)
        task.group.faults = task.group.faults.plus(faults_of(task.process))
        for listener in self.system.listeners:
            listener(task)

    def become_leader(self, task: Task) -> None:
        """The last thread of a process that executes a program takes the place of the first one."""
        process = self.system.kernel.processes.find(task.group.pid)
        if task.tid == task.group.pid or process is None:
            return
        self.system.tasks.pop(task.tid)
        task.process.exit(0)
        self.system.kernel.processes.reap(task.tid)
        task.process, task.tid = process, process.pid
        self.system.tasks[task.tid] = task

    def release_words(self, task: Task, is_last: bool) -> None:
        """Tell who waits for a lock that the thread held, or, if others have its memory, for the thread."""
        from coalmm.linux.calls.robust import release_robust

        release_robust(task)
        if task.clear_child_tid and not is_last:
            from coalmm.linux.calls.futex import wake

            self.system.tell(task, task.clear_child_tid, bytes(4))
            try:
                wake(task, task.clear_child_tid, 1)
            except (PageFaultError, OSError):
                pass  # nobody can wait there

    def end_group(self, group: ThreadGroup, status: int) -> None:
        """All threads of a process end. `status` is as wait4 has it."""
        if group.exiting is None:
            group.exiting = status
        for task in list(group.tasks):
            self.end_task(task)

    def end_of_group(self, group: ThreadGroup) -> None:
        """The last thread is gone: a zombie for the parent, or nothing."""
        status = group.exiting or 0
        group.status = status
        if group.timers is not None:
            group.timers.stop()
        if self.system.made_ipc is not None:
            from coalmm.linux.semaphores import process_ends

            process_ends(self.system, group)
        if group.session == group.pid and self.system.vfs.terminals:
            from coalmm.linux.vfs.terminal import session_ends

            session_ends(self.system, group.session)
        heir = self.heir(group)
        for child in list(group.children):
            self.leave_child(child, heir)
        group.children.clear()
        if group.parent is None:
            self.forget(group)
            return
        self.tell_of(group, status)

    def tell_of(self, group: ThreadGroup, status: int) -> None:
        """SIGCHLD for the parent of a process that has ended. `status` is as wait4 has it."""
        code = CLD_EXITED if status & 0x7F == 0 else CLD_KILLED
        deliver.tell_parent(group, code, status >> 8 if code == CLD_EXITED else status & 0x7F)

    def heir(self, group: ThreadGroup) -> ThreadGroup | None:
        """Who gets the children of a process that ends: an ancestor that asked for them, or nobody (init)."""
        ancestor = group.parent
        while ancestor is not None and not (ancestor.is_subreaper and ancestor.status is None):
            ancestor = ancestor.parent
        return ancestor

    def leave_child(self, child: ThreadGroup, heir: ThreadGroup | None) -> None:
        """The parent of a process has ended."""
        child.parent = heir
        if heir is not None:
            heir.children.append(child)
            child.exit_signal = SIGCHLD
            if child.status is not None:
                self.tell_of(child, child.status)
        elif child.status is not None:
            self.forget(child)
        if child.status is None and child.parent_death_signal:
            deliver.send(child, Info(child.parent_death_signal, 0, (0, self.system.credentials.user.real)))

    def reap(self, parent: ThreadGroup, child: ThreadGroup) -> None:
        """A zombie has been waited for."""
        parent.children.remove(child)
        parent.children_time += child.user_time + child.children_time
        parent.children_faults = parent.children_faults.plus(child.faults).plus(child.children_faults)
        parent.children_peak_rss = max(parent.children_peak_rss, child.peak_rss, child.children_peak_rss)
        self.forget(child)

    def forget(self, group: ThreadGroup) -> None:
        """Nothing is left of a process that has ended."""
        self.system.groups.pop(group.pid, None)
        group.is_reaped = True
        self.system.kernel.processes.reap(group.pid)
