"""Pipes and FIFOs: a ring of 64 KiB between tasks. Source: pipe(7), fifo(7).

A write of up to PIPE_BUF bytes is all or nothing. Whoever has to wait raises `Blocked`; nothing spins.
"""

from __future__ import annotations

import os
import stat
from errno import EAGAIN, EBADF, EBUSY, EINVAL, ENXIO, EPERM, EPIPE
from select import POLLERR, POLLHUP, POLLIN, POLLOUT

from coalmm.linux.credentials import current
from coalmm.linux.registry import Blocked
from coalmm.linux.vfs.attributes import Attributes, of_new
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Node, Place
from coalmm.linux.vfs.open_file import OpenFile
from coalmm.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coalmm.linux.task import Task

PIPE_BUF = 4096
CAPACITY = 65536
MOST_CAPACITY = 1 << 20
SOFT_LIMIT, LEAST_CAPACITY = 64 << 20, 8192  # of all pipes, and of one past it
SIGPIPE = 13
PIPE_DEVICE = 13  # st_dev of pipes
FIONREAD = 0x541B


class Pipe:
    """The bytes between readers and writers, and how many of both there are.

    `reserved` counts the capacity of all pipes, as pipe_user_pages_soft does: past SOFT_LIMIT new ones are small and
    none grows, for root too. They are memory of this process.
    """

    reserved = 0

    def __init__(self) -> None:
        self.data = bytearray()
        self.capacity = CAPACITY if Pipe.reserved + CAPACITY <= SOFT_LIMIT else LEAST_CAPACITY
        Pipe.reserved += self.capacity
        self.readers = self.writers = 0
        self.reader_opens = self.writer_opens = 0  # how many there ever were: a FIFO's open waits for one more
        self.activity = 0  # changes whenever bytes come or go: the edges of epoll

    @property
    def room(self) -> int:
        """Bytes that fit."""
        return self.capacity - len(self.data)

    def resize(self, size: int, privileged: bool) -> int:
        """F_SETPIPE_SZ: a power of two of pages; EBUSY if the bytes in it do not fit."""
        size = max(1 << (size - 1).bit_length(), PIPE_BUF)
        if size > MOST_CAPACITY and not privileged:
            raise failure(EPERM)
        if size < len(self.data):
            raise failure(EBUSY)
        size = min(size, MOST_CAPACITY)
        if size > self.capacity and Pipe.reserved + size - self.capacity > SOFT_LIMIT:
            raise failure(EPERM)
        Pipe.reserved += size - self.capacity
        self.capacity = size
        return size

    def __del__(self) -> None:
        Pipe.reserved -= self.capacity


class PipeNode(Node):
    """A pipe without a name. Opened again through /proc/PID/fd it is the same pipe."""

    kind = stat.S_IFIFO
    def __init__(self) -> None:
        current.numbers.pipe += 1
        self.pipe = Pipe()
        self.status = of_new(PIPE_DEVICE, current.numbers.pipe, stat.S_IFIFO | 0o600)

    def attributes(self) -> Attributes:
        return self.status

    def open(self, place: Place, flags: int, task: Any = None) -> OpenFile:
        return PipeFile(self, self.pipe, None, flags)

    def set_mode(self, mode: int) -> None:
        self.status.mode = stat.S_IFIFO | mode & 0o7777

    def set_owner(self, uid: int, gid: int) -> None:
        """Accepted; nobody else can open it."""


