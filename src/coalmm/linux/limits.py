"""Limits of a process (RLIMIT_*) that its address space enforces: they are words of its record, in RAM."""

from __future__ import annotations

from coalmm.typed import TYPE_CHECKING
from coalmm.virtual.constants import S_DATA_LIMIT, S_LOCK_LIMIT, S_SIZE_LIMIT, S_STACK_LIMIT

if TYPE_CHECKING:
    from coalmm.linux.group import ThreadGroup
    from coalmm.process.process import Process

RLIMIT_DATA, RLIMIT_STACK, RLIMIT_MEMLOCK, RLIMIT_AS = 2, 3, 8, 9
FIELDS = {
    RLIMIT_DATA: S_DATA_LIMIT,
    RLIMIT_STACK: S_STACK_LIMIT,
    RLIMIT_MEMLOCK: S_LOCK_LIMIT,
    RLIMIT_AS: S_SIZE_LIMIT,
}
LARGEST_STACK = 1 << 40


def put_limit(process: Process, number: int, soft: int, is_root: bool) -> None:
    """Let the address space of `process` know one limit, if it is one of memory. Root may lock what it likes."""
    field = FIELDS.get(number)
    if field is None or (number == RLIMIT_MEMLOCK and is_root):
        return
    spaces = process.processes.spaces
    spaces.put(process.space, field, min(soft, LARGEST_STACK) if number == RLIMIT_STACK else soft)


def put_limits(process: Process, group: ThreadGroup, is_root: bool) -> None:
    """All limits, for a new address space."""
    for number in FIELDS:
        put_limit(process, number, group.limit(number)[0], is_root)
