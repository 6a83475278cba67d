"""Descriptors that count: eventfd and timerfd. Source: eventfd(2), timerfd_create(2)."""

from __future__ import annotations

import stat
import struct
import time
from errno import EAGAIN, EINVAL, EOPNOTSUPP
from functools import partial
from select import POLLIN, POLLOUT

from coalmm.linux.registry import Blocked
from coalmm.linux.timers import ArmedTimers, Timer
from coalmm.linux.vfs.attributes import Attributes, of_new
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Node
from coalmm.linux.vfs.open_file import OpenFile
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

ANONYMOUS_DEVICE = 14  # st_dev of files that are no files
MOST = (1 << 64) - 2
SECOND = 1_000_000_000
REALTIME = 0


class AnonymousNode(Node):
    """What is behind a descriptor that no name leads to."""

    kind = 0

    def __init__(self, name: str) -> None:
        self.name = name
        self.status = of_new(ANONYMOUS_DEVICE, 1, stat.S_IRUSR | stat.S_IWUSR)

    def attributes(self) -> Attributes:
        return self.status

    def set_mode(self, mode: int) -> None:
        raise failure(EOPNOTSUPP)


class AnonymousFile(OpenFile):
    """An open one. `activity` changes with its state: the edges of epoll."""

    activity = 0
    node: AnonymousNode

    @property
    def path(self) -> bytes:
        return f"anon_inode:{self.node.name}".encode()

    def consume(self, count: int) -> None:
        """There is no offset."""

    def seek(self, offset: int, whence: int) -> int:
        """Linux lets it be."""
        return 0


class EventFile(AnonymousFile):
    """eventfd: a 64-bit counter. A read takes all of it, or 1 of it with EFD_SEMAPHORE."""

    def __init__(self, count: int, flags: int, semaphore: bool) -> None:
        super().__init__(AnonymousNode("[eventfd]"), None, flags)
        self.count = count
        self.semaphore = semaphore

    def peek(self, task: Task, size: int) -> bytes:
        if size < 8:
            raise failure(EINVAL)
        if not self.count:
            if self.is_nonblocking:
                raise failure(EAGAIN)
            raise Blocked(lambda: self.count)
        return struct.pack("<Q", 1 if self.semaphore else self.count)

    def consume(self, count: int) -> None:
        if count:
            self.count = self.count - 1 if self.semaphore else 0
            self.activity += 1

    def write(self, task: Task, data: bytes) -> int:
        if len(data) != 8:
            raise failure(EINVAL)
        more = struct.unpack("<Q", data)[0]
        if more > MOST:
            raise failure(EINVAL)
        if self.count + more > MOST:
            if self.is_nonblocking:
                raise failure(EAGAIN)
            raise Blocked(lambda: self.count + more <= MOST)
        self.count += more
        self.activity += 1
        return 8

    def poll(self) -> int:
        return (POLLIN if self.count else 0) | (POLLOUT if self.count < MOST else 0)


class TimerFile(AnonymousFile):
    """timerfd: how often a timer went off since the last read. Times are nanoseconds on its clock."""

    def __init__(self, armed: ArmedTimers, clock: int, flags: int) -> None:
        super().__init__(AnonymousNode("[timerfd]"), None, flags)
        now = time.time_ns if clock == REALTIME else partial(time.clock_gettime_ns, clock)
        self.timer = Timer(armed, now, self._went_off)
        self.count = 0

    def _went_off(self, count: int) -> None:
        self.count += count
        self.activity += 1

    def set(self, value: int, interval: int, absolute: bool) -> None:
        """Start it (0: stop it)."""
        self.timer.set(value, interval, absolute)
        self.count = 0
        self.activity += 1

    def left(self) -> tuple[int, int]:
        """(time to the next one, interval)."""
        self.timer.catch_up()
        return self.timer.left(), self.timer.interval

    def expirations(self) -> int:
        """How often it went off."""
        self.timer.catch_up()
        return self.count

    def peek(self, task: Task, size: int) -> bytes:
        if size < 8:
            raise failure(EINVAL)
        count = self.expirations()
        if not count:
            if self.is_nonblocking:
                raise failure(EAGAIN)
            raise Blocked(self.expirations)
        return struct.pack("<Q", count)

    def consume(self, count: int) -> None:
        if count:
            self.count = 0

    def poll(self) -> int:
        return POLLIN if self.expirations() else 0

    def release(self) -> None:
        self.timer.stop()
