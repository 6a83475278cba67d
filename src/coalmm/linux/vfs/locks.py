"""Locks on files between the tasks of a run: flock(2) and the record locks of fcntl(2).

A flock belongs to an open file, a POSIX record lock to a process (its table of descriptors), an OFD lock to
an open file again. They are all advisory. Locks are kept with the node, and end with their owner.
"""

from __future__ import annotations

from coalmm.typed import Any, NamedTuple

READ, WRITE, UNLOCK = 0, 1, 2  # F_RDLCK, F_WRLCK, F_UNLCK
END = (1 << 63) - 1


class RecordLock(NamedTuple):
    """Bytes [start, end) held by an owner; `pid` is what F_GETLK tells of it, -1 for an OFD lock."""

    owner: Any
    kind: int
    start: int
    end: int
    pid: int


class Locks:
    """The locks of one file."""

    def __init__(self) -> None:
        self.records: list[RecordLock] = []
        self.whole: dict[int, int] = {}  # id of an open file -> READ or WRITE

    # --- records ---

    def conflict(self, wanted: RecordLock) -> RecordLock | None:
        """A lock of somebody else that is in the way."""
        for held in self.records:
            overlaps = held.start < wanted.end and wanted.start < held.end
            if held.owner is not wanted.owner and overlaps and WRITE in (held.kind, wanted.kind):
                return held
        return None

    def set(self, wanted: RecordLock) -> None:
        """Give the owner this lock, or none (UNLOCK), on these bytes; what it had there is replaced."""
        kept = []
        for held in self.records:
            if held.owner is not wanted.owner or held.end <= wanted.start or wanted.end <= held.start:
                kept.append(held)
                continue
            if held.start < wanted.start:
                kept.append(held._replace(end=wanted.start))
            if wanted.end < held.end:
                kept.append(held._replace(start=wanted.end))
        if wanted.kind != UNLOCK:
            kept.append(wanted)
        self.records = kept

    def drop(self, owner: Any) -> None:
        """All records of an owner."""
        self.records = [held for held in self.records if held.owner is not owner]

    # --- the whole file ---

    def can_hold(self, file: int, kind: int) -> bool:
        """Whether an open file (its id) could have a flock."""
        others = [held for other, held in self.whole.items() if other != file]
        return not others if kind == WRITE else WRITE not in others
