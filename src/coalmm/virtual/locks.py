"""mlock(2) and its family. There is no swap, so a locked page is one that is brought at once and counted.

S_LOCKED is how many pages are in locked areas; S_LOCK_LIMIT (RLIMIT_MEMLOCK, ALL_ONES for a program with
CAP_IPC_LOCK) bounds it. Rules are those of Linux 6.18 (mm/mlock.c). A child has locked nothing.
"""

from coalmm.errors import EAGAIN, EINVAL, ENOMEM, EPERM
from coalmm.hardware.bits import ALL_ONES
from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT
from coalmm.virtual.constants import (
    A_END,
    A_FLAGS,
    A_START,
    AREA_LOCK_ON_FAULT,
    AREA_LOCKED,
    AREA_LOCKS,
    MCL_CURRENT,
    MCL_FUTURE,
    MCL_ONFAULT,
    RIGHTS,
    S_DEFAULT_FLAGS,
    S_LOCK_LIMIT,
    S_LOCKED,
    S_VIRTUAL,
)
from coalmm.virtual.mappings import Mappings


class Locks:
    """Locking on the address spaces of one machine."""

    def __init__(self, mappings: Mappings) -> None:
        self.mappings = mappings
        self.spaces = mappings.spaces
        self.areas = mappings.areas
        self.words = mappings.spaces.frames.ram.words

    def lock(self, space: int, vaddr: int, length: int, on_fault: bool = False) -> int:
        """mlock, mlock2: 0, -EPERM (the limit is 0), -ENOMEM (a hole, the limit), -EINVAL, -EAGAIN (no memory)."""
        if not self.spaces.get(space, S_LOCK_LIMIT):
            return -EPERM
        start, end = self._pages(vaddr, length)
        if not self._may_lock(space, start, end):
            return -ENOMEM
        flags = AREA_LOCKED | (AREA_LOCK_ON_FAULT if on_fault else 0)
        return self._set(space, start, end, flags) or self._bring(space, start, end)

    def unlock(self, space: int, vaddr: int, length: int) -> int:
        """munlock: 0, -ENOMEM (a hole), -EINVAL."""
        return self._set(space, *self._pages(vaddr, length), 0)

    def lock_all(self, space: int, which: int) -> int:
        """mlockall (MCL_*): 0, -EINVAL, -EPERM, -ENOMEM (the limit)."""
        if not which or which & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) or which == MCL_ONFAULT:
            return -EINVAL
        limit = self.spaces.get(space, S_LOCK_LIMIT)
        if not limit:
            return -EPERM
        if which & MCL_CURRENT and self.spaces.get(space, S_VIRTUAL) > limit >> FRAME_SHIFT:
            return -ENOMEM
        flags = AREA_LOCKED | (AREA_LOCK_ON_FAULT if which & MCL_ONFAULT else 0)
        self.spaces.put(space, S_DEFAULT_FLAGS, flags if which & MCL_FUTURE else 0)
        if which & MCL_CURRENT:
            self._set_everywhere(space, flags)
            for area in list(self.spaces.all_areas(space)):
                if area.flags & RIGHTS:
                    self._bring(space, area.start, area.end)
        return 0

    def unlock_all(self, space: int) -> int:
        """munlockall: 0."""
        self.spaces.put(space, S_DEFAULT_FLAGS, 0)
        self._set_everywhere(space, 0)
        return 0

    def _pages(self, vaddr: int, length: int) -> tuple[int, int]:
        """The pages that a range touches; an end below the start if it wraps."""
        length = (length + (vaddr & FRAME_MASK) + FRAME_MASK) & ~FRAME_MASK & ALL_ONES
        start = vaddr & ~FRAME_MASK
        return start, (start + length) & ALL_ONES

    def _may_lock(self, space: int, start: int, end: int) -> bool:
        """Whether the limit allows it; what is locked already does not count twice."""
        if end <= start:
            return True
        return self.mappings.may_lock(space, end - start - self.spaces.locked(space, start, end))

    def _set(self, space: int, start: int, end: int, flags: int) -> int:
        """Set the locking of [start, end) up to the first hole: 0, -EINVAL, -ENOMEM."""
        if end < start:
            return -EINVAL
        if end == start:
            return 0
        table = self.spaces.table(space)
        if self.areas.reserve_splits(table, start, end) != 0:
            return -ENOMEM
        while start < end:
            record = self.areas.peek(table, start)
            if not record:
                return -ENOMEM
            until = min(end, self.words[(record >> 3) + A_END])
            self._set_part(space, start, until, self.words[(record >> 3) + A_FLAGS], flags)
            start = until
        return 0

    def _set_part(self, space: int, start: int, end: int, old: int, flags: int) -> None:
        """Set the locking of a part of one area, and count."""
        if old & AREA_LOCKS == flags:
            return
        pages = (end - start) >> FRAME_SHIFT
        if old & AREA_LOCKED:
            self.spaces.subtract(space, S_LOCKED, pages)
        if flags & AREA_LOCKED:
            self.spaces.add(space, S_LOCKED, pages)
        self.areas.change(self.spaces.table(space), start, end, AREA_LOCKS, flags)

    def _set_everywhere(self, space: int, flags: int) -> None:
        """Set the locking of all areas."""
        table = self.spaces.table(space)
        if self.areas.count(table):
            self.areas.change(table, 0, ALL_ONES & ~FRAME_MASK, AREA_LOCKS, flags)
        self.spaces.put(space, S_LOCKED, self.spaces.get(space, S_VIRTUAL) if flags else 0)

    def _bring(self, space: int, start: int, end: int) -> int:
        """Bring the pages of locked areas: 0, -ENOMEM (a page that may not be touched), -EAGAIN (no frame)."""
        table = self.spaces.table(space)
        while start < end:
            word = self.areas.peek(table, start) >> 3
            flags, until = self.words[word + A_FLAGS], min(end, self.words[word + A_END])
            if not flags & AREA_LOCK_ON_FAULT:
                error = self.mappings.populate(space, max(start, self.words[word + A_START]), until, flags)
                if error:
                    return -EAGAIN if error == -ENOMEM else -ENOMEM
            start = until
        return 0
