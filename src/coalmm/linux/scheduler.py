"""Which task runs next: round robin over those that can, a slice of time each.

A task that waits is asked, each time its turn comes, whether it can go on (`Wait.ready`), has run out of
time, or has a signal; then its call is made again. A slice ends
early when a timer goes off or a wait is over. When no task can run, the machine sleeps, longer and longer up to
a few milliseconds, or until the next of those.
"""

from __future__ import annotations

import time

from coalmm.linux.cpu import constants as reasons
from coalmm.linux.credentials import current
from coalmm.linux.signals.numbers import bit
from coalmm.linux.task import Task
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.group import ThreadGroup
    from coalmm.linux.system import System

ALONE, SHARED, SHORTEST = 100_000, 10_000, 100  # microseconds of a slice
SHORTEST_SLEEP, LONGEST_SLEEP = 50e-6, 5e-3


class Scheduler:
    """The tasks of one system, in the order of their turns."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.queue: list[Task] = []
        self.running: Task | None = None  # whose registers are in the CPU
        self.idle = 0.0
        self.started: float | None = None  # when the slice began, while one runs

    def add(self, task: Task) -> None:
        """A new task; its turn comes last."""
        self.queue.append(task)

    def remove(self, task: Task) -> None:
        """A task has ended."""
        self.queue.remove(task)
        if self.running is task:
            self.running = None

    def step(self, slice_limit: int = ALONE, deadline: float | None = None) -> bool:
        """Give the next task that can run a slice; wait for one, at most until `deadline`. False: all have ended."""
        sleep = SHORTEST_SLEEP
        while self.queue:
            for _ in range(len(self.queue)):
                task = self.queue.pop(0)
                self.queue.append(task)
                if self.can_run(task):
                    self.run(task, min(slice_limit, ALONE if len(self.queue) == 1 else SHARED))
                    return True
                if deadline is not None and time.monotonic() >= deadline:
                    return True
            if self.system.is_stopping or (deadline is not None and time.monotonic() >= deadline):
                return True
            self.sleep(sleep)
            sleep = min(sleep * 2, LONGEST_SLEEP)
            self.system.tick()
        return False

    def can_run(self, task: Task) -> bool:
        """Whether a task has something to do."""
        if task.is_stopped:
            return bool(task.deliverable & bit(9))
        wait = task.wait
        if wait is None or task.is_woken:
            return True
        if wait.deadline is not None and time.monotonic() >= wait.deadline:
            return True
        return bool(wait.ready())

    def sleep(self, seconds: float) -> None:
        """Nobody can run: wait for the host."""
        until = self.until_wake(None)
        if until is not None:
            seconds = min(seconds, until)
        started = time.monotonic()
        time.sleep(seconds)
        self.idle += time.monotonic() - started

    def until_wake(self, running: ThreadGroup | None) -> float | None:
        """Seconds until a timer goes off, or a task has waited long enough; None: nothing is set."""
        waits = [task.wait for task in self.queue if task.wait is not None and not task.is_stopped]
        deadlines = [wait.deadline for wait in waits if wait.deadline is not None]
        timer = self.system.timers.wait(running)
        if not deadlines:
            return timer
        first = max(min(deadlines) - time.monotonic(), 0.0)
        return first if timer is None else min(first, timer)

    def spent(self, who: Task | ThreadGroup) -> float:
        """Processor time of a thread or a process in seconds, the slice that runs included."""
        running = self.running
        if self.started is None or running is None or who not in (running, running.group):
            return who.user_time
        return who.user_time + time.perf_counter() - self.started

    def switch(self, task: Task) -> None:
        """Put a task's registers into the CPU, and its directory into CR3."""
        if self.running is not task:
            if self.running is not None:
                self.running.cpu.engine.save(self.running.context)
            task.cpu.activate()
            task.cpu.engine.restore(task.context)
            if task.abi.word == 4:
                task.cpu.set_descriptors(task.descriptors)
            self.running = task
        current.credentials, current.numbers = task.credentials, self.system.vfs.numbers
        self.system.enter(task)

    def run(self, task: Task, microseconds: int) -> None:
        """One turn of a task; an exception in the kernel ends its process, not the machine."""
        try:
            self.take_turn(task, microseconds)
        except Exception as error:
            if error is self.system.callback_error or task.is_dead:
                raise
            self.system.oops(task, "a fault or a signal", error)

    def take_turn(self, task: Task, microseconds: int) -> None:
        """A call that waited, signals, then instructions until the slice is over or the task stops."""
        self.switch(task)
        system = self.system
        if task.wait is not None and not self.finish_call(task):
            return
        system.delivery.deliver(task)
        if task.is_dead or task.is_stopped or system.is_late:
            return
        system.enter(task)
        until = self.until_wake(task.group)
        if until is not None:
            microseconds = min(microseconds, max(int(until * 1e6), SHORTEST))
        self.started = time.perf_counter()
        try:
            reason = task.cpu.engine.run(microseconds)
        finally:
            spent = time.perf_counter() - self.started
            self.started = None
            task.user_time += spent
            task.group.user_time += spent
        if task.is_dead:
            return
        if reason not in (reasons.TIME, reasons.STOPPED):
            system.trap(task, reason)
        system.tick()

    def finish_call(self, task: Task) -> bool:
        """Make a waiting call again; whether the task can go on to its program."""
        wait = task.wait
        assert wait is not None
        if task.is_woken and not wait.ready():
            before = task.wait
            self.system.delivery.deliver(task)
            return not (task.is_dead or task.is_stopped or task.wait is before)
        result = self.system.dispatcher.perform(task, wait.number, wait.arguments)
        if result is None:
            return not task.is_dead and task.wait is None
        self.system.finish(task, result)
        return True
