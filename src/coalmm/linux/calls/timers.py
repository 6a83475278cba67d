"""Timers that send signals: setitimer, alarm, timer_create. Source: setitimer(2), alarm(2), timer_create(2)."""

from __future__ import annotations

import struct
from errno import EAGAIN, EINVAL, EOPNOTSUPP

from coalmm.linux.abi import signed
from coalmm.linux.calls.clocks import BILLION, TIMER_ABSTIME, clock_function, is_wide
from coalmm.linux.registry import system_call
from coalmm.linux.signals.numbers import MOST, SIGALRM
from coalmm.linux.task import Task
from coalmm.linux.timers import PROF, REAL, PosixTimer, timers_of

MILLION = 1_000_000
SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_THREAD_ID = 0, 1, 2, 4
WITHOUT_TIMERS = (4, 5, 6)  # clocks: MONOTONIC_RAW and the coarse ones
MOST_TIMERS = 10_000  # of a process
LAST_NUMBER = (1 << 31) - 1


# --- interval timers ---


def put_itimerval(task: Task, pointer: int, which: int) -> None:
    """Write what getitimer tells: struct itimerval, rounded up to microseconds."""
    timer = timers_of(task).interval[which]
    numbers = (divmod(-(-value // 1000), MILLION) for value in (timer.interval, timer.left()))
    task.write_words(pointer, *(part for pair in numbers for part in pair))


@system_call("getitimer")
def getitimer(task: Task, which: int, result: int) -> int:
    """getitimer(2)."""
    if which > PROF:
        return -EINVAL
    put_itimerval(task, result, which)
    return 0


@system_call("setitimer")
def setitimer(task: Task, which: int, new: int, old: int) -> int:
    """setitimer(2)."""
    if which > PROF:
        return -EINVAL
    values = [signed(value, task.abi.word * 8) for value in task.read_words(new, 4)] if new else [0] * 4
    if any(not 0 <= values[place] < MILLION for place in (1, 3)) or values[0] < 0 or values[2] < 0:
        return -EINVAL
    if old:
        put_itimerval(task, old, which)
    interval, value = ((seconds * MILLION + micro) * 1000 for seconds, micro in (values[:2], values[2:]))
    timers_of(task).interval[which].set(value, interval if value or which != REAL else 0)
    return 0


@system_call("alarm")
def alarm(task: Task, seconds: int) -> int:
    """alarm(2): the whole seconds that an earlier one had left."""
    timer = timers_of(task).interval[REAL]
    left = timer.left()
    timer.set((seconds & 0xFFFF_FFFF) * BILLION, 0)
    return max((left + BILLION // 2) // BILLION, 1) if left else 0


# --- POSIX timers ---


class Event:
    """struct sigevent: which signal, with which value, for which thread."""

    def __init__(self, task: Task, pointer: int) -> None:
        word = task.abi.word
        content = task.read(pointer, 64)
        self.value = int.from_bytes(content[:word], "little")
        self.signal, self.notify, tid = struct.unpack_from("<iii", content, word)
        self.target: Task | None = None
        if self.notify == SIGEV_SIGNAL | SIGEV_THREAD_ID:
            self.target = task.system.tasks.get(tid)
            if self.target is None or self.target.group is not task.group:
                raise OSError(EINVAL, "no such thread here")
        elif self.notify not in (SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD):
            raise OSError(EINVAL, "no such way to tell")
        if self.notify == SIGEV_NONE:
            self.signal = 0
        elif not 1 <= self.signal <= MOST:
            raise OSError(EINVAL, "no such signal")


@system_call("timer_create")
def timer_create(task: Task, clock: int, event: int, result: int) -> int:
    """timer_create(2)."""
    now, process = clock_function(task, clock)
    if signed(clock) in WITHOUT_TIMERS:
        return -EOPNOTSUPP
    mine = timers_of(task)
    if len(mine.posix) >= MOST_TIMERS:
        return -EAGAIN
    number = mine.next
    while number in mine.posix:
        number = number + 1 & LAST_NUMBER
    if event:
        wanted = Event(task, event)
        timer = PosixTimer(task.group, number, wanted.signal, wanted.value, wanted.target)
    else:
        timer = PosixTimer(task.group, number, SIGALRM, number, None)
    task.write(result, struct.pack("<i", number))
    mine.posix[number] = timer.start(task.system.timers, now, process)
    mine.next = number + 1 & LAST_NUMBER
    return 0


def timer_at(task: Task, number: int) -> PosixTimer:
    """A timer of this process. OSError EINVAL."""
    timer = timers_of(task).posix.get(signed(number))
    if timer is None:
        raise OSError(EINVAL, "no such timer")
    return timer


def put_itimerspec(task: Task, pointer: int, interval: int, left: int, wide: bool) -> None:
    """Write a struct itimerspec."""
    task.write(pointer, struct.pack("<4q" if wide else "<4i", *divmod(interval, BILLION), *divmod(left, BILLION)))


def get_itimerspec(task: Task, pointer: int, wide: bool) -> tuple[int, int]:
    """Read one: (interval, value) in nanoseconds. OSError EINVAL for what is none."""
    form = "<4q" if wide else "<4i"
    numbers = struct.unpack(form, task.read(pointer, struct.calcsize(form)))
    pairs = (numbers[:2], numbers[2:])
    if any(seconds < 0 or not 0 <= part < BILLION for seconds, part in pairs):
        raise OSError(EINVAL, "not a time")
    interval, value = (seconds * BILLION + part for seconds, part in pairs)
    return interval, value


def settime(task: Task, number: int, flags: int, new: int, old: int, wide: bool) -> int:
    """timer_settime of either width."""
    if not new:
        return -EINVAL
    interval, value = get_itimerspec(task, new, wide)
    timer = timer_at(task, number)
    timer.catch_up()
    before = timer.interval, timer.left()
    timer.missed = timer.overrun = 0
    timer.set(value, interval if value else 0, bool(flags & TIMER_ABSTIME))
    if old:
        put_itimerspec(task, old, *before, wide)
    return 0


def gettime(task: Task, number: int, result: int, wide: bool) -> int:
    """timer_gettime of either width."""
    timer = timer_at(task, number)
    timer.catch_up()
    put_itimerspec(task, result, timer.interval, timer.left(), wide)
    return 0


@system_call("timer_settime")
def timer_settime(task: Task, number: int, flags: int, new: int, old: int) -> int:
    """timer_settime(2)."""
    return settime(task, number, flags, new, old, is_wide(task))


@system_call("timer_settime64", only_32=True)
def timer_settime64(task: Task, number: int, flags: int, new: int, old: int) -> int:
    """timer_settime(2) with 64-bit seconds."""
    return settime(task, number, flags, new, old, True)


@system_call("timer_gettime")
def timer_gettime(task: Task, number: int, result: int) -> int:
    """timer_gettime(2)."""
    return gettime(task, number, result, is_wide(task))


@system_call("timer_gettime64", only_32=True)
def timer_gettime64(task: Task, number: int, result: int) -> int:
    """timer_gettime(2) with 64-bit seconds."""
    return gettime(task, number, result, True)


@system_call("timer_getoverrun")
def timer_getoverrun(task: Task, number: int) -> int:
    """timer_getoverrun(2): of the signal that was taken last."""
    return timer_at(task, number).overrun


@system_call("timer_delete")
def timer_delete(task: Task, number: int) -> int:
    """timer_delete(2)."""
    timer_at(task, number).stop()
    del timers_of(task).posix[signed(number)]
    return 0
