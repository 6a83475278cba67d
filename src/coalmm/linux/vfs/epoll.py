"""epoll: a set of open files to watch. Source: epoll(7).

Level-triggered entries are told as long as they are ready. An edge is a change of the file's `activity`
(bytes came or went), or of what poll says of it, since the entry was told last.
"""

from __future__ import annotations

from errno import EEXIST, EINVAL, ELOOP, ENOENT, EPERM
from select import POLLERR, POLLHUP, POLLIN

from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.events import AnonymousFile, AnonymousNode
from coalmm.linux.vfs.node import Directory
from coalmm.linux.vfs.open_file import OpenFile
from coalmm.linux.vfs.regular import RegularFile, TextFile
from coalmm.typed import Any

EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE, EPOLLWAKEUP = 1 << 31, 1 << 30, 1 << 28, 1 << 29
CONTROL = EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP
DEEPEST = 5  # epoll files in epoll files


class Watched:
    """One entry. `told` is the state at which it was told last."""

    def __init__(self, file: OpenFile, events: int, data: int) -> None:
        self.file = file
        self.events = events
        self.data = data
        self.told: Any = None
        self.is_off = False  # EPOLLONESHOT has fired


class EpollFile(AnonymousFile):
    """An open epoll set. Entries are known by descriptor and open file; a file that is closed falls out."""

    def __init__(self, flags: int) -> None:
        super().__init__(AnonymousNode("[eventpoll]"), None, flags)
        self.watched: dict[tuple[int, int], Watched] = {}

    def add(self, fd: int, file: OpenFile, events: int, data: int) -> None:
        """EPOLL_CTL_ADD."""
        if isinstance(file, (RegularFile, TextFile)) or isinstance(file.node, Directory):
            raise failure(EPERM)
        if file is self:
            raise failure(EINVAL)
        if isinstance(file, EpollFile) and (file.leads_to(self) or file.depth() >= DEEPEST):
            raise failure(ELOOP)
        self._purge()
        if (fd, id(file)) in self.watched:
            raise failure(EEXIST)
        self.watched[fd, id(file)] = Watched(file, events, data)

    def modify(self, fd: int, file: OpenFile, events: int, data: int) -> None:
        """EPOLL_CTL_MOD."""
        self._find(fd, file)
        self.watched[fd, id(file)] = Watched(file, events, data)

    def remove(self, fd: int, file: OpenFile) -> None:
        """EPOLL_CTL_DEL."""
        self._find(fd, file)
        del self.watched[fd, id(file)]

    def _find(self, fd: int, file: OpenFile) -> Watched:
        entry = self.watched.get((fd, id(file)))
        if entry is None:
            raise failure(ENOENT)
        return entry

    def _purge(self) -> None:
        """Forget files that are closed."""
        for key in [key for key, entry in self.watched.items() if entry.file.references == 0]:
            del self.watched[key]

    def leads_to(self, other: EpollFile) -> bool:
        """Whether `other` is watched by it, or by what it watches."""
        return any(
            file is other or (isinstance(file, EpollFile) and file.leads_to(other))
            for file in (entry.file for entry in self.watched.values())
        )

    def depth(self) -> int:
        """How many epoll files are below each other."""
        inner = [entry.file.depth() for entry in self.watched.values() if isinstance(entry.file, EpollFile)]
        return 1 + max(inner, default=0)

    def ready(self, most: int, take: bool = True) -> list[tuple[int, int]]:
        """(events, data) of up to `most` entries that are ready; `take`: they are told now."""
        self._purge()
        found: list[tuple[int, int]] = []
        for entry in self.watched.values():
            events = self._events(entry)
            if not events or len(found) >= most:
                continue
            found.append((events, entry.data))
            if take:
                entry.told = self._state(entry, events)
                entry.is_off = bool(entry.events & EPOLLONESHOT)
        if take and len(found) >= most:
            self._rotate(most)
        return found

    def _rotate(self, count: int) -> None:
        """Those that were told come last the next time: nobody starves."""
        for key in list(self.watched)[:count]:
            self.watched[key] = self.watched.pop(key)

    def _events(self, entry: Watched) -> int:
        """What an entry has to tell now."""
        if entry.is_off:
            return 0
        events = entry.file.poll() & (entry.events & ~CONTROL | POLLERR | POLLHUP)
        if events and entry.events & EPOLLET and entry.told == self._state(entry, events):
            return 0
        return events

    @staticmethod
    def _state(entry: Watched, events: int) -> Any:
        """What makes an edge when it changes."""
        return events, getattr(entry.file, "activity", 0)

    def release(self) -> None:
        self.watched.clear()

    def poll(self) -> int:
        return POLLIN if self.ready(1, take=False) else 0
