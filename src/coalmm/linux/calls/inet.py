"""struct sockaddr_in, and what differs for sockets of TCP and UDP. Source: ip(7)."""

from __future__ import annotations

import os
from errno import EAFNOSUPPORT, EINVAL, EISCONN, EPROTONOSUPPORT, ESOCKTNOSUPPORT

from coalmm.linux.abi import signed
from coalmm.linux.calls.messages import own_credentials
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.inet import AF_INET, IPPROTO_TCP, IPPROTO_UDP, InetSocket
from coalmm.linux.vfs.sockets import SOCK_DGRAM, SOCK_STREAM
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

SIZE = 16  # of struct sockaddr_in
AF_UNSPEC = 0
SOCK_RAW = 3


def new_socket(task: Task, kind: int, flags: int, protocol: int) -> InetSocket:
    """socket(2) of AF_INET. ESOCKTNOSUPPORT, EPROTONOSUPPORT."""
    wanted = {SOCK_STREAM: IPPROTO_TCP, SOCK_DGRAM: IPPROTO_UDP}.get(kind)
    if wanted is None:
        raise failure(EPROTONOSUPPORT if kind == SOCK_RAW else ESOCKTNOSUPPORT)
    if signed(protocol) not in (0, wanted):
        raise failure(EPROTONOSUPPORT)
    return InetSocket(kind, flags & os.O_NONBLOCK, own_credentials(task), task.system.vfs.ports)


def read_address(task: Task, vaddr: int, length: int) -> bytes:
    """IP and port of a struct sockaddr_in. EINVAL, EAFNOSUPPORT."""
    if signed(length) < SIZE:
        raise failure(EINVAL)
    content = task.read(vaddr, SIZE)
    if int.from_bytes(content[:2], "little") != AF_INET:
        raise failure(EAFNOSUPPORT)
    return content[4:8] + content[2:4]


def pack_address(address: bytes) -> bytes:
    """struct sockaddr_in."""
    address = address or bytes(6)
    return AF_INET.to_bytes(2, "little") + address[4:] + address[:4] + bytes(8)


def connect(task: Task, file: InetSocket, vaddr: int, length: int) -> int:
    """connect(2)."""
    family = int.from_bytes(task.read(vaddr, 2), "little") if signed(length) >= 2 else AF_INET
    if file.kind == SOCK_DGRAM and family == AF_UNSPEC:
        file.aim(None)
        return 0
    address = read_address(task, vaddr, length)
    if file.kind == SOCK_DGRAM:
        file.aim_at(address)
        return 0
    if file.peer is not None and not file.is_in_progress:
        raise failure(EISCONN)
    file.start_connection(task, address)
    return 0
