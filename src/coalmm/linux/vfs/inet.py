"""TCP and UDP over the loopback interface, between programs of one run. Source: ip(7), tcp(7), udp(7).

There is no other interface: what is not 127.0.0.0/8 cannot be reached. An address is six bytes, IP and port.
"""

from __future__ import annotations

from errno import (
    EACCES,
    EADDRINUSE,
    EADDRNOTAVAIL,
    ECONNREFUSED,
    EDESTADDRREQ,
    EINPROGRESS,
    EINVAL,
    EMSGSIZE,
    ENETUNREACH,
    ENOPROTOOPT,
    ENOTCONN,
    EOPNOTSUPP,
    EPIPE,
)
from select import POLLERR, POLLHUP, POLLIN, POLLOUT

from coalmm.linux.abi import signed
from coalmm.linux.vfs.channel import Channel, Credentials, Message
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.send_buffer import SendBuffer, cost_of_datagram
from coalmm.linux.vfs.sockets import MOST_HELD, POLLRDHUP, SIGPIPE, SOCK_DGRAM, SOCK_STREAM, SocketFile
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

AF_INET = 2
IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP = 0, 6, 17
ANY, LOOPBACK = bytes(4), bytes((127, 0, 0, 1))
FIRST_PORT, LAST_PORT, PRIVILEGED = 32768, 60999, 1024  # net.ipv4.ip_local_port_range
SO_REUSEADDR = 2
LARGEST_UDP = 65507  # bytes that IP has room for
# Options that are kept, and change nothing on a loopback that is never slow: TCP_NODELAY and its kin, TOS, TTL.
OPTIONS = {IPPROTO_TCP: {1: 0, 3: 0, 4: 7200, 5: 75, 6: 9, 12: 1, 18: 0}, IPPROTO_IP: {1: 0, 2: 64, 10: 0, 11: 0}}
Ports = dict[tuple[int, int], "list[InetSocket]"]  # by kind and port


def is_local(ip: bytes) -> bool:
    """Whether an IP address is one of this machine's."""
    return ip == ANY or ip[0] == 127


def port_of(address: bytes) -> int:
    """The port of an address."""
    return int.from_bytes(address[4:], "big")


