"""A path to a place: the walk of path_resolution(7), one component at a time.

Absolute paths and absolute links start at the guest's root, ".." of the root is the root, and the nodes
only ever look up single names (`host.HostName`).
"""

from __future__ import annotations

import stat
from errno import ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR

from coalmm.linux.vfs.attributes import MAY_EXECUTE, check_access
from coalmm.linux.vfs.context import FsContext
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Directory, Node, Place
from coalmm.typed import Any

PATH_MAX = 4096
NAME_MAX = 255
MOST_LINKS = 40


class Found(Place):
    """What a path leads to. `dots`: it ends in "/", "." or "..", which is no name to make or remove."""

    def __init__(
        self,
        directory: Directory,
        name: bytes,
        node: Node | None,
        slash: bool = False,  # it ends in a slash: only a directory will do
        dots: bool = False,
        is_too_long: bool = False,  # a name to make or remove, of more bytes than a name can have
    ) -> None:
        super().__init__(directory, name, node)
        self.slash = slash
        self.dots = dots
        self.is_too_long = is_too_long

    def check(self) -> None:
        """OSError for a name that cannot be."""
        if self.is_too_long:
            raise failure(ENAMETOOLONG)


class Walk:
    """One walk. `start` is where relative paths begin.

    `naming`: the path is of a name to make, remove or move, so that a link at its end is not followed even
    before a slash.
    """

    here: Directory

    def __init__(self, fs: FsContext, start: Directory, task: Any = None, naming: bool = False) -> None:
        self.fs = fs
        self.start = start
        self.task = task
        self.naming = naming
        self.links = 0

    def run(self, path: bytes, follow: bool) -> Found:
        """Resolve a path; `follow` says whether a link at its end is followed. OSError."""
        if not path:
            raise failure(ENOENT)
        if len(path) >= PATH_MAX:
            raise failure(ENAMETOOLONG)
        self.here = self.fs.root if path[:1] == b"/" else self.start
        parts = _components(path)
        slash = path.endswith((b"/", b"/.", b"/..")) or path in (b".", b"..")
        found = Found(self.here.parent, self.here.name, self.here, slash, True)
        while parts:
            found = self._step(parts, follow, slash)
        if found.slash and not self.naming and found.node is not None and not isinstance(found.node, Directory):
            raise failure(ENOTDIR)
        return found

    def _step(self, parts: list[bytes], follow: bool, slash: bool) -> Found:
        """Take the next component off `parts` (the first is the last), and go where it leads."""
        name = parts.pop()
        check_access(self.here.attributes(), MAY_EXECUTE)
        if name in (b".", b".."):
            self.here = self.here.parent if name == b".." and self.here is not self.fs.root else self.here
            return Found(self.here.parent, self.here.name, self.here, slash, True)
        if len(name) > NAME_MAX and not self.here.is_gone:
            if self.naming and not parts:
                return Found(self.here, name, None, slash, False, True)
            raise failure(ENAMETOOLONG)
        node = self.here.lookup(name, self.task)
        last = not parts
        if node is not None and node.kind == stat.S_IFLNK and (follow or (slash and not self.naming) or not last):
            return self._follow(node, parts, slash)
        found = Found(self.here, name, node, slash)
        if isinstance(node, Directory):
            self.here = node
        elif not last:
            raise failure(ENOENT if node is None else ENOTDIR)
        return found

    def _follow(self, node: Node, parts: list[bytes], slash: bool) -> Found:
        """Go where a link leads: its text comes before what is left of the path."""
        self.links += 1
        if self.links > MOST_LINKS:
            raise failure(ELOOP)
        if node.is_magic:
            return self._jump(node, last=not parts, slash=slash)
        text = node.target()
        if not text:
            raise failure(ENOENT)
        if text[:1] == b"/":
            self.here = self.fs.root
        parts.extend(_components(text))
        return Found(self.here.parent, self.here.name, self.here, slash, True)

    def _jump(self, node: Node, last: bool, slash: bool) -> Found:
        """Go where a link of /proc leads, by itself."""
        place: Place = node.place()  # type: ignore[attr-defined]
        if place.node is None:
            raise failure(ENOENT)
        if isinstance(place.node, Directory):
            self.here = place.node
        elif not last:
            raise failure(ENOTDIR)
        return Found(place.directory, place.name, place.node, slash)


def _components(path: bytes) -> list[bytes]:
    """The names in a path, the first one last."""
    return [part for part in reversed(path.split(b"/")) if part]


def must_exist(found: Found) -> Node:
    """The node, or OSError ENOENT."""
    if found.node is None:
        raise failure(ENOENT)
    return found.node


def must_be_directory(node: Node) -> Directory:
    """The directory, or OSError ENOTDIR."""
    if not isinstance(node, Directory):
        raise failure(ENOTDIR)
    return node
