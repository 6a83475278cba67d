"""The descriptors of a process: small numbers that name open files.

Processes that share a table (CLONE_FILES) hold the same object; `share` and `drop` count them.
"""

from __future__ import annotations

import os
from errno import EBADF, EINVAL, EMFILE

from coalmm.linux.vfs.errors import failure
from coalmm.typed import TYPE_CHECKING, Iterator

if TYPE_CHECKING:
    from coalmm.linux.vfs.open_file import OpenFile

OPEN_FILES = 1024  # the soft RLIMIT_NOFILE of a new program
MOST_OPEN_FILES = 4096  # the hard one


class Slot:
    """One descriptor. It does not change: the tables of a parent and its children share it."""

    def __init__(self, file: OpenFile, close_on_exec: bool = False) -> None:
        self.file = file
        self.close_on_exec = close_on_exec


class FileTable:
    """Descriptors of one process, or of several that share them. `limit` is RLIMIT_NOFILE."""

    def __init__(self, limit: int = OPEN_FILES) -> None:
        self.limit = limit
        self.slots: dict[int, Slot] = {}
        self.users = 1
        self._lowest = 0  # every number below is taken

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self.slots))

    def slot(self, fd: int) -> Slot:
        """A descriptor by its number (the register's low 32 bits). OSError EBADF."""
        slot = self.slots.get(fd & 0xFFFF_FFFF)
        if slot is None:
            raise failure(EBADF)
        return slot

    def get(self, fd: int) -> OpenFile:
        """The open file of a descriptor. OSError EBADF."""
        return self.slot(fd).file

    def opened(self, fd: int) -> OpenFile:
        """As `get`, for calls that a descriptor of O_PATH is not good for. OSError EBADF."""
        file = self.get(fd)
        if file.flags & os.O_PATH:
            raise failure(EBADF)
        return file

    def free_fd(self, lowest: int = 0) -> int:
        """The lowest free number from `lowest` on. OSError EMFILE."""
        fd = max(lowest, self._lowest)
        while fd in self.slots:
            fd += 1
        if lowest <= self._lowest:
            self._lowest = fd
        if fd >= self.limit:
            raise failure(EMFILE)
        return fd

    def install(self, file: OpenFile, close_on_exec: bool = False, lowest: int = 0) -> int:
        """Give an open file the lowest free number; one that no descriptor names is closed if there is none."""
        try:
            fd = self.free_fd(lowest)
        except OSError:
            if file.references == 0:
                file.release()
            raise
        self.put(fd, file, close_on_exec)
        return fd

    def put(self, fd: int, file: OpenFile, close_on_exec: bool = False) -> None:
        """Give an open file this number (dup2); what had it is closed. OSError EBADF for one past the limit."""
        if not 0 <= fd < self.limit:
            raise failure(EBADF)
        file.references += 1
        old = self.slots.get(fd)
        self.slots[fd] = Slot(file, close_on_exec)
        if old is not None:
            self._drop(old.file)

    def close(self, fd: int) -> None:
        """Take a number away. OSError EBADF."""
        fd &= 0xFFFF_FFFF
        slot = self.slots.pop(fd, None)
        if slot is None:
            raise failure(EBADF)
        self._lowest = min(self._lowest, fd)
        self._drop(slot.file)

    def set_limit(self, limit: int) -> None:
        """A new RLIMIT_NOFILE; descriptors past it stay."""
        if limit < 0:
            raise failure(EINVAL)
        self.limit = limit

    def _drop(self, file: OpenFile) -> None:
        """One reference of an open file less; POSIX locks of this table on it are gone."""
        file.drop_locks(self)
        file.let_go()

    # --- life of the table ---

    def fork_copy(self) -> FileTable:
        """A table with the same open files, for a child."""
        copy = FileTable(self.limit)
        copy._lowest = self._lowest
        copy.slots = dict(self.slots)
        for slot in self.slots.values():
            slot.file.references += 1
        return copy

    def set_close_on_exec(self, fd: int, value: bool) -> None:
        """FD_CLOEXEC of a descriptor. OSError EBADF."""
        slot = self.slot(fd)
        if slot.close_on_exec != value:
            self.slots[fd & 0xFFFF_FFFF] = Slot(slot.file, value)

    def close_on_exec(self) -> None:
        """What execve does."""
        for fd in [fd for fd, slot in self.slots.items() if slot.close_on_exec]:
            self.close(fd)

    def close_all(self) -> None:
        """Close every descriptor."""
        slots, self.slots, self._lowest = self.slots, {}, 0
        for slot in slots.values():
            file = slot.file
            if file.references > 1 and not file.node.has_locks:
                file.references -= 1  # nearly all of a child's: of its parent
            else:
                self._drop(file)

    def share(self) -> FileTable:
        """One more process that uses this table."""
        self.users += 1
        return self

    def drop(self) -> None:
        """A process that used it has ended, or has a table of its own now; the last one closes all."""
        self.users -= 1
        if self.users == 0:
            self.close_all()
