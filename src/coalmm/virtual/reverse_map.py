"""Reverse mapping of file pages: which page-table entries map a page of the page cache.

    page -> (file, index) -> areas that show that page of the file -> address in each -> entry

As in Linux (mm/rmap.c, i_mmap), no page has a list of its mappings: it is found by file offset, through the areas of
every address space. That costs a look at each area, and only when frames are short; a fault pays nothing for it.

What paging calls mapped by hand is in no area. A page whose entries are not all found (`is_whole`) must stay.
"""

import cython

from coalmm.virtual.address_space import AddressSpaces

if not cython.compiled:
    from coalmm.hardware.constants import FRAME_SHIFT, PAGE_ACCESSED, PAGE_PRESENT
    from coalmm.physical.constants import D_NEXT
    from coalmm.virtual.constants import (
        A_END,
        A_FILE,
        A_FLAGS,
        A_OFFSET,
        A_START,
        AREA_LOCKED,
        ENTRY_ADDRESS,
        S_RSS_FILE,
        SB_DIRECTORIES,
    )


class ReverseMap:
    """Looks for the mappings of cached pages in the address spaces of one machine.

    After `look`: how many entries there are (`found`), whether one was accessed since the last look, whether one is
    in a locked area. When entries of the current directory have changed, `finish` must flush the TLB before frames are
    used again: once for many pages.
    """

    def __init__(self, spaces: AddressSpaces) -> None:
        self.spaces = spaces
        self.areas = spaces.areas
        self.cache = spaces.files.cache
        self.frames = spaces.frames
        self.pages = spaces.tables
        self.tables = spaces.tables.tables
        self.words = spaces.frames.words
        self.halves = spaces.frames.halves
        self.found = 0
        self.is_accessed = self.is_locked = self.changed = False

    def look(self, pfn: int) -> None:
        """Find the entries of a page and take their accessed bits away."""
        self._visit(pfn, False)

    def is_whole(self, pfn: int) -> bool:
        """Whether `look` found all entries of the page."""
        return self.found == self.frames.mappings(pfn)

    def unmap(self, pfn: int) -> None:
        """Take away the entries of a page and count them off. It must be held: else the frame may go with the last."""
        self._visit(pfn, True)

    def finish(self) -> None:
        """Have the TLB forget what changed."""
        if self.changed:
            self.changed = False
            self.tables.mmu.flush()

    def _visit(self, pfn: int, unmaps: bool) -> None:
        """Look at, or take away, the entries of a page in every address space."""
        file, index = self.cache.file(pfn), self.cache.index(pfn)
        wanted = self.frames.mappings(pfn)
        self.found = 0
        self.is_accessed = self.is_locked = False
        directory = self.words[SB_DIRECTORIES]
        while directory and self.found < wanted:
            space = self.spaces.space_of(directory << FRAME_SHIFT)
            if space:
                self._visit_space(space, file, index, pfn, unmaps)
            directory = self.halves[self.frames.first_half + (directory << 4) + D_NEXT]

    def _visit_space(self, space: int, file: int, index: int, pfn: int, unmaps: bool) -> None:
        """`_visit` in one address space."""
        table = self.spaces.table(space)
        root = self.spaces.root(space)
        for number in range(self.areas.count(table)):
            area = self.areas.record(table, number) >> 3
            if self.words[area + A_FILE] != file:
                continue
            first = self.words[area + A_OFFSET] >> FRAME_SHIFT
            pages = (self.words[area + A_END] - self.words[area + A_START]) >> FRAME_SHIFT
            if index < first or index - first >= pages:
                continue
            vaddr = self.words[area + A_START] + ((index - first) << FRAME_SHIFT)
            if self._maps(root, vaddr, pfn):
                self.found += 1
                if unmaps:
                    self._take_away(space, root, vaddr)
                else:
                    self._note(root, self.words[area + A_FLAGS])

    def _maps(self, root: int, vaddr: int, pfn: int) -> bool:
        """Whether the 4 KiB page at `vaddr` maps the frame; `tables` holds its entry then."""
        level = self.tables.descend(root, vaddr, self.tables.last)
        entry = self.tables.entry
        return level == self.tables.last and entry & PAGE_PRESENT != 0 and (entry & ENTRY_ADDRESS) >> FRAME_SHIFT == pfn

    def _note(self, root: int, flags: int) -> None:
        """One entry, in an area with these flags."""
        entry = self.tables.entry
        if entry & PAGE_ACCESSED:
            self.is_accessed = True
            self.tables.put(self.tables.place(self.tables.last), entry & ~PAGE_ACCESSED)
            self._note_change(root)
        if flags & AREA_LOCKED:
            self.is_locked = True

    def _take_away(self, space: int, root: int, vaddr: int) -> None:
        """Unmap one page of a file."""
        self.pages.unmap_page(root, vaddr)
        self.spaces.subtract(space, S_RSS_FILE, 1)
        self._note_change(root)

    def _note_change(self, root: int) -> None:
        """An entry of a directory lost a bit or went."""
        if root == self.tables.mmu.cr3:
            self.changed = True
