"""Unix sockets between tasks of a run: pairs, and those with names. There is no other network. Source: unix(7)."""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from errno import EAGAIN, ECONNREFUSED, ECONNRESET, EINVAL, EMSGSIZE, ENOBUFS, ENOTCONN, EOPNOTSUPP, EPERM, EPIPE
from select import POLLERR, POLLHUP, POLLIN, POLLOUT

from coalmm.linux.credentials import current
from coalmm.linux.registry import Blocked
from coalmm.linux.vfs.attributes import Attributes, of_new
from coalmm.linux.vfs.channel import Channel, Credentials, Message
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Node
from coalmm.linux.vfs.open_file import OpenFile
from coalmm.linux.vfs.send_buffer import DEFAULT_SIZE, SendBuffer, cost_of_datagram, cost_of_piece
from coalmm.typed import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from coalmm.linux.task import Task

SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET = 1, 2, 5
POLLRDHUP = 0x2000
SIGPIPE = 13
MOST_HELD = 256 << 20  # bytes that may wait at all sockets together
FIONREAD, SIOCOUTQ = 0x541B, 0x5411
SOCKET_DEVICE = 8  # st_dev of sockets
MOST_DATAGRAMS = 10  # net.unix.max_dgram_qlen: from others than the peer
AF_UNIX = 1


class SocketNode(Node):
    """What fstat tells of a socket."""

    kind = stat.S_IFSOCK

    def __init__(self) -> None:
        current.numbers.socket += 1
        self.status = of_new(SOCKET_DEVICE, current.numbers.socket, stat.S_IFSOCK | 0o777)

    def attributes(self) -> Attributes:
        return self.status


