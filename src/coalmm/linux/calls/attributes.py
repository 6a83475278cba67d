"""Extended attributes: the host's where they were not changed. Source: xattr(7), setxattr(2)."""

from __future__ import annotations

import stat
from errno import E2BIG, EEXIST, EINVAL, ENODATA, EOPNOTSUPP, EPERM, ERANGE

from coalmm.linux.calls.paths import AT_FDCWD, AT_SYMLINK_NOFOLLOW, find_node, named
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.attributes import MAY_READ, MAY_WRITE, check_access, owns
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Node
from coalmm.linux.vfs.notify import IN_ATTRIB, tell
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

XATTR_CREATE, XATTR_REPLACE = 1, 2
LONGEST_NAME, LARGEST = 255, 65536
SPACES = (b"user.", b"trusted.", b"security.")
ACCESS_LISTS = (b"system.posix_acl_access", b"system.posix_acl_default")


def read_name(task: Task, vaddr: int) -> bytes:
    """The name of an attribute. ERANGE for one that cannot be."""
    try:
        name = task.read_string(vaddr, LONGEST_NAME + 1)
    except OSError:
        raise failure(ERANGE) from None
    if not name:
        raise failure(ERANGE)
    return name


def check_name(task: Task, node: Node, name: bytes, writing: bool) -> None:
    """Who may have attributes of which names, on which files."""
    if name in ACCESS_LISTS or not name.startswith(SPACES) or name in SPACES:
        raise failure(ENODATA if name in ACCESS_LISTS and not writing else EINVAL if name in SPACES else EOPNOTSUPP)
    if name.startswith(b"user."):
        if node.kind not in (stat.S_IFREG, stat.S_IFDIR):
            raise failure(EPERM if writing else ENODATA)
        attributes = node.attributes()
        if writing and stat.S_ISDIR(attributes.mode) and attributes.mode & stat.S_ISVTX and not owns(attributes):
            raise failure(EPERM)
        check_access(attributes, MAY_WRITE if writing else MAY_READ)
    elif not task.credentials.is_root and (writing or name.startswith(b"trusted.")):
        raise failure(EPERM if writing else ENODATA)


def get(task: Task, node: Node, name: int, value: int, size: int) -> int:
    """The size of an attribute's value, and the value if there is room. ENODATA, ERANGE."""
    text = read_name(task, name)
    check_name(task, node, text, False)
    found = node.extended().get(text)
    if found is None:
        raise failure(ENODATA)
    return give(task, found, value, size)


def give(task: Task, data: bytes, pointer: int, size: int) -> int:
    """Write an answer, if room for it is given at all. ERANGE."""
    if size:
        if len(data) > size:
            raise failure(ERANGE)
        task.write(pointer, data)
    return len(data)


def listing(task: Task, node: Node, value: int, size: int) -> int:
    """The names of the attributes, each with its NUL."""
    names = [name for name in node.extended() if task.credentials.is_root or not name.startswith(b"trusted.")]
    return give(task, b"".join(name + b"\0" for name in names), value, size)


def put(task: Task, node: Node, name: int, value: int, size: int, flags: int) -> int:
    """Set an attribute. EEXIST, ENODATA, E2BIG."""
    flags &= 0xFFFF_FFFF
    if flags & ~(XATTR_CREATE | XATTR_REPLACE):
        raise failure(EINVAL)
    text = read_name(task, name)
    if size > LARGEST:
        raise failure(E2BIG)
    content = task.read(value, size) if size else b""
    check_name(task, node, text, True)
    exists = text in node.extended()
    if flags & XATTR_CREATE and exists:
        raise failure(EEXIST)
    if flags & XATTR_REPLACE and not exists:
        raise failure(ENODATA)
    node.set_extended(text, content)
    tell(node, IN_ATTRIB)
    return 0


def remove(task: Task, node: Node, name: int) -> int:
    """Take an attribute away. ENODATA."""
    text = read_name(task, name)
    check_name(task, node, text, True)
    if text not in node.extended():
        raise failure(ENODATA)
    node.set_extended(text, None)
    tell(node, IN_ATTRIB)
    return 0


# --- by path, by path of a link itself, by descriptor ---


@system_call("getxattr")
def getxattr(task: Task, path: int, name: int, value: int, size: int) -> int:
    """getxattr(2)."""
    return get(task, find_node(task, AT_FDCWD, path, 0), name, value, size)


@system_call("lgetxattr")
def lgetxattr(task: Task, path: int, name: int, value: int, size: int) -> int:
    """lgetxattr(2)."""
    return get(task, find_node(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), name, value, size)


@system_call("fgetxattr")
def fgetxattr(task: Task, fd: int, name: int, value: int, size: int) -> int:
    """fgetxattr(2)."""
    return get(task, task.files.opened(fd).node, name, value, size)


@system_call("listxattr")
def listxattr(task: Task, path: int, value: int, size: int) -> int:
    """listxattr(2)."""
    return listing(task, find_node(task, AT_FDCWD, path, 0), value, size)


@system_call("llistxattr")
def llistxattr(task: Task, path: int, value: int, size: int) -> int:
    """llistxattr(2)."""
    return listing(task, find_node(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), value, size)


@system_call("flistxattr")
def flistxattr(task: Task, fd: int, value: int, size: int) -> int:
    """flistxattr(2)."""
    return listing(task, task.files.opened(fd).node, value, size)


@system_call("setxattr")
def setxattr(task: Task, path: int, name: int, value: int, size: int, flags: int) -> int:
    """setxattr(2)."""
    return put(task, find_node(task, AT_FDCWD, path, 0), name, value, size, flags)


@system_call("lsetxattr")
def lsetxattr(task: Task, path: int, name: int, value: int, size: int, flags: int) -> int:
    """lsetxattr(2)."""
    return put(task, find_node(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), name, value, size, flags)


@system_call("fsetxattr")
def fsetxattr(task: Task, fd: int, name: int, value: int, size: int, flags: int) -> int:
    """fsetxattr(2)."""
    return put(task, named(task.files.opened(fd)), name, value, size, flags)


@system_call("removexattr")
def removexattr(task: Task, path: int, name: int) -> int:
    """removexattr(2)."""
    return remove(task, find_node(task, AT_FDCWD, path, 0), name)


@system_call("lremovexattr")
def lremovexattr(task: Task, path: int, name: int) -> int:
    """lremovexattr(2)."""
    return remove(task, find_node(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), name)


@system_call("fremovexattr")
def fremovexattr(task: Task, fd: int, name: int) -> int:
    """fremovexattr(2)."""
    return remove(task, named(task.files.opened(fd)), name)
