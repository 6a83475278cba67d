"""An inode: what a name leads to. Every kind of file is a subclass; what one cannot do, fails as Linux has it."""

from __future__ import annotations

import stat
from _weakref import ref
from errno import EACCES, EINVAL, ENOTDIR, ENXIO, EOPNOTSUPP, EPERM

from coalmm.linux.vfs.attributes import Attributes
from coalmm.linux.vfs.errors import failure
from coalmm.typed import TYPE_CHECKING, Any, Callable, Iterator, NamedTuple

if TYPE_CHECKING:
    from coalmm.linux.vfs.inotify import Watch
    from coalmm.linux.vfs.locks import Locks
    from coalmm.linux.vfs.open_file import OpenFile
    from coalmm.linux.vfs.sockets import SocketFile


class Node:
    """One file. `kind` is its S_IF* bits."""

    kind = stat.S_IFREG
    is_mount = False  # a name that cannot be removed or moved: /proc and the like
    is_terminal = False  # opened with O_NOCTTY it is another thing
    is_magic = False  # a link of /proc that leads to a place by itself, not by its text

    watches: list[Watch] | None = None  # inotify's
    named: Place | None = None  # how the call names it that changes it: one of its names, for inotify
    bound: SocketFile | None = None  # the socket that has this name

    _locks: Locks | None = None

    @property
    def locks(self) -> Locks:
        """Locks that tasks hold on it."""
        if self._locks is None:
            from coalmm.linux.vfs.locks import Locks

            self._locks = Locks()
        return self._locks

    @property
    def has_locks(self) -> bool:
        """Whether anybody ever locked it."""
        return self._locks is not None

    def attributes(self) -> Attributes:
        """What stat tells."""
        raise NotImplementedError

    def open(self, place: Place, flags: int, task: Any = None) -> OpenFile:
        """Open it; rights were checked. A FIFO may raise Blocked."""
        raise failure(ENXIO if self.kind == stat.S_IFSOCK else EACCES)

    def keep_open(self) -> None:
        """Somebody opens it with O_PATH: it is to be known even without its name."""

    def truncate(self, size: int) -> None:
        """Make it `size` bytes."""
        raise failure(EINVAL)

    def target(self) -> bytes:
        """What a symbolic link says."""
        raise failure(EINVAL)

    def set_mode(self, mode: int) -> None:
        """Change the permission bits."""
        raise failure(EPERM)

    def set_owner(self, uid: int, gid: int) -> None:
        """Change the owner; -1 leaves one as it is."""
        raise failure(EPERM)

    def extended(self) -> dict[bytes, bytes]:
        """Its extended attributes."""
        return {}

    def set_extended(self, name: bytes, value: bytes | None) -> None:
        """Change one; None takes it away."""
        raise failure(EOPNOTSUPP)

    def set_times(self, atime: int | None, mtime: int | None) -> None:
        """Change times (nanoseconds); None leaves one as it is."""
        raise failure(EPERM)


class Directory(Node):
    """A directory: names that lead to nodes. `parent` of the root is the root."""

    kind = stat.S_IFDIR
    parent: Directory
    name: bytes

    is_gone = False  # it was removed; somebody still has it open or is in it
    waiting: dict[bytes, Callable[[], Directory]] | None = None  # what is mounted at names when they are used

    @property
    def path(self) -> bytes:
        """Where it is, from the guest's root."""
        parts: list[bytes] = []
        here = self
        while here.parent is not here:
            parts.append(here.name)
            here = here.parent
        return b"/" + b"/".join(reversed(parts))

    def is_below(self, other: Directory) -> bool:
        """Whether it is `other` or inside of it."""
        here = self
        while here is not other:
            if here.parent is here:
                return False
            here = here.parent
        return True

    def lookup(self, name: bytes, task: Any = None) -> Node | None:
        """What a name leads to. Only /proc depends on the task that asks."""
        raise failure(ENOTDIR)

    def entries(self, task: Any = None) -> Iterator[Entry]:
        """The names, without "." and ".."."""
        raise failure(ENOTDIR)

    def mount(self, name: bytes, node: Directory) -> None:
        """Show another directory at a name; what is there below is hidden."""
        raise failure(EACCES)

    def mount_when_used(self, name: bytes, make: Callable[[], Directory]) -> None:
        """The same for a directory that is made when somebody looks there."""
        self.waiting = {**(self.waiting or {}), name: make}

    def mount_waiting(self, name: bytes) -> None:
        """Somebody looks at a name."""
        if self.waiting is not None and name in self.waiting:
            self.mount(name, self.waiting.pop(name)())

    def create(self, name: bytes, mode: int) -> Node:
        """Make a file; the kind is in the mode: regular, directory or FIFO."""
        raise failure(EACCES)

    def symlink(self, name: bytes, target: bytes) -> Node:
        """Make a symbolic link."""
        raise failure(EACCES)

    def link(self, name: bytes, node: Node) -> None:
        """Give a node one more name."""
        raise failure(EPERM)

    def remove(self, name: bytes, node: Node) -> None:
        """Take a name away; a directory's is empty."""
        raise failure(EPERM)

    def move(self, name: bytes, target: Directory, target_name: bytes, swap: bool = False) -> None:
        """Rename: what the new name led to is gone, or has the old name if they swap."""
        raise failure(EPERM)


class Entry(NamedTuple):
    """One name as getdents tells it."""

    name: bytes
    ino: int
    kind: int  # S_IF* bits


class Place:
    """A name in a directory and what it leads to now; `node` None if nothing."""

    def __init__(self, directory: Directory, name: bytes, node: Node | None) -> None:
        self.directory = directory
        self.name = name
        self.node = node

    @property
    def path(self) -> bytes:
        """From the guest's root; for a file that lost its name as Linux marks it."""
        if isinstance(self.node, Directory):
            return self.node.path
        whole = self.directory.path.rstrip(b"/") + b"/" + self.name
        return whole if self.directory.lookup(self.name) is self.node else whole + b" (deleted)"


class Alive:
    """Nodes by name, as long as somebody holds them: a `weakref.WeakValueDictionary` that is loaded sooner."""

    def __init__(self) -> None:
        self.references: dict[Any, ref[Node]] = {}

    def get(self, key: Any) -> Node | None:
        """The node, or None if nobody holds it."""
        reference = self.references.get(key)
        return reference() if reference is not None else None

    def __setitem__(self, key: Any, node: Node) -> None:
        references = self.references

        def forget(gone: ref[Node]) -> None:
            if references.get(key) is gone:
                del references[key]

        references[key] = ref(node, forget)

    def pop(self, key: Any) -> None:
        """Forget a name, known or not."""
        self.references.pop(key, None)
