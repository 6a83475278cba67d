"""Futexes: threads sleep on a word of memory and wake each other (futex(2)).

A futex is known by what holds its word: the address space and address for private memory, the file and
offset for shared maps. A sleeper is an entry in a queue; it is woken by being taken out of it.
"""

from __future__ import annotations

import struct
import time
from errno import EAGAIN, EINVAL, ENOSYS, ETIMEDOUT

from coalmm.linux.calls.clocks import BILLION, get_timespec, is_wide
from coalmm.linux.registry import Blocked, system_call
from coalmm.linux.task import Task
from coalmm.typed import TYPE_CHECKING
from coalmm.virtual.constants import AREA_SHARED

if TYPE_CHECKING:
    from coalmm.linux.system import System

WAIT, WAKE, REQUEUE, CMP_REQUEUE, WAKE_OP, WAIT_BITSET, WAKE_BITSET = 0, 1, 3, 4, 5, 9, 10
PRIVATE, CLOCK_REALTIME = 128, 256
ALL_BITS = 0xFFFF_FFFF

Key = tuple[int, int]


class Sleeper:
    """A task that sleeps on a futex until it is not in `queue` any more."""

    def __init__(self, task: Task, key: Key, bits: int, deadline: float | None) -> None:
        self.task = task
        self.key = key
        self.bits = bits
        self.deadline = deadline
        self.is_asleep = True


def sleepers(system: System) -> dict[Key, list[Sleeper]]:
    """The queues of one system."""
    return system.futexes


def key_of(task: Task, vaddr: int, private: bool) -> Key:
    """What a futex is known by. OSError EINVAL for an unaligned word."""
    if vaddr & 3:
        raise OSError(EINVAL, "a futex is aligned")
    process = task.process
    if not private:
        for area in process.areas:
            if area.start <= vaddr < area.end:
                if area.flags & AREA_SHARED and area.file:
                    return -area.file, area.offset + vaddr - area.start
                break
    return process.space, vaddr


def value_at(task: Task, vaddr: int) -> int:
    """The word."""
    return int(struct.unpack("<I", task.read(vaddr, 4))[0])


def sleep(task: Task, vaddr: int, value: int, deadline: float | None, bits: int, private: bool) -> int:
    """FUTEX_WAIT."""
    sleeper = task.resume
    if sleeper is None:
        if bits == 0:
            return -EINVAL
        key = key_of(task, vaddr, private)
        if value_at(task, vaddr) != value & 0xFFFF_FFFF:
            return -EAGAIN
        sleeper = Sleeper(task, key, bits, deadline)
        sleepers(task.system).setdefault(key, []).append(sleeper)
        task.resume = sleeper
    elif not sleeper.is_asleep:
        return 0
    elif sleeper.deadline is not None and time.monotonic() >= sleeper.deadline:
        forget(task.system, sleeper)
        return -ETIMEDOUT
    raise Blocked(lambda: not sleeper.is_asleep, sleeper.deadline, lambda: forget(task.system, sleeper))


def forget(system: System, sleeper: Sleeper) -> None:
    """Take a sleeper out of its queue."""
    queue = sleepers(system).get(sleeper.key, [])
    if sleeper in queue:
        queue.remove(sleeper)
    if not queue:
        sleepers(system).pop(sleeper.key, None)
    sleeper.is_asleep = False


def wake_key(system: System, key: Key, most: int, bits: int = ALL_BITS) -> int:
    """Wake up to `most` sleepers of a futex; how many."""
    woken = 0
    for sleeper in list(sleepers(system).get(key, ())):
        if woken >= most:
            break
        if sleeper.task.is_dead or sleeper.task.resume is not sleeper:
            forget(system, sleeper)  # a signal or its end took it away
        elif sleeper.bits & bits:
            forget(system, sleeper)
            woken += 1
    return woken


def wake(task: Task, vaddr: int, most: int) -> int:
    """Wake sleepers of a word, private or shared, as the end of a thread does."""
    shared, private = key_of(task, vaddr, False), key_of(task, vaddr, True)
    woken = wake_key(task.system, private, most)
    return woken + (wake_key(task.system, shared, most - woken) if shared != private else 0)


