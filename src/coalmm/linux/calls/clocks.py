"""Time: clocks and sleeping. Both ABIs have a form with 64-bit and one with 32-bit seconds."""

from __future__ import annotations

import struct
import time
from errno import EINVAL, EPERM

from coalmm.errors import PageFaultError
from coalmm.linux.abi import signed
from coalmm.linux.group import ThreadGroup
from coalmm.linux.registry import Blocked, system_call
from coalmm.linux.task import Task
from coalmm.linux.timers import Clock
from coalmm.typed import Callable

CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS, CLOCK_THREAD = 0, 1, 2, 3
WALL = (0, 5, 8, 11)  # realtime, its coarse form, its alarm, TAI
SINCE_BOOT = (1, 4, 6, 7, 9)
BILLION = 1_000_000_000
TIMER_ABSTIME = 1
OF_THREAD = 4  # in a clock's negative number: the pid is one thread's


def read_clock(task: Task, clock: int) -> int:
    """A clock in nanoseconds. OSError EINVAL for an unknown one."""
    number = signed(clock)
    if number in WALL:
        return time.time_ns()
    if number in SINCE_BOOT:
        return time.monotonic_ns()
    return int(task.system.scheduler.spent(processor_clock(task, number)) * BILLION)


def processor_clock(task: Task, number: int) -> Task | ThreadGroup:
    """Whose processor time a clock counts: this thread's or process's, or that of a pid (clock_getcpuclockid).

    OSError EINVAL for an unknown one.
    """
    if number >= 0:
        if number not in (CLOCK_PROCESS, CLOCK_THREAD):
            raise OSError(EINVAL, "no such clock")
        return task if number == CLOCK_THREAD else task.group
    pid = ~(number >> 3)
    if number & 3 == 3:
        raise OSError(EINVAL, "no such clock")
    if number & OF_THREAD:
        found = task if pid == 0 else task.system.tasks.get(pid)
        if found is None or found.group is not task.group:
            raise OSError(EINVAL, "no such thread")
        return found
    group = task.group if pid == 0 else task.system.groups.get(pid)
    if group is None:
        raise OSError(EINVAL, "no such process")
    return group


def clock_function(task: Task, clock: int) -> tuple[Clock, ThreadGroup | None]:
    """A clock as timers want it, in nanoseconds, and the process whose processor time it counts."""
    number = signed(clock)
    if number in WALL:
        return time.time_ns, None
    if number in SINCE_BOOT:
        return time.monotonic_ns, None
    who, spent = processor_clock(task, number), task.system.scheduler.spent
    return lambda: int(spent(who) * BILLION), who.group if isinstance(who, Task) else who


def put_timespec(task: Task, pointer: int, nanoseconds: int, wide: bool) -> None:
    """Write a struct timespec."""
    seconds, rest = divmod(nanoseconds, BILLION)
    task.write(pointer, struct.pack("<qq" if wide else "<ii", seconds, rest))


def get_timespec(task: Task, pointer: int, wide: bool) -> int:
    """Read one, in nanoseconds. OSError EINVAL for what is none."""
    seconds, rest = struct.unpack("<qq" if wide else "<ii", task.read(pointer, 16 if wide else 8))
    if not 0 <= rest < BILLION or seconds < 0:
        raise OSError(EINVAL, "not a time")
    return int(min(seconds, 1 << 40) * BILLION + rest)


def is_wide(task: Task) -> bool:
    """Whether the plain calls of an ABI have 64-bit seconds."""
    return task.abi.word == 8


@system_call("clock_gettime")
def clock_gettime(task: Task, clock: int, result: int) -> int:
    """clock_gettime(2)."""
    put_timespec(task, result, read_clock(task, clock), is_wide(task))
    return 0


@system_call("clock_gettime64", only_32=True)
def clock_gettime64(task: Task, clock: int, result: int) -> int:
    """clock_gettime64 of 32-bit programs."""
    put_timespec(task, result, read_clock(task, clock), True)
    return 0


@system_call("clock_getres")
def clock_getres(task: Task, clock: int, result: int) -> int:
    """clock_getres(2)."""
    read_clock(task, clock)
    if result:
        put_timespec(task, result, 1, is_wide(task))
    return 0


@system_call("clock_getres_time64", only_32=True)
def clock_getres_time64(task: Task, clock: int, result: int) -> int:
    """clock_getres with 64-bit seconds."""
    read_clock(task, clock)
    if result:
        put_timespec(task, result, 1, True)
    return 0


@system_call("clock_settime", "settimeofday", "clock_settime64", "stime", "adjtimex", "clock_adjtime")
def clock_settime(task: Task, clock: int) -> int:
    """Nobody sets the host's clock."""
    return -EPERM


@system_call("gettimeofday")
def gettimeofday(task: Task, result: int, zone: int) -> int:
    """gettimeofday(2)."""
    if result:
        seconds, rest = divmod(time.time_ns(), BILLION)
        task.write_words(result, seconds, rest // 1000)
    if zone:
        task.write(zone, bytes(8))
    return 0


@system_call("time")
def time_(task: Task, result: int) -> int:
    """time(2)."""
    now = int(time.time())
    if result:
        task.write_words(result, now)
    return now


# --- sleeping ---


def sleep_until(task: Task, deadline: float, stopped_by_signal: Callable[[], object] | None = None) -> int:
    """Wait until a time of the monotonic clock; 0 when it has come."""
    task.resume = deadline
    if time.monotonic() >= deadline:
        return 0
    raise Blocked(lambda: False, deadline, stopped_by_signal)


def sleep_for(task: Task, request: int, rest: int, wide: bool) -> int:
    """nanosleep: when a signal ends it, what is left is written."""
    if task.resume is None:
        task.resume = time.monotonic() + get_timespec(task, request, wide) / BILLION
    deadline = float(task.resume)

    def write_rest() -> None:
        try:
            put_timespec(task, rest, max(int((deadline - time.monotonic()) * BILLION), 0), wide)
        except PageFaultError:
            pass  # the call has its result already

    return sleep_until(task, deadline, write_rest if rest else None)


@system_call("nanosleep")
def nanosleep(task: Task, request: int, rest: int) -> int:
    """nanosleep(2)."""
    return sleep_for(task, request, rest, is_wide(task))


def clock_sleep(task: Task, clock: int, flags: int, request: int, rest: int, wide: bool) -> int:
    """clock_nanosleep of either width."""
    now = read_clock(task, clock)
    if not flags & TIMER_ABSTIME:
        return sleep_for(task, request, rest, wide)
    if task.resume is None:
        ahead = (get_timespec(task, request, wide) - now) / BILLION
        return sleep_until(task, time.monotonic() + ahead)
    return sleep_until(task, float(task.resume))


@system_call("clock_nanosleep")
def clock_nanosleep(task: Task, clock: int, flags: int, request: int, rest: int) -> int:
    """clock_nanosleep(2)."""
    return clock_sleep(task, clock, flags, request, rest, is_wide(task))


@system_call("clock_nanosleep_time64", only_32=True)
def clock_nanosleep_time64(task: Task, clock: int, flags: int, request: int, rest: int) -> int:
    """clock_nanosleep with 64-bit seconds."""
    return clock_sleep(task, clock, flags, request, rest, True)


@system_call("pause")
def pause(task: Task) -> int:
    """pause(2)."""
    raise Blocked(lambda: False)