class InetSocket(SocketFile):
    """A socket of TCP or UDP. `address` is b"" until it has a port."""

    family = AF_INET

    def __init__(self, kind: int, flags: int, owner: Credentials, ports: Ports) -> None:
        super().__init__(kind, flags, owner)
        self.protocol = IPPROTO_TCP if kind == SOCK_STREAM else IPPROTO_UDP
        self.ports = ports
        self.error = 0  # what SO_ERROR tells next
        self.received = SendBuffer()  # the datagrams that wait here: SO_RCVBUF
        self.target = b""  # where connect(2) leads
        self.is_in_progress = False  # connect(2) has said so, and was not asked again
        self.was_written = False  # after the other side had gone: that is told the next time
        self.kept: dict[tuple[int, int], int] = {}

    @property
    def largest(self) -> int:
        return LARGEST_UDP

    # --- ports ---

    def bind(self, address: bytes, is_root: bool) -> None:
        """Have an address; port 0 is a free one. EADDRNOTAVAIL, EACCES, EADDRINUSE."""
        ip, port = address[:4], port_of(address)
        if not is_local(ip):
            raise failure(EADDRNOTAVAIL)
        if 0 < port < PRIVILEGED and not is_root:
            raise failure(EACCES)
        if not port:
            port = self._free_port(ip)
        elif not self._may_have(ip, port):
            raise failure(EADDRINUSE)
        self.address = ip + port.to_bytes(2, "big")
        self.ports.setdefault((self.kind, port), []).append(self)

    def _may_have(self, ip: bytes, port: int) -> bool:
        """Whether nobody else's address is in the way."""
        for other in self.ports.get((self.kind, port), ()):
            shares = bool(self.options.get(SO_REUSEADDR) and other.options.get(SO_REUSEADDR))
            meets = ANY in (ip, other.address[:4]) or ip == other.address[:4]
            if meets and (not shares or other.backlog is not None):
                return False
        return True

    def _free_port(self, ip: bytes) -> int:
        for port in range(FIRST_PORT, LAST_PORT + 1):
            if (self.kind, port) not in self.ports:
                return port
        raise failure(EADDRINUSE)

    def bind_anywhere(self) -> None:
        """Have some port."""
        if not self.address:
            self.bind(ANY + bytes(2), is_root=True)

    def find(self, address: bytes) -> InetSocket | None:
        """Who has an address. ENETUNREACH."""
        ip = LOOPBACK if address[:4] == ANY else address[:4]
        if not is_local(ip):
            raise failure(ENETUNREACH)
        found = [each for each in self.ports.get((self.kind, port_of(address)), ()) if each.address[:4] in (ip, ANY)]
        if self.kind == SOCK_STREAM:
            found = [each for each in found if each.backlog is not None]
        return next((each for each in found if each.address[:4] == ip), found[0] if found else None)

    @staticmethod
    def exact(address: bytes) -> bytes:
        """An address that others see, or that leads to them."""
        return (LOOPBACK if address[:4] == ANY else address[:4]) + address[4:]

    # --- connections ---

    def start_connection(self, task: Task, address: bytes) -> None:
        """connect(2) of TCP. EINPROGRESS, ECONNREFUSED, ENETUNREACH, Blocked."""
        if self.is_in_progress:
            self.is_in_progress = False
            if self.error:
                raise failure(self.take_error())
            return
        self.bind_anywhere()
        self.target = self.exact(address)
        other = self.find(address)
        if other is not None:
            other.queue(task, self)
        if self.is_nonblocking:
            self.is_in_progress = True
            self.error = ECONNREFUSED if other is None else 0
            raise failure(EINPROGRESS)
        if other is None:
            raise failure(ECONNREFUSED)

    def connect(self, other: SocketFile) -> None:
        super().connect(other)
        self.peer_owner = other.peer_owner = None  # SO_PEERCRED is of Unix sockets
        assert isinstance(other, InetSocket)
        other.address = self.target
        self.address = self.exact(self.address)
        self.peer_address, other.peer_address = other.address, self.address

    def new_side(self) -> SocketFile:
        return InetSocket(self.kind, 0, self.owner, self.ports)

    def aim(self, other: SocketFile | None) -> None:
        self.peer = other
        self.peer_address = b"" if other is None else other.address

    def aim_at(self, address: bytes) -> None:
        """connect(2) of UDP: nobody need be there. ENETUNREACH."""
        self.bind_anywhere()
        self.peer = self.find(address) or self  # who it is is looked up for each datagram
        self.peer_address = self.exact(address)

    def take_error(self) -> int:
        error, self.error = self.error, 0
        if error:
            return error
        error = super().take_error()
        self.was_written |= error != 0
        return error

    def not_connected(self) -> OSError:
        return failure(ENOTCONN)

    def shut(self, reading: bool, writing: bool) -> None:
        super().shut(reading, writing)
        if self.kind == SOCK_STREAM and self.peer is None and self.backlog is None:
            raise failure(ENOTCONN)

    # --- bytes ---

    def look(self, task: Task, size: int, nonblocking: bool = False) -> bytes:
        if self.error:
            raise failure(self.take_error())
        return super().look(task, size, nonblocking)

    def send(
        self,
        task: Task,
        message: Message,
        signals: bool = True,
        nonblocking: bool = False,
        target: SocketFile | None = None,
    ) -> int:
        if self.kind == SOCK_DGRAM:
            return self._send_datagram(message, self.peer_address)
        if self.peer is None:
            if signals:
                task.send_signal(SIGPIPE)
            raise failure(EPIPE)
        if self.incoming.was_reset:
            raise failure(self.take_error())
        if self.peer.incoming.is_gone and not self.is_shut and not self.was_written:
            self.was_written = True
            return len(message.data)  # it is on its way before the answer comes that nobody is there
        return super().send(task, message, signals, nonblocking)

    def send_to(self, message: Message, address: bytes) -> int:
        """sendto(2) of UDP."""
        return self._send_datagram(message, address)

    def _send_datagram(self, message: Message, address: bytes) -> int:
        """To whoever is there and takes it. EDESTADDRREQ, EMSGSIZE, ENETUNREACH, ECONNREFUSED."""
        self.bind_anywhere()
        if not address:
            raise failure(EDESTADDRREQ)
        if self.error:
            raise failure(self.take_error())
        if self.is_shut:
            raise failure(EPIPE)
        if len(message.data) > LARGEST_UDP:
            raise failure(EMSGSIZE)
        other = self.find(address)
        if other is None and self.peer is not None:
            self.error = ECONNREFUSED  # told the next time: an ICMP message says so
        if other is not None and other.takes(self.exact(self.address)) and other.has_room:
            message.charge(other.received, cost_of_datagram(len(message.data)))
            message.sender = self.exact(self.address)
            other.incoming.put(message)
        return len(message.data)

    @property
    def has_room(self) -> bool:
        """Whether it takes one more datagram; if not it is lost."""
        return self.received.used <= self.receive_size and Channel.held <= MOST_HELD

    def takes(self, sender: bytes) -> bool:
        """Whether a datagram from there is for it."""
        return self.peer is None or self.peer_address == sender

    def poll(self) -> int:
        if self.error:
            return POLLIN | POLLOUT | POLLERR | (POLLHUP | POLLRDHUP if self.kind == SOCK_STREAM else 0)
        if self.kind == SOCK_DGRAM:
            return POLLOUT | (POLLIN if self.incoming.waiting or self.incoming.is_shut else 0)
        is_over = self.peer is None and self.backlog is None and self.incoming.is_shut
        return super().poll() | (POLLIN | POLLRDHUP if is_over else 0)

    def release(self) -> None:
        if self.kind == SOCK_DGRAM:
            self.peer = None
        super().release()
        names = self.ports.get((self.kind, port_of(self.address or bytes(6))), [])
        if self in names:
            names.remove(self)
            if not names:
                del self.ports[self.kind, port_of(self.address)]

    # --- options ---

    def get_other_option(self, task: Task, level: int, name: int, value: int, length: int) -> int:
        from coalmm.linux.calls.socket_options import put_option

        if level not in OPTIONS:
            raise failure(EOPNOTSUPP)
        first = OPTIONS[level].get(name)
        if first is None or (level == IPPROTO_TCP and self.kind != SOCK_STREAM):
            raise failure(ENOPROTOOPT)
        return put_option(task, self.kept.get((level, name), first).to_bytes(4, "little", signed=True), value, length)

    def set_other_option(self, task: Task, level: int, name: int, value: int, size: int) -> int:
        if name not in OPTIONS.get(level, {}) or (level == IPPROTO_TCP and self.kind != SOCK_STREAM):
            raise failure(ENOPROTOOPT)
        if size < 4:
            raise failure(EINVAL)
        number = signed(int.from_bytes(task.read(value, 4), "little"))
        self.kept[level, name] = int(number != 0) if (level, name) in ((IPPROTO_TCP, 1), (IPPROTO_TCP, 3)) else number
        return 0
