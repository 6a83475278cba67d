"""Entries of page tables in RAM: reading, writing, building and giving back the tables on the way.

A table is one frame of kind TABLE, a root one of kind DIRECTORY:

    D_COUNT    how many of its entries are present; a table with 0 goes back at once
    D_OWNER    pfn of the root that it belongs to; the kernel directory for all of the kernel half
    D_ENTRY    where the entry is that names it

`descend` leaves its way in `path` (where the entry of each level is), and what follows works on that:
`extend` builds the missing tables, all or none, `add` and `clear` change one entry and its count.
An entry of a root in the kernel half is the same in every root: `spread` sees to it.
"""

import cython

from coalmm.errors import ENOMEM, CorruptionError
from coalmm.hardware.formats import EntryFormat
from coalmm.hardware.mmu import Mmu
from coalmm.physical.frames import Frames

if not cython.compiled:
    from coalmm.hardware.bits import bit
    from coalmm.hardware.constants import (
        FRAME_MASK,
        FRAME_SHIFT,
        FRAME_SIZE,
        PAGE_HUGE,
        PAGE_PRESENT,
        PAGE_USER,
        PAGE_WRITABLE,
    )
    from coalmm.physical.constants import D_COUNT, D_NEXT, KIND_TABLE, SB_KERNEL_DIRECTORY
    from coalmm.virtual.constants import D_ENTRY, D_GLOBAL, FEW_PAGES, SB_DIRECTORIES

    LOW_HALF = 0xFFFF_FFFF

MOST_LEVELS = 5
PAT_SMALL = 0x80
PAT_HUGE = 0x1000


