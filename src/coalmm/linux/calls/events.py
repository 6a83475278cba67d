"""epoll, eventfd, timerfd, and memfd_create."""

from __future__ import annotations

import os
import struct
from errno import EBADF, EFAULT, EINVAL

from coalmm.linux.abi import signed
from coalmm.linux.calls.poll import read_timespec, use_mask, wait
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.epoll import EpollFile
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.events import EventFile, TimerFile
from coalmm.linux.vfs.open_file import OpenFile
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD = 1, 2, 3
EPOLL_EVENT = 12  # bytes of struct epoll_event, which is packed on x86-64 and has no padding on i386
MOST_EVENTS = (1 << 31) // EPOLL_EVENT
EFD_SEMAPHORE = 1
TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET = 1, 2
CLOCKS = (0, 1, 7, 8, 9)  # REALTIME, MONOTONIC, BOOTTIME and their alarms
MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL, MFD_EXEC = 1, 2, 8, 16
MFD_KNOWN = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC
SECOND = 1_000_000_000
LONGEST_NAME = 249


def install(task: Task, file: OpenFile, flags: int) -> int:
    """A descriptor for a new file."""
    return task.files.install(file, bool(flags & os.O_CLOEXEC))


# --- epoll ---


@system_call("epoll_create1")
def epoll_create1(task: Task, flags: int) -> int:
    """epoll_create1(2)."""
    if flags & 0xFFFF_FFFF & ~os.O_CLOEXEC:
        raise failure(EINVAL)
    return install(task, EpollFile(os.O_RDWR), flags)


@system_call("epoll_create")
def epoll_create(task: Task, size: int) -> int:
    """epoll_create(2)."""
    if signed(size) <= 0:
        raise failure(EINVAL)
    return epoll_create1(task, 0)


@system_call("epoll_ctl")
def epoll_ctl(task: Task, epoll: int, operation: int, fd: int, event: int) -> int:
    """epoll_ctl(2)."""
    operation = signed(operation)
    events, data = (0, 0) if operation == EPOLL_CTL_DEL else struct.unpack("<IQ", task.read(event, EPOLL_EVENT))
    watcher, file = task.files.get(epoll), task.files.get(fd)
    if not isinstance(watcher, EpollFile):
        raise failure(EINVAL)
    if file.flags & os.O_PATH:
        raise failure(EBADF)
    if operation == EPOLL_CTL_ADD:
        watcher.add(signed(fd), file, events, data)
    elif operation == EPOLL_CTL_MOD:
        watcher.modify(signed(fd), file, events, data)
    elif operation == EPOLL_CTL_DEL:
        watcher.remove(signed(fd), file)
    else:
        raise failure(EINVAL)
    return 0


def do_epoll_wait(task: Task, epoll: int, array: int, most: int, seconds: float | None) -> int:
    """epoll_wait(2) with a timeout in seconds."""
    watcher = task.files.get(epoll)
    if not isinstance(watcher, EpollFile) or not 0 < signed(most) <= MOST_EVENTS:
        raise failure(EINVAL)
    found: list[tuple[int, int]] = []

    def look() -> int:
        return len(watcher.ready(signed(most), take=False))

    if not wait(task, look, seconds):
        return 0
    found = watcher.ready(signed(most), take=False)
    task.write(array, b"".join(struct.pack("<IQ", events, data) for events, data in found))
    watcher.ready(signed(most))
    return len(found)


@system_call("epoll_wait")
def epoll_wait(task: Task, epoll: int, array: int, most: int, timeout: int) -> int:
    """epoll_wait(2)."""
    milliseconds = signed(timeout)
    return do_epoll_wait(task, epoll, array, most, None if milliseconds < 0 else milliseconds / 1000)


@system_call("epoll_pwait")
def epoll_pwait(task: Task, epoll: int, array: int, most: int, timeout: int, mask: int, size: int) -> int:
    """epoll_pwait(2)."""
    use_mask(task, mask, size)
    return epoll_wait(task, epoll, array, most, timeout)


@system_call("epoll_pwait2")
def epoll_pwait2(task: Task, epoll: int, array: int, most: int, timeout: int, mask: int, size: int) -> int:
    """epoll_pwait2(2): a struct timespec with 64-bit times in both ABIs."""
    use_mask(task, mask, size)
    return do_epoll_wait(task, epoll, array, most, read_timespec(task, timeout, 16))


# --- eventfd ---


