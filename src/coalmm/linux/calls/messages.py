"""sendmsg and recvmsg: bytes with descriptors and credentials beside them. Source: sendmsg(2), cmsg(3), unix(7)."""

from __future__ import annotations

import struct
from errno import EBADF, EINVAL, EISCONN, EMSGSIZE, ENOBUFS, EOPNOTSUPP, EPERM, ETOOMANYREFS

from coalmm.linux.abi import signed
from coalmm.linux.calls.addresses import find_socket, is_inet, pack_address, read_address
from coalmm.linux.calls.buffers import CHUNK, MOST_BYTES, scatter, vectors
from coalmm.linux.calls.socket_options import SOL_SOCKET, socket_at
from coalmm.linux.calls.transfer import Parts, ahead, write_parts
from coalmm.linux.registry import Blocked, system_call
from coalmm.linux.vfs.channel import Credentials, Message
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.send_buffer import LARGEST_DATAGRAM
from coalmm.linux.vfs.sockets import SOCK_DGRAM, SocketFile
from coalmm.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from coalmm.linux.task import Task
    from coalmm.linux.vfs.open_file import OpenFile

MSG_PEEK, MSG_CTRUNC, MSG_TRUNC, MSG_DONTWAIT, MSG_WAITALL = 2, 8, 0x20, 0x40, 0x100
MSG_NOSIGNAL, MSG_CMSG_CLOEXEC = 0x4000, 1 << 30
SCM_RIGHTS, SCM_CREDENTIALS = 1, 2
MOST_FILES = 253  # SCM_MAX_FD
MOST_IN_FLIGHT = 32768  # files in messages; of others than root as many as descriptors
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
    """The control messages of sendmsg. EINVAL, EBADF, EPERM, ETOOMANYREFS.

    A call that goes on after it has waited sent the files with its first bytes: they are not looked at again.
    """
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
    if kind == SCM_RIGHTS and task.resume:
        return
    if kind == SCM_RIGHTS:
        numbers = struct.unpack(f"<{len(data) // 4}i", data[: len(data) // 4 * 4])
        if len(found.files) + len(numbers) > MOST_FILES:
            raise failure(EINVAL)
        if any(number < 0 for number in numbers):
            raise failure(EBADF)
        found.files += [task.files.get(number) for number in numbers]
        if Message.in_flight > (MOST_IN_FLIGHT if task.credentials.is_root else min(task.files.limit, MOST_IN_FLIGHT)):
            raise failure(ETOOMANYREFS)
    elif kind == SCM_CREDENTIALS and len(data) == 12:
        given, own = Credentials(*struct.unpack("<III", data)), own_credentials(task)
        if not task.credentials.is_root and given != own:
            raise failure(EPERM)
        found.credentials = given
    else:
        raise failure(EINVAL)


class ControlRoom:
    """Where a program wants control data. `used` counts its bytes, `flags` says if some did not fit."""

    def __init__(self, task: Task, vaddr: int, size: int, is_wanted: bool = True) -> None:
        self.task, self.vaddr, self.size = task, vaddr, size
        self.is_wanted = is_wanted  # by recvmsg; other calls are not even told that something is missing
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
    if target and is_inet(file):
        return file.send_to(Message(gather_all(task, file, parts), [], own_credentials(task)), target)
    to = find_socket(task, file, target) if target else None
    given = control or Control()
    data = gather_all(task, file, parts)
    return put(task, file, Message(data, given.files, given.credentials or own_credentials(task)), flags, to)


def gather_all(task: Task, file: SocketFile, parts: Parts) -> bytes:
    """The bytes of a message, all of them. EMSGSIZE, ENOBUFS."""
    size = sum(size for _, size in parts)
    if size > (MOST_BYTES if file.incoming.stream else file.largest):
        raise failure(EMSGSIZE)
    if size > LARGEST_DATAGRAM and not file.incoming.stream:
        raise failure(ENOBUFS)
    return b"".join(task.read(start, size) for start, size in parts if size)


def put(task: Task, file: SocketFile, message: Message, flags: int, to: SocketFile | None = None) -> int:
    """Send one message, or some of a stream; its files are let go of if that fails."""
    try:
        return file.send(task, message, not flags & MSG_NOSIGNAL, bool(flags & MSG_DONTWAIT), to)
    finally:
        if not message.is_sent:
            message.drop_files()


def send_all(task: Task, file: SocketFile, parts: Parts, flags: int, control: Control | None = None) -> int:
    """Send to the other side: all of it, as far as it may wait, if it is a stream."""
    if not file.incoming.stream:
        return send(task, file, parts, flags, control=control)
    given = control or Control()

    def put_some(data: bytes, done: int) -> int:
        files, given.files = given.files, []
        try:
            return put(task, file, Message(data, files, given.credentials or own_credentials(task)), flags)
        except Blocked:
            given.files = files
            raise

    return write_parts(task, parts, put_some)


def check_target(file: SocketFile) -> None:
    """Only datagrams are sent to addresses."""
    if file.kind != SOCK_DGRAM:
        raise failure(EISCONN if file.peer is not None else EOPNOTSUPP)


def send_message(task: Task, file: SocketFile, vaddr: int, flags: int) -> int:
    """Send what a struct msghdr says."""
    header = read_header(task, vaddr)
    control = read_control(task, header.control, header.control_size) if header.control_size else None
    target = read_address(task, file, header.name, header.name_size) if header.name_size else b""
    if target:
        check_target(file)
        return send(task, file, header.parts, flags, target, control)
    return send_all(task, file, header.parts, flags, control)


@system_call("sendmsg")
def sendmsg(task: Task, fd: int, message: int, flags: int) -> int:
    """sendmsg(2)."""
    return send_message(task, socket_at(task, fd), message, flags)


# --- receiving ---


class Received(NamedTuple):
    """What recvmsg tells."""

    size: int
    flags: int
    sender: bytes


def receive(task: Task, file: SocketFile, parts: Parts, flags: int, control: ControlRoom | None = None) -> Received:
    """Receive to an iovec array."""
    control = control or ControlRoom(task, 0, 0, False)
    if file.incoming.stream:
        return receive_stream(task, file, parts, flags, control)
    room = sum(size for _, size in parts)
    whole = file.look(task, MOST_BYTES, bool(flags & MSG_DONTWAIT))
    message = next(file.incoming.next(1), None)
    done = scatter(task, parts, whole[:room]) if whole[:room] else 0
    cut = len(whole) > room
    if message is not None:
        give_control(file, message, flags, control)
        if not flags & MSG_PEEK:
            file.consume(len(whole))
    count = len(whole) if cut and flags & MSG_TRUNC else done
    sender = message.sender if message is not None else b""
    return Received(count, control.flags | (MSG_TRUNC if cut else 0), sender)


def receive_stream(task: Task, file: SocketFile, parts: Parts, flags: int, control: ControlRoom) -> Received:
    """Receive bytes: until there are as many as wanted, the stream is at its end, or something came with them."""
    room = sum(size for _, size in parts)
    wanted = room if flags & MSG_WAITALL else min(file.least, room)
    done, writer = task.resume or (0, None)
    is_over, sender = False, file.peer_address
    while not is_over and (done < room or not room):
        try:
            data = file.look(task, min(room - done, CHUNK), bool(flags & MSG_DONTWAIT) or not room)
        except Blocked as blocked:
            task.resume, blocked.done = (done, writer), done or None
            raise
        except OSError:
            if done:
                break
            raise
        messages = list(file.incoming.next(len(data)))
        if done and messages and messages[0].is_from_another(writer):
            break
        count = scatter(task, ahead(parts, done), data) if data else 0
        for message in messages:
            is_over |= bool(message.files)
            give_control(file, message, flags, control)
        if flags & MSG_PEEK:
            return Received(count, control.flags, sender)
        writer = messages[0].credentials if messages and file.wants_credentials else None
        file.consume(count)
        done += count
        is_over |= not data or count < len(data) or (done >= wanted and not file.incoming.waiting)
    return Received(done, control.flags, sender)


def give_control(file: SocketFile, message: Message, flags: int, control: ControlRoom) -> None:
    """Give a program the files and credentials of a message; credentials once."""
    if not control.is_wanted:
        return
    if file.wants_credentials and not control.used:
        control.put(SCM_CREDENTIALS, struct.pack("<III", *(message.credentials or Credentials(0, 65534, 65534))))
    if message.files:
        control.put_files(message.files, bool(flags & MSG_CMSG_CLOEXEC))


def receive_message(task: Task, file: SocketFile, vaddr: int, flags: int) -> int:
    """Receive to what a struct msghdr says."""
    header, word = read_header(task, vaddr), task.abi.word
    control = ControlRoom(task, header.control, header.control_size if header.control else 0)
    found = receive(task, file, header.parts, flags, control)
    name = pack_address(file, found.sender) if found.sender else b""
    if header.name:
        task.write(header.name, name[: max(header.name_size, 0)])
    task.write(vaddr + word, len(name).to_bytes(4, "little"))
    told = found.flags | (flags & MSG_CMSG_CLOEXEC)
    task.write(vaddr + 5 * word, task.abi.pack_words(control.used) + told.to_bytes(4, "little"))
    return found.size


@system_call("recvmsg")
def recvmsg(task: Task, fd: int, message: int, flags: int) -> int:
    """recvmsg(2)."""
    return receive_message(task, socket_at(task, fd), message, flags)