class Tables:
    """The page tables in the RAM of `frames`, in the format of `mmu`."""

    def __init__(self, frames: Frames, mmu: Mmu) -> None:
        self.frames = frames
        self.mmu = mmu
        self.form = mmu.form
        self.words = frames.words
        self.halves = frames.halves
        if not cython.compiled:
            self.shifts = [0] * MOST_LEVELS
            self.index_shifts = [0] * MOST_LEVELS
            self.index_masks = [0] * MOST_LEVELS
            self.leaf_bits = [0] * MOST_LEVELS
            self.table_bits = [0] * MOST_LEVELS
            self.entries = [0] * MOST_LEVELS
            self.path = [0] * MOST_LEVELS
            self.spare = [0] * MOST_LEVELS
        self._read_format(mmu.form)
        self.entry = 0
        self.limit = frames.ram.size

    def _read_format(self, form: EntryFormat) -> None:
        self.last = len(form.levels) - 1
        self.entry_shift = 2 if form.entry_size == 4 else 3
        self.narrow = form.entry_size == 4
        self.loads_root = not form.levels[0].has_rights  # PAE: the CPU reads the root only with CR3
        self.address_mask = form.address_mask
        self.kernel_base = form.kernel_base
        self.kernel_index = form.kernel_index
        self.hole_first, self.hole_last = form.hole
        for number, level in enumerate(form.levels):
            self.shifts[number] = level.shift
            self.index_shifts[number] = level.shift - self.entry_shift
            self.index_masks[number] = (level.entries - 1) << self.entry_shift
            self.entries[number] = level.entries
            self.leaf_bits[number] = PAGE_HUGE if level.leaf else 0
            self.table_bits[number] = PAGE_PRESENT | (PAGE_WRITABLE if level.has_rights else 0)
        self.leaf_bits[self.last] = PAGE_PRESENT

    def get(self, where: int) -> int:
        """The entry at a physical address. CorruptionError if that is outside RAM: an entry above is broken."""
        if where >= self.limit:
            raise CorruptionError(f"an entry names a page table at {where & ~FRAME_MASK:#x}, outside RAM", where)
        if self.narrow:
            return self.halves[where >> 2]
        return self.words[where >> 3]

    def put(self, where: int, entry: int) -> None:
        """Write an entry. No count changes, nothing is invalidated."""
        if self.narrow:
            self.halves[where >> 2] = entry & LOW_HALF
        else:
            self.words[where >> 3] = entry

    def count_at(self, where: int) -> int:
        """The index among the halves of D_COUNT of the table that holds the entry at `where`."""
        return self.frames.first_half + (where >> FRAME_SHIFT << 4) + D_COUNT

    def descend(self, root: int, vaddr: int, target: int) -> int:
        """Walk down to level `target`, or to a missing entry or a leaf above it; the level reached.

        `entry` and `path` hold what was met.
        """
        table = root
        level = 0
        while True:
            where = table + (vaddr >> self.index_shifts[level] & self.index_masks[level])
            entry = self.get(where)
            self.path[level] = where
            if level == target or not entry & PAGE_PRESENT or entry & self.leaf_bits[level]:
                self.entry = entry
                return level
            table = entry & self.address_mask
            level += 1

    def place(self, level: int) -> int:
        """Where the entry of that level is that the last `descend` used."""
        return self.path[level]

    def owner(self, root: int, vaddr: int) -> int:
        """The pfn that the tables on the way to an address belong to."""
        return (self.words[SB_KERNEL_DIRECTORY] if vaddr >= self.kernel_base else root) >> FRAME_SHIFT

    def reserve(self, count: int, owner: int) -> int:
        """Take `count` frames for tables, zeroed, into `spare`: 0, or -ENOMEM and none is taken."""
        for n in range(count):
            pfn = self.frames.take_low(KIND_TABLE, owner)
            if pfn == 0:
                for k in range(n):
                    self.frames.drop(self.spare[k])
                return -ENOMEM
            self.spare[n] = pfn
        for n in range(count):
            self.frames.zero(self.spare[n])
        return 0

    def extend(self, root: int, vaddr: int, level: int, target: int) -> int:
        """Build the tables from the missing entry at `level` down to `target`: 0, or -ENOMEM and none is built."""
        need = target - level
        if need == 0:
            return 0
        if self.reserve(need, self.owner(root, vaddr)) != 0:
            return -ENOMEM
        for n in range(need):
            pfn = self.spare[n]
            rights = PAGE_USER if vaddr < self.kernel_base and self.table_bits[level] & PAGE_WRITABLE else 0
            self.add(level, pfn << FRAME_SHIFT | self.table_bits[level] | rights)
            self.note_entry(pfn, self.path[level], vaddr)
            level += 1
            self.path[level] = (pfn << FRAME_SHIFT) + (vaddr >> self.index_shifts[level] & self.index_masks[level])
        return 0

    def note_entry(self, pfn: int, where: int, vaddr: int) -> None:
        """Let a table know the entry that names it, for the checker."""
        if vaddr >= self.kernel_base and where & ~FRAME_MASK == self.path[0] & ~FRAME_MASK:
            where = self.words[SB_KERNEL_DIRECTORY] | where & FRAME_MASK
        self.words[self.frames.first_word + (pfn << 3) + D_ENTRY] = where

    def add(self, level: int, entry: int) -> None:
        """Write a new present entry at the end of the path, which was not present."""
        self.put(self.path[level], entry)
        self.halves[self.count_at(self.path[level])] += 1
        if level == 0:
            self.spread(self.path[0], entry, True)

    def clear(self, level: int) -> int:
        """Take away the present entry at `level` of the path, and the tables that are empty then; 0."""
        while True:
            where = self.path[level]
            self.put(where, 0)
            at = self.count_at(where)
            self.halves[at] -= 1
            if level == 0:
                self.spread(where, 0, False)
                return 0
            if self.halves[at] != 0:
                return 0
            self.frames.drop(where >> FRAME_SHIFT)
            level -= 1

    def spread(self, where: int, entry: int, adds: bool) -> None:
        """Repeat a change of a root's entry in every other root, if it is of the kernel half."""
        if self.loads_root and self.mmu.cr3 == where & ~FRAME_MASK:
            self.mmu.set_cr3(self.mmu.cr3)
        offset = where & FRAME_MASK
        pfn = self.words[SB_DIRECTORIES] if offset >> self.entry_shift >= self.kernel_index else 0
        while pfn:
            if pfn != where >> FRAME_SHIFT:
                self.put(pfn << FRAME_SHIFT | offset, entry)
                at = self.count_at(pfn << FRAME_SHIFT)
                if adds:
                    self.halves[at] += 1
                else:
                    self.halves[at] -= 1
            pfn = self.halves[self.frames.first_half + (pfn << 4) + D_NEXT]

    def leaf_address(self, entry: int, level: int) -> int:
        """The physical address of the page that a leaf maps."""
        return entry & self.address_mask & ~(bit(self.shifts[level]) - 1)

    def frames_of(self, level: int) -> int:
        """How many 4 KiB frames a leaf of that level covers."""
        return bit(self.shifts[level] - FRAME_SHIFT)

    def split(self, root: int, vaddr: int, level: int, target: int) -> int:
        """Split the huge page at `level` of the path into pages of level `target`: 0, or -ENOMEM, unchanged.

        No translation and no reference changes; the path goes down to `target` then.
        """
        need = target - level
        if self.reserve(need, self.owner(root, vaddr)) != 0:
            return -ENOMEM
        for n in range(need):
            self.split_one(vaddr, level, self.spare[n])
            self.note_entry(self.spare[n], self.path[level], vaddr)
            level += 1
            self.path[level] = (self.spare[n] << FRAME_SHIFT) + (
                vaddr >> self.index_shifts[level] & self.index_masks[level]
            )
            self.entry = self.get(self.path[level])
        self.forget(root, vaddr, 1)
        return 0

    def split_one(self, vaddr: int, level: int, pfn: int) -> None:
        """Make the huge leaf at `level` of the path a table (the zeroed frame `pfn`) of the next smaller pages."""
        entry = self.get(self.path[level])
        table = pfn << FRAME_SHIFT
        below = level + 1
        size = bit(self.shifts[below])
        child = self.leaf_address(entry, level) | entry & ~self.address_mask
        if below == self.last:
            child = child & ~PAGE_HUGE | (PAT_SMALL if entry & PAT_HUGE else 0)
        else:
            child |= entry & PAT_HUGE
        for index in range(self.entries[below]):
            self.put(table + (index << self.entry_shift), child)
            child += size
        self.halves[self.count_at(table)] = self.entries[below]
        self.put(self.path[level], table | self.table_bits[level] | (PAGE_USER if vaddr < self.kernel_base else 0))

    def forget(self, root: int, vaddr: int, pages: int) -> None:
        """Invalidate `pages` translations from `vaddr`, if the MMU can have them: CR3's root, or the kernel half."""
        if vaddr < self.kernel_base and self.mmu.cr3 != root:
            pass
        elif pages <= FEW_PAGES:
            for n in range(pages):
                self.mmu.invlpg(vaddr + n * FRAME_SIZE)
        elif vaddr < self.kernel_base:
            self.forget_user(root)
        else:
            self.mmu.flush()

    def forget_user(self, root: int) -> None:
        """Invalidate every translation of a root's user half, if it is CR3's."""
        if self.mmu.cr3 == root:
            if self.has_global(root):
                self.mmu.flush()
            else:
                self.mmu.set_cr3(root)

    def note_global(self, root: int) -> None:
        """Remember that a root's user half has a global page: leaving it needs a flush of everything."""
        self.words[self.frames.first_word + (root >> FRAME_SHIFT << 3) + D_GLOBAL] = 1

    def has_global(self, root: int) -> bool:
        """Whether a root's user half ever had a global page."""
        return self.words[self.frames.first_word + (root >> FRAME_SHIFT << 3) + D_GLOBAL] != 0
