"""Nodes below `--write DIR`: what a guest changes there, changes on the host.

Names are looked up and changed one at a time in a directory that is held by descriptor, as everywhere; a
link that the guest makes may say anything, and is resolved inside the root like any other.
"""

from __future__ import annotations

import os
import stat
from errno import EEXIST, EINVAL, EPERM, EXDEV

from coalmm.linux.credentials import current
from coalmm.linux.vfs.attributes import Attributes, of_host
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.host import HostHandle, HostName, exchange, list_directory
from coalmm.linux.vfs.node import Alive, Directory, Entry, Node, Place
from coalmm.linux.vfs.open_file import DirectoryFile, OpenFile
from coalmm.linux.vfs.pipe import Fifo
from coalmm.linux.vfs.regular import FileNode, PageCache
from coalmm.typed import Any, Iterator


class HostNode(Node):
    """A file of the host by its name; one that is open is known by its descriptor, whatever its name becomes."""

    def __init__(self, cache: PageCache, at: HostName, kind: int) -> None:
        self.page_cache = cache
        self.at = at
        self.kind = kind
        self.kept: HostHandle | None = None
        self.parent: Directory  # of the name that it was found by last
        self.name = at.name

    def keep_open(self) -> None:
        self.kept = self.held()

    def held(self) -> HostHandle:
        """A descriptor of the file itself, for what needs one."""
        return self.kept or self.at.open(os.O_PATH)

    def attributes(self) -> Attributes:
        return of_host(self.at.stat() if self.kept is None else os.fstat(self.kept.fd))

    def target(self) -> bytes:
        return self.at.readlink()

    def set_mode(self, mode: int) -> None:
        held = self.held()
        os.chmod(f"/proc/self/fd/{held.fd}", mode & 0o7777)

    def set_owner(self, uid: int, gid: int) -> None:
        held = self.held()
        os.chown(f"/proc/self/fd/{held.fd}", uid, gid)

    def extended(self) -> dict[bytes, bytes]:
        return self.at.extended()

    def set_extended(self, name: bytes, value: bytes | None) -> None:
        if value is None:
            os.removexattr(self.at.path, name, follow_symlinks=False)
        else:
            os.setxattr(self.at.path, name, value, follow_symlinks=False)

    def set_times(self, atime: int | None, mtime: int | None) -> None:
        now = self.attributes()
        stamps = (now.atime if atime is None else atime, now.mtime if mtime is None else mtime)
        held = self.held()
        os.utime(f"/proc/self/fd/{held.fd}", ns=stamps)


class HostLink(HostNode):
    """A symbolic link of the host: its owner and times are set by name, never its target's."""

    def set_mode(self, mode: int) -> None:
        raise failure(EINVAL)

    def set_owner(self, uid: int, gid: int) -> None:
        os.chown(self.at.name, uid, gid, dir_fd=self.at.directory.fd, follow_symlinks=False)

    def set_times(self, atime: int | None, mtime: int | None) -> None:
        now = self.attributes()
        stamps = (now.atime if atime is None else atime, now.mtime if mtime is None else mtime)
        os.utime(self.at.name, ns=stamps, dir_fd=self.at.directory.fd, follow_symlinks=False)


class HostFifo(HostNode):
    """A FIFO of the host: a name on the host, and a pipe among the tasks of the run."""

    def __init__(self, cache: PageCache, at: HostName, kind: int) -> None:
        super().__init__(cache, at, kind)
        self.fifo = Fifo()

    def open(self, place: Place, flags: int, task: Any = None) -> OpenFile:
        file = self.fifo.open(self, place, flags, task)
        self.keep_open()
        return file


class HostFile(HostNode, FileNode):
    """A regular file of the host that may be written."""

    reader: HostHandle | None = None
    writer: HostHandle | None = None

    @property
    def cache(self) -> PageCache:
        return self.page_cache

    def held(self) -> HostHandle:
        return self.writer or self.reader or super().held()

    def attributes(self) -> Attributes:
        opened = self.writer or self.reader
        return of_host(os.fstat(opened.fd)) if opened is not None else super().attributes()

    def handle(self, writable: bool) -> HostHandle:
        if writable:
            if self.writer is None:
                self.writer = self.at.open(os.O_RDWR)
            return self.writer
        if self.writer is not None:
            return self.writer
        if self.reader is None:
            self.reader = self.at.open(os.O_RDONLY)
        return self.reader

    def leave(self) -> None:
        super().leave()
        if not self.opens:
            self.reader = self.writer = None

    def truncate(self, size: int) -> None:
        self.enter()
        try:
            super().truncate(size)
        finally:
            self.leave()

    def sync(self) -> None:
        super().sync()
        os.fsync(self.handle(False).fd)


