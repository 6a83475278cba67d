"""The host's tree, read-only, under private changes.

A node knows the host file below it (`lower`), if there is one, and what changed: its attributes (`meta`),
its bytes (`upper`, a file without a name in the scratch directory), for a directory the names that lead
elsewhere than on the host (`changed`; None for one that was removed). Nothing of it has a name on the host,
so that all is gone with the process, however it ends.

    lookup(name) = changed[name] if name in changed, else the host's

A node that nobody holds and that did not change is forgotten and made again by the next lookup. One that
changed is pinned: its directory has it in `changed`, and is pinned itself.
"""

from __future__ import annotations

import os
import stat
import time
from errno import EEXIST, ENOENT, ENOSPC, EPERM, EXDEV

from coalmm.linux.credentials import ROOT, current
from coalmm.linux.vfs.attributes import Attributes, of_host, of_new
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.host import HostHandle, HostName, list_directory
from coalmm.linux.vfs.node import Alive, Directory, Entry, Node, Place
from coalmm.linux.vfs.open_file import DirectoryFile, OpenFile
from coalmm.linux.vfs.pipe import Fifo
from coalmm.linux.vfs.regular import FileNode, PageCache
from coalmm.typed import Any, Iterator

FIRST_INODE = 0xE000_0000  # of new files: in 32 bits, for old calls; a host file seldom has one as high
COPY = 1 << 20
MOST_NODES = 1 << 18  # that programs may make; each is an object of this process
MOST_ATTACHED = 64 << 20  # bytes of extended attributes that they may set
SMALL = 64 << 10  # bytes of a file that is kept without a descriptor while nobody has it open


