"""mincore(2) and msync(2): which pages are in memory, and that the host's files have what shared maps wrote.

Rules are those of Linux 6.18 (mm/mincore.c, mm/msync.c).
"""

from coalmm.errors import EBUSY, EINVAL, ENOMEM
from coalmm.hardware.bits import ALL_ONES
from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT, FRAME_SIZE
from coalmm.typed import Iterator
from coalmm.virtual.areas import Area
from coalmm.virtual.constants import AREA_LOCKED, AREA_SHARED, F_PAGES, MS_ASYNC, MS_INVALIDATE, MS_SYNC
from coalmm.virtual.mappings import Mappings

PART = 4096  # pages that are looked at before their bytes are written


class Residency:
    """mincore and msync on the address spaces of one machine."""

    def __init__(self, mappings: Mappings) -> None:
        self.spaces = mappings.spaces
        self.areas = mappings.areas
        self.files = mappings.files
        self.tables = mappings.tables

    def resident(self, space: int, vaddr: int, pages: int) -> Iterator[bytes]:
        """A byte a page of `pages` pages from `vaddr` on, 1 if it is in memory, part by part; ends at a hole."""
        end = vaddr + (pages << FRAME_SHIFT)
        while vaddr < end:
            record = self.areas.peek(self.spaces.table(space), vaddr)
            if not record:
                return
            area = self.areas.area(record)
            until = min(end, area.end, vaddr + (PART << FRAME_SHIFT))
            yield self._which(space, area, vaddr, until)
            vaddr = until

    def _which(self, space: int, area: Area, start: int, end: int) -> bytes:
        """A byte a page of a part of an area: 1 if it is mapped, or in the page cache."""
        found = bytearray((end - start) >> FRAME_SHIFT)
        for vaddr, _, size, _ in self.tables.for_each_leaf(self.spaces.root(space), start, end):
            for at in range(max(vaddr, start), min(vaddr + size, end), FRAME_SIZE):
                found[(at - start) >> FRAME_SHIFT] = 1
        if area.file and self.files.get(area.file, F_PAGES):
            first = (area.offset + (start - area.start)) >> FRAME_SHIFT
            for number, mapped in enumerate(found):
                if not mapped and self.files.cache.lookup(area.file, first + number):
                    found[number] = 1
        return bytes(found)

    def sync(self, space: int, vaddr: int, length: int, flags: int = MS_SYNC) -> int:
        """msync(2): 0, -EINVAL, -ENOMEM (a hole; the rest was done), -EBUSY (locked, MS_INVALIDATE), -EIO."""
        if flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) or vaddr & FRAME_MASK or flags & 5 == MS_ASYNC | MS_SYNC:
            return -EINVAL
        length = (length + FRAME_MASK) & ~FRAME_MASK & ALL_ONES
        if vaddr + length > ALL_ONES:
            return -ENOMEM
        return self._sync_areas(space, vaddr, vaddr + length, flags) if length else 0

    def _sync_areas(self, space: int, vaddr: int, end: int, flags: int) -> int:
        """Area by area; holes are passed over, and are an error in the end."""
        table = self.spaces.table(space)
        result = 0
        while vaddr < end:
            index = self.areas.index_above(table, vaddr)
            if index >= self.areas.count(table):
                return -ENOMEM
            area = self.areas.area(self.areas.record(table, index))
            if area.start > vaddr:
                if flags == MS_ASYNC or area.start >= end:
                    return -ENOMEM
                result, vaddr = -ENOMEM, area.start
            if flags & MS_INVALIDATE and area.flags & AREA_LOCKED:
                return -EBUSY
            until = min(end, area.end)
            if flags & MS_SYNC and area.file and area.flags & AREA_SHARED:
                first = (area.offset + (vaddr - area.start)) >> FRAME_SHIFT
                written = int(self.files.write_back(area.file, first, first + ((until - vaddr) >> FRAME_SHIFT)))
                if written < 0:
                    return written
            vaddr = until
        return result
