"""All files of one run: the tree from its root, and the console.

    vfs = Vfs(root="/", writable=["/home/me/out"])
    file = vfs.open(fs, b"/etc/passwd", os.O_RDONLY)

Paths are the guest's, bytes. Every method raises OSError with Linux's errno. `task` is who asks: only
/proc/self depends on it.
"""

from __future__ import annotations

import os
import resource
import stat
from errno import EACCES, EEXIST, EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR

from coalmm.linux.credentials import Credentials, Numbers, current
from coalmm.linux.vfs import notify
from coalmm.linux.vfs.attributes import MAY_EXECUTE, MAY_READ, MAY_WRITE, check_access
from coalmm.linux.vfs.console import OutputLimit, Stream, StreamFile, StreamNode
from coalmm.linux.vfs.context import FsContext
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.file_table import FileTable
from coalmm.linux.vfs.host import HostName, open_root
from coalmm.linux.vfs.node import Directory, Node, Place
from coalmm.linux.vfs.open_file import OpenFile, PathFile
from coalmm.linux.vfs.overlay import Overlay, OverlayDirectory
from coalmm.linux.vfs.resolve import Found, Walk, must_be_directory, must_exist
from coalmm.typed import TYPE_CHECKING, Any, Sequence

if TYPE_CHECKING:
    from coalmm.linux.vfs.inet import Ports
    from coalmm.linux.vfs.sockets import SocketFile
    from coalmm.linux.vfs.terminal import Terminal

OVERLAY_LIMIT = 4 << 30
LARGE_FILE = 0o100000  # O_LARGEFILE
RIGHTS = {os.O_RDONLY: MAY_READ, os.O_WRONLY: MAY_WRITE, os.O_RDWR: MAY_READ | MAY_WRITE, 3: MAY_READ | MAY_WRITE}
NEW_FLAGS = os.O_CREAT | os.O_EXCL | os.O_NOCTTY | os.O_TRUNC | os.O_CLOEXEC  # an open file does not keep them
MOUNTS = ("dev", "proc", "sys")
PATH_FLAGS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW


