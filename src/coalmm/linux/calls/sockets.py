"""Sockets between tasks: Unix sockets, TCP and UDP over a loopback. Source: socket(2), send(2), recv(2)."""

from __future__ import annotations

import os
from collections import deque
from errno import (
    EAFNOSUPPORT,
    EINVAL,
    EISCONN,
    ENOTCONN,
    EOPNOTSUPP,
    EPROTONOSUPPORT,
    ESOCKTNOSUPPORT,
)

from coalmm.linux.abi import signed
from coalmm.linux.calls.addresses import (
    bind_name,
    find_socket,
    is_inet,
    read_address,
    write_address,
)
from coalmm.linux.calls.buffers import MOST_BYTES
from coalmm.linux.calls.messages import check_target, own_credentials, receive, recvmsg, send, send_all, sendmsg
from coalmm.linux.calls.socket_options import getsockopt, setsockopt, socket_at
from coalmm.linux.calls.transfer import install_pair
from coalmm.linux.registry import SystemCall, system_call
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.sockets import (
    AF_UNIX,
    SOCK_DGRAM,
    SOCK_SEQPACKET,
    SOCK_STREAM,
    SocketFile,
    socket_pair,
)
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

SOCK_TYPE = 0xF
SOCK_RAW = 3  # of AF_UNIX: means SOCK_DGRAM
KINDS = (SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET)
MOST_BACKLOG = 4096  # net.core.somaxconn
AF_UNSPEC, AF_INET = 0, 2


# --- making ---


def check_kind(family: int, kind: int, protocol: int) -> tuple[int, int]:
    """(kind, flags) of a new socket: AF_UNIX."""
    flags, kind = kind & 0xFFFF_FFFF & ~SOCK_TYPE, kind & SOCK_TYPE
    if flags & ~(os.O_CLOEXEC | os.O_NONBLOCK):
        raise failure(EINVAL)
    if family & 0xFFFF_FFFF != AF_UNIX:
        raise failure(EAFNOSUPPORT)
    kind = SOCK_DGRAM if kind == SOCK_RAW else kind
    if kind not in KINDS:
        raise failure(ESOCKTNOSUPPORT)
    if signed(protocol) not in (0, AF_UNIX):
        raise failure(EPROTONOSUPPORT)
    return kind, flags


@system_call("socket")
def socket(task: Task, family: int, kind: int, protocol: int) -> int:
    """socket(2)."""
    if family & 0xFFFF_FFFF == AF_INET and not kind & 0xFFFF_FFFF & ~(SOCK_TYPE | os.O_CLOEXEC | os.O_NONBLOCK):
        from coalmm.linux.calls import inet

        made = inet.new_socket(task, kind & SOCK_TYPE, kind, protocol)
        return task.files.install(made, bool(kind & os.O_CLOEXEC))
    kind, flags = check_kind(family, kind, protocol)
    file = SocketFile(kind, flags & os.O_NONBLOCK, own_credentials(task))
    return task.files.install(file, bool(flags & os.O_CLOEXEC))


@system_call("socketpair")
def socketpair(task: Task, family: int, kind: int, protocol: int, array: int) -> int:
    """socketpair(2)."""
    if family & 0xFFFF_FFFF == AF_INET:
        raise failure(EOPNOTSUPP)
    kind, flags = check_kind(family, kind, protocol)
    return install_pair(task, socket_pair(kind, flags & os.O_NONBLOCK, own_credentials(task)), flags, array)


# --- names and connections ---


@system_call("bind")
def bind(task: Task, fd: int, address: int, length: int) -> int:
    """bind(2)."""
    file = socket_at(task, fd)
    name = read_address(task, file, address, length)
    if file.address:
        raise failure(EINVAL)
    bind_name(task, file, name)
    return 0


@system_call("listen")
def listen(task: Task, fd: int, backlog: int) -> int:
    """listen(2)."""
    file = socket_at(task, fd)
    if file.kind == SOCK_DGRAM:
        raise failure(EOPNOTSUPP)
    if is_inet(file):
        file.bind_anywhere()
    if not file.address or file.peer is not None:
        raise failure(EINVAL)
    file.backlog = deque() if file.backlog is None else file.backlog
    file.most_waiting = min(backlog & 0xFFFF_FFFF, MOST_BACKLOG)
    file.owner = own_credentials(task)
    return 0


