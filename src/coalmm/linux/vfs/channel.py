"""One direction of a Unix socket: messages, or bytes of a stream, with descriptors and credentials. Source: unix(7)."""

from __future__ import annotations

from collections import deque

from coalmm.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from coalmm.linux.vfs.open_file import OpenFile

CAPACITY = 212992  # net.core.wmem_default


class Credentials(NamedTuple):
    """struct ucred."""

    pid: int
    uid: int
    gid: int


class Message:
    """What one call sent. `files` are open files on their way; each is held by a reference. `sender` is an address."""

    def __init__(
        self, data: bytes, files: list[OpenFile], credentials: Credentials | None = None, sender: bytes = b""
    ) -> None:
        self.data = data
        self.files = files
        self.credentials = credentials
        self.sender = sender
        self.is_sent = False
        for file in files:
            file.references += 1

    def joins(self, other: Message, by_sender: bool) -> bool:
        """Whether a read of a stream goes on from this one into the next."""
        return not self.files and not other.files and not (by_sender and self.credentials != other.credentials)

    def drop_files(self) -> None:
        """Nobody takes the files: let go of them."""
        files, self.files = self.files, []
        let_go(files)


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
    """What waits to be read at one socket."""

    def __init__(self, stream: bool) -> None:
        self.stream = stream
        self.waiting: deque[Message] = deque()
        self.size = 0
        self.by_sender = False  # the reader is told who sent
        self.is_shut = False  # nobody will write any more
        self.is_deaf = False  # nobody will read any more
        self.is_gone = False  # the socket that reads is closed
        self.was_reset = False  # the other side was closed with data that it had not read

    @property
    def room(self) -> int:
        """Bytes that fit."""
        return CAPACITY - self.size

    def put(self, message: Message) -> None:
        """Add a message, or some of a stream."""
        message.is_sent = True
        self.waiting.append(message)
        self.size += len(message.data)

    def peek(self, size: int) -> bytes:
        """The next message, cut; or bytes of a stream, not past a message with files or from somebody else."""
        if not self.waiting:
            return b""
        if self.stream:
            self._join(size)
        return self.waiting[0].data[:size]

    def _join(self, size: int) -> None:
        """Make one message of those that one read may cross."""
        first, parts = self.waiting[0], []
        total = len(first.data)
        while total < size and len(self.waiting) > 1 and first.joins(self.waiting[1], self.by_sender):
            first = self.waiting.popleft()
            parts.append(first.data)
            total += len(self.waiting[0].data)
        if parts:
            last = self.waiting.popleft()
            self.waiting.appendleft(Message(b"".join((*parts, last.data)), [], last.credentials, last.sender))

    def take(self, count: int) -> None:
        """Use up what was peeked: a message as a whole. Files that were not taken are let go of."""
        if not self.waiting:
            return
        first = self.waiting[0]
        first.drop_files()
        if self.stream and count < len(first.data):
            first.data = first.data[count:]
            self.size -= count
        else:
            self.waiting.popleft()
            self.size -= len(first.data)

    def clear(self) -> None:
        """Its reader is closed."""
        self.is_deaf = self.is_gone = self.is_shut = True
        while self.waiting:
            self.take(len(self.waiting[0].data))