def raise_descriptor_limit() -> None:
    """Large changed files and host directories in use hold a descriptor of this program each: ask for all there are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Vfs:
    """The files of one run. `console` is what descriptors 0, 1 and 2 are: host descriptors or Python streams."""

    def __init__(
        self,
        root: str = "/",
        writable: Sequence[str] = (),
        console: Sequence[Stream] = (0, 1, 2),
        *,
        overlay_limit: int = OVERLAY_LIMIT,
        output_limit: int | None = None,
        seed: int | None = None,
    ) -> None:
        raise_descriptor_limit()
        current.credentials = self.credentials = Credentials.of_host()
        current.numbers = self.numbers = Numbers()
        handle = open_root(root)
        self.overlay = Overlay(os.fstat(handle.fd).st_dev, overlay_limit)
        self.root: Directory = OverlayDirectory(self.overlay, None, b"", HostName(handle, b"."))
        self.output = OutputLimit(output_limit)
        self.socket_names: dict[tuple[int, bytes], SocketFile] = {}  # the abstract ones
        self.console = [StreamNode(stream, number, self.output) for number, stream in enumerate(console)]
        for path in writable:
            self._make_writable(os.path.realpath(root), os.path.realpath(path))
        self.seed = seed
        self.ports: Ports = {}  # of TCP and UDP
        self.terminals: dict[int, Terminal] = {}  # the pseudo terminals, by number
        for name, make in zip(MOUNTS, (self._devices, self._proc, self._sys), strict=True):
            self.root.mount_when_used(name.encode(), make)

    def _make_writable(self, root: str, path: str) -> None:
        """Changes below a host directory go to the host. ValueError for one outside of the root, OSError."""
        if os.path.commonpath([root, path]) != root:
            raise ValueError(f"{path} is not below the root {root}")
        inside = os.path.relpath(path, root)
        if inside.partition("/")[0] in MOUNTS:
            raise ValueError(f"{path}: /dev, /proc and /sys of programs are not the host's; give another directory")
        from coalmm.linux.vfs.passthrough import HostDirectory

        fs = FsContext(self.root, self.root)
        found = self.walk(fs, b"/" + os.fsencode(inside))
        directory = must_be_directory(must_exist(found))
        if isinstance(directory, HostDirectory):
            return
        assert isinstance(directory, OverlayDirectory) and directory.lower is not None
        host = HostDirectory(self.overlay, directory.parent, directory.name, directory.lower)
        if directory is self.root:
            host.parent = self.root = host
        else:
            directory.parent.mount(directory.name, host)

    def _devices(self) -> Directory:
        """/dev, with what shared memory and terminals need. It is the host user's, whoever asks first."""
        from coalmm.linux.vfs.devices import memory_devices

        asks, current.credentials = current.credentials, self.credentials
        dev = OverlayDirectory(self.overlay, self.root, b"dev", None)
        dev.meta = self.overlay.new(stat.S_IFDIR | 0o755, 2)
        dev.changed.update(memory_devices(self.seed))
        dev.pinned = True
        for name, mode in ((b"shm", 0o1777), (b"pts", 0o755)):
            folder = dev.create(name, stat.S_IFDIR | mode)
            folder.is_mount = True
        for name, target in ((b"fd", b"fd"), (b"stdin", b"fd/0"), (b"stdout", b"fd/1"), (b"stderr", b"fd/2")):
            dev.symlink(name, b"/proc/self/" + target)
        current.credentials = asks
        return dev

    def _proc(self) -> Directory:
        from coalmm.linux.vfs.proc import ProcDirectory

        return ProcDirectory(self.root)

    def _sys(self) -> Directory:
        from coalmm.linux.vfs.sys import system_tree

        return system_tree(self.root)

    def context(self, cwd: bytes = b"/") -> FsContext:
        """Where the first task is. OSError if that is no directory."""
        fs = FsContext(self.root, self.root)
        fs.cwd = must_be_directory(must_exist(self.walk(fs, cwd)))
        return fs

    def first_files(self) -> FileTable:
        """A table with the console at 0, 1 and 2."""
        table = FileTable()
        for number, node in enumerate(self.console):
            flags = os.O_RDWR if node.is_tty else os.O_WRONLY if number else os.O_RDONLY
            table.put(number, StreamFile(node, None, flags | LARGE_FILE))
        return table

    # --- paths ---

    def walk(
        self, fs: FsContext, path: bytes, follow: bool = True, task: Any = None, start: Directory | None = None
    ) -> Found:
        """What a path leads to; relative ones from `start`, or the working directory."""
        return Walk(fs, fs.cwd if start is None else start, task).run(path, follow)

    def walk_to_name(self, fs: FsContext, path: bytes, task: Any = None, start: Directory | None = None) -> Found:
        """The name at the end of a path, to be made, removed or moved."""
        return Walk(fs, fs.cwd if start is None else start, task, naming=True).run(path, False)

    def node(self, fs: FsContext, path: bytes, follow: bool = True, task: Any = None) -> Node:
        """The file of a path. OSError ENOENT if there is none."""
        return must_exist(self.walk(fs, path, follow, task))

    # --- opening ---

    def open(
        self,
        fs: FsContext,
        path: bytes,
        flags: int,
        mode: int = 0,
        task: Any = None,
        start: Directory | None = None,
    ) -> OpenFile:
        """open(2). The caller gives the file to a FileTable."""
        if flags & os.O_PATH:
            flags &= PATH_FLAGS
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            return self._open_unnamed(fs, self.walk(fs, path, True, task, start), flags, mode)
        if flags & (os.O_CREAT | os.O_DIRECTORY) == os.O_CREAT | os.O_DIRECTORY:
            raise failure(EINVAL)  # since Linux 6.4
        if flags & os.O_CREAT and path.endswith(b"/") and not self.walk_to_name(fs, path, task, start).dots:
            raise failure(EISDIR)
        exclusive = flags & (os.O_CREAT | os.O_EXCL) == os.O_CREAT | os.O_EXCL
        found = self.walk(fs, path, not (flags & os.O_NOFOLLOW or exclusive), task, start)
        if found.node is None:
            return self._create(fs, found, flags, mode)
        if exclusive:
            raise failure(EEXIST)
        return self.open_node(Place(found.directory, found.name, found.node), flags, task)

    def _create(self, fs: FsContext, found: Found, flags: int, mode: int) -> OpenFile:
        """Open a file that is not there yet."""
        if not flags & os.O_CREAT:
            raise failure(ENOENT)
        check_access(found.directory.attributes(), MAY_WRITE | MAY_EXECUTE)
        node = found.directory.create(found.name, stat.S_IFREG | mode & 0o7777 & ~fs.umask)
        notify.made(found.directory, found.name, node)
        return notify.opened(node.open(Place(found.directory, found.name, node), flags & ~NEW_FLAGS))

    def _open_unnamed(self, fs: FsContext, found: Found, flags: int, mode: int) -> OpenFile:
        """O_TMPFILE: a file without a name."""
        directory = must_be_directory(must_exist(found))
        check_access(directory.attributes(), MAY_WRITE | MAY_EXECUTE)
        if flags & os.O_ACCMODE == os.O_RDONLY:
            raise failure(EINVAL)
        node = self.overlay.unnamed(stat.S_IFREG | mode & 0o7777 & ~fs.umask)
        name = b"#" + str(node.attributes().ino).encode()
        return notify.opened(node.open(Place(directory, name, node), flags & ~os.O_TMPFILE & ~NEW_FLAGS))

    def open_node(self, place: Place, flags: int, task: Any = None) -> OpenFile:
        """Open what a place leads to, after the checks that open(2) makes."""
        node = place.node
        assert node is not None
        if flags & os.O_PATH:
            if flags & os.O_DIRECTORY and node.kind != stat.S_IFDIR:
                raise failure(ENOTDIR)
            node.keep_open()
            return PathFile(node, place, flags)
        if node.kind == stat.S_IFLNK:
            raise failure(ELOOP if not flags & os.O_DIRECTORY else ENOTDIR)
        wanted = RIGHTS[flags & os.O_ACCMODE] | (MAY_WRITE if flags & os.O_TRUNC else 0)
        if node.kind == stat.S_IFDIR and (wanted & MAY_WRITE or flags & os.O_CREAT):
            raise failure(EISDIR)
        if flags & os.O_DIRECTORY and node.kind != stat.S_IFDIR:
            raise failure(ENOTDIR)
        check_access(node.attributes(), wanted)
        truncates = bool(flags & os.O_TRUNC) and node.kind == stat.S_IFREG
        if truncates:
            node.truncate(0)
        kept = os.O_NOCTTY if node.is_terminal else 0
        return notify.opened(node.open(place, flags & ~NEW_FLAGS | flags & kept, task), truncates)

    def open_memory(self, name: bytes, sealable: bool) -> OpenFile:
        """memfd_create(2)."""
        from coalmm.linux.vfs.memfd import MemoryFile

        return MemoryFile(self.overlay, name, sealable)

    # --- programs ---

    def open_program(self, fs: FsContext, path: bytes, task: Any = None, start: Directory | None = None) -> OpenFile:
        """Open a file to be executed: a regular one with an x bit, or OSError EACCES. The caller releases it."""
        found = self.walk(fs, path, True, task, start)
        node = must_exist(found)
        if node.kind != stat.S_IFREG:
            raise failure(EACCES)
        check_access(node.attributes(), MAY_EXECUTE)
        return node.open(Place(found.directory, found.name, node), os.O_RDONLY)

    def peek(self, fs: FsContext, path: bytes, size: int = 256, task: Any = None) -> bytes:
        """The first bytes of a program."""
        file = self.open_program(fs, path, task)
        try:
            return file.pread(size, 0)
        finally:
            file.release()

    def read_whole(self, fs: FsContext, path: bytes, task: Any = None) -> bytes:
        """All bytes of a program."""
        return self.peek(fs, path, self.node(fs, path, True, task).attributes().size, task)

    def close(self) -> None:
        """The run is over: all private changes are gone."""
        self.root = OverlayDirectory(self.overlay, None, b"", None)
        for node in self.console:
            node.restore()
