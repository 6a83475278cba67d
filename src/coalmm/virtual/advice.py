"""madvise(2): what a program says about how it will use its memory.

    dropped now     DONTNEED, FREE (Linux may do that later), REMOVE (the file's pages too)
    brought now     POPULATE_READ, POPULATE_WRITE
    kept as flags   DONTFORK, WIPEONFORK, DONTDUMP, RANDOM, SEQUENTIAL, HUGEPAGE, MERGEABLE and their opposites
    no effect       WILLNEED, COLD, PAGEOUT: there is no swap, and files are read ahead anyway

Rules and their order are those of Linux 6.18 (mm/madvise.c); transparent huge pages and KSM are accepted
as hints, poisoning, guard pages and MADV_COLLAPSE are not known (-EINVAL).
"""

from coalmm.errors import EACCES, EFAULT, EINVAL, ENOMEM
from coalmm.hardware.bits import ALL_ONES
from coalmm.hardware.constants import FRAME_MASK
from coalmm.virtual.areas import Area
from coalmm.virtual.constants import (
    AREA_HUGE,
    AREA_LOCKED,
    AREA_MERGEABLE,
    AREA_NO_DUMP,
    AREA_NO_FORK,
    AREA_NO_HUGE,
    AREA_RANDOM,
    AREA_SEQUENTIAL,
    AREA_SHARED,
    AREA_WIPE_ON_FORK,
    MADV_COLD,
    MADV_DODUMP,
    MADV_DOFORK,
    MADV_DONTDUMP,
    MADV_DONTFORK,
    MADV_DONTNEED,
    MADV_DONTNEED_LOCKED,
    MADV_FREE,
    MADV_HUGEPAGE,
    MADV_KEEPONFORK,
    MADV_MERGEABLE,
    MADV_NOHUGEPAGE,
    MADV_NORMAL,
    MADV_PAGEOUT,
    MADV_POPULATE_READ,
    MADV_POPULATE_WRITE,
    MADV_RANDOM,
    MADV_REMOVE,
    MADV_SEQUENTIAL,
    MADV_UNMERGEABLE,
    MADV_WILLNEED,
    MADV_WIPEONFORK,
    MAY_WRITE,
    RIGHT_READ,
    RIGHT_WRITE,
)
from coalmm.virtual.mappings import Mappings

# Advice that is kept in the flags of areas: what it clears, what it sets.
FLAGS = {
    MADV_NORMAL: (AREA_RANDOM | AREA_SEQUENTIAL, 0),
    MADV_RANDOM: (AREA_SEQUENTIAL, AREA_RANDOM),
    MADV_SEQUENTIAL: (AREA_RANDOM, AREA_SEQUENTIAL),
    MADV_DONTFORK: (0, AREA_NO_FORK),
    MADV_DOFORK: (AREA_NO_FORK, 0),
    MADV_MERGEABLE: (0, AREA_MERGEABLE),
    MADV_UNMERGEABLE: (AREA_MERGEABLE, 0),
    MADV_HUGEPAGE: (AREA_NO_HUGE, AREA_HUGE),
    MADV_NOHUGEPAGE: (AREA_HUGE, AREA_NO_HUGE),
    MADV_DONTDUMP: (0, AREA_NO_DUMP),
    MADV_DODUMP: (AREA_NO_DUMP, 0),
    MADV_WIPEONFORK: (0, AREA_WIPE_ON_FORK),
    MADV_KEEPONFORK: (AREA_WIPE_ON_FORK, 0),
}
DROPS = (MADV_DONTNEED, MADV_DONTNEED_LOCKED, MADV_FREE)
POPULATES = (MADV_POPULATE_READ, MADV_POPULATE_WRITE)
HINTS = (MADV_WILLNEED, MADV_COLD, MADV_PAGEOUT)


class Advice:
    """madvise on the address spaces of one machine."""

    def __init__(self, mappings: Mappings) -> None:
        self.mappings = mappings
        self.spaces = mappings.spaces
        self.areas = mappings.areas
        self.files = mappings.files

    def advise(self, space: int, vaddr: int, length: int, advice: int) -> int:
        """madvise(2): 0, -EINVAL, -ENOMEM (a hole; the rest was done), -EACCES, -EFAULT (a page cannot be had)."""
        length = (length + FRAME_MASK) & ~FRAME_MASK
        end = vaddr + length
        if advice not in FLAGS and advice not in (*DROPS, *POPULATES, *HINTS, MADV_REMOVE):
            return -EINVAL
        if vaddr & FRAME_MASK or end > ALL_ONES:
            return -EINVAL
        if not length:
            return 0
        if advice in POPULATES:
            return self._populate(space, vaddr, end, advice == MADV_POPULATE_WRITE)
        return self._walk(space, vaddr, end, advice)

    def _walk(self, space: int, vaddr: int, end: int, advice: int) -> int:
        """Follow an advice area by area; holes are passed over, and are an error in the end."""
        table = self.spaces.table(space)
        result = 0
        while vaddr < end:
            index = self.areas.index_above(table, vaddr)
            if index >= self.areas.count(table):
                return -ENOMEM
            area = self.areas.area(self.areas.record(table, index))
            if area.start > vaddr:
                result = -ENOMEM
                vaddr = area.start
            until = min(end, area.end)
            if vaddr < until:
                error = self._follow(space, index, area, vaddr, until, advice)
                if error:
                    return error
            vaddr = max(until, vaddr)
        return result

    def _follow(self, space: int, index: int, area: Area, start: int, end: int, advice: int) -> int:
        """An advice for a part of one area: 0 or a negative errno."""
        if advice in FLAGS:
            if advice == MADV_WIPEONFORK and area.file:
                return -EINVAL
            if advice == MADV_MERGEABLE and area.flags & AREA_SHARED:
                return 0
            clear, put = FLAGS[advice]
            if area.flags & ~clear | put == area.flags:
                return 0
            return self.areas.change(self.spaces.table(space), start, end, clear, put)
        if advice in DROPS:
            if area.flags & AREA_LOCKED and advice != MADV_DONTNEED_LOCKED:
                return -EINVAL
            if advice == MADV_FREE and area.file:
                return -EINVAL
            self.spaces.drop_pages(space, self.areas.record(self.spaces.table(space), index) >> 3, start, end)
        elif advice == MADV_REMOVE:
            return self._remove(area, start, end)
        elif advice != MADV_WILLNEED and area.flags & AREA_LOCKED:
            return -EINVAL
        return 0

    def _remove(self, area: Area, start: int, end: int) -> int:
        """MADV_REMOVE: a hole in the file of a shared map that may be written."""
        if area.flags & AREA_LOCKED or not area.file:
            return -EINVAL
        if not (area.flags & AREA_SHARED and area.flags & MAY_WRITE):
            return -EACCES
        self.files.punch(area.file, area.offset + (start - area.start), end - start)
        return 0

    def _populate(self, space: int, vaddr: int, end: int, write: bool) -> int:
        """MADV_POPULATE_*: -ENOMEM at a hole, -EINVAL without the right, what came before that is done."""
        while vaddr < end:
            record = self.areas.peek(self.spaces.table(space), vaddr)
            if not record:
                return -ENOMEM
            area = self.areas.area(record)
            if not area.flags & (RIGHT_WRITE if write else RIGHT_READ):
                return -EINVAL
            until = min(end, area.end)
            error = self.mappings.handler.populate(space, vaddr, until, write)
            if error:
                return -ENOMEM if error == -ENOMEM else -EFAULT
            vaddr = until
        return 0
