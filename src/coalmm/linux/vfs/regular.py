"""Regular files: a node whose bytes a host descriptor has, and the open file over it.

The host descriptor is one of the host's own file (opened for reading only), of a private copy, or of a
file below `--write`. While programs map a file, reads and writes go through the same cached pages.
"""

from __future__ import annotations

import os
from errno import EBADF, EFBIG, EINVAL, EIO, ENXIO, EOPNOTSUPP
from select import POLLIN, POLLOUT

from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.host import HostHandle
from coalmm.linux.vfs.node import Alive, Node, Place
from coalmm.linux.vfs.open_file import MOST_OFFSET, SEEK_DATA, SEEK_HOLE, OpenFile, sought
from coalmm.typed import TYPE_CHECKING, Any, Callable
from coalmm.virtual.constants import F_WRITABLE
from coalmm.virtual.file_data import data_of

if TYPE_CHECKING:
    from coalmm.linux.task import Task

FIONREAD = 0x541B
FALLOC_KEEP, FALLOC_PUNCH, FALLOC_ZERO = 1, 2, 0x10


class PageCache:
    """What the files of a run share. `files` is the `kernel.files` that maps them, None until it maps the first.

    `alive` has the files below `--write` that somebody holds, by device and inode: one node for all names.
    """

    files: Any = None

    def __init__(self) -> None:
        self.alive = Alive()