class HostDirectory(HostNode, Directory):
    """A directory of the host that may be changed."""

    def __init__(self, cache: PageCache, parent: Directory, name: bytes, at: HostName) -> None:
        super().__init__(cache, at, stat.S_IFDIR)
        self.parent = parent
        self.name = name
        self.inside = at.enter()
        self.mounts: dict[bytes, Directory] = {}
        self.alive = Alive()

    def held(self) -> HostHandle:
        return self.inside

    def attributes(self) -> Attributes:
        return of_host(os.fstat(self.inside.fd))

    def open(self, place: Place, flags: int, task: Any = None) -> OpenFile:
        return DirectoryFile(self, place, flags)

    def at_name(self, name: bytes) -> HostName:
        """A name in it."""
        return HostName(self.inside, name)

    # --- names ---

    def lookup(self, name: bytes, task: Any = None) -> Node | None:
        if self.waiting:
            self.mount_waiting(name)
        if name in self.mounts:
            return self.mounts[name]
        at = self.at_name(name)
        try:
            status = at.stat()
        except FileNotFoundError:
            return None
        kind = stat.S_IFMT(status.st_mode)
        if kind in (stat.S_IFREG, stat.S_IFIFO):
            return self._shared(at, status)
        node = self.alive.get(name)
        if node is None or not self._is_same(node, status):
            node = self._node(at, kind)
            self._place(node, at)
            self.alive[name] = node
        return node

    def _shared(self, at: HostName, status: os.stat_result) -> Node:
        """The node of a file that may have several names: one for them all."""
        key = status.st_dev, status.st_ino
        node = self.page_cache.alive.get(key)
        if not isinstance(node, HostNode):
            node = self._node(at, stat.S_IFMT(status.st_mode))
            self.page_cache.alive[key] = node
        self._place(node, at)
        return node

    def _place(self, node: HostNode, at: HostName) -> None:
        """A node was found by a name of this directory."""
        node.at, node.parent, node.name = at, self, at.name

    @staticmethod
    def _is_same(node: Node, status: os.stat_result) -> bool:
        """Whether a node is still what its name leads to: the host may have changed it."""
        try:
            own = node.attributes()
        except OSError:
            return False
        return (own.dev, own.ino, own.kind) == (status.st_dev, status.st_ino, stat.S_IFMT(status.st_mode))

    def _node(self, at: HostName, kind: int) -> HostNode:
        """The node of a name."""
        if kind == stat.S_IFDIR:
            return HostDirectory(self.page_cache, self, at.name, at)
        if kind == stat.S_IFREG:
            return HostFile(self.page_cache, at, kind)
        kinds = {stat.S_IFLNK: HostLink, stat.S_IFIFO: HostFifo}
        return kinds.get(kind, HostNode)(self.page_cache, at, kind)

    def entries(self, task: Any = None) -> Iterator[Entry]:
        for name in [*(self.waiting or ())]:
            self.mount_waiting(name)
        for name, mounted in self.mounts.items():
            yield Entry(name, mounted.attributes().ino, mounted.kind)
        for name in list_directory(self.inside):
            if name in self.mounts:
                continue
            try:
                status = self.at_name(name).stat()
            except FileNotFoundError:
                continue
            yield Entry(name, status.st_ino, stat.S_IFMT(status.st_mode))

    def mount(self, name: bytes, node: Directory) -> None:
        node.is_mount = True
        self.mounts[name] = node

    # --- changes ---

    def create(self, name: bytes, mode: int) -> Node:
        at, bits = self.at_name(name), mode & 0o7777
        if stat.S_ISDIR(mode):
            os.mkdir(at.name, bits, dir_fd=self.inside.fd)
        elif stat.S_ISREG(mode):
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(at.name, flags, bits, dir_fd=self.inside.fd))
        elif stat.S_ISFIFO(mode):
            os.mkfifo(at.name, bits, dir_fd=self.inside.fd)
        elif stat.S_ISSOCK(mode):
            os.mknod(at.name, bits | stat.S_IFSOCK, dir_fd=self.inside.fd)
        else:
            raise failure(EPERM)
        return self._made(name, bits)

    def _made(self, name: bytes, bits: int) -> Node:
        """The node of a new name, with exactly these permission bits: the guest's umask counts, not ours."""
        node = self.lookup(name)
        if node is None:
            raise failure(EEXIST)  # somebody on the host was quicker
        self._give(node)
        found = stat.S_IMODE(node.attributes().mode)
        if found != bits | found & stat.S_ISGID:
            node.set_mode(bits | found & stat.S_ISGID)
        return node

    def _give(self, node: Node) -> None:
        """What root on the host has just made belongs to the program that asked for it."""
        who, found = current.credentials, node.attributes()
        group = self.attributes()
        gid = group.gid if group.mode & stat.S_ISGID else who.group.file
        if (found.uid, found.gid) != (who.user.file, gid):
            node.set_owner(who.user.file, gid)

    def symlink(self, name: bytes, target: bytes) -> Node:
        os.symlink(target, self.at_name(name).name, dir_fd=self.inside.fd)
        node = self.lookup(name)
        assert node is not None
        self._give(node)
        return node

    def link(self, name: bytes, node: Node) -> None:
        if not isinstance(node, HostNode):
            raise failure(EXDEV)
        at = node.at
        if not self._is_same(node, at.stat()):
            raise failure(EXDEV)
        os.link(
            at.name, self.at_name(name).name,
            src_dir_fd=at.directory.fd, dst_dir_fd=self.inside.fd, follow_symlinks=False,
        )  # fmt: skip

    def remove(self, name: bytes, node: Node) -> None:
        at = self.at_name(name)
        if isinstance(node, HostDirectory):
            os.rmdir(at.name, dir_fd=self.inside.fd)
            node.is_gone = True
        else:
            os.unlink(at.name, dir_fd=self.inside.fd)
        self.alive.pop(name)

    def move(self, name: bytes, target: Directory, target_name: bytes, swap: bool = False) -> None:
        assert isinstance(target, HostDirectory)
        source, goal = self.at_name(name), target.at_name(target_name)
        node, other = self.lookup(name), target.lookup(target_name)
        if swap:
            exchange(source, goal)
        else:
            os.rename(source.name, goal.name, src_dir_fd=self.inside.fd, dst_dir_fd=target.inside.fd)
        self.alive.pop(name)
        target.alive.pop(target_name)
        if swap:
            self._relocate(other, self, name)
        elif isinstance(other, HostDirectory):
            other.is_gone = True
        self._relocate(node, target, target_name)

    @staticmethod
    def _relocate(node: Node | None, target: HostDirectory, name: bytes) -> None:
        """A node is at another name now."""
        if not isinstance(node, HostNode):
            return
        target._place(node, target.at_name(name))
        target.alive[name] = node
