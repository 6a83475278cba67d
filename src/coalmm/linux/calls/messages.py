"""sendmsg and recvmsg: bytes with descriptors and credentials beside them. Source: sendmsg(2), cmsg(3), unix(7)."""

from __future__ import annotations

import struct
from errno import EBADF, EINVAL, EISCONN, EMSGSIZE, EOPNOTSUPP, EPERM

from coalmm.linux.abi import signed
from coalmm.linux.calls.addresses import find_socket, pack_address, read_address
from coalmm.linux.calls.buffers import MOST_BYTES, gather, scatter, vectors
from coalmm.linux.calls.socket_options import SOL_SOCKET, socket_at
from coalmm.linux.calls.transfer import Parts, write_parts
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.channel import Credentials, Message
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.sockets import SOCK_DGRAM, SocketFile
from coalmm.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from coalmm.linux.task import Task
    from coalmm.linux.vfs.open_file import OpenFile

MSG_PEEK, MSG_CTRUNC, MSG_TRUNC, MSG_DONTWAIT, MSG_WAITALL = 2, 8, 0x20, 0x40, 0x100
MSG_NOSIGNAL, MSG_CMSG_CLOEXEC = 0x4000, 1 << 30
SCM_RIGHTS, SCM_CREDENTIALS = 1, 2
MOST_FILES = 253  # SCM_MAX_FD
MOST_CONTROL = 20480 << 2  # more than net.core.optmem_max allows is an error


class Header(NamedTuple):
    """struct msghdr."""

    name: int
    name_size: int
    parts: Parts
    control: int
    control_size: int


class Control:
    """What a program sends beside the bytes."""

    def __init__(self) -> None:
        self.files: list[OpenFile] = []
        self.credentials: Credentials | None = None


def own_credentials(task: Task) -> Credentials:
    """Those of the calling process."""
    return Credentials(task.group.pid, task.credentials.user.real, task.credentials.group.real)


def read_header(task: Task, vaddr: int) -> Header:
    """struct msghdr of a program."""
    word = task.abi.word
    name, name_size, array, count, control, control_size, _ = task.read_words(vaddr, 7)
    parts = vectors(task, array, signed(count, word * 8))
    return Header(name, signed(name_size) if name else 0, parts, control, control_size)


# --- control data ---


