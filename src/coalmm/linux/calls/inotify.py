"""inotify(7): watching files."""

from __future__ import annotations

import os
from errno import EINVAL

from coalmm.linux.abi import signed
from coalmm.linux.calls.paths import AT_FDCWD, find
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.attributes import MAY_READ, check_access
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.inotify import EVENTS, IN_EXCL_UNLINK, IN_ONESHOT, InotifyFile
from coalmm.linux.vfs.resolve import must_be_directory, must_exist
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

IN_ONLYDIR, IN_DONT_FOLLOW, IN_MASK_CREATE, IN_MASK_ADD = 1 << 24, 1 << 25, 1 << 28, 1 << 29
KNOWN = EVENTS | 0xE000 | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ONESHOT


@system_call("inotify_init1")
def inotify_init1(task: Task, flags: int) -> int:
    """inotify_init1(2)."""
    flags &= 0xFFFF_FFFF
    if flags & ~(os.O_CLOEXEC | os.O_NONBLOCK):
        raise failure(EINVAL)
    return task.files.install(InotifyFile(flags & os.O_NONBLOCK), bool(flags & os.O_CLOEXEC))


@system_call("inotify_init")
def inotify_init(task: Task) -> int:
    """inotify_init(2)."""
    return inotify_init1(task, 0)


def inotify_of(task: Task, fd: int) -> InotifyFile:
    """The inotify of a descriptor. EBADF, EINVAL."""
    file = task.files.opened(fd)
    if not isinstance(file, InotifyFile):
        raise failure(EINVAL)
    return file


@system_call("inotify_add_watch")
def inotify_add_watch(task: Task, fd: int, path: int, mask: int) -> int:
    """inotify_add_watch(2)."""
    mask &= 0xFFFF_FFFF
    if not mask & KNOWN or mask & (IN_MASK_ADD | IN_MASK_CREATE) == IN_MASK_ADD | IN_MASK_CREATE:
        raise failure(EINVAL)
    file = inotify_of(task, fd)
    node = must_exist(find(task, AT_FDCWD, path, not mask & IN_DONT_FOLLOW))
    if mask & IN_ONLYDIR:
        must_be_directory(node)
    check_access(node.attributes(), MAY_READ)
    kept = mask & (EVENTS | IN_EXCL_UNLINK | IN_ONESHOT)
    return file.watch(node, kept, bool(mask & IN_MASK_ADD), bool(mask & IN_MASK_CREATE))


@system_call("inotify_rm_watch")
def inotify_rm_watch(task: Task, fd: int, number: int) -> int:
    """inotify_rm_watch(2)."""
    inotify_of(task, fd).remove(signed(number))
    return 0
