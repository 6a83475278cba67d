"""Message queues of System V: messages with a type, for whoever waits for that. Source: ipc/msg.c."""

from __future__ import annotations

import time
from collections import deque
from errno import E2BIG, EAGAIN, EIDRM, ENOMSG

from coalmm.linux.ipc import IpcObject, error
from coalmm.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from coalmm.kernel import Kernel
    from coalmm.linux.credentials import Credentials
    from coalmm.linux.task import Task

LARGEST, MOST_BYTES = 8192, 16384  # MSGMAX, MSGMNB
HEADER = 48  # sizeof(struct msg_msg), which lies before the text
MSG_NOERROR, MSG_EXCEPT, MSG_COPY = 0o10000, 0o20000, 0o40000


class Message(NamedTuple):
    """One message; its text lies in memory of the kernel."""

    kind: int
    size: int
    memory: int


class Wanted(NamedTuple):
    """What a receiver takes. With MSG_COPY `kind` is the place in the queue."""

    kind: int
    room: int
    flags: int

    def takes(self, message: Message) -> bool:
        """Whether a message is one of those."""
        if self.kind < 0:
            return message.kind <= -self.kind
        if self.flags & MSG_EXCEPT and self.kind:
            return message.kind != self.kind
        return self.kind in (0, message.kind)

    def is_too_small(self, message: Message) -> bool:
        """Whether there is no room for it, and no wish for a part."""
        return self.room < message.size and not self.flags & MSG_NOERROR


class Receiver:
    """One who waits. `found`: what it got, the kind and the text; or an errno."""

    def __init__(self, task: Task, wanted: Wanted) -> None:
        self.task = task
        self.wanted = wanted
        self.found: tuple[int, bytes] | int | None = None


class MessageQueue(IpcObject):
    """A queue. `limit` is msg_qbytes."""

    def __init__(self, kernel: Kernel, key: int, mode: int, owner: Credentials) -> None:
        super().__init__(kernel, key, mode, owner)
        self.limit = MOST_BYTES
        self.messages: deque[Message] = deque()
        self.size = 0
        self.sent = self.received = 0  # msg_stime, msg_rtime
        self.sender = self.receiver = 0
        self.receivers: list[Receiver] = []

    def has_room(self, size: int) -> bool:
        """Whether a message fits."""
        return self.size + size <= self.limit and len(self.messages) + 1 <= self.limit

    def send(self, pid: int, kind: int, text: bytes) -> None:
        """Give a message to who waits for it, or keep it. EAGAIN if it does not fit, ENOMEM."""
        if not self.has_room(len(text)):
            raise error(EAGAIN)
        message = Message(kind, len(text), self.allocate(HEADER + len(text)))
        self.kernel.memory.write(message.memory + HEADER, text)
        self.sender, self.sent = pid, int(time.time())
        if not self._hand_over(message):
            self.messages.append(message)
            self.size += message.size

    def _hand_over(self, message: Message) -> bool:
        """Whether somebody waits for it; one that has no room for it waits no more."""
        for receiver in list(self.receivers):
            if receiver.task.is_dead:
                self.receivers.remove(receiver)
            elif receiver.wanted.takes(message):
                self.receivers.remove(receiver)
                if receiver.wanted.is_too_small(message):
                    receiver.found = E2BIG
                    continue
                receiver.found = message.kind, self._text(message, receiver.wanted.room)
                self._note(receiver.task.group.pid)
                self.kernel.kfree(message.memory)
                return True
        return False

    def _text(self, message: Message, room: int) -> bytes:
        return self.kernel.memory.read(message.memory + HEADER, min(message.size, room))

    def _note(self, pid: int) -> None:
        self.receiver, self.received = pid, int(time.time())

    def receive(self, pid: int, wanted: Wanted) -> tuple[int, bytes]:
        """The kind and text of the first message that is wanted. E2BIG, ENOMSG."""
        if wanted.flags & MSG_COPY:
            return self._copy(wanted)
        fitting = (each for each in self.messages if wanted.takes(each))
        message = min(fitting, key=lambda each: each.kind, default=None) if wanted.kind < 0 else next(fitting, None)
        if message is None:
            raise error(ENOMSG)
        if wanted.is_too_small(message):
            raise error(E2BIG)
        text = self._text(message, wanted.room)
        self.messages.remove(message)
        self.size -= message.size
        self._note(pid)
        self.kernel.kfree(message.memory)
        return message.kind, text

    def _copy(self, wanted: Wanted) -> tuple[int, bytes]:
        """MSG_COPY: look at the message at a place in the queue."""
        if not 0 <= wanted.kind < len(self.messages):
            raise error(ENOMSG)
        message = self.messages[wanted.kind]
        if wanted.is_too_small(message):
            raise error(E2BIG)
        return message.kind, self._text(message, wanted.room)

    def leave(self, receiver: Receiver) -> None:
        """It waits no more."""
        if receiver in self.receivers:
            self.receivers.remove(receiver)

    def release(self) -> None:
        super().release()
        for receiver in self.receivers:
            receiver.found = EIDRM
        self.receivers.clear()
        for message in self.messages:
            self.kernel.kfree(message.memory)
        self.messages.clear()
