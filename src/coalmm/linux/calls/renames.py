"""Names that move: rename and its kin. Source: rename(2)."""

from __future__ import annotations

from errno import EBUSY, EEXIST, EINVAL, EISDIR, ENOTDIR, ENOTEMPTY, EXDEV

from coalmm.linux.calls.changes import check_parent, check_removable, check_sticky
from coalmm.linux.calls.paths import AT_FDCWD, find_name
from coalmm.linux.registry import system_call
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Directory, Node
from coalmm.linux.vfs.notify import moved, replaced
from coalmm.linux.vfs.resolve import Found, must_exist
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT = 1, 2, 4


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
        tell_rename(task, node, source, target, bool(flags & RENAME_EXCHANGE))
    return 0


def tell_rename(task: Task, node: Node, source: Found, target: Found, exchange: bool) -> None:
    """Let those know who watch."""
    old, new = (source.directory, source.name), (target.directory, target.name)
    follow(task, node, old, new)
    moved(node, old, new)
    if target.node is not None and exchange:
        follow(task, target.node, new, old)
        moved(target.node, new, old)
    elif target.node is not None:
        replaced(target.node)


def follow(task: Task, node: Node, old: tuple[Directory, bytes], new: tuple[Directory, bytes]) -> None:
    """Open files have the new name too."""
    for table in {each.files for each in task.system.tasks.values()}:
        for slot in table.slots.values():
            place = slot.file.place
            if place is not None and slot.file.node is node and (place.directory, place.name) == old:
                place.directory, place.name = new


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
