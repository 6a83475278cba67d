"""Path arguments: a directory descriptor and a name."""

from __future__ import annotations

from errno import EINVAL

from coalmm.linux.abi import signed
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Directory, Node
from coalmm.linux.vfs.resolve import Found, must_be_directory, must_exist
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task
    from coalmm.linux.vfs.open_file import OpenFile

AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
AT_REMOVEDIR = 0x200
AT_EACCESS = 0x200
AT_SYMLINK_FOLLOW = 0x400
AT_NO_AUTOMOUNT = 0x800
AT_EMPTY_PATH = 0x1000


def start_of(task: Task, directory: int, path: bytes) -> Directory:
    """Where a relative path begins. EBADF and ENOTDIR only if the path is relative."""
    if path[:1] in (b"", b"/") or signed(directory) == AT_FDCWD:
        return task.fs.cwd
    return must_be_directory(task.files.get(directory).node)


def find(task: Task, directory: int, path: int, follow: bool = True) -> Found:
    """What a path argument leads to."""
    name = task.read_path(path)
    found: Found = task.system.vfs.walk(task.fs, name, follow, task, start_of(task, directory, name))
    return found


def find_name(task: Task, directory: int, path: int) -> Found:
    """The name at the end of a path argument."""
    name = task.read_path(path)
    found: Found = task.system.vfs.walk_to_name(task.fs, name, task, start_of(task, directory, name))
    return found


def find_node(task: Task, directory: int, path: int, flags: int, known: int = 0) -> Node:
    """The file of a path argument with AT_ flags; `known` are those that the call has besides.

    AT_EMPTY_PATH with an empty path is the descriptor itself.
    """
    check_flags(flags, known | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)
    if flags & AT_EMPTY_PATH:
        name = b"" if path == 0 else task.read_path(path)
        if not name:
            return task.fs.cwd if signed(directory) == AT_FDCWD else named(task.files.get(directory))
    return named_at(find(task, directory, path, not flags & AT_SYMLINK_NOFOLLOW))


def named_at(found: Found) -> Node:
    """The file that a path leads to; what happens to it is told with this name."""
    node = must_exist(found)
    node.named = found
    return node


def named(file: OpenFile) -> Node:
    """The file of a descriptor; what happens to it is told with the name that it was opened by."""
    file.node.named = file.place
    return file.node


def check_flags(flags: int, known: int) -> None:
    """EINVAL for a flag that is not known."""
    if flags & 0xFFFF_FFFF & ~known:
        raise failure(EINVAL)
