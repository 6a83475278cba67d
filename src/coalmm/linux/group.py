"""A thread group: what Linux calls signal_struct. One for each process, shared by its threads."""

from __future__ import annotations

from coalmm.linux.signals.state import Actions, Info, Queue
from coalmm.linux.vfs.file_table import MOST_OPEN_FILES, OPEN_FILES
from coalmm.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from coalmm.linux.task import Task
    from coalmm.linux.timers import ProcessTimers
    from coalmm.process.process import Process

RLIM_INFINITY = (1 << 64) - 1
RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_AS = 1, 2, 3, 4, 6, 7, 9


def first_limits() -> dict[int, tuple[int, int]]:
    """(soft, hard) of RLIMIT_*; what is not here is infinite."""
    return {
        RLIMIT_STACK: (8 << 20, RLIM_INFINITY),
        RLIMIT_CORE: (0, RLIM_INFINITY),
        RLIMIT_NOFILE: (OPEN_FILES, MOST_OPEN_FILES),
    }


class Faults(NamedTuple):
    """Page faults; the major ones had to read a file."""

    minor: int = 0
    major: int = 0

    def plus(self, other: Faults) -> Faults:
        """Both together."""
        return Faults(self.minor + other.minor, self.major + other.major)


def faults_of(process: Process) -> Faults:
    """Those that its address space has had."""
    counts = process.faults
    major = counts.get("read", 0)
    return Faults(sum(count for kind, count in counts.items() if kind not in ("read", "refused")) - major, major)


class ThreadGroup:
    """A process as its parent and its terminal know it. `pid` is the tid of its first thread."""

    def __init__(
        self, pid: int, parent: ThreadGroup | None, process_group: int, session: int, is_first: bool = False
    ) -> None:
        self.pid = pid
        self.parent = parent
        self.process_group = process_group
        self.session = session
        self.is_first = is_first
        self.actions = Actions()
        self.pending = Queue()
        self.tasks: list[Task] = []
        self.children: list[ThreadGroup] = []
        self.limits = first_limits()
        self.timers: ProcessTimers | None = None
        self.exit_signal = 17
        self.status: int | None = None  # as wait4 has it, when it has ended
        self.exiting: int | None = None  # the status that the threads which are left will end with
        self.is_stopped = False
        self.is_reaped = False
        self.report: tuple[str, int] | None = None  # ("stopped" | "continued", signal) for a parent that waits
        self.executable = b""
        self.arguments: list[bytes] = []
        self.environment: list[bytes] = []
        self.auxiliary: bytes = b""
        self.has_executed = False
        self.no_new_privileges = False
        self.is_dumpable = True  # others with its ids may look into it: PR_SET_DUMPABLE
        self.vfork_parent: Task | None = None
        self.user_time = self.system_time = self.children_time = 0.0  # seconds
        self.peak_rss = self.peak_virtual = 0  # bytes
        self.children_peak_rss = 0
        self.faults = Faults()  # of the address spaces that it has left
        self.children_faults = Faults()
        self.is_subreaper = False
        self.parent_death_signal = 0

    @property
    def leader(self) -> Task | None:
        """Its first living thread."""
        return self.tasks[0] if self.tasks else None

    def limit(self, number: int) -> tuple[int, int]:
        """(soft, hard) of one limit."""
        return self.limits.get(number, (RLIM_INFINITY, RLIM_INFINITY))

    @property
    def all_faults(self) -> Faults:
        """Those of all its address spaces."""
        return self.faults if self.leader is None else self.faults.plus(faults_of(self.leader.process))

    def send(self, info: Info) -> None:
        """A signal for whichever thread can take it; nothing for one that is ignored."""
        if self.status is None:
            self.pending.add(info)
