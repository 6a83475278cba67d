"""The texts of /proc/PID. Memory's are `coalmm.inspect`'s. Source: proc(5)."""

from __future__ import annotations

from coalmm.inspect.proc import maps_text, stat_addresses, statm_text
from coalmm.inspect.smaps import smaps_rollup_text, smaps_text
from coalmm.linux.vfs.proc_status import status_text
from coalmm.typed import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from coalmm.linux.group import ThreadGroup
    from coalmm.linux.task import Task
    from coalmm.linux.vfs.open_file import OpenFile

Text = Callable[["ThreadGroup", "Task | None"], bytes]
TICKS = 100  # USER_HZ
INFINITY = (1 << 64) - 1
RLIMIT_RSS = 5
ADDRESSES = (  # the fields of stat that are addresses, in its order
    "startcode", "endcode", "startstack", "start_data", "end_data", "start_brk", "arg_start", "arg_end", "env_start",
    "env_end",
)  # fmt: skip
LIMITS = (
    ("Max cpu time", "seconds"), ("Max file size", "bytes"), ("Max data size", "bytes"), ("Max stack size", "bytes"),
    ("Max core file size", "bytes"), ("Max resident set", "bytes"), ("Max processes", "processes"),
    ("Max open files", "files"), ("Max locked memory", "bytes"), ("Max address space", "bytes"),
    ("Max file locks", "locks"), ("Max pending signals", "signals"), ("Max msgqueue size", "bytes"),
    ("Max nice priority", ""), ("Max realtime priority", ""), ("Max realtime timeout", "us"),
)  # fmt: skip
MOUNTS = (("/", "ext4", "rw,relatime"), ("/proc", "proc", "rw"), ("/sys", "sysfs", "ro"), ("/dev", "tmpfs", "rw"))


def of_memory(make: Callable[..., str], *, machine: bool = True) -> Text:
    """A text of `coalmm.inspect`; empty for a zombie."""

    def text(group: ThreadGroup, task: Task | None) -> bytes:
        if task is None:
            return b""
        arguments = (task.system.kernel, task.process) if machine else (task.process,)
        return make(*arguments).encode(errors="surrogateescape")

    return text


def terminal_of(task: Task | None) -> tuple[int, int]:
    """The number of a task's controlling terminal, and the process group in its foreground."""
    terminals = list(task.system.vfs.terminals.values()) if task is not None else []
    found = [(each.number, each.foreground) for each in terminals if task is not None and each.is_of(task)]
    return found[0] if found else (0, -1)


def stat_text(group: ThreadGroup, task: Task | None) -> bytes:
    """/proc/PID/stat: the 52 fields of proc(5), in order."""
    name = task.process.name if task is not None else "zombie"
    state = "Z" if task is None else "T" if group.is_stopped else "S" if task.wait is not None else "R"
    parent = group.parent.pid if group.parent is not None else 0
    terminal, foreground = terminal_of(task)
    usage = task.process.usage if task is not None else None
    where = stat_addresses(task.process) if task is not None else dict.fromkeys(ADDRESSES, 0)
    minor, major = group.all_faults
    children_minor, children_major = group.children_faults
    numbers = [
        parent, group.process_group, group.session, terminal, foreground, 0x400000,
        minor, children_minor, major, children_major,
        int(group.user_time * TICKS), int(group.system_time * TICKS), int(group.children_time * TICKS), 0,
        20, 0, len(group.tasks), 0, 0, usage.virt if usage else 0, usage.rss >> 12 if usage else 0,
        group.limit(RLIMIT_RSS)[0], where["startcode"], where["endcode"], where["startstack"], 0, 0, 0, 0, 0, 0, 0,
        0, 0, group.exit_signal, 0, 0, 0, 0, 0, 0, *(where[field] for field in ADDRESSES[3:]), 0,
    ]  # fmt: skip
    return f"{group.pid} ({name}) {state} {' '.join(map(str, numbers))}\n".encode(errors="surrogateescape")


def strings(values: list[bytes]) -> bytes:
    """Each with its NUL."""
    return b"".join(value + b"\0" for value in values)


def limits_text(group: ThreadGroup, task: Task | None) -> bytes:
    """/proc/PID/limits."""
    lines = [f"{'Limit':<25} {'Soft Limit':<20} {'Hard Limit':<20} {'Units':<10}"]
    for number, (name, unit) in enumerate(LIMITS):
        soft, hard = ("unlimited" if value >= INFINITY else str(value) for value in group.limit(number))
        lines.append(f"{name:<25} {soft:<20} {hard:<20} {unit:<10}")
    return ("\n".join(lines) + "\n").encode()


def mounts_text(group: ThreadGroup, task: Task | None) -> bytes:
    """/proc/PID/mounts."""
    return "".join(
        f"{kind if where != '/' else 'overlay'} {where} {kind} {how} 0 0\n" for where, kind, how in MOUNTS
    ).encode()


def mountinfo_text(group: ThreadGroup, task: Task | None) -> bytes:
    """/proc/PID/mountinfo."""
    lines = [
        f"{20 + index} {19 if not index else 20} 0:{20 + index} / {where} {how} - {kind} {kind} {how}\n"
        for index, (where, kind, how) in enumerate(MOUNTS)
    ]
    return "".join(lines).encode()


def descriptor_text(file: OpenFile) -> bytes:
    """/proc/PID/fdinfo/N."""
    text = f"pos:\t{file.offset}\nflags:\t0{file.flags:o}\nmnt_id:\t20\nino:\t{file.attributes().ino}\n"
    return (text + file.details()).encode()


def name_text(group: ThreadGroup, task: Task | None) -> bytes:
    """/proc/PID/comm."""
    return (task.process.name if task is not None else "").encode(errors="surrogateescape") + b"\n"


def store_name(task: Task, data: bytes) -> None:
    """Writing to comm renames the thread."""
    task.process.name = data.rstrip(b"\n")[:15].decode(errors="replace")


def store_nothing(task: Task, data: bytes) -> None:
    """Accepted, and without effect: nothing is killed by score."""


TASK_TEXTS: dict[bytes, Text] = {
    b"maps": of_memory(maps_text),
    b"smaps": of_memory(smaps_text),
    b"smaps_rollup": of_memory(smaps_rollup_text),
    b"status": status_text,
    b"statm": of_memory(statm_text, machine=False),
    b"stat": stat_text,
    b"comm": name_text,
    b"cmdline": lambda group, task: strings(group.arguments) if task is not None else b"",
    b"environ": lambda group, task: strings(group.environment) if task is not None else b"",
    b"auxv": lambda group, task: group.auxiliary,
    b"limits": limits_text,
    b"mounts": mounts_text,
    b"mountinfo": mountinfo_text,
    b"cgroup": lambda group, task: b"0::/\n",
    b"oom_score": lambda group, task: b"0\n",
    b"oom_score_adj": lambda group, task: b"0\n",
    b"loginuid": lambda group, task: b"4294967295",
    b"personality": lambda group, task: b"00000000\n",
    b"wchan": lambda group, task: b"0",
}
WRITERS: dict[bytes, Callable[[Task, bytes], None]] = {b"comm": store_name, b"oom_score_adj": store_nothing}