class PipeFile(OpenFile):
    """One end of a pipe, or both (a FIFO opened for both)."""

    def __init__(self, node: Node, pipe: Pipe, place: Place | None, flags: int) -> None:
        super().__init__(node, place, flags)
        self.pipe = pipe
        pipe.readers += self.is_readable
        pipe.writers += self.is_writable
        pipe.reader_opens += self.is_readable
        pipe.writer_opens += self.is_writable

    @property
    def activity(self) -> int:
        """For the edges of epoll."""
        return self.pipe.activity

    @property
    def path(self) -> bytes:
        if self.place is not None:
            return self.place.path
        return b"pipe:[%d]" % self.node.attributes().ino

    def release(self) -> None:
        self.pipe.readers -= self.is_readable
        self.pipe.writers -= self.is_writable
        self.pipe.activity += 1

    def peek(self, task: Task, size: int) -> bytes:
        pipe = self.pipe
        if pipe.data or not size or not pipe.writers:
            return bytes(pipe.data[:size])
        if self.is_nonblocking:
            raise failure(EAGAIN)
        raise Blocked(lambda: pipe.data or not pipe.writers)

    def consume(self, count: int) -> None:
        del self.pipe.data[:count]
        self.pipe.activity += 1

    def write(self, task: Task, data: bytes) -> int:
        pipe = self.pipe
        if not data:
            return 0
        if not pipe.readers:
            task.send_signal(SIGPIPE)
            raise failure(EPIPE)
        needed = len(data) if len(data) <= PIPE_BUF else 1
        if pipe.room < needed:
            if self.is_nonblocking:
                raise failure(EAGAIN)
            raise Blocked(lambda: pipe.room >= needed or not pipe.readers)
        taken = data[: pipe.room]
        pipe.data += taken
        pipe.activity += 1
        return len(taken)

    def poll(self) -> int:
        pipe = self.pipe
        found = 0
        if self.is_readable:
            found |= (POLLIN if pipe.data else 0) | (0 if pipe.writers else POLLHUP)
        if self.is_writable:
            found |= (POLLOUT if pipe.room >= PIPE_BUF else 0) | (0 if pipe.readers else POLLERR)
        return found

    def ioctl(self, task: Task, request: int, argument: int) -> int:
        if request != FIONREAD:
            return super().ioctl(task, request, argument)
        task.write(argument, len(self.pipe.data).to_bytes(4, "little"))
        return 0


def new_pipe(flags: int) -> tuple[PipeFile, PipeFile]:
    """The reading and the writing end of a new pipe."""
    node = PipeNode()
    return (
        PipeFile(node, node.pipe, None, os.O_RDONLY | flags),
        PipeFile(node, node.pipe, None, os.O_WRONLY | flags),
    )


class Fifo:
    """What opening a FIFO waits for: the other side. `waiting` keeps how many opens a waiting task has seen."""

    def __init__(self) -> None:
        self.pipe = Pipe()
        self.waiting: dict[Task, int] = {}

    def open(self, node: Node, place: Place, flags: int, task: Any) -> OpenFile:
        """Open an end; Blocked until the other one is open."""
        mode = flags & os.O_ACCMODE
        if mode == os.O_WRONLY and flags & os.O_NONBLOCK and not self.pipe.readers:
            raise failure(ENXIO)
        if task is not None and mode != os.O_RDWR and not flags & os.O_NONBLOCK:
            self._wait(node, mode == os.O_RDONLY, task)
        return PipeFile(node, self.pipe, place, flags)

    def _wait(self, node: Node, reading: bool, task: Any) -> None:
        """Block until there is somebody at the other end, or was one since this task began to wait.

        Who waits holds the node: the other side is to find this one.
        """
        pipe = self.pipe

        def opens() -> int:
            return pipe.writer_opens if reading else pipe.reader_opens

        def others() -> int:
            return pipe.writers if reading else pipe.readers

        if task not in self.waiting and not others():
            self.waiting[task] = opens()
            pipe.readers += reading  # a writer that comes now finds this reader
            pipe.writers += not reading
            pipe.reader_opens += reading
            pipe.writer_opens += not reading
        if task in self.waiting:
            seen = self.waiting[task]
            if opens() == seen and not others():
                raise Blocked(
                    lambda: node is not None and (opens() != seen or others()),
                    stopped_by_signal=lambda: self._leave(reading, task),
                )
            self._leave(reading, task)

    def _leave(self, reading: bool, task: Task) -> None:
        """A task waits no more: it opens the FIFO, or a signal ended its wait or itself."""
        del self.waiting[task]
        self.pipe.readers -= reading
        self.pipe.writers -= not reading


def pipe_of(file: OpenFile) -> Pipe:
    """The pipe of an open file. EBADF, EINVAL."""
    if not isinstance(file, PipeFile):
        raise failure(EINVAL if file.references else EBADF)
    return file.pipe