class Overlay(PageCache):
    """What all nodes share: the scratch directory, its limit, the numbers of new files.

    `limit` is in bytes of the host's disk that changed and new files may take; ENOSPC past it.
    """

    def __init__(self, device: int, limit: int) -> None:
        super().__init__()
        self.device = device
        self.limit = limit
        self.used = 0
        self.next_inode = FIRST_INODE
        self.nodes = 0  # new files, directories and links
        self.attached = 0  # bytes of extended attributes

    def new(self, mode: int, nlink: int = 1) -> Attributes:
        """The attributes of a new file."""
        self.next_inode += 1
        return of_new(self.device, self.next_inode, mode, nlink)

    def unnamed(self, mode: int) -> OverlayFile:
        """A regular file that has no name yet."""
        node = OverlayFile()
        node.overlay, node.meta, node.pinned = self, self.new(mode, 0), True
        return node

    def scratch(self) -> HostHandle:
        """An empty file without a name, for reading and writing."""
        import tempfile

        try:
            return HostHandle(os.open(tempfile.gettempdir(), os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except OSError:  # a file system without O_TMPFILE
            fd, path = tempfile.mkstemp(prefix="coalmm-")
            os.unlink(path)
            return HostHandle(fd)

    def check_node(self) -> None:
        """OSError ENOSPC unless one more file can be made."""
        if self.nodes >= MOST_NODES:
            raise failure(ENOSPC)

    def check_room(self, size: int) -> None:
        """OSError ENOSPC unless `size` more bytes fit."""
        if self.used + size > self.limit:
            raise failure(ENOSPC)


class OverlayNode(Node):
    """What nodes of all kinds have: attributes that start as the host's and change here."""

    overlay: Overlay
    parent: Directory
    name: bytes
    lower: HostName | None = None
    meta: Attributes | None = None
    pinned = False
    attached: dict[bytes, bytes] | None = None  # extended attributes; None: the host's
    attached_size = 0  # bytes of them that programs set
    is_new = False  # counted among the overlay's nodes

    def __del__(self) -> None:
        if self.is_new or self.attached_size:
            self.overlay.nodes -= self.is_new
            self.overlay.attached -= self.attached_size

    def extended(self) -> dict[bytes, bytes]:
        if self.attached is None:
            return self.lower.extended() if self.lower is not None else {}
        return dict(self.attached)

    def set_extended(self, name: bytes, value: bytes | None) -> None:
        attached = self.extended()
        if value is None:
            del attached[name]
        else:
            attached[name] = value
        size = sum(len(each) + len(text) for each, text in attached.items())
        if size > self.attached_size and self.overlay.attached + size - self.attached_size > MOST_ATTACHED:
            raise failure(ENOSPC)
        self.overlay.attached += size - self.attached_size
        self.attached_size = size
        self.touch(False)
        self.attached = attached

    def attributes(self) -> Attributes:
        if self.meta is not None:
            return self.meta.copy()
        assert self.lower is not None
        return of_host(self.lower.stat())

    def change(self) -> Attributes:
        """Its attributes, to be changed."""
        if self.meta is None:
            self.meta = self.attributes()
            self.pin()
        return self.meta

    def pin(self) -> None:
        """Keep this node for its name; not if the name was taken away."""
        if not self.pinned:
            self.pinned = True
            assert isinstance(self.parent, OverlayDirectory)
            self.parent.keep(self.name, self)

    def touch(self, modified: bool = True) -> None:
        """It changed now: ctime, and mtime if its contents did."""
        meta = self.change()
        meta.ctime = time.time_ns()
        if modified:
            meta.mtime = meta.ctime

    def set_mode(self, mode: int) -> None:
        meta = self.change()
        meta.mode = stat.S_IFMT(meta.mode) | mode & 0o7777
        self.touch(False)

    def set_owner(self, uid: int, gid: int) -> None:
        meta = self.change()
        meta.uid = meta.uid if uid == -1 else uid
        meta.gid = meta.gid if gid == -1 else gid
        if self.kind == stat.S_IFREG:
            meta.mode &= ~0o6000
        self.touch(False)

    def set_times(self, atime: int | None, mtime: int | None) -> None:
        meta = self.change()
        meta.atime = meta.atime if atime is None else atime
        meta.mtime = meta.mtime if mtime is None else mtime
        self.touch(False)

    def lose_name(self) -> None:
        """A name that led here was taken away."""
        self.pinned = True  # nothing pins it to that name again
        self.change().nlink -= 1
        self.touch(False)


class OverlayLink(OverlayNode):
    """A symbolic link."""

    kind = stat.S_IFLNK
    text: bytes | None = None

    def target(self) -> bytes:
        if self.text is not None:
            return self.text
        assert self.lower is not None
        return self.lower.readlink()


class OverlaySpecial(OverlayNode):
    """A device or socket of the host: it can be seen, moved and removed, not opened."""

    def __init__(self, kind: int) -> None:
        self.kind = kind


class OverlayFifo(OverlayNode):
    """A FIFO: what goes through it stays among the tasks of the run."""

    kind = stat.S_IFIFO

    def __init__(self) -> None:
        self.fifo = Fifo()

    def open(self, place: Place, flags: int, task: Any = None) -> OpenFile:
        return self.fifo.open(self, place, flags, task)


class OverlayFile(OverlayNode, FileNode):
    """A regular file."""

    kind = stat.S_IFREG
    upper: HostHandle | None = None
    saved: bytes | None = None  # the bytes of a small file that nobody has open: it costs no descriptor
    reader: HostHandle | None = None  # of the host's file
    charged = 0  # bytes of the overlay's limit

    @property
    def cache(self) -> PageCache:
        """All files of a run are mapped by one machine."""
        return self.overlay

    def __del__(self) -> None:
        self.overlay.used -= self.charged
        super().__del__()

    def attributes(self) -> Attributes:
        found = super().attributes()
        if self.upper is not None:
            status = os.fstat(self.upper.fd)
            found.size, found.blocks = status.st_size, status.st_blocks
        elif self.saved is not None:
            found.size, found.blocks = len(self.saved), self.charged >> 9
        return found

    def leave(self) -> None:
        super().leave()
        if not self.opens:
            self.reader = None
            self._put_away()

    def _put_away(self) -> None:
        """Keep the bytes of a small file here until it is opened again; not while areas show them."""
        files = self.overlay.files
        if self.upper is None:
            return
        status = os.fstat(self.upper.fd)
        if status.st_size <= SMALL and (files is None or not files.find(status)):
            self.saved, self.upper = os.pread(self.upper.fd, SMALL, 0), None

    def handle(self, writable: bool) -> HostHandle:
        if self.saved is not None:
            self.upper = self.overlay.scratch()
            os.pwrite(self.upper.fd, self.saved, 0)
            self.saved = None
        if self.upper is None and (writable or self.lower is None):
            self._copy_up()
        if self.upper is not None:
            return self.upper
        if self.reader is None:
            assert self.lower is not None
            self.reader = self.lower.open(os.O_RDONLY)
        return self.reader

    def _copy_up(self, limit: int = 1 << 63) -> None:
        """Give it a private copy of the host's bytes, of the first `limit` of them."""
        source = None if self.lower is None else self.handle(False)
        size = 0 if source is None else min(os.fstat(source.fd).st_size, limit)
        self.overlay.check_room(size)
        copy = self.overlay.scratch()
        done = 0
        while source is not None and done < size:
            part = os.sendfile(copy.fd, source.fd, done, min(COPY, size - done))
            if not part:
                break
            done += part
        self.change()
        if source is not None:
            self._rebind(source, copy)
        self.attached = self.extended()
        self.upper, self.lower, self.reader = copy, None, None
        self._charge()

    def _rebind(self, source: HostHandle, copy: HostHandle) -> None:
        """Areas that show the host's file show the copy from now on; not if other names have it too."""
        files, status = self.overlay.files, os.fstat(source.fd)
        record = files.find(status) if files is not None else 0
        if record and status.st_nlink == 1:
            files.rebind(record, os.dup(copy.fd))
        else:
            self.drop_record()

    def _charge(self) -> None:
        """Count what the copy takes now."""
        assert self.upper is not None
        size = os.fstat(self.upper.fd).st_blocks << 9
        self.overlay.used += size - self.charged
        self.charged = size

    def write_at(self, data: bytes, offset: int) -> int:
        fd = self.handle(True).fd
        self.overlay.check_room(len(data))
        done = super().write_at(data, offset)
        if done and os.fstat(fd).st_blocks << 9 != self.charged:
            self._charge()
        self._written()
        return done

    def truncate(self, size: int) -> None:
        if self.upper is None and self.saved is None:
            self._copy_up(size)
        self.enter()
        try:
            super().truncate(size)
            self._charge()
            self._written()
        finally:
            self.leave()

    def allocate(self, mode: int, offset: int, length: int) -> None:
        self.overlay.check_room(max(offset + length - self.size, 0))
        super().allocate(mode, offset, length)
        self._charge()
        self._written()

    def _written(self) -> None:
        """The times, and set-id bits that a write takes away."""
        self.touch()
        if current.credentials.user.file != ROOT:
            self.change().mode &= ~0o6000


class OverlayDirectory(OverlayNode, Directory):
    """A directory: the host's names, and those that changed."""

    kind = stat.S_IFDIR

    def __init__(self, overlay: Overlay, parent: Directory | None, name: bytes, lower: HostName | None) -> None:
        self.overlay = overlay
        self.parent = self if parent is None else parent
        self.name = name
        self.lower = lower
        self.entered: HostHandle | None = None  # the host's directory
        self.changed: dict[bytes, Node | None] = {}
        self.alive = Alive()

    def pin(self) -> None:
        if self.parent is not self:
            super().pin()

    def keep(self, name: bytes, node: Node) -> None:
        """A node of this directory changed."""
        self.changed[name] = node
        self.pin()

    def _host(self) -> HostHandle | None:
        """The host's directory, if there is one."""
        if self.entered is None and self.lower is not None:
            self.entered = self.lower.enter()
        return self.entered

    def open(self, place: Place, flags: int, task: Any = None) -> OpenFile:
        return DirectoryFile(self, place, flags)

    # --- names ---

    def lookup(self, name: bytes, task: Any = None) -> Node | None:
        if self.waiting:
            self.mount_waiting(name)
        if name in self.changed:
            return self.changed[name]
        node = self.alive.get(name)
        if node is not None:
            return node
        host = self._host()
        if host is None:
            return None
        node = self._of_host(HostName(host, name), name)
        if node is not None:
            self.alive[name] = node
        return node

    def _of_host(self, lower: HostName, name: bytes) -> OverlayNode | None:
        """The node of a name on the host; None if there is none."""
        try:
            kind = stat.S_IFMT(lower.stat().st_mode)
        except FileNotFoundError:
            return None
        node: OverlayNode
        if kind == stat.S_IFDIR:
            return OverlayDirectory(self.overlay, self, name, lower)
        if kind == stat.S_IFREG:
            node = OverlayFile()
        elif kind == stat.S_IFLNK:
            node = OverlayLink()
        elif kind == stat.S_IFIFO:
            node = OverlayFifo()
        else:
            node = OverlaySpecial(kind)
        node.overlay, node.parent, node.name, node.lower = self.overlay, self, name, lower
        return node

    def entries(self, task: Any = None) -> Iterator[Entry]:
        for name in [*(self.waiting or ())]:
            self.mount_waiting(name)
        for name, node in self.changed.items():
            if node is not None:
                yield Entry(name, node.attributes().ino, node.kind)
        host = self._host()
        for name in () if host is None else list_directory(host):
            if name in self.changed or host is None:
                continue
            try:
                status = HostName(host, name).stat()
            except FileNotFoundError:
                continue
            yield Entry(name, status.st_ino, stat.S_IFMT(status.st_mode))

    # --- changes ---

    def mount(self, name: bytes, node: Directory) -> None:
        node.is_mount = True
        self.keep(name, node)

    def _add(self, name: bytes, node: OverlayNode) -> None:
        """A name leads to a node from now on."""
        if self.is_gone:
            raise failure(ENOENT)
        if self.lookup(name) is not None:
            raise failure(EEXIST)
        self._put(name, node)

    def _put(self, name: bytes, node: OverlayNode) -> None:
        node.parent, node.name, node.pinned = self, name, True
        self.keep(name, node)
        self.touch()

    def _forget(self, name: bytes) -> None:
        """A name leads nowhere from now on."""
        if self.lower is None:
            self.changed.pop(name, None)
        else:
            self.changed[name] = None
        self.alive.pop(name)
        self.pin()
        self.touch()

    def create(self, name: bytes, mode: int) -> Node:
        node: OverlayNode
        self.overlay.check_node()
        directory = stat.S_ISDIR(mode)
        if directory:
            node = OverlayDirectory(self.overlay, self, name, None)
        elif stat.S_ISREG(mode):
            node = OverlayFile()
        elif stat.S_ISFIFO(mode):
            node = OverlayFifo()
        elif stat.S_ISSOCK(mode):
            node = OverlaySpecial(stat.S_IFSOCK)
        else:
            raise failure(EPERM)
        node.overlay = self.overlay
        node.meta = self._inherit(self.overlay.new(mode, 2 if directory else 1))
        self._add(name, node)
        node.is_new = True
        self.overlay.nodes += 1
        if directory:
            self.change().nlink += 1
            node.meta.size, node.meta.blocks = node.meta.blksize, node.meta.blksize >> 9
        return node

    def _inherit(self, attributes: Attributes) -> Attributes:
        """A set-group-id directory gives its group to what is made in it."""
        own = self.attributes()
        if own.mode & stat.S_ISGID:
            attributes.gid = own.gid
            if stat.S_ISDIR(attributes.mode):
                attributes.mode |= stat.S_ISGID
        return attributes

    def symlink(self, name: bytes, target: bytes) -> Node:
        self.overlay.check_node()
        node = OverlayLink()
        node.overlay = self.overlay
        node.meta = self._inherit(self.overlay.new(stat.S_IFLNK | 0o777))
        node.meta.size = len(target)
        node.text = target
        self._add(name, node)
        node.is_new = True
        self.overlay.nodes += 1
        return node

    def link(self, name: bytes, node: Node) -> None:
        if not isinstance(node, OverlayNode):
            raise failure(EXDEV)
        meta = node.change()
        self._add(name, node)
        meta.nlink += 1
        node.touch(False)

    def remove(self, name: bytes, node: Node) -> None:
        assert isinstance(node, OverlayNode)
        self._forget(name)
        node.lose_name()
        if isinstance(node, OverlayDirectory):
            node.is_gone = True
            self.change().nlink -= 1

    def move(self, name: bytes, target: Directory, target_name: bytes, swap: bool = False) -> None:
        node, old = self.lookup(name), target.lookup(target_name)
        assert isinstance(target, OverlayDirectory) and isinstance(node, OverlayNode)
        node.change()
        if swap:
            assert isinstance(old, OverlayNode)
            old.change()
            self._relocate(old, target, self, name)
        else:
            if old is not None:
                target.remove(target_name, old)
            self._forget(name)
        self._relocate(node, self, target, target_name)

    @staticmethod
    def _relocate(node: OverlayNode, source: OverlayDirectory, target: OverlayDirectory, name: bytes) -> None:
        """Give a node its new place, and both directories their count of sub-directories."""
        target._put(name, node)
        if isinstance(node, OverlayDirectory) and source is not target:
            source.change().nlink -= 1
            target.change().nlink += 1
        node.touch(False)
