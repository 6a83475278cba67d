"""Options of sockets: SOL_SOCKET. Source: socket(7), unix(7), net/core/sock.c."""

from __future__ import annotations

import struct
from errno import EACCES, EDOM, EINVAL, ENODATA, ENOPROTOOPT, ENOTSOCK, EOPNOTSUPP, EPERM

from coalmm.linux.abi import signed
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.send_buffer import MOST_SIZE
from coalmm.linux.vfs.sockets import AF_UNIX, SocketFile
from coalmm.typed import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from coalmm.linux.task import Task

SOL_SOCKET = 1
SO_DEBUG, SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_DONTROUTE, SO_BROADCAST, SO_SNDBUF, SO_RCVBUF = 1, 2, 3, 4, 5, 6, 7, 8
SO_KEEPALIVE, SO_OOBINLINE, SO_PRIORITY, SO_LINGER, SO_REUSEPORT, SO_PASSCRED, SO_PEERCRED = 9, 10, 12, 13, 15, 16, 17
SO_RCVLOWAT, SO_SNDLOWAT, SO_RCVTIMEO, SO_SNDTIMEO, SO_ACCEPTCONN = 18, 19, 20, 21, 30
SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_MARK, SO_PROTOCOL, SO_DOMAIN = 32, 33, 36, 38, 39
SO_PEERGROUPS, SO_RCVTIMEO_NEW, SO_SNDTIMEO_NEW, SO_PEERPIDFD = 59, 66, 67, 77
KEPT = (SO_DEBUG, SO_REUSEADDR, SO_DONTROUTE, SO_BROADCAST, SO_KEEPALIVE, SO_OOBINLINE)  # on or off
TIMES = (SO_RCVTIMEO, SO_SNDTIMEO, SO_RCVTIMEO_NEW, SO_SNDTIMEO_NEW)
LEAST_RECEIVE_SIZE = 2304  # SOCK_MIN_RCVBUF
LARGEST_INT = (1 << 31) - 1
MOST_SECONDS = 1 << 54  # longer is for ever
MICROSECONDS = 1_000_000


def socket_at(task: Task, fd: int) -> SocketFile:
    """The socket of a descriptor. EBADF, ENOTSOCK."""
    file = task.files.opened(fd)
    if not isinstance(file, SocketFile):
        raise failure(ENOTSOCK)
    return file


# --- reading ---


def seconds_of(file: SocketFile, name: int) -> float | None:
    """A timeout."""
    return file.receive_timeout if name in (SO_RCVTIMEO, SO_RCVTIMEO_NEW) else file.send_timeout


def time_format(task: Task, name: int) -> str:
    """struct timeval as an option has it."""
    return "<ii" if task.abi.word == 4 and name in (SO_RCVTIMEO, SO_SNDTIMEO) else "<qq"


def peer_groups(file: SocketFile, task: Task) -> bytes:
    """SO_PEERGROUPS: of the process at the other side."""
    owner = file.peer_owner
    if owner is None:
        raise failure(ENODATA)
    leader = task.system.groups[owner.pid].leader if owner.pid in task.system.groups else None
    groups = leader.credentials.groups if leader is not None else ()
    return struct.pack(f"<{len(groups)}I", *groups)


def peer_descriptor(file: SocketFile, task: Task) -> bytes:
    """SO_PEERPIDFD: a descriptor of the process at the other side."""
    from coalmm.linux.vfs.pidfd import PidFile

    group = task.system.groups.get(file.peer_owner.pid) if file.peer_owner is not None else None
    if group is None:
        raise failure(ENODATA)
    return task.files.install(PidFile(group, 0), True).to_bytes(4, "little")


NUMBERS: dict[int, Callable[[SocketFile], int]] = {
    SO_TYPE: lambda file: file.kind,
    SO_ERROR: lambda file: file.take_error(),
    SO_SNDBUF: lambda file: file.sent.limit,
    SO_RCVBUF: lambda file: file.receive_size,
    SO_REUSEPORT: lambda file: file.options.get(SO_REUSEPORT, 0),
    SO_PASSCRED: lambda file: file.wants_credentials,
    SO_RCVLOWAT: lambda file: file.least,
    SO_SNDLOWAT: lambda file: 1,
    SO_ACCEPTCONN: lambda file: file.backlog is not None,
    SO_PROTOCOL: lambda file: file.protocol,
    SO_DOMAIN: lambda file: file.family,
}


def option(task: Task, file: SocketFile, name: int) -> bytes:
    """The value of an option. ENOPROTOOPT."""
    if name in NUMBERS:
        return int(NUMBERS[name](file)).to_bytes(4, "little")
    if name in (*KEPT, SO_PRIORITY, SO_MARK):
        return (file.options.get(name, 0) & 0xFFFF_FFFF).to_bytes(4, "little")
    if name in TIMES:
        seconds = seconds_of(file, name) or 0
        whole = int(seconds)
        return struct.pack(time_format(task, name), whole, round((seconds - whole) * MICROSECONDS))
    if name == SO_LINGER:
        seconds = file.options.get(SO_LINGER, -1)
        return struct.pack("<ii", seconds >= 0, max(seconds, file.options.get(-SO_LINGER, 0)))
    if name == SO_PEERCRED:
        owner = file.peer_owner
        return struct.pack("<Iii", *(owner if owner is not None else (0, -1, -1)))
    if name == SO_PEERGROUPS:
        return peer_groups(file, task)
    if name == SO_PEERPIDFD:
        return peer_descriptor(file, task)
    raise failure(ENOPROTOOPT)