@system_call("eventfd2")
def eventfd2(task: Task, count: int, flags: int) -> int:
    """eventfd(2)."""
    flags &= 0xFFFF_FFFF
    if flags & ~(EFD_SEMAPHORE | os.O_CLOEXEC | os.O_NONBLOCK):
        raise failure(EINVAL)
    file = EventFile(count & 0xFFFF_FFFF, os.O_RDWR | flags & os.O_NONBLOCK, bool(flags & EFD_SEMAPHORE))
    return install(task, file, flags)


@system_call("eventfd")
def eventfd(task: Task, count: int) -> int:
    """eventfd(2) of old."""
    return eventfd2(task, count, 0)


# --- timerfd ---


@system_call("timerfd_create")
def timerfd_create(task: Task, clock: int, flags: int) -> int:
    """timerfd_create(2)."""
    if flags & 0xFFFF_FFFF & ~(os.O_CLOEXEC | os.O_NONBLOCK) or clock & 0xFFFF_FFFF not in CLOCKS:
        raise failure(EINVAL)
    clock &= 0xFFFF_FFFF
    clock = {8: 0, 9: 7}.get(clock, clock)
    return install(task, TimerFile(task.system.timers, clock, os.O_RDWR | flags & os.O_NONBLOCK), flags)


def timer_of(task: Task, fd: int) -> TimerFile:
    """The timer of a descriptor. EBADF, EINVAL."""
    file = task.files.get(fd)
    if not isinstance(file, TimerFile):
        raise failure(EINVAL)
    return file


def do_settime(task: Task, fd: int, flags: int, new: int, old: int, form: str) -> int:
    """timerfd_settime(2); `form` is the layout of struct itimerspec."""
    numbers = struct.unpack(form, task.read(new, struct.calcsize(form)))
    file = timer_of(task, fd)
    bad = any(seconds < 0 or not 0 <= part < SECOND for seconds, part in (numbers[:2], numbers[2:]))
    if bad or flags & 0xFFFF_FFFF & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET):
        raise failure(EINVAL)
    if old:
        do_gettime(task, fd, old, form)
    interval, value = (seconds * SECOND + part for seconds, part in (numbers[:2], numbers[2:]))
    file.set(value, interval, bool(flags & TFD_TIMER_ABSTIME))
    return 0


def do_gettime(task: Task, fd: int, current: int, form: str) -> int:
    """timerfd_gettime(2)."""
    value, interval = timer_of(task, fd).left()
    task.write(current, struct.pack(form, *divmod(interval, SECOND), *divmod(value, SECOND)))
    return 0


def itimerspec(task: Task) -> str:
    """struct itimerspec with longs."""
    return "<4q" if task.abi.word == 8 else "<4i"


@system_call("timerfd_settime")
def timerfd_settime(task: Task, fd: int, flags: int, new: int, old: int) -> int:
    """timerfd_settime(2)."""
    return do_settime(task, fd, flags, new, old, itimerspec(task))


@system_call("timerfd_gettime")
def timerfd_gettime(task: Task, fd: int, current: int) -> int:
    """timerfd_gettime(2)."""
    return do_gettime(task, fd, current, itimerspec(task))


@system_call("timerfd_settime64")
def timerfd_settime64(task: Task, fd: int, flags: int, new: int, old: int) -> int:
    """timerfd_settime(2) of i386 with 64-bit times."""
    return do_settime(task, fd, flags, new, old, "<4q")


@system_call("timerfd_gettime64")
def timerfd_gettime64(task: Task, fd: int, current: int) -> int:
    """timerfd_gettime(2) of i386 with 64-bit times."""
    return do_gettime(task, fd, current, "<4q")


# --- memfd ---


@system_call("memfd_create")
def memfd_create(task: Task, name: int, flags: int) -> int:
    """memfd_create(2): a file of the overlay without a name."""
    if not name:
        raise failure(EFAULT)
    try:
        text = task.read_string(name, LONGEST_NAME + 1)
    except OSError:
        raise failure(EINVAL) from None
    flags &= 0xFFFF_FFFF
    if flags & ~MFD_KNOWN or (flags & MFD_EXEC and flags & MFD_NOEXEC_SEAL):
        raise failure(EINVAL)
    file = task.system.vfs.open_memory(text, bool(flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL)))
    return install(task, file, os.O_CLOEXEC if flags & MFD_CLOEXEC else 0)