class SocketFile(OpenFile):
    """A socket. `peer` is the one that it is connected to, which need not be connected to it if it is of datagrams."""

    family = AF_UNIX
    protocol = 0

    def __init__(self, kind: int, flags: int, owner: Credentials) -> None:
        super().__init__(SocketNode(), None, os.O_RDWR | flags)
        self.kind = kind
        self.owner = owner
        self.incoming = Channel(kind == SOCK_STREAM)
        self.sent = SendBuffer()
        self.peer: SocketFile | None = None
        self.address = b""  # sun_path: a path, or a name that begins with NUL
        self.peer_address = b""
        self.peer_owner: Credentials | None = None
        self.backlog: deque[SocketFile] | None = None  # of a socket that listens: connections that wait
        self.most_waiting = 0
        self.listener: SocketFile | None = None  # in whose backlog it is
        self.carriers: list[Message] = []  # the messages that it is on its way in
        self.names: dict[tuple[int, bytes], SocketFile] | None = None  # where its abstract name is
        self.bound_node: Node | None = None  # its name in the tree of files
        self.changes = 0  # connections that came, and what else is no message
        self.is_shut = False  # it writes no more
        self.receive_timeout: float | None = None  # seconds: SO_RCVTIMEO
        self.send_timeout: float | None = None
        self.receive_size = DEFAULT_SIZE  # SO_RCVBUF: kept, and for Unix sockets without effect on Linux too
        self.least = 1  # SO_RCVLOWAT
        self.options: dict[int, int] = {}  # those that are only kept

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

    @property
    def activity(self) -> int:
        """For the edges of epoll: what came, and what was read of what went."""
        return self.changes + self.incoming.arrived + self.sent.settled

    @property
    def largest(self) -> int:
        """Bytes of the largest datagram that it sends."""
        return self.sent.largest

    def take_error(self) -> int:
        """SO_ERROR: it is told once."""
        was_reset, self.incoming.was_reset = self.incoming.was_reset, False
        return ECONNRESET if was_reset else 0

    def pause(self, task: Task, ready: Callable[[], Any], seconds: float | None, nonblocking: bool = False) -> None:
        """Wait for something: Blocked, or EAGAIN if it may not wait, or has waited long enough."""
        if nonblocking or self.is_nonblocking:
            raise failure(EAGAIN)
        deadline = None if seconds is None else time.monotonic() + seconds
        if task.wait is not None and task.wait.deadline is not None:  # the call is made again, and waits on
            deadline = task.wait.deadline
            if time.monotonic() >= deadline:
                raise failure(EAGAIN)
        raise Blocked(ready, deadline, restarts=seconds is None)

    def get_other_option(self, task: Task, level: int, name: int, value: int, length: int) -> int:
        """getsockopt(2) of another level than SOL_SOCKET. EOPNOTSUPP."""
        raise failure(EOPNOTSUPP)

    def set_other_option(self, task: Task, level: int, name: int, value: int, size: int) -> int:
        """setsockopt(2) of another level than SOL_SOCKET. EOPNOTSUPP."""
        raise failure(EOPNOTSUPP)

    # --- connections ---

    def connect(self, other: SocketFile) -> None:
        """Let each side's bytes go to the other one."""
        self.peer, other.peer = other, self
        self.peer_owner, other.peer_owner = other.owner, self.owner
        self.peer_address, other.peer_address = other.address, self.address

    def aim(self, other: SocketFile | None) -> None:
        """connect(2) of datagrams: whom they go to and come from; None for nobody. EPERM."""
        if other is not None and not other.takes_from(self):
            raise failure(EPERM)
        before, self.peer = self.peer, other
        self.peer_address = other.address if other is not None else b""
        if before is not None and before is not other and self.incoming.waiting:
            self.incoming.clear()
            before.incoming.was_reset |= before.peer is self

    def takes_from(self, sender: SocketFile) -> bool:
        """Whether it is connected to nobody else."""
        return self.peer is None or self.peer is sender

    def queue(self, task: Task, client: SocketFile) -> None:
        """A connection for one that listens: the side that accept(2) will give is made. EAGAIN, Blocked."""
        backlog = self.backlog
        if backlog is None or self.incoming.is_gone or self.incoming.is_deaf:
            raise failure(ECONNREFUSED)
        if len(backlog) > self.most_waiting:
            incoming = self.incoming

            def ready() -> bool:
                return len(backlog) <= self.most_waiting or incoming.is_gone or incoming.is_deaf

            client.pause(task, ready, client.send_timeout)
        side = self.new_side()
        side.address = self.address
        side.wants_credentials = self.wants_credentials
        side.listener = self
        client.connect(side)
        backlog.append(side)
        self.changes += 1

    def new_side(self) -> SocketFile:
        """The socket that accept(2) gives."""
        return SocketFile(self.kind, 0, self.owner)

    def accept(self, task: Task) -> SocketFile:
        """The next connection. EINVAL, EAGAIN, Blocked."""
        backlog = self.backlog
        if backlog is None:
            raise failure(EINVAL)
        if not backlog:
            if self.incoming.is_deaf:  # shutdown(2): nobody comes any more
                raise failure(EINVAL)
            self.pause(task, lambda: backlog or self.incoming.is_deaf, self.receive_timeout)
        side = backlog.popleft()
        side.listener = None
        return side

    # --- bytes ---

    def peek(self, task: Task, size: int) -> bytes:
        return self.look(task, size)

    def look(self, task: Task, size: int, nonblocking: bool = False) -> bytes:
        """What can be read. Blocked until there is some; b"" at the end of a stream."""
        channel = self.incoming
        if channel.stream and (self.peer is None or self.backlog is not None):
            raise self.not_connected()
        if self.kind == SOCK_SEQPACKET and self.peer is None:
            raise failure(ENOTCONN)

        def is_ready() -> bool:
            return bool(channel.waiting) or channel.is_shut or channel.was_reset

        if not is_ready() and (size or not channel.stream):
            self.pause(task, is_ready, self.receive_timeout, nonblocking)
        if channel.was_reset and not (channel.stream and channel.waiting):
            raise failure(self.take_error())
        return channel.peek(size)

    def not_connected(self) -> OSError:
        """What reading a stream that goes nowhere fails with."""
        return failure(EINVAL)

    def consume(self, count: int) -> None:
        self.incoming.take(count)

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
        other = target or self.peer
        if other is None:
            raise failure(ENOTCONN)
        if self.incoming.was_reset and self.kind != SOCK_STREAM:
            raise failure(self.take_error())
        channel, message.sender = other.incoming, self.address
        self._check_reader(task, channel, signals)
        if not channel.stream and len(message.data) > self.sent.largest:
            raise failure(EMSGSIZE)
        if channel.stream and not message.data:
            return 0

        def is_ready() -> bool:
            return (self.sent.has_room and not self._is_full(other)) or channel.is_deaf

        if not is_ready():
            self.pause(task, is_ready, self.send_timeout, nonblocking)
        if Channel.held > MOST_HELD:
            raise failure(ENOBUFS)
        task.wait = None  # it has gone on: if the call waits again, SO_SNDTIMEO begins anew
        if channel.stream:
            return self._send_pieces(other, message)
        if not other.takes_from(self):
            raise failure(EPERM)
        message.charge(self.sent, cost_of_datagram(len(message.data)))
        message.receiver = other
        channel.put(message)
        return len(message.data)

    def _is_full(self, other: SocketFile) -> bool:
        """Whether as many datagrams wait at `other` as it takes from those that it is not connected to."""
        is_other = other is not self and other.peer is not self
        return self.kind == SOCK_DGRAM and is_other and len(other.incoming.waiting) > MOST_DATAGRAMS

    def _send_pieces(self, other: SocketFile, message: Message) -> int:
        """As much of a stream as there is room for; what comes with the bytes comes with the first ones."""
        data, sent, piece = message.data, self.sent, self.sent.piece
        done = 0
        while done < len(data) and sent.has_room:
            part = message if not done else Message(b"", [], message.credentials, self.address)
            part.data = data[done : done + piece]
            part.charge(sent, cost_of_piece(len(part.data)))
            part.receiver = other
            other.incoming.put(part)
            done += len(part.data)
        return done

    def _check_reader(self, task: Task, channel: Channel, signals: bool) -> None:
        """EPIPE or ECONNREFUSED if nobody will read."""
        if self.kind == SOCK_DGRAM and channel.is_gone and not self.is_shut:
            self.peer = None if self.peer is not None and self.peer.incoming is channel else self.peer
            raise failure(ECONNREFUSED)
        if channel.is_deaf or self.is_shut:
            if signals and channel.stream:
                task.send_signal(SIGPIPE)
            raise failure(EPIPE)

    def shut(self, reading: bool, writing: bool) -> None:
        """shutdown(2): of a connection, both sides are told."""
        other = self.peer.incoming if self.peer is not None and self.kind != SOCK_DGRAM else Channel(False)
        if reading:
            self.incoming.is_deaf = self.incoming.is_shut = True
        if writing:
            self.is_shut = other.is_shut = True
        self.changes += 1
        other.arrived += 1

    def let_go(self) -> None:
        super().let_go()
        if self.references and self.references == len(self.carriers):
            from coalmm.linux.vfs.socket_garbage import collect

            collect(self)

    def release(self) -> None:
        if self.peer is not None and self.kind != SOCK_DGRAM:
            other = self.peer.incoming
            other.was_reset = bool(self.incoming.waiting) or self.listener is not None  # nobody has accepted it
            other.is_shut = True
            other.arrived += 1
        for side in self.backlog or ():
            side.release()
        self.peer = None
        self.incoming.close()
        if self.names is not None:
            self.names.pop((self.kind, self.address), None)
        if self.bound_node is not None:
            self.bound_node.bound = None

    def poll(self) -> int:
        incoming, peer = self.incoming, self.peer
        if self.backlog is not None:
            return (POLLIN if self.backlog or incoming.is_deaf else 0) | (POLLRDHUP if incoming.is_deaf else 0)
        writable = POLLOUT if self.sent.is_writable and (peer is None or not self._is_full(peer)) else 0
        if peer is None and self.kind != SOCK_DGRAM:
            return writable | POLLHUP
        found = writable | (POLLIN if incoming.waiting or incoming.is_shut else 0)
        found |= POLLRDHUP if incoming.is_shut else 0
        found |= POLLERR if incoming.was_reset else 0
        is_over = self.is_shut or (peer is not None and self.kind != SOCK_DGRAM and peer.incoming.is_deaf)
        return found | (POLLHUP if incoming.is_shut and is_over else 0)

    def ioctl(self, task: Task, request: int, argument: int) -> int:
        channel = self.incoming
        if request == SIOCOUTQ:
            size = self.sent.used
        elif request == FIONREAD:
            size = channel.size if channel.stream else sum(each.left for each in channel.next(1))
        else:
            return super().ioctl(task, request, argument)
        task.write(argument, size.to_bytes(4, "little"))
        return 0


def socket_pair(kind: int, flags: int, owner: Credentials) -> tuple[SocketFile, SocketFile]:
    """Two connected sockets."""
    first, second = SocketFile(kind, flags, owner), SocketFile(kind, flags, owner)
    first.connect(second)
    return first, second
