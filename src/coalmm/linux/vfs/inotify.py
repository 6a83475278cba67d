"""inotify: a queue of what happened to the files that it watches. Source: inotify(7)."""

from __future__ import annotations

import os
import struct
from collections import deque
from errno import EAGAIN, EEXIST, EINVAL
from select import POLLIN

from coalmm.linux.registry import Blocked
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.events import AnonymousFile, AnonymousNode
from coalmm.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from coalmm.linux.task import Task
    from coalmm.linux.vfs.node import Node

IN_UNMOUNT, IN_Q_OVERFLOW, IN_IGNORED = 0x2000, 0x4000, 0x8000
IN_EXCL_UNLINK, IN_ONESHOT = 1 << 26, 1 << 31
EVENTS = 0xFFF  # what can be asked for
ALWAYS = IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED
MOST_EVENTS = 16384  # fs.inotify.max_queued_events
HEADER = 16
FIONREAD = 0x541B


class Event(NamedTuple):
    """struct inotify_event."""

    watch: int
    mask: int
    cookie: int
    name: bytes

    def pack(self) -> bytes:
        """As it is read: the name has NULs up to a multiple of the header's size."""
        padded = (len(self.name) // HEADER + 1) * HEADER if self.name else 0
        return struct.pack("<iIII", self.watch, self.mask, self.cookie, padded) + self.name.ljust(padded, b"\0")


class Watch:
    """One file that an inotify watches."""

    def __init__(self, file: InotifyFile, number: int, node: Node, mask: int) -> None:
        self.file = file
        self.number = number
        self.node = node
        self.mask = mask

    def put(self, mask: int, name: bytes = b"", cookie: int = 0, child: Node | None = None) -> None:
        """An event, if it is one that was asked for. `child`: it happened to that file, of this directory."""
        if not mask & self.mask & EVENTS:
            return
        if child is not None and self.mask & IN_EXCL_UNLINK and self.node.lookup(name) is not child:  # type: ignore[attr-defined]
            return
        self.file.put(Event(self.number, mask, cookie, name))
        if self.mask & IN_ONESHOT:
            self.end()

    def end(self) -> None:
        """It watches no more, and the program is told."""
        if self.file.watches.pop(self.number, None) is not None:
            self.detach()
            self.file.put(Event(self.number, IN_IGNORED, 0, b""))

    def detach(self) -> None:
        """Let the node forget it."""
        assert self.node.watches is not None
        self.node.watches.remove(self)


class InotifyFile(AnonymousFile):
    """An open one. Nobody else knows its watches but the nodes."""

    def __init__(self, flags: int) -> None:
        super().__init__(AnonymousNode("inotify"), None, os.O_RDONLY | flags)
        self.watches: dict[int, Watch] = {}
        self.queue: deque[Event] = deque()
        self.last = 0

    @property
    def path(self) -> bytes:
        return b"anon_inode:inotify"

    def watch(self, node: Node, mask: int, add: bool, only_new: bool) -> int:
        """Watch a file, or change what is watched of it; the number of the watch. OSError EEXIST."""
        for each in self.watches.values():
            if each.node is node:
                if only_new:
                    raise failure(EEXIST)
                each.mask = each.mask | mask if add else mask
                return each.number
        self.last += 1
        made = self.watches[self.last] = Watch(self, self.last, node, mask)
        node.watches = [*(node.watches or ()), made]
        return self.last

    def remove(self, number: int) -> None:
        """Watch a file no more. OSError EINVAL."""
        if number not in self.watches:
            raise failure(EINVAL)
        self.watches[number].end()

    def put(self, event: Event) -> None:
        """One more event, unless it is the last one again."""
        if self.queue and self.queue[-1] == event:
            return
        if len(self.queue) >= MOST_EVENTS:
            event = Event(-1, IN_Q_OVERFLOW, 0, b"")
            if self.queue[-1] == event:
                return
        self.queue.append(event)
        self.activity += 1

    def peek(self, task: Task, size: int) -> bytes:
        if not self.queue:
            if self.is_nonblocking:
                raise failure(EAGAIN)
            raise Blocked(lambda: self.queue)
        found = b""
        for event in self.queue:
            packed = event.pack()
            if len(found) + len(packed) > size:
                break
            found += packed
        if not found:
            raise failure(EINVAL)
        return found

    def consume(self, count: int) -> None:
        while count > 0:
            count -= len(self.queue.popleft().pack())

    def poll(self) -> int:
        return POLLIN if self.queue else 0

    def ioctl(self, task: Task, request: int, argument: int) -> int:
        if request != FIONREAD:
            return super().ioctl(task, request, argument)
        task.write(argument, sum(len(event.pack()) for event in self.queue).to_bytes(4, "little"))
        return 0

    def release(self) -> None:
        for watch in self.watches.values():
            watch.detach()
        self.watches.clear()