def requeue(task: Task, first: int, second: int, most_woken: int, most_moved: int, private: bool) -> int:
    """Wake some, and let others sleep on another word."""
    system = task.system
    source, target = key_of(task, first, private), key_of(task, second, private)
    count = wake_key(system, source, most_woken)
    moved = sleepers(system).get(source, [])[:most_moved] if source != target else []
    for sleeper in moved:
        sleepers(system)[source].remove(sleeper)
        sleeper.key = target
        sleepers(system).setdefault(target, []).append(sleeper)
    return count + len(moved)


def wake_op(task: Task, first: int, second: int, most: int, most_second: int, code: int, private: bool) -> int:
    """FUTEX_WAKE_OP: change the second word, and wake its sleepers if it compared so before."""
    operation, comparison = code >> 28 & 0xF, code >> 24 & 0xF
    argument, expected = code >> 12 & 0xFFF, code & 0xFFF
    argument -= (argument & 0x800) << 1
    expected -= (expected & 0x800) << 1
    if operation & 8:
        argument = 1 << (argument & 31)
    old = value_at(task, second)
    new = {0: argument, 1: old + argument, 2: old | argument, 3: old & ~argument, 4: old ^ argument}.get(operation & 7)
    if new is None:
        return -ENOSYS
    task.write(second, struct.pack("<I", new & 0xFFFF_FFFF))
    signed_old = old - (old >> 31 << 32)
    compared = {
        0: signed_old == expected,
        1: signed_old != expected,
        2: signed_old < expected,
        3: signed_old <= expected,
        4: signed_old > expected,
        5: signed_old >= expected,
    }.get(comparison)
    if compared is None:
        return -ENOSYS
    woken = wake_key(task.system, key_of(task, first, private), most)
    return woken + (wake_key(task.system, key_of(task, second, private), most_second) if compared else 0)


def do_futex(
    task: Task, vaddr: int, operation: int, value: int, timeout: int, second: int, third: int, wide: bool
) -> int:
    """futex(2) of either width."""
    private = bool(operation & PRIVATE)
    command = operation & ~(PRIVATE | CLOCK_REALTIME)
    if command in (WAIT, WAIT_BITSET):
        deadline = None
        if task.resume is None and timeout:
            nanoseconds = get_timespec(task, timeout, wide)
            if command == WAIT_BITSET:
                nanoseconds -= time.time_ns() if operation & CLOCK_REALTIME else time.monotonic_ns()
            deadline = time.monotonic() + nanoseconds / BILLION
        return sleep(task, vaddr, value, deadline, third & ALL_BITS if command == WAIT_BITSET else ALL_BITS, private)
    most = value & 0x7FFF_FFFF
    if command in (WAKE, WAKE_BITSET):
        bits = third & ALL_BITS if command == WAKE_BITSET else ALL_BITS
        if bits == 0:
            return -EINVAL
        key = key_of(task, vaddr, private)
        return wake_key(task.system, key, most, bits)
    if command in (REQUEUE, CMP_REQUEUE):
        if command == CMP_REQUEUE and value_at(task, vaddr) != third & 0xFFFF_FFFF:
            return -EAGAIN
        return requeue(task, vaddr, second, most, timeout & 0x7FFF_FFFF, private)
    if command == WAKE_OP:
        return wake_op(task, vaddr, second, most, timeout & 0x7FFF_FFFF, third & 0xFFFF_FFFF, private)
    return -ENOSYS


@system_call("futex")
def futex(task: Task, vaddr: int, operation: int, value: int, timeout: int, second: int, third: int) -> int:
    """futex(2), without priority inheritance."""
    return do_futex(task, vaddr, operation & 0xFFFF_FFFF, value, timeout, second, third, is_wide(task))


@system_call("futex_time64", only_32=True)
def futex_time64(task: Task, vaddr: int, operation: int, value: int, timeout: int, second: int, third: int) -> int:
    """futex with 64-bit seconds."""
    return do_futex(task, vaddr, operation, value, timeout, second, third, True)
