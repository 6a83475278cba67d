"""Descriptors 0, 1 and 2 of the first program: what the user of coalmm gave, a host descriptor or a Python stream.

A host descriptor can block (a terminal, a pipe): it is asked with a timeout of 0 first, and the task waits
with the scheduler while others run.
"""

from __future__ import annotations

import fcntl
import os
import select
import stat
from errno import EBADF, EFBIG, ENOTTY, ESPIPE

from coalmm.linux.registry import Blocked
from coalmm.linux.vfs.attributes import Attributes, of_host, of_new
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Node, Place
from coalmm.linux.vfs.open_file import OpenFile
from coalmm.typed import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coalmm.linux.task import Task

Stream = int | IO[bytes]
SIGPIPE, SIGXFSZ = 13, 25
CHUNK = 65536
TCGETS, TCSETS, TIOCGPGRP, TIOCSPGRP, FIONREAD = 0x5401, 0x5402, 0x540F, 0x5410, 0x541B
READS = {TCGETS: 36, 0x5413: 8}  # TIOCGWINSZ; bytes of struct termios and struct winsize
WRITES = {TCSETS: 36, 0x5403: 36, 0x5404: 36}  # TCSETSW, TCSETSF
IGNORED = (0x5409, 0x540A, 0x540B, 0x540E, 0x5422)  # TCSBRK, TCXONC, TCFLSH, TIOCSCTTY, TIOCNOTTY


class OutputLimit:
    """Bytes that a run may still write to its console."""

    def __init__(self, limit: int | None) -> None:
        self.left = limit
        self.reached = False

    def take(self, size: int) -> int:
        """How many of `size` bytes may go out; they are counted."""
        if self.left is None:
            return size
        granted = min(size, self.left)
        self.left -= granted
        self.reached |= granted < size
        return granted


class StreamNode(Node):
    """One of the three streams."""

    def __init__(self, stream: Stream, number: int, limit: OutputLimit) -> None:
        self.stream = stream
        self.number = number
        self.limit = limit
        self.fd = stream if isinstance(stream, int) else -1
        self.status = of_host(os.fstat(self.fd)) if self.fd >= 0 else of_new(0, 100 + number, stat.S_IFIFO | 0o600)
        self.kind = self.status.kind
        self.settings = self._terminal(TCGETS, bytes(36)) if self.is_tty else b""
        self.foreground = 0  # the process group that the guest gave the terminal to
        self.pending = b""  # read from a Python stream and not yet consumed
        self.is_offset_free = not stat.S_ISREG(self.status.mode)

    def attributes(self) -> Attributes:
        return of_host(os.fstat(self.fd)) if self.fd >= 0 else self.status

    def open(self, place: Place, flags: int, task: Any = None) -> OpenFile:
        """/dev/stdin and the like: the same stream again."""
        return StreamFile(self, place, flags)

    def truncate(self, size: int) -> None:
        """Nothing: what the user gave is written to, never cut."""

    @property
    def is_tty(self) -> bool:
        """Whether the host has a terminal there."""
        return self.fd >= 0 and os.isatty(self.fd)

    def _terminal(self, request: int, argument: bytes) -> bytes:
        """An ioctl of the host's terminal."""
        return fcntl.ioctl(self.fd, request, argument)

    def restore(self) -> None:
        """Give the terminal the settings that it had at the start."""
        if self.settings:
            try:
                self._terminal(TCSETS, self.settings)
            except OSError:
                pass  # the terminal is gone

    def terminal(self, task: Task, request: int, argument: int) -> int:
        """The requests that shells and full-screen programs make. ENOTTY for others, and without a terminal."""
        if request == FIONREAD:
            task.write(argument, self._waiting().to_bytes(4, "little"))
            return 0
        if not self.is_tty:
            raise failure(ENOTTY)
        if request == TIOCGPGRP:
            task.write(argument, (self.foreground or task.process.pid).to_bytes(4, "little"))
        elif request == TIOCSPGRP:
            self.foreground = int.from_bytes(task.read(argument, 4), "little")
        elif request in READS:
            task.write(argument, self._terminal(request, bytes(READS[request])))
        elif request in WRITES:
            self._terminal(request, task.read(argument, WRITES[request]))
        elif request not in IGNORED:
            raise failure(ENOTTY)
        return 0

    def _waiting(self) -> int:
        """FIONREAD: bytes that could be read now."""
        if self.fd < 0:
            return len(self.pending)
        return len(self.pending) + int.from_bytes(self._terminal(FIONREAD, bytes(4)), "little")

    def poll(self, events: int) -> int:
        """Which of POLLIN and POLLOUT hold now."""
        if self.fd < 0:
            return events
        poller = select.poll()
        poller.register(self.fd, events)
        found = poller.poll(0)
        return found[0][1] if found else 0


class StreamFile(OpenFile):
    """An open stream."""

    node: StreamNode

    @property
    def path(self) -> bytes:
        """As the host names it, if it does."""
        if self.node.fd >= 0:
            try:
                return os.fsencode(os.readlink(f"/proc/self/fd/{self.node.fd}"))
            except OSError:
                return b"/dev/console"
        return f"pipe:[{self.node.status.ino}]".encode()

    def _wait(self, event: int) -> None:
        """Block until the host's descriptor is ready."""
        node = self.node
        if node.is_offset_free and not node.poll(event):
            raise Blocked(lambda: node.poll(event))

    def peek(self, task: Task, size: int) -> bytes:
        node = self.node
        if not size or node.pending:
            return node.pending[:size]
        if node.fd >= 0 and not node.is_offset_free:
            return os.pread(node.fd, size, os.lseek(node.fd, 0, os.SEEK_CUR))
        self._wait(select.POLLIN)
        size = min(size, CHUNK)
        if isinstance(node.stream, int):
            node.pending = os.read(node.fd, size)
        else:
            if not node.stream.readable():
                raise failure(EBADF)
            node.pending = node.stream.read(size) or b""
        return node.pending

    def consume(self, count: int) -> None:
        if self.node.is_offset_free:
            self.node.pending = self.node.pending[count:]
        else:
            os.lseek(self.node.fd, count, os.SEEK_CUR)

    def write(self, task: Task, data: bytes) -> int:
        node = self.node
        self._wait(select.POLLOUT)
        data = data[:CHUNK] if node.is_offset_free else data
        granted = node.limit.take(len(data))
        if data and not granted:
            task.send_signal(SIGXFSZ)
            raise failure(EFBIG)
        if isinstance(node.stream, int):
            try:
                return os.write(node.fd, data[:granted])
            except BrokenPipeError:
                task.send_signal(SIGPIPE)
                raise
        node.stream.write(data[:granted])
        return granted

    def pread(self, size: int, offset: int) -> bytes:
        if self.node.is_offset_free:
            raise failure(ESPIPE)
        return os.pread(self.node.fd, size, offset)

    def seek(self, offset: int, whence: int) -> int:
        if self.node.is_offset_free:
            raise failure(ESPIPE)
        return os.lseek(self.node.fd, offset, whence)

    def poll(self) -> int:
        events = (select.POLLIN if self.is_readable else 0) | (select.POLLOUT if self.is_writable else 0)
        return self.node.poll(events) or (select.POLLIN if self.node.pending else 0)

    def ioctl(self, task: Task, request: int, argument: int) -> int:
        return self.node.terminal(task, request, argument)
