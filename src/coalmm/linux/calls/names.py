"""Names that exist: readlink, access."""

from __future__ import annotations

from errno import EINVAL

from coalmm.linux.abi import signed
from coalmm.linux.calls.paths import AT_EACCESS, AT_FDCWD, find, find_node
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.attributes import check_access
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.resolve import must_exist
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task


@system_call("readlink")
def readlink(task: Task, path: int, buffer: int, size: int) -> int:
    """readlink(2)."""
    return readlinkat(task, AT_FDCWD, path, buffer, size)


@system_call("readlinkat")
def readlinkat(task: Task, directory: int, path: int, buffer: int, size: int) -> int:
    """readlinkat(2): cut to the buffer, without a NUL. An empty path is the link that a descriptor has open."""
    if signed(size) <= 0:
        raise failure(EINVAL)
    if path and not task.read_path(path) and signed(directory) != AT_FDCWD:
        node = task.files.get(directory).node
    else:
        node = must_exist(find(task, directory, path, False))
    text = node.target()[: signed(size)]
    task.write(buffer, text)
    return len(text)


@system_call("access")
def access(task: Task, path: int, mode: int) -> int:
    """access(2)."""
    return check(task, AT_FDCWD, path, mode, 0)


@system_call("faccessat")
def faccessat(task: Task, directory: int, path: int, mode: int) -> int:
    """faccessat(2) without flags."""
    return check(task, directory, path, mode, 0)


@system_call("faccessat2")
def faccessat2(task: Task, directory: int, path: int, mode: int, flags: int) -> int:
    """faccessat2(2)."""
    return check(task, directory, path, mode, flags & 0xFFFF_FFFF)


def check(task: Task, directory: int, path: int, mode: int, flags: int) -> int:
    """Whether the user has the rights: 4 read, 2 write, 1 execute. EACCES."""
    mode &= 0xFFFF_FFFF
    if mode & ~7:
        raise failure(EINVAL)
    node = find_node(task, directory, path, flags, AT_EACCESS)
    if mode:
        check_access(node.attributes(), mode, real=not flags & AT_EACCESS)
    return 0
