"""Who may do what with a file: chmod, chown. Source: chmod(2), chown(2)."""

from __future__ import annotations

import stat
from errno import EPERM

from coalmm.linux.abi import signed
from coalmm.linux.calls.paths import AT_FDCWD, AT_SYMLINK_NOFOLLOW, find_node, named
from coalmm.linux.credentials import ROOT, current
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.attributes import owns
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Node
from coalmm.linux.vfs.notify import IN_ATTRIB, tell
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task


def check_owner(node: Node) -> None:
    """EPERM unless the file is this user's."""
    if not owns(node.attributes()):
        raise failure(EPERM)


def change_mode(node: Node, mode: int) -> int:
    """chmod of a node."""
    check_owner(node)
    found, who = node.attributes(), current.credentials
    if who.user.file != ROOT and not who.is_in(found.gid):
        mode &= ~stat.S_ISGID
    node.set_mode(mode & 0o7777)
    tell(node, IN_ATTRIB)
    return 0


@system_call("chmod")
def chmod(task: Task, path: int, mode: int) -> int:
    """chmod(2)."""
    return change_mode(find_node(task, AT_FDCWD, path, 0), mode)


@system_call("fchmod")
def fchmod(task: Task, fd: int, mode: int) -> int:
    """fchmod(2)."""
    return change_mode(named(task.files.opened(fd)), mode)


@system_call("fchmodat")
def fchmodat(task: Task, directory: int, path: int, mode: int) -> int:
    """fchmodat(2)."""
    return change_mode(find_node(task, directory, path, 0), mode)


def change_owner(node: Node, uid: int, gid: int) -> int:
    """chown of a node: root may all, an owner may set a group of his."""
    uid, gid = signed(uid), signed(gid)
    who = current.credentials
    if who.user.file != ROOT:
        found = node.attributes()
        mine = gid in (-1, found.gid) or who.is_in(gid & 0xFFFF_FFFF)
        if uid not in (-1, found.uid) or not mine or ((uid, gid) != (-1, -1) and who.user.file != found.uid):
            raise failure(EPERM)
    node.set_owner(*(ident if ident == -1 else ident & 0xFFFF_FFFF for ident in (uid, gid)))
    tell(node, IN_ATTRIB)
    return 0


@system_call("chown", "chown32")
def chown(task: Task, path: int, uid: int, gid: int) -> int:
    """chown(2)."""
    return change_owner(find_node(task, AT_FDCWD, path, 0), uid, gid)


@system_call("lchown", "lchown32")
def lchown(task: Task, path: int, uid: int, gid: int) -> int:
    """lchown(2)."""
    return change_owner(find_node(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), uid, gid)


@system_call("fchown", "fchown32")
def fchown(task: Task, fd: int, uid: int, gid: int) -> int:
    """fchown(2)."""
    return change_owner(named(task.files.opened(fd)), uid, gid)


@system_call("fchownat")
def fchownat(task: Task, directory: int, path: int, uid: int, gid: int, flags: int) -> int:
    """fchownat(2)."""
    return change_owner(find_node(task, directory, path, flags), uid, gid)


@system_call("chown", only_32=True)
def chown16(task: Task, path: int, uid: int, gid: int) -> int:
    """chown(2) with 16-bit ids."""
    return chown(task, path, signed(uid, 16), signed(gid, 16))


@system_call("lchown", only_32=True)
def lchown16(task: Task, path: int, uid: int, gid: int) -> int:
    """lchown(2) with 16-bit ids."""
    return lchown(task, path, signed(uid, 16), signed(gid, 16))


@system_call("fchown", only_32=True)
def fchown16(task: Task, fd: int, uid: int, gid: int) -> int:
    """fchown(2) with 16-bit ids."""
    return fchown(task, fd, signed(uid, 16), signed(gid, 16))
