"""A thread group: what Linux calls signal_struct. One for each process, shared by its threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coalmm.linux.signals.state import Actions, Info, Queue
from coalmm.linux.timers import Timers

if TYPE_CHECKING:
    from coalmm.linux.task import Task

RLIM_INFINITY = (1 << 64) - 1
RLIMIT_STACK, RLIMIT_CORE, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_AS, RLIMIT_DATA = 3, 4, 6, 7, 9, 2


def first_limits() -> dict[int, tuple[int, int]]:
    """(soft, hard) of RLIMIT_*; what is not here is infinite."""
    return {
        RLIMIT_STACK: (8 << 20, RLIM_INFINITY),
        RLIMIT_CORE: (0, RLIM_INFINITY),
        RLIMIT_NOFILE: (1024, 4096),
    }


@dataclass(eq=False)
class ThreadGroup:
    """A process as its parent and its terminal know it. `pid` is the tid of its first thread."""

    pid: int
    parent: ThreadGroup | None
    process_group: int
    session: int
    actions: Actions = field(default_factory=Actions)
    pending: Queue = field(default_factory=Queue)
    tasks: list[Task] = field(default_factory=list)
    children: list[ThreadGroup] = field(default_factory=list)
    limits: dict[int, tuple[int, int]] = field(default_factory=first_limits)
    timers: Timers = field(default_factory=Timers)
    exit_signal: int = 17
    status: int | None = None  # as wait4 has it, when it has ended
    exiting: int | None = None  # the status that the threads which are left will end with
    is_stopped: bool = False
    report: tuple[str, int] | None = None  # ("stopped" | "continued", signal) for a parent that waits
    executable: bytes = b""
    arguments: list[bytes] = field(default_factory=list)
    environment: list[bytes] = field(default_factory=list)
    auxiliary: bytes = b""
    has_executed: bool = False
    is_first: bool = False
    no_new_privileges: bool = False
    vfork_parent: Task | None = None
    user_time: float = 0.0
    system_time: float = 0.0
    children_time: float = 0.0
    peak_rss: int = 0
    children_peak_rss: int = 0
    is_subreaper: bool = False
    parent_death_signal: int = 0
    peak_virtual: int = 0

    @property
    def leader(self) -> Task | None:
        """Its first living thread."""
        return self.tasks[0] if self.tasks else None

    def limit(self, number: int) -> tuple[int, int]:
        """(soft, hard) of one limit."""
        return self.limits.get(number, (RLIM_INFINITY, RLIM_INFINITY))

    def send(self, info: Info) -> None:
        """A signal for whichever thread can take it; nothing for one that is ignored."""
        if self.status is None:
            self.pending.add(info)
