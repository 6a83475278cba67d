"""The machine and its limits as programs ask for them: uname, sysinfo, limits, scheduling, random bytes."""

from __future__ import annotations

import struct
import time
from errno import EINVAL, ENOSYS, EPERM, ESRCH

from coalmm.linux.abi import signed
from coalmm.linux.calls.clocks import put_timespec
from coalmm.linux.group import RLIM_INFINITY, RLIMIT_NOFILE, ThreadGroup
from coalmm.linux.limits import put_limit
from coalmm.linux.registry import system_call
from coalmm.linux.task import Task

RELEASE, VERSION = b"6.1.0-coal", b"#1 SMP coalmm"
FIELD = 65
LIMITS = 16
PR_GET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER = 2, 36, 37
PR_SET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE, PR_SET_NAME, PR_GET_NAME = 1, 3, 4, 15, 16
PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_CAPBSET_READ = 38, 39, 23
NAME_SIZE = 16
CPU_SET_BYTES = 8


@system_call("uname")
def uname(task: Task, result: int) -> int:
    """uname(2)."""
    machine = b"x86_64" if task.abi.word == 8 else b"i686"
    fields = (b"Linux", task.system.hostname.encode(), RELEASE, VERSION, machine, b"(none)")
    task.write(result, b"".join(field[: FIELD - 1].ljust(FIELD, b"\0") for field in fields))
    return 0


@system_call("sethostname", "setdomainname")
def sethostname(task: Task) -> int:
    """Nobody may."""
    return -EPERM


@system_call("sysinfo")
def sysinfo(task: Task, result: int) -> int:
    """sysinfo(2)."""
    system = task.system
    frames = system.kernel.frames.statistics()
    words = [int(time.monotonic() - system.started), 0, 0, 0, frames.total << 12, frames.free << 12, 0, 0, 0, 0]
    content = task.abi.pack_words(*words) + struct.pack("<HH", min(len(system.tasks), 0xFFFF), 0)
    if task.abi.word == 8:
        content += bytes(4)
    content += task.abi.pack_words(0, 0) + struct.pack("<I", 1)
    task.write(result, content.ljust(112 if task.abi.word == 8 else 64, b"\0"))
    return 0


# --- limits ---


def set_limit(task: Task, group: ThreadGroup, number: int, soft: int, hard: int) -> int:
    """Change one limit of a process."""
    if soft > hard:
        return -EINVAL
    if hard > group.limit(number)[1] and not task.credentials.is_root:
        return -EPERM
    group.limits[number] = (soft, hard)
    if number == RLIMIT_NOFILE:
        for each in group.tasks:
            each.files.set_limit(min(soft, 1 << 20))
    for each in group.tasks:
        put_limit(each.process, number, soft, task.credentials.is_root)
    return 0


@system_call("prlimit64")
def prlimit64(task: Task, pid: int, number: int, new: int, old: int) -> int:
    """prlimit64(2)."""
    wanted = struct.unpack("<QQ", task.read(new, 16)) if new else None
    other = task if signed(pid) == 0 else task.system.tasks.get(signed(pid))
    if other is None:
        return -ESRCH
    group, is_root = other.group, task.credentials.is_root
    if other is not task and not is_root and not task.credentials.may_trace(other.credentials):
        return -EPERM
    if number & 0xFFFF_FFFF >= LIMITS:
        return -EINVAL
    before = group.limit(number)
    if wanted is not None:
        error = set_limit(task, group, number, *wanted)
        if error:
            return error
    if old:
        task.write(old, struct.pack("<QQ", *before))
    return 0


def cut(task: Task, value: int) -> int:
    """A limit as an unsigned long; what does not fit is infinite."""
    return min(value, task.abi.mask)


@system_call("getrlimit", "ugetrlimit")
def getrlimit(task: Task, number: int, result: int) -> int:
    """getrlimit(2)."""
    if number >= LIMITS:
        return -EINVAL
    soft, hard = task.group.limit(number)
    task.write_words(result, cut(task, soft), cut(task, hard))
    return 0


@system_call("setrlimit")
def setrlimit(task: Task, number: int, new: int) -> int:
    """setrlimit(2)."""
    if number >= LIMITS:
        return -EINVAL
    soft, hard = (RLIM_INFINITY if value == task.abi.mask else value for value in task.read_words(new, 2))
    return set_limit(task, task.group, number, soft, hard)


# --- scheduling ---


@system_call("sched_yield")
def sched_yield(task: Task) -> int:
    """sched_yield(2): the slice ends here."""
    task.system.give_way()
    return 0


@system_call("sched_getaffinity")
def sched_getaffinity(task: Task, pid: int, size: int, mask: int) -> int:
    """sched_getaffinity(2): one CPU."""
    if size < CPU_SET_BYTES or size & (task.abi.word - 1):
        return -EINVAL
    task.write(mask, (1).to_bytes(CPU_SET_BYTES, "little"))
    return CPU_SET_BYTES


