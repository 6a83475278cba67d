"""What stat tells of a file, and who may do what with it.

Guests start with the ids of the user who runs coalmm: nothing here gives a guest a right that this user
has not, and files of the overlay that nobody on the host sees follow the same rules.
"""

from __future__ import annotations

import os
import stat
import time
from errno import EACCES

from coalmm.linux.credentials import ROOT, Credentials, current
from coalmm.linux.vfs.errors import failure

MAY_READ, MAY_WRITE, MAY_EXECUTE = 4, 2, 1
BLOCK = 4096


class Attributes:
    """The fields of struct stat; sizes in bytes, times in nanoseconds since 1970, `blocks` of 512 bytes."""

    def __init__(
        self, dev: int, ino: int, mode: int, nlink: int = 1, uid: int = 0, gid: int = 0, rdev: int = 0, size: int = 0,
        blocks: int = 0, atime: int = 0, mtime: int = 0, ctime: int = 0, blksize: int = BLOCK,
    ) -> None:  # fmt: skip
        self.dev, self.ino, self.mode, self.nlink = dev, ino, mode, nlink
        self.uid, self.gid, self.rdev = uid, gid, rdev
        self.size, self.blocks, self.blksize = size, blocks, blksize
        self.atime, self.mtime, self.ctime = atime, mtime, ctime

    @property
    def kind(self) -> int:
        """The S_IF* bits."""
        return stat.S_IFMT(self.mode)

    def copy(self) -> Attributes:
        """The same, to be changed alone."""
        twin = object.__new__(Attributes)
        vars(twin).update(vars(self))
        return twin


def of_host(status: os.stat_result) -> Attributes:
    """What the host says."""
    return Attributes(
        status.st_dev, status.st_ino, status.st_mode, status.st_nlink, status.st_uid, status.st_gid, status.st_rdev,
        status.st_size, status.st_blocks, status.st_atime_ns, status.st_mtime_ns, status.st_ctime_ns,
        status.st_blksize,
    )  # fmt: skip


def of_new(dev: int, ino: int, mode: int, nlink: int = 1) -> Attributes:
    """A file that was made now, by the current thread."""
    who = current.credentials
    now = time.time_ns()
    return Attributes(dev, ino, mode, nlink, who.user.file, who.group.file, atime=now, mtime=now, ctime=now)


def check_access(attributes: Attributes, wanted: int, real: bool = False) -> None:
    """OSError EACCES unless the current thread has all the wanted rights (MAY_*); `real`: by real ids, as access()."""
    if not is_allowed(attributes, wanted, current.credentials, real):
        raise failure(EACCES)


def is_allowed(attributes: Attributes, wanted: int, who: Credentials, real: bool = False) -> bool:
    """The rule of path_resolution(7): the user's bits, else the group's, else the others'."""
    mode = attributes.mode
    uid = who.user.real if real else who.user.file
    if uid == ROOT:
        return not wanted & MAY_EXECUTE or bool(mode & 0o111) or stat.S_ISDIR(mode)
    if uid == attributes.uid:
        granted = mode >> 6
    elif attributes.gid in who.groups or attributes.gid == (who.group.real if real else who.group.file):
        granted = mode >> 3
    else:
        granted = mode
    return wanted & ~granted & 7 == 0


def owns(attributes: Attributes) -> bool:
    """Whether the current thread may change mode and times."""
    return current.credentials.user.file in (ROOT, attributes.uid)
