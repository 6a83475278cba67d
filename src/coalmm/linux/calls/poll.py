"""Waiting for several files: poll, select and their variants. Source: poll(2), select(2)."""

from __future__ import annotations

import struct
import time
from errno import EBADF, EINVAL
from select import POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI

from coalmm.linux.abi import signed
from coalmm.linux.registry import Blocked, system_call
from coalmm.linux.vfs.errors import failure
from coalmm.typed import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from coalmm.linux.task import Task

ALWAYS = POLLERR | POLLHUP  # told whether they are asked for or not
READ_SET = POLLIN | 0x40 | POLLHUP | POLLERR  # POLLRDNORM
WRITE_SET = POLLOUT | 0x100 | POLLERR  # POLLWRNORM
SETS = (READ_SET, WRITE_SET, POLLPRI)
SECOND = 1_000_000_000
NORMAL = {POLLIN: 0x40, POLLOUT: 0x100}  # POLLRDNORM goes with POLLIN, POLLWRNORM with POLLOUT


def state_of(task: Task, fd: int) -> int:
    """POLL* bits of a descriptor; POLLNVAL for a closed one."""
    slot = task.files.slots.get(fd)
    if slot is None or slot.file.flags & 0o10000000:  # O_PATH
        return POLLNVAL
    found = slot.file.poll_for(task)
    for bit, normal in NORMAL.items():
        found |= normal if found & bit else 0
    return found


def wait(task: Task, look: Callable[[], int], seconds: float | None) -> int:
    """What `look` counts, as soon as that is not 0 or the time (None: any) is over."""
    count = look()
    if count or seconds == 0:
        return count
    if task.resume is None:
        task.resume = (None if seconds is None else time.monotonic() + seconds,)
    deadline: float | None = task.resume[0]
    if deadline is not None and time.monotonic() >= deadline:
        return 0
    raise Blocked(look, deadline)


def left(task: Task, seconds: float) -> float:
    """What is left of a timeout."""
    if task.resume is None or task.resume[0] is None:
        return seconds
    return max(float(task.resume[0]) - time.monotonic(), 0.0)


def use_mask(task: Task, vaddr: int, size: int) -> None:
    """Wait with the signal mask at `vaddr`, if that is not NULL. EINVAL, EFAULT."""
    if vaddr:
        if size != 8:
            raise failure(EINVAL)
        task.set_temporary_mask(int.from_bytes(task.read(vaddr, 8), "little"))


# --- poll ---


def do_poll(task: Task, array: int, count: int, seconds: float | None) -> int:
    """poll(2) with a timeout in seconds."""
    if count > task.files.limit:
        raise failure(EINVAL)
    wanted = [struct.unpack_from("<iH", task.read(array + 8 * index, 8)) for index in range(count)]

    def look() -> int:
        found = [answer(task, fd, events) for fd, events in wanted]
        number = sum(map(bool, found))
        if number:
            for index, events in enumerate(found):
                task.write(array + 8 * index + 6, events.to_bytes(2, "little"))
        return number

    number = wait(task, look, seconds)
    if not number:
        for index in range(count):
            task.write(array + 8 * index + 6, b"\0\0")
    return number


def answer(task: Task, fd: int, events: int) -> int:
    """revents of one entry."""
    if fd < 0:
        return 0
    return state_of(task, fd) & (events | ALWAYS | POLLNVAL)


@system_call("poll")
def poll(task: Task, array: int, count: int, timeout: int) -> int:
    """poll(2): milliseconds."""
    milliseconds = signed(timeout)
    return do_poll(task, array, count & 0xFFFF_FFFF, None if milliseconds < 0 else milliseconds / 1000)


def read_timespec(task: Task, vaddr: int, size: int) -> float | None:
    """Seconds of a struct timespec of 16 or 8 bytes; None for NULL. EINVAL."""
    if not vaddr:
        return None
    seconds, nanoseconds = struct.unpack("<qq" if size == 16 else "<ii", task.read(vaddr, size))
    if seconds < 0 or not 0 <= nanoseconds < SECOND:
        raise failure(EINVAL)
    return float(seconds + nanoseconds / SECOND)


def write_timespec(task: Task, vaddr: int, size: int, seconds: float, unit: int = SECOND) -> None:
    """What is left of a timeout, where the program keeps it; one that cannot be written is let be."""
    whole = int(seconds)
    parts = (whole, int((seconds - whole) * unit))
    task.write(vaddr, struct.pack("<qq" if size == 16 else "<ii", *parts))