@system_call("connect")
def connect(task: Task, fd: int, address: int, length: int) -> int:
    """connect(2)."""
    file = socket_at(task, fd)
    if is_inet(file):
        from coalmm.linux.calls import inet

        return inet.connect(task, file, address, length)
    family = int.from_bytes(task.read(address, 2), "little") if signed(length) >= 2 else -1
    if file.kind == SOCK_DGRAM and family == AF_UNSPEC:
        file.aim(None)
        return 0
    name = read_address(task, file, address, length)
    if not name:
        raise failure(EINVAL)
    if file.kind == SOCK_DGRAM:
        file.aim(find_socket(task, file, name))
        return 0
    if file.backlog is not None:
        raise failure(EINVAL)
    if file.peer is not None:
        raise failure(EISCONN)
    file.owner = own_credentials(task)
    find_socket(task, file, name).queue(task, file)
    return 0


@system_call("accept4")
def accept4(task: Task, fd: int, address: int, length: int, flags: int) -> int:
    """accept4(2)."""
    flags &= 0xFFFF_FFFF
    file = socket_at(task, fd)
    if flags & ~(os.O_CLOEXEC | os.O_NONBLOCK):
        raise failure(EINVAL)
    if file.kind == SOCK_DGRAM:
        raise failure(EOPNOTSUPP)
    task.files.free_fd()
    side = file.accept(task)
    side.flags |= flags & os.O_NONBLOCK
    number = task.files.install(side, bool(flags & os.O_CLOEXEC))
    if address:
        try:
            write_address(task, side, side.peer_address, address, length)
        except BaseException:
            task.files.close(number)
            raise
    return number


@system_call("accept")
def accept(task: Task, fd: int, address: int, length: int) -> int:
    """accept(2)."""
    return accept4(task, fd, address, length, 0)


@system_call("getsockname")
def getsockname(task: Task, fd: int, address: int, length: int) -> int:
    """getsockname(2)."""
    file = socket_at(task, fd)
    write_address(task, file, file.address, address, length)
    return 0


@system_call("getpeername")
def getpeername(task: Task, fd: int, address: int, length: int) -> int:
    """getpeername(2)."""
    file = socket_at(task, fd)
    if file.peer is None:
        raise failure(ENOTCONN)
    write_address(task, file, file.peer_address, address, length)
    return 0


@system_call("shutdown")
def shutdown(task: Task, fd: int, how: int) -> int:
    """shutdown(2)."""
    file = socket_at(task, fd)
    if signed(how) not in (0, 1, 2):
        raise failure(EINVAL)
    file.shut(how in (0, 2), how in (1, 2))
    return 0


# --- bytes ---


@system_call("sendto")
def sendto(task: Task, fd: int, buffer: int, size: int, flags: int, address: int, length: int) -> int:
    """sendto(2)."""
    file, parts = socket_at(task, fd), [(buffer, min(size, MOST_BYTES))]
    if not address or not length:
        return send_all(task, file, parts, flags)
    check_target(file)
    return send(task, file, parts, flags, read_address(task, file, address, length))


@system_call("recvfrom")
def recvfrom(task: Task, fd: int, buffer: int, size: int, flags: int, address: int, length: int) -> int:
    """recvfrom(2)."""
    file = socket_at(task, fd)
    found = receive(task, file, [(buffer, min(size, MOST_BYTES))], flags)
    if address and found.sender:
        write_address(task, file, found.sender, address, length)
    elif length:
        task.write(length, bytes(4))
    return found.size


def send_32(task: Task, fd: int, buffer: int, size: int, flags: int) -> int:
    """send(2), which only socketcall has."""
    return sendto(task, fd, buffer, size, flags, 0, 0)


def recv_32(task: Task, fd: int, buffer: int, size: int, flags: int) -> int:
    """recv(2), which only socketcall has."""
    return recvfrom(task, fd, buffer, size, flags, 0, 0)


MULTIPLEXED: dict[int, tuple[SystemCall, int]] = {
    1: (socket, 3), 2: (bind, 3), 3: (connect, 3), 4: (listen, 2), 5: (accept, 3), 6: (getsockname, 3),
    7: (getpeername, 3), 8: (socketpair, 4), 9: (send_32, 4), 10: (recv_32, 4), 11: (sendto, 6), 12: (recvfrom, 6),
    13: (shutdown, 2), 14: (setsockopt, 5), 15: (getsockopt, 5), 16: (sendmsg, 3), 17: (recvmsg, 3), 18: (accept4, 4),
}  # fmt: skip


@system_call("socketcall")
def socketcall(task: Task, number: int, array: int) -> int:
    """socketcall(2) of i386: its arguments are in memory."""
    if number not in MULTIPLEXED:
        raise failure(EINVAL)
    function, count = MULTIPLEXED[number]
    return function(task, *task.read_words(array, count))
