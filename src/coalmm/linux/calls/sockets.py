"""Sockets: pairs between tasks, and no network. Source: socket(2), socketpair(2), send(2), recv(2)."""

from __future__ import annotations

import os
from errno import (
    EAFNOSUPPORT,
    EINVAL,
    EISCONN,
    ENOPROTOOPT,
    ENOTSOCK,
    EOPNOTSUPP,
    EPROTONOSUPPORT,
    ESOCKTNOSUPPORT,
)

from coalmm.linux.abi import signed
from coalmm.linux.calls.buffers import MOST_BYTES, gather, scatter, vectors
from coalmm.linux.calls.transfer import install_pair
from coalmm.linux.registry import SystemCall, system_call
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.sockets import SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, SocketFile, socket_pair
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

AF_UNIX = 1
SOCK_TYPE = 0xF
MSG_PEEK, MSG_TRUNC, MSG_DONTWAIT, MSG_NOSIGNAL = 2, 0x20, 0x40, 0x4000
SOL_SOCKET = 1
SO_TYPE, SO_ERROR, SO_SNDBUF, SO_RCVBUF, SO_DOMAIN, SO_PROTOCOL = 3, 4, 7, 8, 39, 38


def socket_of(task: Task, fd: int) -> SocketFile:
    """The socket of a descriptor. EBADF, ENOTSOCK."""
    file = task.files.get(fd)
    if not isinstance(file, SocketFile):
        raise failure(ENOTSOCK)
    return file


@system_call("socket")
def socket(task: Task, family: int, kind: int, protocol: int) -> int:
    """socket(2): there is no network, and nobody to connect to."""
    raise failure(EAFNOSUPPORT)


@system_call("socketpair")
def socketpair(task: Task, family: int, kind: int, protocol: int, array: int) -> int:
    """socketpair(2)."""
    flags, kind = kind & 0xFFFF_FFFF & ~SOCK_TYPE, kind & SOCK_TYPE
    if flags & ~(os.O_CLOEXEC | os.O_NONBLOCK):
        raise failure(EINVAL)
    if family & 0xFFFF_FFFF != AF_UNIX:
        raise failure(EAFNOSUPPORT)
    if kind not in (SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET):
        raise failure(ESOCKTNOSUPPORT)
    if signed(protocol) not in (0, AF_UNIX):
        raise failure(EPROTONOSUPPORT)
    return install_pair(task, socket_pair(kind, flags & os.O_NONBLOCK), flags, array)


def send(task: Task, fd: int, parts: list[tuple[int, int]], flags: int) -> int:
    """Send what is in an iovec array."""
    file = socket_of(task, fd)
    data = gather(task, parts)
    return file.send(task, data, not flags & MSG_NOSIGNAL, bool(flags & MSG_DONTWAIT))


def receive(task: Task, fd: int, parts: list[tuple[int, int]], flags: int) -> tuple[int, bool]:
    """Receive to an iovec array: how many bytes, and whether a message was cut."""
    file = socket_of(task, fd)
    room = sum(size for _, size in parts)
    before = file.flags
    if flags & MSG_DONTWAIT:
        file.flags |= os.O_NONBLOCK
    try:
        whole = file.peek(task, room if file.incoming.stream else MOST_BYTES)
    finally:
        file.flags = before
    done = scatter(task, parts, whole[:room]) if whole[:room] else 0
    cut = len(whole) > room
    if not flags & MSG_PEEK:
        file.consume(done)
    return (len(whole) if cut and flags & MSG_TRUNC else done), cut


@system_call("sendto")
def sendto(task: Task, fd: int, buffer: int, size: int, flags: int, address: int, length: int) -> int:
    """sendto(2)."""
    if address and socket_of(task, fd).kind != SOCK_DGRAM:
        raise failure(EISCONN)
    return send(task, fd, [(buffer, min(size, MOST_BYTES))], flags)


@system_call("recvfrom")
def recvfrom(task: Task, fd: int, buffer: int, size: int, flags: int, address: int, length: int) -> int:
    """recvfrom(2): the other side has no name."""
    count, _ = receive(task, fd, [(buffer, min(size, MOST_BYTES))], flags)
    if length:
        task.write(length, bytes(4))
    return count


def header(task: Task, vaddr: int) -> tuple[list[tuple[int, int]], int, int]:
    """struct msghdr: its iovec array, and where and how long its control data is."""
    word = task.abi.word
    _, _, array, count, control, control_size, _ = task.read_words(vaddr, 7)
    return vectors(task, array, signed(count, word * 8)), control, control_size