class FileNode(Node):
    """A file with bytes. Subclasses say where they are.

    While it is open and areas show it, `record` is its file of `kernel.files`, held by one reference, and
    reads and writes go through the cached pages.
    """

    record = 0
    opens = 0

    @property
    def cache(self) -> PageCache:
        """Of the run that this file belongs to."""
        raise NotImplementedError

    def handle(self, writable: bool) -> HostHandle:
        """A host descriptor of its bytes; one to write to if `writable`."""
        raise NotImplementedError

    def open(self, place: Place, flags: int, task: Any = None) -> OpenFile:
        """Open it. One that is opened for writing has its private copy from now on."""
        self.handle(flags & os.O_ACCMODE != os.O_RDONLY)
        return RegularFile(self, place, flags)

    # --- the cached pages ---

    def enter(self) -> None:
        """One more open file. The first one looks whether areas show the file."""
        self.opens += 1
        files = self.cache.files
        if self.opens == 1 and files is not None:
            record = files.find(os.fstat(self.handle(False).fd))
            if record:
                files.hold(record)
                self.record = record

    def leave(self) -> None:
        """One open file less."""
        self.opens -= 1
        if not self.opens:
            self.drop_record()

    def drop_record(self) -> None:
        """Let go of the record."""
        if self.record:
            record, self.record = self.record, 0
            self.cache.files.release(record)

    def mapping(self, kernel: Any, path: bytes, writable: bool) -> int:
        """A reference to the file of `kernel.files` with these bytes; 0 if there is no memory for it."""
        self.cache.files = kernel.files
        record = int(kernel.files.adopt(os.dup(self.handle(writable).fd), os.fsdecode(path), writable))
        if record and record != self.record and self.opens:
            self.drop_record()
            kernel.files.hold(record)
            self.record = record
        return record

    def _writable_record(self) -> int:
        """The record, through which the file may be written."""
        files = self.cache.files
        if self.record and not files.get(self.record, F_WRITABLE):
            files.release(files.adopt(os.dup(self.handle(True).fd), "", True))
        return self.record

    # --- bytes ---

    @property
    def size(self) -> int:
        """Bytes."""
        return os.fstat(self.handle(False).fd).st_size

    def read_at(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes."""
        if self.record:
            return bytes(self.cache.files.read_cached(self.record, offset, size))
        return os.pread(self.handle(False).fd, size, offset)

    def write_at(self, data: bytes, offset: int) -> int:
        """Write bytes; how many."""
        fd = self.handle(True).fd
        if self._writable_record():
            return int(self.cache.files.write_cached(self.record, offset, data))
        return os.pwrite(fd, data, offset)

    def truncate(self, size: int) -> None:
        """Make it `size` bytes."""
        fd = self.handle(True).fd
        if self._writable_record():
            self.cache.files.truncate(self.record, size)
        else:
            os.ftruncate(fd, size)

    def allocate(self, mode: int, offset: int, length: int) -> None:
        """fallocate: room, or zero bytes. What is data is written over with zeros; what is a hole is one already."""
        end = offset + length
        if mode in (FALLOC_PUNCH | FALLOC_KEEP, FALLOC_ZERO | FALLOC_KEEP):
            end = min(end, self.size)
        elif mode not in (0, FALLOC_KEEP, FALLOC_ZERO):
            raise failure(EOPNOTSUPP)
        if mode & (FALLOC_PUNCH | FALLOC_ZERO):
            self.sync()
            for at, size in data_of(self.handle(True).fd, offset, end):
                self.write_at(bytes(size), at)
            if end > self.size:
                self.truncate(end)
        elif mode == 0 and end > self.size:
            self.truncate(end)

    def sync(self) -> None:
        """fsync: what shared maps changed reaches the bytes."""
        if self.record and self.cache.files.write_back(self.record) < 0:
            raise failure(EIO)


class RegularFile(OpenFile):
    """An open regular file."""

    node: FileNode

    def __init__(self, node: FileNode, place: Place | None, flags: int) -> None:
        super().__init__(node, place, flags)
        node.enter()

    def release(self) -> None:
        self.node.leave()

    def ioctl(self, task: Task, request: int, argument: int) -> int:
        if request != FIONREAD:
            return super().ioctl(task, request, argument)
        left = min(max(self.node.size - self.offset, 0), 0x7FFF_FFFF)
        task.write(argument, left.to_bytes(4, "little"))
        return 0

    def peek(self, task: Task, size: int) -> bytes:
        return self.node.read_at(size, self.offset)

    def write(self, task: Task, data: bytes) -> int:
        if self.flags & os.O_APPEND and data:
            self.offset = self.node.size
        done = self.pwrite(data, self.offset)
        self.offset += done
        return done

    def pread(self, size: int, offset: int) -> bytes:
        return self.node.read_at(size, offset)

    def pwrite(self, data: bytes, offset: int) -> int:
        if self.flags & os.O_APPEND:
            offset = self.node.size  # as pwrite(2) says of Linux
        if offset + len(data) > MOST_OFFSET:
            raise failure(EFBIG)
        return self.node.write_at(data, offset)

    def seek(self, offset: int, whence: int) -> int:
        if whence in (SEEK_DATA, SEEK_HOLE):
            self.offset = self._next(offset, whence)
        else:
            self.offset = sought(self, offset, whence, self.node.size)
        return self.offset

    def _next(self, offset: int, whence: int) -> int:
        """The next byte that is data, or in a hole."""
        if offset < 0:
            raise failure(ENXIO)
        return os.lseek(self.node.handle(False).fd, offset, whence)

    def poll(self) -> int:
        return POLLIN | POLLOUT

    def truncate(self, size: int) -> None:
        if not self.is_writable:
            raise failure(EINVAL)
        self.node.truncate(size)

    def allocate(self, mode: int, offset: int, length: int) -> None:
        """fallocate."""
        if not self.is_writable:
            raise failure(EBADF)
        self.node.allocate(mode, offset, length)

    def sync(self) -> None:
        self.node.sync()

    def mapping(self, kernel: Any, writable: bool) -> int:
        return self.node.mapping(kernel, self.path, writable)


class TextNode(Node):
    """A file whose text is made when it is read: /proc, /sys."""

    def __init__(
        self, attributes: Any, text: Callable[[], bytes], store: Callable[[bytes], None] | None = None
    ) -> None:
        self._attributes = attributes
        self.text = text
        self.store = store

    def attributes(self) -> Any:
        """What stat tells: size 0, as in Linux."""
        return self._attributes

    def open(self, place: Place, flags: int, task: Any = None) -> OpenFile:
        return TextFile(self, place, flags)

    def truncate(self, size: int) -> None:
        """Nothing: O_TRUNC on such a file is allowed."""


class TextFile(OpenFile):
    """An open file of generated text: the text of the first read, and again after a seek to its start."""

    node: TextNode
    text: bytes | None = None

    def whole(self) -> bytes:
        """The text."""
        if self.text is None:
            self.text = self.node.text()
        return self.text

    def peek(self, task: Task, size: int) -> bytes:
        return self.whole()[self.offset : self.offset + size]

    def pread(self, size: int, offset: int) -> bytes:
        return self.whole()[offset : offset + size]

    def write(self, task: Task, data: bytes) -> int:
        if self.node.store is None:
            raise failure(EIO)
        self.node.store(data)
        return len(data)

    def seek(self, offset: int, whence: int) -> int:
        self.offset = sought(self, offset, whence, 0)
        if self.offset == 0:
            self.text = None
        return self.offset
