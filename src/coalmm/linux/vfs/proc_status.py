"""/proc/PID/status, line for line as Linux 6.18 has it: names, ids, memory, signals. Source: proc_pid_status(5)."""

from __future__ import annotations

from coalmm.inspect.names import printable
from coalmm.inspect.proc import memory_lines
from coalmm.linux.signals.numbers import SIG_DFL, SIG_IGN, bit
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.group import ThreadGroup
    from coalmm.linux.task import Task

REST = (  # one CPU, one node; no capabilities are modelled
    *(f"Cap{name}:\t{0:016x}" for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")),
    "NoNewPrivs:\t0", "Seccomp:\t0", "Seccomp_filters:\t0",
    "Cpus_allowed:\t1", "Cpus_allowed_list:\t0", "Mems_allowed:\t1", "Mems_allowed_list:\t0",
    "voluntary_ctxt_switches:\t0", "nonvoluntary_ctxt_switches:\t0",
)  # fmt: skip


def status_text(group: ThreadGroup, task: Task | None) -> bytes:
    """The text of /proc/PID/status; a zombie has no memory and no signals."""
    if task is None:
        return f"Name:\tzombie\nState:\tZ (zombie)\nTgid:\t{group.pid}\nPid:\t{group.pid}\n".encode()
    memory = memory_lines(task.system.kernel, task.process)
    threads = ["CoreDumping:\t0", "THP_enabled:\t0", "untag_mask:\t0xffffffffffffffff", f"Threads:\t{len(group.tasks)}"]
    lines = [*identity(group, task), *memory.splitlines(), *threads, *signals(group, task), *REST]
    return ("\n".join(lines) + "\n").encode(errors="surrogateescape")


def identity(group: ThreadGroup, task: Task) -> list[str]:
    """Who it is."""
    state = "T (stopped)" if group.is_stopped else "S (sleeping)" if task.wait is not None else "R (running)"
    parent = group.parent.pid if group.parent is not None else 0
    who = task.credentials
    uid, gid = (f"{ids.real}\t{ids.effective}\t{ids.saved}\t{ids.file}" for ids in (who.user, who.group))
    return [
        f"Name:\t{printable(task.process.name)}", f"Umask:\t{task.fs.umask:04o}", f"State:\t{state}",
        f"Tgid:\t{group.pid}", "Ngid:\t0", f"Pid:\t{task.tid}", f"PPid:\t{parent}", "TracerPid:\t0",
        f"Uid:\t{uid}", f"Gid:\t{gid}", "FDSize:\t64", "Groups:\t ", f"NStgid:\t{group.pid}",
        f"NSpid:\t{task.tid}", f"NSpgid:\t{group.process_group}", f"NSsid:\t{group.session}", "Kthread:\t0",
    ]  # fmt: skip


def signals(group: ThreadGroup, task: Task) -> list[str]:
    """What is pending, blocked, ignored and caught, as masks."""
    handlers = {number: action.handler for number, action in group.actions.by_signal.items()}
    ignored = sum(bit(number) for number, handler in handlers.items() if handler == SIG_IGN)
    caught = sum(bit(number) for number, handler in handlers.items() if handler not in (SIG_IGN, SIG_DFL))
    masks = {
        "SigPnd": task.pending.mask, "ShdPnd": group.pending.mask, "SigBlk": task.mask, "SigIgn": ignored,
        "SigCgt": caught,
    }  # fmt: skip
    queued = len(task.pending.entries) + len(group.pending.entries)
    return [f"SigQ:\t{queued}/1024", *(f"{name}:\t{mask:016x}" for name, mask in masks.items())]