def do_ppoll(task: Task, array: int, count: int, timeout: int, size: int) -> int:
    """ppoll(2); the kernel writes back what is left."""
    seconds = read_timespec(task, timeout, size)
    number = do_poll(task, array, count & 0xFFFF_FFFF, seconds)
    if seconds is not None:
        write_timespec(task, timeout, size, left(task, seconds) if number else 0)
    return number


@system_call("ppoll")
def ppoll(task: Task, array: int, count: int, timeout: int, mask: int, size: int) -> int:
    """ppoll(2)."""
    use_mask(task, mask, size)
    return do_ppoll(task, array, count, timeout, 2 * task.abi.word)


@system_call("ppoll_time64")
def ppoll_time64(task: Task, array: int, count: int, timeout: int, mask: int, size: int) -> int:
    """ppoll(2) of i386 with 64-bit times."""
    use_mask(task, mask, size)
    return do_ppoll(task, array, count, timeout, 16)


# --- select ---


def read_set(task: Task, vaddr: int, size: int) -> set[int]:
    """The descriptors of an fd_set of `size` bytes."""
    if not vaddr:
        return set()
    bits = int.from_bytes(task.read(vaddr, size), "little")
    return {fd for fd in range(bits.bit_length()) if bits >> fd & 1}


def do_select(task: Task, count: int, sets: tuple[int, int, int], seconds: float | None) -> int:
    """select(2) with a timeout in seconds."""
    count = signed(count)
    if count < 0:
        raise failure(EINVAL)
    count = min(count, max(task.files.slots, default=0) + 1 + 64 & ~63)
    word = task.abi.word
    size = (count + word * 8 - 1) // (word * 8) * word
    wanted = [{fd for fd in read_set(task, vaddr, size) if fd < count} for vaddr in sets]
    if any(fd not in task.files.slots for fd in set().union(*wanted)):
        raise failure(EBADF)

    def look() -> int:
        found = [[fd for fd in group if state_of(task, fd) & mask] for group, mask in zip(wanted, SETS, strict=True)]
        number = sum(map(len, found))
        if number:
            write_sets(task, sets, found, size)
        return number

    number = wait(task, look, seconds)
    if not number:
        write_sets(task, sets, [[], [], []], size)
    return number


def write_sets(task: Task, sets: tuple[int, int, int], found: list[list[int]], size: int) -> None:
    """The answers of select."""
    for vaddr, group in zip(sets, found, strict=True):
        if vaddr:
            task.write(vaddr, sum(1 << fd for fd in group).to_bytes(size, "little"))


@system_call("select", "_newselect")
def select(task: Task, count: int, reads: int, writes: int, others: int, timeout: int) -> int:
    """select(2): a struct timeval, which is written back."""
    size = 2 * task.abi.word
    seconds = None
    if timeout:
        whole, micro = struct.unpack("<qq" if size == 16 else "<ii", task.read(timeout, size))
        if whole < 0 or micro < 0:
            raise failure(EINVAL)
        seconds = whole + micro / 1_000_000
    number = do_select(task, count, (reads, writes, others), seconds)
    if seconds is not None:
        write_timespec(task, timeout, size, left(task, seconds) if number else 0, 1_000_000)
    return number


@system_call("select", only_32=True)
def old_select(task: Task, block: int) -> int:
    """select(2) of i386's first days: its arguments are in memory."""
    return select(task, *task.read_words(block, 5))


def do_pselect6(task: Task, count: int, sets: tuple[int, int, int], timeout: int, pair: int, size: int) -> int:
    """pselect(2); `pair` is where the mask and its size are."""
    mask, mask_size = task.read_words(pair, 2) if pair else (0, 0)
    seconds = read_timespec(task, timeout, size)
    use_mask(task, mask, mask_size)
    number = do_select(task, count, sets, seconds)
    if seconds is not None:
        write_timespec(task, timeout, size, left(task, seconds) if number else 0)
    return number


@system_call("pselect6")
def pselect6(task: Task, count: int, reads: int, writes: int, others: int, timeout: int, pair: int) -> int:
    """pselect(2)."""
    return do_pselect6(task, count, (reads, writes, others), timeout, pair, 2 * task.abi.word)


@system_call("pselect6_time64")
def pselect6_time64(task: Task, count: int, reads: int, writes: int, others: int, timeout: int, pair: int) -> int:
    """pselect(2) of i386 with 64-bit times."""
    return do_pselect6(task, count, (reads, writes, others), timeout, pair, 16)
