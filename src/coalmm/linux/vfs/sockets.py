"""Unix sockets between tasks of a run: pairs, and those with names. There is no other network. Source: unix(7)."""

from __future__ import annotations

import os
import stat
from collections import deque
from errno import EAGAIN, ECONNREFUSED, ECONNRESET, EINVAL, EMSGSIZE, ENOTCONN, EPIPE
from select import POLLERR, POLLHUP, POLLIN, POLLOUT

from coalmm.linux.registry import Blocked
from coalmm.linux.vfs.attributes import Attributes, of_new
from coalmm.linux.vfs.channel import CAPACITY, Channel, Credentials, Message
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Node
from coalmm.linux.vfs.open_file import OpenFile
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET = 1, 2, 5
POLLRDHUP = 0x2000
SIGPIPE = 13
FIONREAD = 0x541B
SOCKET_DEVICE = 8  # st_dev of sockets


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
    """A socket. `outgoing` is what the other side reads; None until it is connected."""

    def __init__(self, kind: int, flags: int, owner: Credentials) -> None:
        super().__init__(SocketNode(), None, os.O_RDWR | flags)
        self.kind = kind
        self.owner = owner
        self.incoming = Channel(kind == SOCK_STREAM)
        self.outgoing: Channel | None = None
        self.address = b""  # sun_path: a path, or a name that begins with NUL
        self.peer_address = b""
        self.peer_owner: Credentials | None = None
        self.backlog: deque[SocketFile] | None = None  # of a socket that listens: connections that wait
        self.most_waiting = 0
        self.names: dict[tuple[int, bytes], SocketFile] | None = None  # where its abstract name is
        self.bound_node: Node | None = None  # its name in the tree of files
        self.activity = 0

    @property
    def path(self) -> bytes:
        return b"socket:[%d]" % self.node.attributes().ino

    @property
    def wants_credentials(self) -> bool:
        """SO_PASSCRED: who sent is told with the bytes, so that a read is of one sender."""
        return self.incoming.by_sender

    @wants_credentials.setter
    def wants_credentials(self, value: bool) -> None:
        self.incoming.by_sender = value

    # --- connections ---

    def connect(self, other: SocketFile) -> None:
        """Let each side's bytes go to the other one."""
        self.outgoing, other.outgoing = other.incoming, self.incoming
        self.peer_owner, other.peer_owner = other.owner, self.owner
        self.peer_address, other.peer_address = other.address, self.address

    def queue(self, client: SocketFile) -> None:
        """A connection for one that listens: the side that accept(2) will give is made. EAGAIN, Blocked."""
        backlog = self.backlog
        if backlog is None or self.incoming.is_gone or self.incoming.is_deaf:
            raise failure(ECONNREFUSED)
        if len(backlog) > self.most_waiting:
            if client.is_nonblocking:
                raise failure(EAGAIN)
            incoming = self.incoming
            raise Blocked(lambda: len(backlog) <= self.most_waiting or incoming.is_gone or incoming.is_deaf)
        side = SocketFile(self.kind, 0, self.owner)
        side.address = self.address
        side.wants_credentials = self.wants_credentials
        client.connect(side)
        backlog.append(side)
        self.activity += 1

    def accept(self) -> SocketFile:
        """The next connection. EINVAL, EAGAIN, Blocked."""
        backlog = self.backlog
        if backlog is None:
            raise failure(EINVAL)
        if not backlog:
            if self.incoming.is_deaf:  # shutdown(2): nobody comes any more
                raise failure(EINVAL)
            if self.is_nonblocking:
                raise failure(EAGAIN)
            raise Blocked(lambda: backlog or self.incoming.is_deaf)
        self.activity += 1
        return backlog.popleft()

    # --- bytes ---

    def peek(self, task: Task, size: int) -> bytes:
        return self.look(size, self.is_nonblocking)

    def look(self, size: int, nonblocking: bool, wanted: int = 1) -> bytes:
        """What can be read. Blocked until there is some, `wanted` bytes of a stream; b"" at its end."""
        channel = self.incoming
        if channel.stream and (self.outgoing is None or self.backlog is not None):
            raise failure(EINVAL)
        if self.kind == SOCK_SEQPACKET and self.outgoing is None:
            raise failure(ENOTCONN)
        wanted = min(wanted, CAPACITY // 2) if channel.stream and not channel.by_sender else 1

        def is_ready() -> bool:
            some = bool(channel.waiting) and (channel.size >= wanted or not channel.stream)
            return some or channel.is_shut or channel.was_reset

        if not is_ready() and (size or not channel.stream):
            if nonblocking:
                raise failure(EAGAIN)
            raise Blocked(is_ready)
        if channel.was_reset and not (channel.stream and channel.waiting):
            channel.was_reset = False
            raise failure(ECONNRESET)
        return channel.peek(size)

    def consume(self, count: int) -> None:
        self.incoming.take(count)
        self.activity += 1

    def write(self, task: Task, data: bytes) -> int:
        owner = Credentials(task.group.pid, task.credentials.user.effective, task.credentials.group.effective)
        return self.send(task, Message(data, [], owner))

    def send(
        self,
        task: Task,
        message: Message,
        signals: bool = True,
        nonblocking: bool = False,
        target: SocketFile | None = None,
    ) -> int:
        """Write to the other side, or to `target`; `signals`: SIGPIPE as well as EPIPE."""
        channel = self.outgoing if target is None else target.incoming
        if channel is None:
            raise failure(ENOTCONN)
        self._check_reader(task, channel, signals)
        size = len(message.data)
        if not channel.stream and size > CAPACITY:
            raise failure(EMSGSIZE)
        if channel.stream and not size:
            return 0
        needed = 1 if channel.stream else size
        if channel.room < needed or (not size and len(channel.waiting) > CAPACITY >> 9):
            if self.is_nonblocking or nonblocking:
                raise failure(EAGAIN)
            raise Blocked(lambda: channel.room >= needed or channel.is_deaf)
        message.data = message.data[: channel.room] if channel.stream else message.data
        message.sender = self.address
        self.activity += 1
        channel.put(message)
        return len(message.data)

    def _check_reader(self, task: Task, channel: Channel, signals: bool) -> None:
        """EPIPE or ECONNREFUSED if nobody will read."""
        if self.kind == SOCK_DGRAM and channel.is_gone:
            raise failure(ECONNREFUSED)
        if channel.is_deaf or (channel.is_shut and channel is self.outgoing):
            if signals and self.kind != SOCK_DGRAM:
                task.send_signal(SIGPIPE)
            raise failure(EPIPE)

    def shut(self, reading: bool, writing: bool) -> None:
        """shutdown(2)."""
        if reading:
            self.incoming.is_deaf = self.incoming.is_shut = True
        if writing and self.outgoing is not None:
            self.outgoing.is_shut = True
        self.activity += 1

    def release(self) -> None:
        if self.outgoing is not None and self.kind != SOCK_DGRAM:
            self.outgoing.was_reset = bool(self.incoming.waiting)
            self.outgoing.is_shut = True
        for side in self.backlog or ():
            side.release()
        self.incoming.clear()
        if self.names is not None:
            self.names.pop((self.kind, self.address), None)
        if self.bound_node is not None:
            self.bound_node.bound = None

    def poll(self) -> int:
        incoming, outgoing = self.incoming, self.outgoing
        if self.backlog is not None:
            return (POLLIN if self.backlog or incoming.is_deaf else 0) | (POLLRDHUP if incoming.is_deaf else 0)
        if outgoing is None and self.kind != SOCK_DGRAM:
            return POLLOUT | POLLHUP
        found = POLLIN if incoming.waiting or incoming.is_shut else 0
        found |= POLLOUT if outgoing is None or outgoing.room > 0 or outgoing.is_deaf else 0
        found |= POLLRDHUP if incoming.is_shut else 0
        found |= POLLERR if incoming.was_reset else 0
        is_over = outgoing is not None and (outgoing.is_shut or outgoing.is_deaf)
        return found | (POLLHUP if incoming.is_shut and is_over else 0)

    def ioctl(self, task: Task, request: int, argument: int) -> int:
        if request != FIONREAD:
            return super().ioctl(task, request, argument)
        channel = self.incoming
        size = channel.size if channel.stream else len(channel.peek(CAPACITY))
        task.write(argument, size.to_bytes(4, "little"))
        return 0


def socket_pair(kind: int, flags: int, owner: Credentials) -> tuple[SocketFile, SocketFile]:
    """Two connected sockets."""
    first, second = SocketFile(kind, flags, owner), SocketFile(kind, flags, owner)
    first.connect(second)
    return first, second
