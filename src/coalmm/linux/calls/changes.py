"""Names that come and go: mkdir, mknod, symlink, link, unlink, rmdir."""

from __future__ import annotations

import stat
from errno import (
    EBUSY,
    EEXIST,
    EINVAL,
    EISDIR,
    ENOENT,
    ENOTDIR,
    ENOTEMPTY,
    EPERM,
)

from coalmm.linux.calls.paths import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_REMOVEDIR,
    AT_SYMLINK_FOLLOW,
    AT_SYMLINK_NOFOLLOW,
    check_flags,
    find_name,
    find_node,
)
from coalmm.linux.credentials import current
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.attributes import MAY_EXECUTE, MAY_READ, MAY_WRITE, check_access, is_allowed, owns
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Directory, Node
from coalmm.linux.vfs.notify import IN_ATTRIB, made, removed, tell_self
from coalmm.linux.vfs.resolve import Found, must_exist
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task



def check_parent(found: Found) -> None:
    """EACCES unless names of the directory may be changed."""
    check_access(found.directory.attributes(), MAY_WRITE | MAY_EXECUTE)


def check_sticky(found: Found, node: Node) -> None:
    """EPERM for a name of somebody else's file in a sticky directory."""
    attributes = found.directory.attributes()
    if attributes.mode & stat.S_ISVTX and not owns(attributes) and not owns(node.attributes()):
        raise failure(EPERM)


# --- making ---


def new_name(task: Task, directory: int, path: int, is_directory: bool = False) -> Found:
    """A name that is free. EEXIST; ENOENT for one with a slash that is to be no directory."""
    found = find_name(task, directory, path)
    found.check()
    if found.node is not None or found.dots:
        raise failure(EEXIST)
    if found.slash and not is_directory:
        raise failure(ENOENT)
    check_parent(found)
    return found


@system_call("mkdir")
def mkdir(task: Task, path: int, mode: int) -> int:
    """mkdir(2)."""
    return mkdirat(task, AT_FDCWD, path, mode)


@system_call("mkdirat")
def mkdirat(task: Task, directory: int, path: int, mode: int) -> int:
    """mkdirat(2)."""
    found = new_name(task, directory, path, True)
    made(found.directory, found.name, found.directory.create(found.name, stat.S_IFDIR | mode & 0o1777 & ~task.fs.umask))
    return 0


@system_call("mknod")
def mknod(task: Task, path: int, mode: int, device: int) -> int:
    """mknod(2)."""
    return mknodat(task, AT_FDCWD, path, mode, device)


@system_call("mknodat")
def mknodat(task: Task, directory: int, path: int, mode: int, device: int) -> int:
    """mknodat(2): files, FIFOs and sockets; EPERM for devices."""
    kind = stat.S_IFMT(mode & 0xFFFF) or stat.S_IFREG
    if kind == stat.S_IFDIR:
        raise failure(EPERM)
    if kind not in (stat.S_IFREG, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK):
        raise failure(EINVAL)
    found = new_name(task, directory, path)
    if kind not in (stat.S_IFREG, stat.S_IFIFO, stat.S_IFSOCK):
        raise failure(EPERM)
    made(found.directory, found.name, found.directory.create(found.name, kind | mode & 0o7777 & ~task.fs.umask))
    return 0


@system_call("symlink")
def symlink(task: Task, target: int, path: int) -> int:
    """symlink(2)."""
    return symlinkat(task, target, AT_FDCWD, path)


@system_call("symlinkat")
def symlinkat(task: Task, target: int, directory: int, path: int) -> int:
    """symlinkat(2)."""
    text = task.read_path(target)
    if not text:
        raise failure(ENOENT)
    found = new_name(task, directory, path)
    made(found.directory, found.name, found.directory.symlink(found.name, text))
    return 0


@system_call("link")
def link(task: Task, old: int, new: int) -> int:
    """link(2)."""
    return linkat(task, AT_FDCWD, old, AT_FDCWD, new, 0)


@system_call("linkat")
def linkat(task: Task, old_directory: int, old: int, new_directory: int, new: int, flags: int) -> int:
    """linkat(2)."""
    check_flags(flags, AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)
    follow = 0 if flags & AT_SYMLINK_FOLLOW else AT_SYMLINK_NOFOLLOW
    node = find_node(task, old_directory, old, flags & AT_EMPTY_PATH | follow)
    found = new_name(task, new_directory, new)
    if node.kind == stat.S_IFDIR:
        raise failure(EPERM)
    check_link(node)
    found.directory.link(found.name, node)
    tell_self(node, IN_ATTRIB)
    made(found.directory, found.name, node)
    return 0


def check_link(node: Node) -> None:
    """EPERM for one more name of somebody else's file, unless it is a plain one that may be read and written.

    The rule of fs.protected_hardlinks (proc(5)), which distributions set.
    """
    found = node.attributes()
    if owns(found):
        return
    special = found.mode & stat.S_ISUID or found.mode & 0o2010 == 0o2010 or not stat.S_ISREG(found.mode)
    if special or not is_allowed(found, MAY_READ | MAY_WRITE, current.credentials):
        raise failure(EPERM)


# --- removing ---


@system_call("unlink")
def unlink(task: Task, path: int) -> int:
    """unlink(2)."""
    return unlinkat(task, AT_FDCWD, path, 0)


@system_call("rmdir")
def rmdir(task: Task, path: int) -> int:
    """rmdir(2)."""
    return unlinkat(task, AT_FDCWD, path, AT_REMOVEDIR)


@system_call("unlinkat")
def unlinkat(task: Task, directory: int, path: int, flags: int) -> int:
    """unlinkat(2)."""
    check_flags(flags, AT_REMOVEDIR)
    name = task.read_path(path)
    found = find_name(task, directory, path)
    if flags & AT_REMOVEDIR:
        check_last(found, name)
    elif found.dots:
        raise failure(EISDIR)
    found.check()
    node = must_exist(found)
    check_parent(found)
    check_sticky(found, node)
    if flags & AT_REMOVEDIR:
        check_removable(node, task)
    elif node.kind == stat.S_IFDIR:
        raise failure(EISDIR)
    elif found.slash:
        raise failure(ENOTDIR)
    elif node.is_mount:
        raise failure(EBUSY)
    found.directory.remove(found.name, node)
    removed(found.directory, found.name, node)
    return 0


def check_last(found: Found, name: bytes) -> None:
    """What rmdir says of paths that end in no name."""
    if found.dots:
        last = name.rstrip(b"/").rpartition(b"/")[2]
        raise failure({b".": EINVAL, b"..": ENOTEMPTY}.get(last, EBUSY))


def check_removable(node: Node, task: Task) -> None:
    """ENOTDIR, EBUSY or ENOTEMPTY for what rmdir does not take away."""
    if not isinstance(node, Directory):
        raise failure(ENOTDIR)
    if node.is_mount:
        raise failure(EBUSY)
    if next(iter(node.entries(task)), None) is not None:
        raise failure(ENOTEMPTY)