@system_call("sendmsg")
def sendmsg(task: Task, fd: int, message: int, flags: int) -> int:
    """sendmsg(2) without control data."""
    socket_of(task, fd)
    parts, _, control_size = header(task, message)
    if control_size:
        raise failure(EOPNOTSUPP)
    return send(task, fd, parts, flags)


@system_call("recvmsg")
def recvmsg(task: Task, fd: int, message: int, flags: int) -> int:
    """recvmsg(2): no name and no control data come."""
    socket_of(task, fd)
    parts, _, _ = header(task, message)
    count, cut = receive(task, fd, parts, flags)
    word = task.abi.word
    task.write(message + word, bytes(4))
    task.write(message + 5 * word, task.abi.pack_words(0) + (MSG_TRUNC if cut else 0).to_bytes(4, "little"))
    return count


@system_call("shutdown")
def shutdown(task: Task, fd: int, how: int) -> int:
    """shutdown(2)."""
    file = socket_of(task, fd)
    if signed(how) not in (0, 1, 2):
        raise failure(EINVAL)
    file.shut(how in (0, 2), how in (1, 2))
    return 0


@system_call("getsockopt")
def getsockopt(task: Task, fd: int, level: int, name: int, value: int, length: int) -> int:
    """getsockopt(2)."""
    file = socket_of(task, fd)
    known = {SO_TYPE: file.kind, SO_ERROR: 0, SO_SNDBUF: 212992, SO_RCVBUF: 212992, SO_DOMAIN: AF_UNIX, SO_PROTOCOL: 0}
    room = signed(int.from_bytes(task.read(length, 4), "little"))
    if room < 0:
        raise failure(EINVAL)
    if level & 0xFFFF_FFFF != SOL_SOCKET or name not in known:
        raise failure(ENOPROTOOPT)
    data = known[name].to_bytes(4, "little")[:room]
    task.write(value, data)
    task.write(length, len(data).to_bytes(4, "little"))
    return 0


@system_call("setsockopt")
def setsockopt(task: Task, fd: int, level: int, name: int, value: int, length: int) -> int:
    """setsockopt(2): sizes and times are taken, and change nothing."""
    socket_of(task, fd)
    if level & 0xFFFF_FFFF != SOL_SOCKET:
        raise failure(ENOPROTOOPT)
    if signed(length) < 4:
        raise failure(EINVAL)
    task.read(value, 4)
    return 0


@system_call("getsockname", "getpeername")
def getsockname(task: Task, fd: int, address: int, length: int) -> int:
    """getsockname(2): a family and no name."""
    socket_of(task, fd)
    room = signed(int.from_bytes(task.read(length, 4), "little"))
    if room < 0:
        raise failure(EINVAL)
    task.write(address, AF_UNIX.to_bytes(2, "little")[:room])
    task.write(length, (2).to_bytes(4, "little"))
    return 0


@system_call("connect", "bind")
def connect(task: Task, fd: int, address: int, length: int) -> int:
    """connect(2): a pair is connected."""
    socket_of(task, fd)
    raise failure(EISCONN)


@system_call("listen")
def listen(task: Task, fd: int, backlog: int) -> int:
    """listen(2)."""
    socket_of(task, fd)
    raise failure(EINVAL)


@system_call("accept", "accept4")
def accept(task: Task, fd: int, address: int, length: int) -> int:
    """accept(2)."""
    socket_of(task, fd)
    raise failure(EINVAL)


def send_32(task: Task, fd: int, buffer: int, size: int, flags: int) -> int:
    """send(2), which only socketcall has."""
    return sendto(task, fd, buffer, size, flags, 0, 0)


def recv_32(task: Task, fd: int, buffer: int, size: int, flags: int) -> int:
    """recv(2), which only socketcall has."""
    return recvfrom(task, fd, buffer, size, flags, 0, 0)


MULTIPLEXED: dict[int, tuple[SystemCall, int]] = {
    1: (socket, 3), 2: (connect, 3), 3: (connect, 3), 4: (listen, 2), 5: (accept, 3), 6: (getsockname, 3),
    7: (getsockname, 3), 8: (socketpair, 4), 9: (send_32, 4), 10: (recv_32, 4), 11: (sendto, 6), 12: (recvfrom, 6),
    13: (shutdown, 2), 14: (setsockopt, 5), 15: (getsockopt, 5), 16: (sendmsg, 3), 17: (recvmsg, 3), 18: (accept, 3),
}  # fmt: skip


@system_call("socketcall")
def socketcall(task: Task, number: int, array: int) -> int:
    """socketcall(2) of i386: its arguments are in memory."""
    if number not in MULTIPLEXED:
        raise failure(EINVAL)
    function, count = MULTIPLEXED[number]
    return function(task, *task.read_words(array, count))