@system_call("sched_setaffinity")
def sched_setaffinity(task: Task, pid: int, size: int, mask: int) -> int:
    """sched_setaffinity(2): it must have the one CPU."""
    return 0 if task.read(mask, min(max(size, 1), 128))[0] & 1 else -EINVAL


@system_call("getcpu")
def getcpu(task: Task, cpu: int, node: int) -> int:
    """getcpu(2)."""
    for pointer in (cpu, node):
        if pointer:
            task.write(pointer, bytes(4))
    return 0


@system_call("sched_getscheduler", "sched_get_priority_min")
def sched_getscheduler(task: Task, pid: int) -> int:
    """SCHED_OTHER."""
    return 0


@system_call("sched_get_priority_max")
def sched_get_priority_max(task: Task, policy: int) -> int:
    """99 for real-time policies."""
    return 99 if policy in (1, 2) else 0 if policy in (0, 3, 5) else -EINVAL


@system_call("sched_setscheduler", "sched_setparam", "sched_setattr")
def sched_setscheduler(task: Task, pid: int, policy: int) -> int:
    """Only what is there already."""
    return 0 if policy == 0 else -EPERM


@system_call("sched_getparam")
def sched_getparam(task: Task, pid: int, result: int) -> int:
    """sched_getparam(2)."""
    task.write(result, bytes(4))
    return 0


@system_call("sched_rr_get_interval")
def sched_rr_get_interval(task: Task, pid: int, result: int) -> int:
    """sched_rr_get_interval(2)."""
    put_timespec(task, result, 10_000_000, task.abi.word == 8)
    return 0


@system_call("getpriority")
def getpriority(task: Task, which: int, who: int) -> int:
    """getpriority(2): nice 0, which the call gives as 20."""
    return 20 if which <= 2 else -EINVAL


@system_call("setpriority", "nice", "ioprio_set")
def setpriority(task: Task) -> int:
    """Accepted; everybody has the same turns."""
    return 0


@system_call("ioprio_get")
def ioprio_get(task: Task) -> int:
    """No I/O priorities."""
    return 0


# --- the rest ---


@system_call("prctl")
def prctl(task: Task, option: int, first: int, second: int) -> int:
    """prctl(2): the process's name, and what can be accepted without doing anything."""
    number = signed(option)
    if number == PR_SET_NAME:
        task.process.name = task.read_string_cut(first, NAME_SIZE - 1).decode("utf-8", "replace")
        return 0
    if number == PR_GET_NAME:
        task.write(first, task.process.name.encode()[: NAME_SIZE - 1].ljust(NAME_SIZE, b"\0"))
        return 0
    if number == PR_SET_NO_NEW_PRIVS:
        task.group.no_new_privileges = True
        return 0 if first == 1 else -EINVAL
    if number == PR_GET_NO_NEW_PRIVS:
        return int(task.group.no_new_privileges)
    if number == PR_GET_DUMPABLE:
        return int(task.group.is_dumpable)
    if number == PR_SET_PDEATHSIG:
        if first > 64:
            return -EINVAL
        task.group.parent_death_signal = first
        return 0
    if number == PR_GET_PDEATHSIG:
        task.write(first, struct.pack("<i", task.group.parent_death_signal))
        return 0
    if number == PR_SET_CHILD_SUBREAPER:
        task.group.is_subreaper = first != 0
        return 0
    if number == PR_GET_CHILD_SUBREAPER:
        task.write(first, struct.pack("<i", task.group.is_subreaper))
        return 0
    if number == PR_SET_DUMPABLE:
        if first > 1:
            return -EINVAL
        task.group.is_dumpable = first == 1
        return 0
    if number == PR_CAPBSET_READ:
        return 0 if first <= 40 else -EINVAL
    return -EINVAL


@system_call("personality")
def personality(task: Task, persona: int) -> int:
    """personality(2): Linux, with no flags that change anything here."""
    return 0 if persona in (0xFFFF_FFFF, 0) or persona & 0xFF == 0 else -EINVAL


@system_call("getrandom")
def getrandom(task: Task, buffer: int, size: int, flags: int) -> int:
    """getrandom(2): from the run's own generator, so that runs can be repeated."""
    if flags & ~7 or flags & 6 == 6:
        return -EINVAL
    count = min(size, 1 << 20)
    task.write(buffer, task.system.random.randbytes(count))
    return count


@system_call("rseq")
def rseq(task: Task) -> int:
    """Restartable sequences are not there; libraries do without."""
    return -ENOSYS


@system_call("syslog")
def syslog(task: Task, kind: int, buffer: int, size: int) -> int:
    """The kernel's log is nobody's business."""
    return -EPERM


@system_call("ptrace")
def ptrace(task: Task) -> int:
    """No debugging from inside."""
    return -EPERM


@system_call("vhangup", "reboot", "swapon", "swapoff", "init_module", "delete_module", "kexec_load", "iopl", "ioperm")
def forbidden(task: Task) -> int:
    """What only root may, and nobody is."""
    return -EPERM

