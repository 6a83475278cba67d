"""What happens to files is told to whoever watches them. Source: inotify(7).

A node has the watches on it; an event of a file goes to those of its directory, with its name, and to its own.
What the host's other programs do is not seen.
"""

from __future__ import annotations

import os
import stat

from coalmm.linux.credentials import current
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.vfs.node import Directory, Node, Place
    from coalmm.linux.vfs.open_file import OpenFile

IN_ACCESS, IN_MODIFY, IN_ATTRIB, IN_CLOSE_WRITE, IN_CLOSE_NOWRITE, IN_OPEN = 1, 2, 4, 8, 0x10, 0x20
IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE, IN_DELETE_SELF, IN_MOVE_SELF = 0x40, 0x80, 0x100, 0x200, 0x400, 0x800
IN_ISDIR = 1 << 30

def is_directory(node: Node) -> int:
    """IN_ISDIR for a directory."""
    return IN_ISDIR if node.kind == stat.S_IFDIR else 0


def tell(node: Node, mask: int, place: Place | None = None) -> None:
    """Something happened to a file, or in a directory. `place` is where it was opened; else it is named by a path."""
    place = None if is_directory(node) else place or node.named  # a directory has one name
    home = (place.directory, place.name) if place is not None else home_of(node)
    if home is not None and home[0] is not node:
        for watch in tuple(home[0].watches or ()):
            watch.put(mask | is_directory(node), home[1], child=node)
    tell_self(node, mask | is_directory(node))


def tell_file(file: OpenFile, mask: int) -> None:
    """Something was done with an open file."""
    place = file.place
    if place is not None and (file.node.watches or place.directory.watches or home_of(file.node)):
        tell(file.node, mask, place)


def home_of(node: Node) -> tuple[Directory, bytes] | None:
    """The directory that is watched, and the name there, by which a file was found last."""
    directory: Directory | None = getattr(node, "parent", None)
    if directory is None or not directory.watches:
        return None
    return directory, node.name  # type: ignore[attr-defined]


def tell_self(node: Node, mask: int) -> None:
    """Something happened that its directory does not hear of."""
    for watch in tuple(node.watches or ()):
        watch.put(mask)


def tell_name(directory: Directory, name: bytes, mask: int, cookie: int = 0) -> None:
    """A name of a directory has come or gone."""
    for watch in tuple(directory.watches or ()):
        watch.put(mask, name, cookie)


def made(directory: Directory, name: bytes, node: Node) -> None:
    """A file has a new name."""
    tell_name(directory, name, IN_CREATE | is_directory(node))


def removed(directory: Directory, name: bytes, node: Node) -> None:
    """A name was taken away; the file may still be open, or have others."""
    if not is_directory(node):
        tell_self(node, IN_ATTRIB)
    tell_name(directory, name, IN_DELETE | is_directory(node))
    ended(node)


def moved(node: Node, old: tuple[Directory, bytes], new: tuple[Directory, bytes]) -> None:
    """A file has another name."""
    current.numbers.cookie += 1
    cookie = current.numbers.cookie
    tell_name(*old, IN_MOVED_FROM | is_directory(node), cookie)
    tell_name(*new, IN_MOVED_TO | is_directory(node), cookie)
    tell_self(node, IN_MOVE_SELF)


def replaced(node: Node) -> None:
    """A file lost the name that another one has now."""
    if not is_directory(node):
        tell_self(node, IN_ATTRIB)
    ended(node)


def ended(node: Node) -> None:
    """Tell that a file is gone, if it is: no name, and nobody has it open."""
    if node.watches and not getattr(node, "opens", 0) and not has_name(node):
        tell_self(node, IN_DELETE_SELF)
        for watch in tuple(node.watches):
            watch.end()


def has_name(node: Node) -> bool:
    """Whether a name leads to a file."""
    if is_directory(node):
        return not node.is_gone  # type: ignore[attr-defined]
    try:
        return node.attributes().nlink > 0
    except FileNotFoundError:
        return False


def opened(file: OpenFile, truncated: bool = False) -> OpenFile:
    """A file was opened."""
    if not file.flags & os.O_PATH:
        tell_file(file, IN_OPEN)
    if truncated:
        tell_file(file, IN_MODIFY)
    return file


def closed(file: OpenFile) -> None:
    """The last descriptor of an open file is gone."""
    if not file.flags & os.O_PATH:
        tell_file(file, IN_CLOSE_WRITE if file.is_writable else IN_CLOSE_NOWRITE)


def accessed(file: OpenFile, size: int) -> int:
    """Bytes were read; how many."""
    if size > 0:
        tell_file(file, IN_ACCESS)
    return size


def modified(file: OpenFile, size: int) -> int:
    """Bytes were written; how many."""
    if size > 0:
        tell_file(file, IN_MODIFY)
    return size
