"""Timers of programs: interval timers, alarm(2), POSIX timers, timerfd. All times are nanoseconds on a timer's clock.

A timer that is set is among the armed ones of its system. The scheduler asks them when the next one goes off,
so that a slice or a sleep ends there, and has them fired after each slice.
"""

from __future__ import annotations

import time

from coalmm.linux.signals import deliver
from coalmm.linux.signals.numbers import SI_KERNEL, SI_TIMER, SIGALRM, SIGPROF, SIGVTALRM
from coalmm.linux.signals.state import Info
from coalmm.typed import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from coalmm.linux.group import ThreadGroup
    from coalmm.linux.system import System
    from coalmm.linux.task import Task

REAL, VIRTUAL, PROF = 0, 1, 2
MOST_OVERRUNS = (1 << 31) - 1
SECOND = 1_000_000_000
Clock = Callable[[], int]


class ArmedTimers:
    """The timers of one system that will go off. `on_new` is called when one is set: the slice may be too long now."""

    def __init__(self, on_new: Callable[[], object]) -> None:
        self.timers: set[Timer] = set()
        self.on_new = on_new

    def fire(self) -> None:
        """Do what the timers do that have gone off."""
        for timer in list(self.timers):
            timer.catch_up()

    def wait(self, running: ThreadGroup | None) -> float | None:
        """Seconds until the next one goes off, if `running` has the CPU until then; None: no timer is set."""
        left = [timer.wait() for timer in self.timers if timer.process is None or timer.process is running]
        return min(left, default=None)


class Timer:
    """`fire(count)` is called when it has gone off, `count` times since it was looked at last.

    `process` is whose processor time its clock counts; None for a clock that always goes on.
    """

    def __init__(
        self, armed: ArmedTimers, now: Clock, fire: Callable[[int], object], process: ThreadGroup | None = None
    ) -> None:
        self.armed = armed
        self.now = now
        self.fire = fire
        self.process = process
        self.deadline: int | None = None  # None: it is off
        self.interval = 0

    def set(self, value: int, interval: int, absolute: bool = False) -> None:
        """Go off in `value` (at that time if `absolute`; 0: never), and every `interval` after that (0: once)."""
        self.interval = interval
        self.deadline = None if value == 0 else value if absolute else self.now() + value
        self._arm()
        if self.deadline is not None:
            self.armed.on_new()

    def stop(self) -> None:
        """Go off no more."""
        self.set(0, 0)

    def _arm(self) -> None:
        if self.deadline is None:
            self.armed.timers.discard(self)
        else:
            self.armed.timers.add(self)

    def wait(self) -> float:
        """Seconds until it goes off, at least 0."""
        return 0.0 if self.deadline is None else max(self.deadline - self.now(), 0) / SECOND

    def left(self) -> int:
        """Until it goes off; 0 for one that is off, else at least 1."""
        return 0 if self.deadline is None else max(self.deadline - self.now(), 1)

    def catch_up(self) -> None:
        """Fire if it has gone off by now; then it is set again, or off."""
        count = self.advance()
        if count:
            self.fire(count)

    def advance(self) -> int:
        """How often it has gone off since this was asked last."""
        now = self.now()
        if self.deadline is None or now < self.deadline:
            return 0
        count = 1 + (now - self.deadline) // self.interval if self.interval else 1
        self.deadline = self.deadline + count * self.interval if self.interval else None
        self._arm()
        return count


class PosixTimer(Timer):
    """One of timer_create(2). `signal` 0: it tells nobody. `target`: the thread that the signal is for, or any."""

    def __init__(self, process: ThreadGroup, number: int, signal: int, value: int, target: Task | None) -> None:
        self.owner = process
        self.number = number
        self.signal = signal
        self.value = value
        self.target = target
        self.missed = 0  # since the signal was queued
        self.overrun = 0  # of the signal that was taken last

    def start(self, armed: ArmedTimers, now: Clock, process: ThreadGroup | None) -> PosixTimer:
        """Give it a clock."""
        super().__init__(armed, now, self.send, process)
        return self

    def send(self, count: int) -> None:
        """It has gone off: queue its signal, unless that still waits."""
        if not self.signal:
            return
        if self.is_queued():
            self.missed += count
            return
        self.missed = count - 1
        deliver.send(self.owner, Info(self.signal, SI_TIMER, value=self.value, timer=self), self.target)

    def is_queued(self) -> bool:
        """Whether its signal has not been taken yet."""
        queues = [self.owner.pending, *(task.pending for task in self.owner.tasks)]
        return any(entry.timer is self for queue in queues for entry in queue.entries)

    def taken(self) -> tuple[int, int]:
        """Its signal is taken now: what siginfo says of the timer, its number and its overruns."""
        self.overrun = min(self.missed + self.advance(), MOST_OVERRUNS)
        self.missed = 0
        return self.number, self.overrun


class ProcessTimers:
    """The three interval timers of a process, and its POSIX timers by number."""

    def __init__(self, system: System, process: ThreadGroup) -> None:
        spent = system.scheduler.spent

        def alarm(signal: int) -> Callable[[int], None]:
            return lambda count: deliver.send(process, Info(signal, SI_KERNEL))

        def used() -> int:
            return int(spent(process) * SECOND)

        self.interval = (
            Timer(system.timers, time.monotonic_ns, alarm(SIGALRM)),
            Timer(system.timers, used, alarm(SIGVTALRM), process),
            Timer(system.timers, used, alarm(SIGPROF), process),
        )
        self.posix: dict[int, PosixTimer] = {}
        self.next = 0

    def delete_posix(self) -> None:
        """execve: POSIX timers go."""
        for timer in self.posix.values():
            timer.stop()
        self.posix.clear()

    def stop(self) -> None:
        """The process has ended."""
        self.delete_posix()
        for timer in self.interval:
            timer.stop()


def timers_of(task: Task) -> ProcessTimers:
    """Those of a task's process, made when first asked for."""
    group = task.group
    if group.timers is None:
        group.timers = ProcessTimers(task.system, group)
    return group.timers
