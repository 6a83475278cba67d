"""Page tables over ranges of addresses: unmap, change rights, list. The cost is that of what is mapped.

Both changes go down the tables once, entry by entry inside the range, so an absent table of a
terabyte costs one test. A huge page that an end of the range cuts is split first; both ends are
before anything else changes.
"""

import cython

from coalmm.errors import EINVAL, ENOMEM
from coalmm.typed import Iterator
from coalmm.virtual.leaves import Leaves
from coalmm.virtual.tables import Tables

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES, bit
    from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT, PAGE_DIRTY, PAGE_NX, PAGE_PRESENT
    from coalmm.physical.constants import KIND_CACHE
    from coalmm.virtual.constants import RIGHT_FLAGS


class TableRanges:
    """Range forms over one machine's page tables."""

    def __init__(self, tables: Tables, leaves: Leaves) -> None:
        self.tables = tables
        self.leaves = leaves
        self.frames = tables.frames
        self.halves = self.frames.halves
        self.user_top = tables.form.user_top
        self.found_vaddr = self.found_level = self.found_entry = self.found_where = 0

    def unmap(self, root: int, start: int, end: int) -> int:
        """Unmap the user range [start, end): 4 KiB pages unmapped, -EINVAL, or -ENOMEM with nothing changed."""
        error = self.prepare(root, start, end)
        if error or start == end:
            return error
        pages = self.unmap_entries(root, 0, start, end)
        if pages:
            self.tables.forget(root, start, (end - start) >> FRAME_SHIFT)
        return pages

    def protect(self, root: int, start: int, end: int, flags: int) -> int:
        """Set RIGHT_FLAGS of every page in the user range: 4 KiB pages, -EINVAL, or -ENOMEM, nothing changed."""
        if flags & PAGE_NX and not self.tables.mmu.nx:
            return -EINVAL
        error = self.prepare(root, start, end)
        if error or start == end:
            return error
        pages = self.protect_entries(root, 0, start, end, flags & RIGHT_FLAGS)
        if pages:
            self.tables.forget(root, start, (end - start) >> FRAME_SHIFT)
        return pages

    def prepare(self, root: int, start: int, end: int) -> int:
        """Check a range and split the huge pages that its ends cut."""
        if (start | end) & FRAME_MASK or start > end or end > self.user_top:
            return -EINVAL
        if start == end:
            return 0
        if self.split_edge(root, start) != 0:
            return -ENOMEM
        return self.split_edge(root, end) if end < self.user_top else 0

    def split_edge(self, root: int, vaddr: int) -> int:
        """Split the page at `vaddr` until one starts there: 0 or -ENOMEM."""
        while True:
            level = self.tables.descend(root, vaddr, self.tables.last)
            if not self.tables.entry & PAGE_PRESENT or vaddr & (bit(self.tables.shifts[level]) - 1) == 0:
                return 0
            if self.tables.split(root, vaddr, level, level + 1) != 0:
                return -ENOMEM

    def unmap_entries(self, table: int, level: int, start: int, end: int) -> int:
        """Clear the entries of a table for [start, end) and free the tables that are empty then; pages unmapped."""
        shift = self.tables.shifts[level]
        index = start >> shift
        last = (end - 1) >> shift
        base = index & ~(self.tables.entries[level] - 1)
        pages = 0
        removed = 0
        while index <= last:
            where = table + (index - base << self.tables.entry_shift)
            entry = self.tables.get(where)
            if entry & PAGE_PRESENT:
                if entry & self.tables.leaf_bits[level]:
                    self.tables.put(where, 0)
                    removed += 1
                    pages += self.tables.frames_of(level)
                    if level == self.tables.last:
                        self.leaves.drop_page((entry & self.tables.address_mask) >> FRAME_SHIFT)
                    else:
                        pfn = self.tables.leaf_address(entry, level) >> FRAME_SHIFT
                        self.leaves.drop(pfn, self.tables.frames_of(level), True)
                else:
                    child = entry & self.tables.address_mask
                    pages += self.unmap_entries(
                        child, level + 1, max(start, index << shift), min(end, (index + 1) << shift)
                    )
                    if self.halves[self.tables.count_at(child)] == 0:
                        self.tables.put(where, 0)
                        removed += 1
                        self.frames.drop(child >> FRAME_SHIFT)
            index += 1
        self.halves[self.tables.count_at(table)] -= removed
        return pages

    def protect_entries(self, table: int, level: int, start: int, end: int, rights: int) -> int:
        """Set the rights of a table's leaves in [start, end); how many 4 KiB pages."""
        shift = self.tables.shifts[level]
        index = start >> shift
        last = (end - 1) >> shift
        base = index & ~(self.tables.entries[level] - 1)
        pages = 0
        while index <= last:
            where = table + (index - base << self.tables.entry_shift)
            entry = self.tables.get(where)
            if entry & PAGE_PRESENT:
                if entry & self.tables.leaf_bits[level]:
                    self.tables.put(where, entry & ~RIGHT_FLAGS | rights)
                    pages += self.tables.frames_of(level)
                else:
                    pages += self.protect_entries(
                        entry & self.tables.address_mask,
                        level + 1,
                        max(start, index << shift),
                        min(end, (index + 1) << shift),
                        rights,
                    )
            index += 1
        return pages

    def next_leaf(self, root: int, vaddr: int, end: int) -> bool:
        """Find the first mapping that ends after `vaddr` and starts before `end` (0: no end): `found_*`."""
        while end == 0 or vaddr < end:
            if self.tables.hole_first <= vaddr <= self.tables.hole_last:
                vaddr = (self.tables.hole_last + 1) & ALL_ONES
                if vaddr == 0:
                    return False
                continue
            level = self.tables.descend(root, vaddr, self.tables.last)
            size = bit(self.tables.shifts[level])
            if self.tables.entry & PAGE_PRESENT:
                self.found_vaddr = vaddr & ~(size - 1)
                self.found_level = level
                self.found_entry = self.tables.entry
                self.found_where = self.tables.place(level)
                return True
            vaddr = ((vaddr & ~(size - 1)) + size) & ALL_ONES
            if vaddr == 0:
                return False
        return False

    def resident(self, root: int, start: int, end: int) -> tuple[int, int, int]:
        """What of a user range is present, in 4 KiB pages: of the process's own, of files, dirty ones of both."""
        own = cached = dirty = 0
        while start < end and self.next_leaf(root, start, end):
            start = max(start, self.found_vaddr)
            until = min(self.found_vaddr + bit(self.tables.shifts[self.found_level]), end)
            pages = (until - start) >> FRAME_SHIFT
            pfn = (self.tables.leaf_address(self.found_entry, self.found_level) >> FRAME_SHIFT) + (
                (start - self.found_vaddr) >> FRAME_SHIFT
            )
            if pfn < self.frames.pfn_limit and self.frames.kind(pfn) == KIND_CACHE:
                cached += pages
            else:
                own += pages
            if self.found_entry & PAGE_DIRTY:
                dirty += pages
            start = until
        return own, cached, dirty

    def leaves_between(self, root: int, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Every mapping in the range: (vaddr, paddr, size in bytes, flags)."""
        vaddr = start
        while self.next_leaf(root, vaddr, end):
            level, entry, found = self.found_level, self.found_entry, self.found_vaddr
            size = 1 << self.tables.form.levels[level].shift
            paddr = self.tables.leaf_address(entry, level)
            vaddr = found + size
            yield found, paddr, size, entry & ~self.tables.address_mask & ALL_ONES
            if vaddr > ALL_ONES:
                return
