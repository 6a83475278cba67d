"""Extended attributes: the overlay has none, and takes none."""

from __future__ import annotations

from errno import ENODATA, EOPNOTSUPP

from coalmm.linux.calls.paths import AT_FDCWD, AT_SYMLINK_NOFOLLOW, find_node
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.errors import failure
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task


@system_call("getxattr")
def getxattr(task: Task, path: int, name: int, value: int, size: int) -> int:
    """getxattr(2)."""
    find_node(task, AT_FDCWD, path, 0)
    return no_data(task, name)


@system_call("lgetxattr")
def lgetxattr(task: Task, path: int, name: int, value: int, size: int) -> int:
    """lgetxattr(2)."""
    find_node(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW)
    return no_data(task, name)


@system_call("fgetxattr")
def fgetxattr(task: Task, fd: int, name: int, value: int, size: int) -> int:
    """fgetxattr(2)."""
    task.files.get(fd)
    return no_data(task, name)


def no_data(task: Task, name: int) -> int:
    """ENODATA for a name that could be there, EOPNOTSUPP for one that could not."""
    text = task.read_string(name, 256)
    spaces = (b"user.", b"security.", b"trusted.", b"system.posix_acl_")
    raise failure(ENODATA if text.startswith(spaces) else EOPNOTSUPP)


@system_call("listxattr")
def listxattr(task: Task, path: int, value: int, size: int) -> int:
    """listxattr(2): none."""
    find_node(task, AT_FDCWD, path, 0)
    return 0


@system_call("llistxattr")
def llistxattr(task: Task, path: int, value: int, size: int) -> int:
    """llistxattr(2): none."""
    find_node(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW)
    return 0


@system_call("flistxattr")
def flistxattr(task: Task, fd: int, value: int, size: int) -> int:
    """flistxattr(2): none."""
    task.files.get(fd)
    return 0


@system_call("setxattr")
def setxattr(task: Task, path: int, name: int, value: int, size: int, flags: int) -> int:
    """setxattr(2)."""
    find_node(task, AT_FDCWD, path, 0)
    raise failure(EOPNOTSUPP)


@system_call("lsetxattr")
def lsetxattr(task: Task, path: int, name: int, value: int, size: int, flags: int) -> int:
    """lsetxattr(2)."""
    find_node(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW)
    raise failure(EOPNOTSUPP)


@system_call("fsetxattr")
def fsetxattr(task: Task, fd: int, name: int, value: int, size: int, flags: int) -> int:
    """fsetxattr(2)."""
    task.files.get(fd)
    raise failure(EOPNOTSUPP)


@system_call("removexattr")
def removexattr(task: Task, path: int, name: int) -> int:
    """removexattr(2)."""
    find_node(task, AT_FDCWD, path, 0)
    raise failure(EOPNOTSUPP)


@system_call("lremovexattr")
def lremovexattr(task: Task, path: int, name: int) -> int:
    """lremovexattr(2)."""
    find_node(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW)
    raise failure(EOPNOTSUPP)


@system_call("fremovexattr")
def fremovexattr(task: Task, fd: int, name: int) -> int:
    """fremovexattr(2)."""
    task.files.get(fd)
    raise failure(EOPNOTSUPP)
