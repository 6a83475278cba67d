"""Changing the tree: mkdir, unlink, rename, link, chmod, chown, times."""

from __future__ import annotations

import os
import stat
import struct
import time
from errno import (
    EBUSY,
    EEXIST,
    EINVAL,
    EISDIR,
    ENOENT,
    ENOTDIR,
    ENOTEMPTY,
    EPERM,
    EXDEV,
)
from typing import TYPE_CHECKING

from coalmm.linux.abi import signed
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
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.attributes import MAY_EXECUTE, MAY_WRITE, check_access, owns
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Directory, Node
from coalmm.linux.vfs.resolve import Found, must_exist

if TYPE_CHECKING:
    from coalmm.linux.task import Task

RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT = 1, 2, 4
UTIME_NOW, UTIME_OMIT = 0x3FFF_FFFF, 0x3FFF_FFFE
SECOND = 1_000_000_000
EARLIEST, LATEST = -(1 << 31), (1 << 34) - (1 << 31) - 1  # seconds that ext4 keeps; others become these


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
    found.directory.create(found.name, stat.S_IFDIR | mode & 0o1777 & ~task.fs.umask)
    return 0


@system_call("mknod")
def mknod(task: Task, path: int, mode: int, device: int) -> int:
    """mknod(2)."""
    return mknodat(task, AT_FDCWD, path, mode, device)


@system_call("mknodat")
def mknodat(task: Task, directory: int, path: int, mode: int, device: int) -> int:
    """mknodat(2): files and FIFOs; EPERM for devices."""
    kind = stat.S_IFMT(mode & 0xFFFF) or stat.S_IFREG
    if kind == stat.S_IFDIR:
        raise failure(EPERM)
    if kind not in (stat.S_IFREG, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK):
        raise failure(EINVAL)
    found = new_name(task, directory, path)
    if kind not in (stat.S_IFREG, stat.S_IFIFO):
        raise failure(EPERM)
    found.directory.create(found.name, kind | mode & 0o7777 & ~task.fs.umask)
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
    found.directory.symlink(found.name, text)
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
    found.directory.link(found.name, node)
    return 0


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


# --- renaming ---


@system_call("rename")
def rename(task: Task, old: int, new: int) -> int:
    """rename(2)."""
    return renameat2(task, AT_FDCWD, old, AT_FDCWD, new, 0)


@system_call("renameat")
def renameat(task: Task, old_directory: int, old: int, new_directory: int, new: int) -> int:
    """renameat(2)."""
    return renameat2(task, old_directory, old, new_directory, new, 0)


@system_call("renameat2")
def renameat2(task: Task, old_directory: int, old: int, new_directory: int, new: int, flags: int) -> int:
    """renameat2(2), without RENAME_WHITEOUT."""
    flags &= 0xFFFF_FFFF
    if flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE) or flags == RENAME_NOREPLACE | RENAME_EXCHANGE:
        raise failure(EINVAL)
    source, target = find_name(task, old_directory, old), find_name(task, new_directory, new)
    if source.dots or target.dots:
        raise failure(EEXIST if flags & RENAME_NOREPLACE and target.dots and not source.dots else EBUSY)
    source.check()
    node = must_exist(source)
    target.check()
    if flags & RENAME_NOREPLACE and target.node is not None:
        raise failure(EEXIST)
    check_rename(node, source, target, bool(flags & RENAME_EXCHANGE), task)
    if target.node is not node:
        source.directory.move(source.name, target.directory, target.name, bool(flags & RENAME_EXCHANGE))
    return 0


def check_rename(node: Node, source: Found, target: Found, exchange: bool, task: Task) -> None:
    """What rename refuses."""
    other = must_exist(target) if exchange else target.node
    if exchange and target.slash and not isinstance(other, Directory):
        raise failure(ENOTDIR)
    if (source.slash or (target.slash and not exchange)) and not isinstance(node, Directory):
        raise failure(ENOTDIR)
    if isinstance(node, Directory) and target.directory.is_below(node):
        raise failure(EINVAL)
    if isinstance(other, Directory) and source.directory.is_below(other):
        raise failure(EINVAL if exchange else ENOTEMPTY)
    check_parent(source)
    check_parent(target)
    check_sticky(source, node)
    if other is not None:
        check_sticky(target, other)
    if node.is_mount or (other is not None and other.is_mount):
        raise failure(EBUSY)
    if type(source.directory) is not type(target.directory):
        raise failure(EXDEV)
    if other is not None and other is not node and not exchange:
        check_replaceable(node, other, task)


def check_replaceable(node: Node, other: Node, task: Task) -> None:
    """A directory takes the place of an empty directory only, a file that of a file."""
    if isinstance(node, Directory):
        check_removable(other, task)
    elif isinstance(other, Directory):
        raise failure(EISDIR)


# --- attributes ---


def check_owner(node: Node) -> None:
    """EPERM unless the file is this user's."""
    if not owns(node.attributes()):
        raise failure(EPERM)