@system_call("getsockopt")
def getsockopt(task: Task, fd: int, level: int, name: int, value: int, length: int) -> int:
    """getsockopt(2)."""
    file = socket_at(task, fd)
    level, name = level & 0xFFFF_FFFF, name & 0xFFFF_FFFF
    if level != SOL_SOCKET:
        return file.get_other_option(task, level, name, value, length)
    return put_option(task, option(task, file, name) if room_at(task, length) >= 0 else b"", value, length)


def room_at(task: Task, length: int) -> int:
    """How long a value a program has room for. EINVAL."""
    room = signed(int.from_bytes(task.read(length, 4), "little"))
    if room < 0:
        raise failure(EINVAL)
    return room


def put_option(task: Task, data: bytes, value: int, length: int) -> int:
    """Tell a program a value, cut to its room."""
    data = data[: room_at(task, length)]
    task.write(value, data)
    task.write(length, len(data).to_bytes(4, "little"))
    return 0


# --- changing ---


def set_time(task: Task, file: SocketFile, name: int, value: int, length: int) -> None:
    """SO_RCVTIMEO, SO_SNDTIMEO: 0 is for ever, and less than that is not at all."""
    form = time_format(task, name)
    if length < struct.calcsize(form):
        raise failure(EINVAL)
    whole, micro = struct.unpack(form, task.read(value, struct.calcsize(form)))
    if not 0 <= micro < MICROSECONDS:
        raise failure(EDOM)
    seconds: float | None = max(whole, 0) + micro / MICROSECONDS
    seconds = 0.0 if whole < 0 else None if not seconds or whole > MOST_SECONDS else seconds
    if name in (SO_RCVTIMEO, SO_RCVTIMEO_NEW):
        file.receive_timeout = seconds
    else:
        file.send_timeout = seconds


def set_linger(task: Task, file: SocketFile, value: int, length: int) -> None:
    """SO_LINGER: kept; closing a Unix socket never waits."""
    if length < 8:
        raise failure(EINVAL)
    is_on, seconds = struct.unpack("<iI", task.read(value, 8))
    if is_on:
        file.options[-SO_LINGER] = min(seconds, LARGEST_INT)
    file.options[SO_LINGER] = min(seconds, LARGEST_INT) if is_on else -1


def set_size(task: Task, file: SocketFile, name: int, number: int) -> None:
    """SO_SNDBUF, SO_RCVBUF and those of them that only root may ask for."""
    if name in (SO_SNDBUFFORCE, SO_RCVBUFFORCE):
        if not task.credentials.is_root:
            raise failure(EPERM)
        size = min(max(number, 0), LARGEST_INT // 2)
    else:
        size = min(number & 0xFFFF_FFFF, MOST_SIZE)
    if name in (SO_SNDBUF, SO_SNDBUFFORCE):
        file.sent.resize(size)
    else:
        file.receive_size = max(2 * size, LEAST_RECEIVE_SIZE)


def set_kept(task: Task, file: SocketFile, name: int, number: int) -> None:
    """Options that have no effect on what moves between programs of one machine."""
    is_root = task.credentials.is_root
    if name == SO_DEBUG and number and not is_root:
        raise failure(EACCES)
    if (name == SO_MARK or (name == SO_PRIORITY and not 0 <= number <= 6)) and not is_root:
        raise failure(EPERM)
    file.options[name] = number if name in (SO_PRIORITY, SO_MARK) else int(number != 0)


def set_number(task: Task, file: SocketFile, name: int, number: int) -> None:
    """An option that is an int. ENOPROTOOPT, EOPNOTSUPP, EPERM, EACCES."""
    if name in (*KEPT, SO_PRIORITY, SO_MARK):
        set_kept(task, file, name, number)
    elif name in (SO_SNDBUF, SO_RCVBUF, SO_SNDBUFFORCE, SO_RCVBUFFORCE):
        set_size(task, file, name, number)
    elif name == SO_PASSCRED and file.family == AF_UNIX:
        file.wants_credentials = bool(number)
    elif name == SO_RCVLOWAT:
        file.least = LARGEST_INT if number < 0 else max(number, 1)
    elif name == SO_REUSEPORT:
        if number and file.family == AF_UNIX:
            raise failure(EOPNOTSUPP)
        file.options[name] = int(number != 0)
    else:
        raise failure(ENOPROTOOPT)


@system_call("setsockopt")
def setsockopt(task: Task, fd: int, level: int, name: int, value: int, length: int) -> int:
    """setsockopt(2)."""
    file = socket_at(task, fd)
    level, name, size = level & 0xFFFF_FFFF, name & 0xFFFF_FFFF, signed(length)
    if size < 0:
        raise failure(EINVAL)
    if level != SOL_SOCKET:
        return file.set_other_option(task, level, name, value, size)
    if size < 4:
        raise failure(EINVAL)
    number = signed(int.from_bytes(task.read(value, 4), "little"))
    if name in TIMES:
        set_time(task, file, name, value, size)
    elif name == SO_LINGER:
        set_linger(task, file, value, size)
    else:
        set_number(task, file, name, number)
    return 0
