"""An open file: what descriptors name. A node, an offset, status flags; shared by dup and fork.

Reading is in two steps, so that data of a pipe is not lost when the program's buffer is bad:
`peek` gives the bytes, `consume` moves past those that the program got. Either may raise OSError;
`peek` and `write` also `Blocked`.
"""

from __future__ import annotations

import os
import stat
from errno import EBADF, EINVAL, EISDIR, ENODEV, ENOTDIR, ENOTTY, ESPIPE
from select import POLLIN, POLLOUT

from coalmm.linux.vfs import notify
from coalmm.linux.vfs.attributes import Attributes
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Directory, Entry, Node, Place
from coalmm.typed import TYPE_CHECKING, Any, Iterator

if TYPE_CHECKING:
    from coalmm.linux.task import Task
    from coalmm.linux.vfs.channel import Message
    from coalmm.linux.vfs.file_table import FileTable

SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE = range(5)
MOST_OFFSET = (1 << 63) - 1


class OpenFile:
    """An open file of any kind; what a kind cannot do, fails as Linux has it."""

    carriers: list[Message] | None = None  # of a socket: the messages that it is on its way in

    def __init__(self, node: Node, place: Place | None, flags: int) -> None:
        self.node = node
        self.place = place
        self.flags = flags  # O_*; the access mode never changes
        self.offset = 0
        self.references = 0  # descriptors that name it, and messages on their way

    @property
    def path(self) -> bytes:
        """What /proc/PID/fd says."""
        return self.place.path if self.place is not None else b"anon_inode:[unknown]"

    @property
    def is_readable(self) -> bool:
        """Opened for reading."""
        return not self.flags & os.O_PATH and self.flags & os.O_ACCMODE in (os.O_RDONLY, os.O_RDWR)

    @property
    def is_writable(self) -> bool:
        """Opened for writing."""
        return not self.flags & os.O_PATH and self.flags & os.O_ACCMODE in (os.O_WRONLY, os.O_RDWR)

    @property
    def is_nonblocking(self) -> bool:
        """O_NONBLOCK."""
        return bool(self.flags & os.O_NONBLOCK)

    def attributes(self) -> Attributes:
        """What fstat tells."""
        return self.node.attributes()

    def peek(self, task: Task, size: int) -> bytes:
        """Up to `size` bytes from where the file is; b"" at its end."""
        raise failure(EINVAL)

    def consume(self, count: int) -> None:
        """Move past bytes that `peek` gave."""
        self.offset += count

    def write(self, task: Task, data: bytes) -> int:
        """Write at the file's offset; how many bytes."""
        raise failure(EINVAL)

    def pread(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes at an offset."""
        raise failure(ESPIPE)

    def pwrite(self, data: bytes, offset: int) -> int:
        """Write at an offset."""
        raise failure(ESPIPE)

    def seek(self, offset: int, whence: int) -> int:
        """Move the offset; where it is then."""
        raise failure(ESPIPE)

    def poll(self) -> int:
        """What poll would say now: POLL* bits."""
        return POLLIN | POLLOUT

    def poll_for(self, task: Task) -> int:
        """The same for one task, where that makes a difference."""
        return self.poll()

    def ioctl(self, task: Task, request: int, argument: int) -> int:
        """A request to a device."""
        raise failure(ENOTTY)

    def details(self) -> str:
        """More lines of /proc/PID/fdinfo."""
        return ""

    def truncate(self, size: int) -> None:
        """ftruncate."""
        raise failure(EINVAL)

    def sync(self) -> None:
        """fsync."""
        raise failure(EINVAL)

    def mapping(self, kernel: Any, writable: bool) -> int:
        """A reference to the file of `kernel.files` that mmap shows; `writable`: stores reach the file.

        0 if there is no memory for its record. OSError ENODEV for what cannot be mapped.
        """
        raise failure(ENODEV)

    def entries(self, task: Task) -> Iterator[Entry]:
        """The names in a directory."""
        raise failure(ENOTDIR)

    def drop_locks(self, table: FileTable) -> None:
        """A process closes a descriptor of it: its POSIX locks on the file go."""
        if self.node.has_locks:
            self.node.locks.drop(table)
            if self.references == 1:
                self.node.locks.drop(self)
                self.node.locks.whole.pop(id(self), None)

    def let_go(self) -> None:
        """One reference less; with the last one it is closed, and who watches is told."""
        self.references -= 1
        if self.references == 0:
            notify.closed(self)
            self.release()
            notify.ended(self.node)

    def release(self) -> None:
        """The last descriptor is gone."""


class PathFile(OpenFile):
    """Opened with O_PATH: a place, and nothing to read."""

    def peek(self, task: Task, size: int) -> bytes:
        raise failure(EBADF)

    def write(self, task: Task, data: bytes) -> int:
        raise failure(EBADF)

    def pread(self, size: int, offset: int) -> bytes:
        raise failure(EBADF)

    def pwrite(self, data: bytes, offset: int) -> int:
        raise failure(EBADF)

    def seek(self, offset: int, whence: int) -> int:
        raise failure(EBADF)

    def ioctl(self, task: Task, request: int, argument: int) -> int:
        raise failure(EBADF)

    def truncate(self, size: int) -> None:
        raise failure(EBADF)

    def sync(self) -> None:
        raise failure(EBADF)

    def mapping(self, kernel: Any, writable: bool) -> int:
        raise failure(EBADF)

    def entries(self, task: Task) -> Iterator[Entry]:
        raise failure(EBADF)


class DirectoryFile(OpenFile):
    """An open directory. Its offset counts names; the list is taken when it is read from the start."""

    node: Directory

    def __init__(self, node: Directory, place: Place, flags: int) -> None:
        super().__init__(node, place, flags)
        self.listing: list[Entry] | None = None

    def peek(self, task: Task, size: int) -> bytes:
        raise failure(EISDIR)

    def pread(self, size: int, offset: int) -> bytes:
        raise failure(EISDIR)

    def seek(self, offset: int, whence: int) -> int:
        self.offset = sought(self, offset, whence, MOST_OFFSET)
        if self.offset == 0:
            self.listing = None
        return self.offset

    def sync(self) -> None:
        """Nothing waits to be written."""

    def remaining(self, task: Task) -> list[Entry]:
        """The names from the offset on, "." and ".." first of all."""
        if self.listing is None:
            node = self.node
            dots = [
                Entry(name, directory.attributes().ino, stat.S_IFDIR)
                for name, directory in ((b".", node), (b"..", node.parent))
            ]
            self.listing = [*dots, *node.entries(task)]
        return self.listing[self.offset :]


def sought(file: OpenFile, offset: int, whence: int, end: int) -> int:
    """Where lseek leads in a file that ends at `end`. OSError EINVAL."""
    if whence not in (SEEK_SET, SEEK_CUR, SEEK_END):
        raise failure(EINVAL)
    start = {SEEK_SET: 0, SEEK_CUR: file.offset, SEEK_END: end}[whence]
    if not 0 <= start + offset <= MOST_OFFSET:
        raise failure(EINVAL)
    return start + offset