def change_mode(node: Node, mode: int) -> int:
    """chmod of a node."""
    check_owner(node)
    node.set_mode(mode & 0o7777)
    return 0


@system_call("chmod")
def chmod(task: Task, path: int, mode: int) -> int:
    """chmod(2)."""
    return change_mode(find_node(task, AT_FDCWD, path, 0), mode)


@system_call("fchmod")
def fchmod(task: Task, fd: int, mode: int) -> int:
    """fchmod(2)."""
    return change_mode(task.files.opened(fd).node, mode)


@system_call("fchmodat")
def fchmodat(task: Task, directory: int, path: int, mode: int) -> int:
    """fchmodat(2)."""
    return change_mode(find_node(task, directory, path, 0), mode)


def change_owner(node: Node, uid: int, gid: int) -> int:
    """chown of a node: root may all, an owner may set a group of his."""
    uid, gid = signed(uid), signed(gid)
    if os.geteuid() != 0:
        found = node.attributes()
        mine = gid in (-1, os.getegid(), *os.getgroups())
        if uid not in (-1, found.uid) or not mine or ((uid, gid) != (-1, -1) and os.geteuid() != found.uid):
            raise failure(EPERM)
    node.set_owner(*(ident if ident == -1 else ident & 0xFFFF_FFFF for ident in (uid, gid)))
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
    return change_owner(task.files.opened(fd).node, uid, gid)


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


# --- times ---

Times = tuple[int, int, int, int] | None  # two pairs of seconds and nanoseconds; None: now


def change_times(node: Node, stamps: Times) -> int:
    """utimensat of a node."""
    now = time.time_ns()
    if stamps is None:
        stamps = (0, UTIME_NOW, 0, UTIME_NOW)
    for nanoseconds in stamps[1::2]:
        if not 0 <= nanoseconds < SECOND and nanoseconds not in (UTIME_NOW, UTIME_OMIT):
            raise failure(EINVAL)
    if stamps[1] == stamps[3] == UTIME_OMIT:
        return 0
    if not owns(node.attributes()):
        if not stamps[1] == stamps[3] == UTIME_NOW:
            raise failure(EPERM)
        check_access(node.attributes(), MAY_WRITE)
    special = {UTIME_NOW: now, UTIME_OMIT: None}
    atime, mtime = (
        special.get(nanoseconds, min(max(seconds, EARLIEST), LATEST) * SECOND + nanoseconds)
        for seconds, nanoseconds in zip(stamps[::2], stamps[1::2], strict=True)
    )
    node.set_times(atime, mtime)
    return 0


def times_at(task: Task, directory: int, path: int, stamps: Times, flags: int) -> int:
    """utimensat(2); a path of NULL is the descriptor itself."""
    if path == 0 and signed(directory) != AT_FDCWD:
        check_flags(flags, AT_SYMLINK_NOFOLLOW)
        return change_times(task.files.opened(directory).node, stamps)
    return change_times(find_node(task, directory, path, flags), stamps)


def read_times(task: Task, vaddr: int, form: str, scale: int = 1) -> Times:
    """Four numbers of a program; `scale` makes nanoseconds of the second of each pair."""
    if not vaddr:
        return None
    first, fraction, second, other = struct.unpack(form, task.read(vaddr, struct.calcsize(form)))
    if scale != 1 and not (0 <= fraction < SECOND // scale and 0 <= other < SECOND // scale):
        raise failure(EINVAL)
    return first, fraction * scale, second, other * scale


def words(task: Task) -> str:
    """Four signed longs."""
    return "<4q" if task.abi.word == 8 else "<4i"


@system_call("utimensat")
def utimensat(task: Task, directory: int, path: int, array: int, flags: int) -> int:
    """utimensat(2)."""
    return times_at(task, directory, path, read_times(task, array, words(task)), flags)


@system_call("utimensat_time64")
def utimensat_time64(task: Task, directory: int, path: int, array: int, flags: int) -> int:
    """utimensat(2) of i386 with 64-bit times."""
    return times_at(task, directory, path, read_times(task, array, "<qi4xqi4x"), flags)


@system_call("utimes")
def utimes(task: Task, path: int, array: int) -> int:
    """utimes(2): microseconds."""
    return times_at(task, AT_FDCWD, path, read_times(task, array, words(task), 1000), 0)


@system_call("futimesat")
def futimesat(task: Task, directory: int, path: int, array: int) -> int:
    """futimesat(2)."""
    return times_at(task, directory, path, read_times(task, array, words(task), 1000), 0)


@system_call("utime")
def utime(task: Task, path: int, pair: int) -> int:
    """utime(2): seconds."""
    stamps = None
    if pair:
        atime, mtime = (signed(word, task.abi.word * 8) for word in task.read_words(pair, 2))
        stamps = (atime, 0, mtime, 0)
    return times_at(task, AT_FDCWD, path, stamps, 0)
