"""One direction of a socket: messages, or bytes of a stream, with descriptors and credentials. Source: unix(7)."""

from __future__ import annotations

from collections import deque

from coalmm.typed import TYPE_CHECKING, Iterator, NamedTuple

if TYPE_CHECKING:
    from coalmm.linux.vfs.open_file import OpenFile
    from coalmm.linux.vfs.send_buffer import SendBuffer
    from coalmm.linux.vfs.sockets import SocketFile


OVERHEAD = 512  # bytes that a message takes here beside its own ones, about


class Credentials(NamedTuple):
    """struct ucred."""

    pid: int
    uid: int
    gid: int


class Message:
    """What one call sent. `files` are open files on their way; each is held by a reference. `sender` is an address.

    `in_flight` counts the files of all messages: no descriptor limits how many there are.
    """

    in_flight = 0

    def __init__(
        self, data: bytes, files: list[OpenFile], credentials: Credentials | None = None, sender: bytes = b""
    ) -> None:
        self.data = data
        self.read = 0  # bytes of it that are used up
        self.files = files
        self.credentials = credentials
        self.sender = sender
        self.is_sent = False
        self.buffer: SendBuffer | None = None  # where its cost is counted
        self.cost = 0
        self.receiver: SocketFile | None = None  # at whom it waits
        Message.in_flight += len(files)
        for file in files:
            file.references += 1
            if file.carriers is not None:
                file.carriers.append(self)

    @property
    def left(self) -> int:
        """Bytes that wait."""
        return len(self.data) - self.read

    def charge(self, buffer: SendBuffer, cost: int) -> None:
        """Count it in the sender's buffer."""
        self.buffer, self.cost = buffer, cost
        buffer.used += cost

    def joins(self, other: Message, by_sender: bool) -> bool:
        """Whether a read of a stream goes on from this one into the next: what comes with bytes ends a read."""
        return not self.files and not (by_sender and other.is_from_another(self.credentials))

    def is_from_another(self, writer: Credentials | None) -> bool:
        """Whether somebody else sent it; None is anybody."""
        return writer is not None and self.credentials != writer

    def drop_files(self) -> None:
        """Nobody takes the files: let go of them."""
        files, self.files = self.files, []
        Message.in_flight -= len(files)
        for file in files:
            if file.carriers is not None:
                file.carriers.remove(self)
        let_go(files)

    def end(self) -> None:
        """It is read, or nobody will."""
        self.drop_files()
        self.receiver = None
        if self.buffer is not None:
            self.buffer.settle(self.cost)


_leaving: list[OpenFile] = []  # those that are let go of now


def let_go(files: list[OpenFile]) -> None:
    """Drop the references of messages. A socket that goes may have messages with sockets, and so on, without an end:
    what is met on the way is added to the list of the first call.
    """
    is_first = not _leaving
    _leaving.extend(files)
    if not is_first:
        return
    try:
        for file in _leaving:  # it grows meanwhile
            file.let_go()
    finally:
        _leaving.clear()


class Channel:
    """What waits to be read at one socket. `held` counts the bytes at all of them: they are memory of this process."""

    held = 0

    def __init__(self, stream: bool) -> None:
        self.stream = stream
        self.waiting: deque[Message] = deque()
        self.size = 0
        self.arrived = 0  # messages, ever
        self.by_sender = False  # the reader is told who sent
        self.is_shut = False  # nobody will write any more
        self.is_deaf = False  # nobody will read any more
        self.is_gone = False  # the socket that reads is closed
        self.was_reset = False  # the other side was closed with data that it had not read

    def put(self, message: Message) -> None:
        """Add a message, or some of a stream."""
        message.is_sent = True
        self.waiting.append(message)
        self.size += len(message.data)
        Channel.held += len(message.data) + OVERHEAD
        self.arrived += 1

    def next(self, size: int) -> Iterator[Message]:
        """The messages that one read of `size` bytes meets: one; of a stream more, up to one with files or from
        somebody else.
        """
        before = None
        for message in self.waiting:
            if before is not None and (size <= 0 or not self.stream or not before.joins(message, self.by_sender)):
                return
            yield message
            size -= message.left
            before = message

    def peek(self, size: int) -> bytes:
        """The bytes of the next read."""
        parts = [each.data[each.read : each.read + size] if each.read else each.data for each in self.next(size)]
        return b"".join(parts)[:size]

    def take(self, count: int) -> None:
        """Use up what was peeked: a message as a whole. Files that were not taken are let go of."""
        while self.waiting:
            first = self.waiting[0]
            taken = first.left if not self.stream else min(count, first.left)
            self.size -= taken
            Channel.held -= taken
            first.read += taken
            if not first.left:
                self.waiting.popleft()
                Channel.held -= OVERHEAD
                first.end()
            first.drop_files()
            count -= taken
            if not self.stream or count <= 0:
                return

    def clear(self) -> None:
        """Its reader is closed, or is connected to somebody else."""
        while self.waiting:
            self.take(self.waiting[0].left)

    def close(self) -> None:
        """Its reader is closed."""
        self.is_deaf = self.is_gone = self.is_shut = True
        self.clear()
