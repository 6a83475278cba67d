"""Times of files: utimensat and its kin. Source: utimensat(2), utime(2)."""

from __future__ import annotations

import struct
import time
from errno import EINVAL, EPERM

from coalmm.linux.abi import signed
from coalmm.linux.calls.paths import AT_FDCWD, AT_SYMLINK_NOFOLLOW, check_flags, find_node, named
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.attributes import MAY_WRITE, check_access, owns
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Node
from coalmm.linux.vfs.notify import IN_ACCESS, IN_ATTRIB, IN_MODIFY, tell
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

UTIME_NOW, UTIME_OMIT = 0x3FFF_FFFF, 0x3FFF_FFFE
SECOND = 1_000_000_000
EARLIEST, LATEST = -(1 << 31), (1 << 34) - (1 << 31) - 1  # seconds that ext4 keeps; others become these

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
    tell(node, IN_ACCESS if mtime is None else IN_MODIFY if atime is None else IN_ATTRIB)
    return 0


def times_at(task: Task, directory: int, path: int, stamps: Times, flags: int) -> int:
    """utimensat(2); a path of NULL is the descriptor itself."""
    if path == 0 and signed(directory) != AT_FDCWD:
        check_flags(flags, AT_SYMLINK_NOFOLLOW)
        return change_times(named(task.files.opened(directory)), stamps)
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