def aligned(task: Task, size: int) -> int:
    """CMSG_ALIGN."""
    return -(-size // task.abi.word) * task.abi.word


def header_size(task: Task) -> int:
    """struct cmsghdr."""
    return task.abi.word + 8


def read_control(task: Task, vaddr: int, size: int) -> Control:
    """The control messages of sendmsg. EINVAL, EBADF, EPERM."""
    if size > MOST_CONTROL:
        raise failure(EMSGSIZE)
    content = task.read(vaddr, size) if size else b""
    found, at, head = Control(), 0, header_size(task)
    while at + head <= len(content):
        length = int.from_bytes(content[at : at + task.abi.word], "little")
        level, kind = struct.unpack_from("<ii", content, at + task.abi.word)
        if not head <= length <= len(content) - at:
            raise failure(EINVAL)
        if level == SOL_SOCKET:
            take_control(task, found, kind, content[at + head : at + length])
        at += aligned(task, length)
    return found


def take_control(task: Task, found: Control, kind: int, data: bytes) -> None:
    """One control message."""
    if kind == SCM_RIGHTS:
        numbers = struct.unpack(f"<{len(data) // 4}i", data[: len(data) // 4 * 4])
        if len(found.files) + len(numbers) > MOST_FILES:
            raise failure(EINVAL)
        if any(number < 0 for number in numbers):
            raise failure(EBADF)
        found.files += [task.files.get(number) for number in numbers]
    elif kind == SCM_CREDENTIALS and len(data) == 12:
        given, own = Credentials(*struct.unpack("<III", data)), own_credentials(task)
        if not task.credentials.is_root and given != own:
            raise failure(EPERM)
        found.credentials = given
    else:
        raise failure(EINVAL)


class ControlRoom:
    """Where a program wants control data. `used` counts its bytes, `flags` says if some did not fit."""

    def __init__(self, task: Task, vaddr: int, size: int) -> None:
        self.task, self.vaddr, self.size = task, vaddr, size
        self.used = self.flags = 0

    @property
    def room(self) -> int:
        """Bytes of data that the next message can have."""
        return self.size - self.used - header_size(self.task)

    def put(self, kind: int, data: bytes) -> None:
        """One message, cut to what fits."""
        if self.room < 0:
            self.flags |= MSG_CTRUNC
            return
        if len(data) > self.room:
            self.flags |= MSG_CTRUNC
            data = data[: self.room]
        length = header_size(self.task) + len(data)
        head = self.task.abi.pack_words(length) + struct.pack("<ii", SOL_SOCKET, kind)
        self.task.write(self.vaddr + self.used, head + data)
        self.used = min(self.used + aligned(self.task, length), self.size)

    def put_files(self, files: list[OpenFile], close_on_exec: bool) -> None:
        """Descriptors for as many files as fit."""
        fitting = files[: max(self.room, 0) // 4]
        numbers: list[int] = []
        for file in fitting:
            try:
                numbers.append(self.task.files.install(file, close_on_exec))
            except OSError:
                break
        if numbers:
            self.put(SCM_RIGHTS, struct.pack(f"<{len(numbers)}i", *numbers))
        if len(numbers) < len(files):
            self.flags |= MSG_CTRUNC


# --- sending ---


def send(
    task: Task, file: SocketFile, parts: Parts, flags: int, target: bytes = b"", control: Control | None = None
) -> int:
    """Send what is in an iovec array, to an address if there is one."""
    to = find_socket(task, target, file.kind) if target else None
    given = control or Control()
    message = Message(gather(task, parts), given.files, given.credentials or own_credentials(task))
    try:
        return file.send(task, message, not flags & MSG_NOSIGNAL, bool(flags & MSG_DONTWAIT), to)
    finally:
        if not message.is_sent:
            message.drop_files()


def send_all(task: Task, file: SocketFile, parts: Parts, flags: int, control: Control | None = None) -> int:
    """Send to the other side: all of it, for a stream that may wait."""
    if not file.incoming.stream or flags & MSG_DONTWAIT or file.is_nonblocking or control:
        return send(task, file, parts, flags, control=control)

    def put(data: bytes, done: int) -> int:
        message = Message(data, [], own_credentials(task))
        return file.send(task, message, not flags & MSG_NOSIGNAL)

    return write_parts(task, parts, put)


def check_target(file: SocketFile) -> None:
    """Only datagrams are sent to addresses."""
    if file.kind != SOCK_DGRAM:
        raise failure(EISCONN if file.outgoing is not None else EOPNOTSUPP)


@system_call("sendmsg")
def sendmsg(task: Task, fd: int, message: int, flags: int) -> int:
    """sendmsg(2)."""
    file = socket_at(task, fd)
    header = read_header(task, message)
    control = read_control(task, header.control, header.control_size) if header.control_size else None
    target = read_address(task, header.name, header.name_size) if header.name_size else b""
    if target:
        check_target(file)
        return send(task, file, header.parts, flags, target, control)
    return send_all(task, file, header.parts, flags, control)


# --- receiving ---


class Received(NamedTuple):
    """What recvmsg tells."""

    size: int
    flags: int
    sender: bytes


def receive(task: Task, file: SocketFile, parts: Parts, flags: int, control: ControlRoom | None = None) -> Received:
    """Receive to an iovec array."""
    room = sum(size for _, size in parts)
    wanted = room if flags & MSG_WAITALL and not flags & MSG_PEEK else 1
    stream = file.incoming.stream
    whole = file.look(room if stream else MOST_BYTES, file.is_nonblocking or bool(flags & MSG_DONTWAIT), wanted)
    waiting = file.incoming.waiting
    message = waiting[0] if waiting and (whole or not stream) else None
    done = scatter(task, parts, whole[:room]) if whole[:room] else 0
    cut = len(whole) > room
    told = MSG_TRUNC if cut else 0
    if message is not None:
        told |= give_control(file, message, flags, control)
    if not flags & MSG_PEEK and (message is not None or not stream):
        file.consume(done)
    count = len(whole) if cut and flags & MSG_TRUNC else done
    return Received(count, told, message.sender if message is not None else b"")


def give_control(file: SocketFile, message: Message, flags: int, control: ControlRoom | None) -> int:
    """Give a program the files and credentials of a message; MSG_CTRUNC if not all."""
    if control is None:
        return 0
    if file.wants_credentials:
        control.put(SCM_CREDENTIALS, struct.pack("<III", *(message.credentials or Credentials(0, 65534, 65534))))
    if message.files:
        control.put_files(message.files, bool(flags & MSG_CMSG_CLOEXEC))
    return control.flags


@system_call("recvmsg")
def recvmsg(task: Task, fd: int, message: int, flags: int) -> int:
    """recvmsg(2)."""
    file = socket_at(task, fd)
    header, word = read_header(task, message), task.abi.word
    control = ControlRoom(task, header.control, header.control_size if header.control else 0)
    found = receive(task, file, header.parts, flags, control)
    name = pack_address(found.sender) if found.sender else b""
    if header.name:
        task.write(header.name, name[: max(header.name_size, 0)])
    task.write(message + word, len(name).to_bytes(4, "little"))
    told = found.flags | (flags & MSG_CMSG_CLOEXEC)
    task.write(message + 5 * word, task.abi.pack_words(control.used) + told.to_bytes(4, "little"))
    return found.size
