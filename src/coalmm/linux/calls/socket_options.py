"""Options of sockets. Source: socket(7), unix(7)."""

from __future__ import annotations

import struct
from errno import EINVAL, ENOPROTOOPT, ENOTSOCK

from coalmm.linux.abi import signed
from coalmm.linux.calls.addresses import AF_UNIX
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.channel import CAPACITY
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.sockets import SocketFile
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

SOL_SOCKET = 1
SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE, SO_LINGER = 2, 3, 4, 7, 8, 9, 13
SO_PASSCRED, SO_PEERCRED, SO_ACCEPTCONN, SO_PROTOCOL, SO_DOMAIN = 16, 17, 30, 38, 39


def socket_at(task: Task, fd: int) -> SocketFile:
    """The socket of a descriptor. EBADF, ENOTSOCK."""
    file = task.files.get(fd)
    if not isinstance(file, SocketFile):
        raise failure(ENOTSOCK)
    return file


def option(file: SocketFile, name: int) -> bytes:
    """The value of an option. ENOPROTOOPT."""
    if name == SO_PEERCRED:
        owner = file.peer_owner
        return struct.pack("<Iii", *(owner if owner is not None else (0, -1, -1)))
    if name == SO_LINGER:
        return bytes(8)
    known = {
        SO_REUSEADDR: 0, SO_TYPE: file.kind, SO_ERROR: 0, SO_SNDBUF: CAPACITY, SO_RCVBUF: CAPACITY, SO_KEEPALIVE: 0,
        SO_PASSCRED: file.wants_credentials, SO_ACCEPTCONN: file.backlog is not None, SO_PROTOCOL: 0,
        SO_DOMAIN: AF_UNIX,
    }  # fmt: skip
    if name not in known:
        raise failure(ENOPROTOOPT)
    return int(known[name]).to_bytes(4, "little")


@system_call("getsockopt")
def getsockopt(task: Task, fd: int, level: int, name: int, value: int, length: int) -> int:
    """getsockopt(2)."""
    file = socket_at(task, fd)
    room = signed(int.from_bytes(task.read(length, 4), "little"))
    if room < 0:
        raise failure(EINVAL)
    if level & 0xFFFF_FFFF != SOL_SOCKET:
        raise failure(ENOPROTOOPT)
    data = option(file, name)[:room]
    task.write(value, data)
    task.write(length, len(data).to_bytes(4, "little"))
    return 0


@system_call("setsockopt")
def setsockopt(task: Task, fd: int, level: int, name: int, value: int, length: int) -> int:
    """setsockopt(2): sizes and times are taken, and change nothing."""
    file = socket_at(task, fd)
    if level & 0xFFFF_FFFF != SOL_SOCKET:
        raise failure(ENOPROTOOPT)
    if signed(length) < 4:
        raise failure(EINVAL)
    number = int.from_bytes(task.read(value, 4), "little")
    if name == SO_PASSCRED:
        file.wants_credentials = bool(number)
    return 0
