"""Pairs of connected Unix sockets between tasks: the only sockets there are. Source: unix(7), socketpair(2)."""

from __future__ import annotations

import os
import stat
from collections import deque
from errno import EAGAIN, EMSGSIZE, EPIPE
from select import POLLHUP, POLLIN, POLLOUT

from coalmm.linux.registry import Blocked
from coalmm.linux.vfs.attributes import Attributes, of_new
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Node
from coalmm.linux.vfs.open_file import OpenFile
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET = 1, 2, 5
CAPACITY = 212992  # net.core.wmem_default
POLLRDHUP = 0x2000
SIGPIPE = 13
FIONREAD = 0x541B
SOCKET_DEVICE = 8  # st_dev of sockets


class Channel:
    """One direction: messages that wait, or bytes of a stream in pieces."""

    def __init__(self, stream: bool) -> None:
        self.stream = stream
        self.waiting: deque[bytes] = deque()
        self.size = 0
        self.is_shut = False  # nobody will write any more
        self.is_deaf = False  # nobody will read any more

    @property
    def room(self) -> int:
        """Bytes that fit."""
        return CAPACITY - self.size

    def put(self, data: bytes) -> int:
        """Add a message, or as much of a stream as fits."""
        data = data[: self.room] if self.stream else data
        self.waiting.append(data)
        self.size += len(data)
        return len(data)

    def peek(self, size: int) -> bytes:
        """The next message, cut; or bytes of a stream."""
        if not self.stream or not self.waiting:
            return self.waiting[0][:size] if self.waiting else b""
        if len(self.waiting) > 1 and len(self.waiting[0]) < size:
            whole = b"".join(self.waiting)
            self.waiting = deque([whole])
        return self.waiting[0][:size]

    def take(self, count: int) -> None:
        """Use up what was peeked: a message as a whole."""
        if not self.waiting:
            return
        first = self.waiting.popleft()
        self.size -= count if self.stream else len(first)
        if self.stream and count < len(first):
            self.waiting.appendleft(first[count:])


class SocketNode(Node):
    """What fstat tells of a socket."""

    kind = stat.S_IFSOCK
    next_inode = 5000

    def __init__(self) -> None:
        SocketNode.next_inode += 1
        self.status = of_new(SOCKET_DEVICE, SocketNode.next_inode, stat.S_IFSOCK | 0o777)

    def attributes(self) -> Attributes:
        return self.status


class SocketFile(OpenFile):
    """One end of a pair."""

    def __init__(self, kind: int, incoming: Channel, outgoing: Channel, flags: int) -> None:
        super().__init__(SocketNode(), None, os.O_RDWR | flags)
        self.kind = kind
        self.incoming = incoming
        self.outgoing = outgoing
        self.activity = 0

    @property
    def path(self) -> bytes:
        return b"socket:[%d]" % self.node.attributes().ino

    def peek(self, task: Task, size: int) -> bytes:
        channel = self.incoming
        if not channel.waiting and not channel.is_shut and (size or not channel.stream):
            if self.is_nonblocking:
                raise failure(EAGAIN)
            raise Blocked(lambda: channel.waiting or channel.is_shut)
        return channel.peek(size)

    def consume(self, count: int) -> None:
        self.incoming.take(count)
        self.activity += 1

    def write(self, task: Task, data: bytes) -> int:
        return self.send(task, data, True)

    def send(self, task: Task, data: bytes, signals: bool, nonblocking: bool = False) -> int:
        """Write; `signals`: SIGPIPE as well as EPIPE."""
        channel = self.outgoing
        if channel.is_deaf or channel.is_shut:
            if signals and self.kind != SOCK_DGRAM:
                task.send_signal(SIGPIPE)
            raise failure(EPIPE)
        if not channel.stream and len(data) > CAPACITY:
            raise failure(EMSGSIZE)
        if channel.stream and not data:
            return 0
        needed = 1 if channel.stream else len(data)
        if channel.room < needed:
            if self.is_nonblocking or nonblocking:
                raise failure(EAGAIN)
            raise Blocked(lambda: channel.room >= needed or channel.is_deaf)
        self.activity += 1
        return channel.put(data)

    def shut(self, reading: bool, writing: bool) -> None:
        """shutdown(2)."""
        if reading:
            self.incoming.is_deaf = self.incoming.is_shut = True
        if writing:
            self.outgoing.is_shut = True
        self.activity += 1

    def release(self) -> None:
        self.shut(True, True)

    def poll(self) -> int:
        found = POLLIN if self.incoming.waiting or self.incoming.is_shut else 0
        found |= POLLOUT if self.outgoing.room > 0 or self.outgoing.is_deaf else 0
        found |= POLLRDHUP if self.incoming.is_shut else 0
        return found | (POLLHUP if self.incoming.is_shut and (self.outgoing.is_shut or self.outgoing.is_deaf) else 0)

    def ioctl(self, task: Task, request: int, argument: int) -> int:
        if request != FIONREAD:
            return super().ioctl(task, request, argument)
        channel = self.incoming
        size = channel.size if channel.stream else len(channel.peek(CAPACITY))
        task.write(argument, size.to_bytes(4, "little"))
        return 0


def socket_pair(kind: int, flags: int) -> tuple[SocketFile, SocketFile]:
    """Two connected sockets."""
    first, second = Channel(kind == SOCK_STREAM), Channel(kind == SOCK_STREAM)
    return SocketFile(kind, first, second, flags), SocketFile(kind, second, first, flags)
