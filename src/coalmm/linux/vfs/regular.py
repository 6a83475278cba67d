"""Regular files: a node whose bytes a host descriptor has, and the open file over it.

The host descriptor is one of the host's own file (opened for reading only), of a private copy, or of a
file below `--write`. While programs map a file, reads and writes go through the same cached pages.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from errno import EBADF, EFBIG, EINVAL, ENXIO
from select import POLLIN, POLLOUT
from typing import TYPE_CHECKING, Any

from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.host import HostHandle
from coalmm.linux.vfs.node import Node, Place
from coalmm.linux.vfs.open_file import MOST_OFFSET, SEEK_DATA, SEEK_HOLE, OpenFile, sought

if TYPE_CHECKING:
    from coalmm.linux.task import Task


class FileNode(Node):
    """A file with bytes. Subclasses say where they are."""

    def handle(self, writable: bool) -> HostHandle:
        """A host descriptor of its bytes; one to write to if `writable`."""
        raise NotImplementedError

    def open(self, place: Place, flags: int) -> OpenFile:
        """Open it. One that is opened for writing has its private copy from now on."""
        self.handle(flags & os.O_ACCMODE != os.O_RDONLY)
        return RegularFile(self, place, flags)

    @property
    def size(self) -> int:
        """Bytes."""
        return os.fstat(self.handle(False).fd).st_size

    def read_at(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes."""
        return os.pread(self.handle(False).fd, size, offset)

    def write_at(self, data: bytes, offset: int) -> int:
        """Write bytes; how many."""
        return os.pwrite(self.handle(True).fd, data, offset)

    def truncate(self, size: int) -> None:
        """Make it `size` bytes."""
        os.ftruncate(self.handle(True).fd, size)

    def allocate(self, mode: int, offset: int, length: int) -> None:
        """fallocate: mode 0 only has Python; the others are done by what they mean."""
        os.posix_fallocate(self.handle(True).fd, offset, length)

    def sync(self) -> None:
        """fsync."""

    def mapping(self, kernel: Any, path: bytes, writable: bool) -> int:
        """A reference to the file of `kernel.files` with these bytes."""
        fd = os.dup(self.handle(writable).fd)
        return int(kernel.files.adopt(fd, os.fsdecode(path), writable))


class RegularFile(OpenFile):
    """An open regular file."""

    node: FileNode

    def peek(self, task: Task, size: int) -> bytes:
        return self.node.read_at(size, self.offset)

    def write(self, task: Task, data: bytes) -> int:
        if self.flags & os.O_APPEND:
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

    def __init__(self, attributes: Any, text: Callable[[], bytes]) -> None:
        self._attributes = attributes
        self.text = text

    def attributes(self) -> Any:
        """What stat tells: size 0, as in Linux."""
        return self._attributes

    def open(self, place: Place, flags: int) -> OpenFile:
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

    def seek(self, offset: int, whence: int) -> int:
        self.offset = sought(self, offset, whence, 0)
        if self.offset == 0:
            self.text = None
        return self.offset
