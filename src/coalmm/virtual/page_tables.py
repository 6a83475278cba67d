"""Page tables of every directory: map, unmap, translate, and what the fault handler needs.

The public forms check everything and name a directory by its root's paddr; an argument that is no
directory raises InvalidPointerError, a wrong address or flag is -EINVAL. Every change that takes a
right or a translation away invalidates it on the MMU before the call returns.

A 4 KiB call inside a huge page splits it, which needs a frame for the table: without one the call
returns -ENOMEM and nothing has changed. Split pages are not joined again.
"""

import cython

from coalmm.errors import EEXIST, EINVAL, ENOMEM, EOVERFLOW
from coalmm.hardware.mmu import Mmu
from coalmm.physical.frames import Frames
from coalmm.typed import Iterator
from coalmm.virtual.directories import Directories
from coalmm.virtual.leaves import Leaves
from coalmm.virtual.table_ranges import TableRanges
from coalmm.virtual.tables import Tables

if not cython.compiled:
    from coalmm.hardware.bits import as_u64, bit
    from coalmm.hardware.constants import (
        FRAME_MASK,
        FRAME_SHIFT,
        FRAME_SIZE,
        PAGE_ACCESSED,
        PAGE_COW,
        PAGE_DIRTY,
        PAGE_GLOBAL,
        PAGE_HUGE,
        PAGE_NX,
        PAGE_PRESENT,
        PAGE_USER,
        PAGE_WRITABLE,
    )
    from coalmm.physical.constants import SB_CURRENT_DIRECTORY, SB_LOWMEM
    from coalmm.virtual.constants import DOCUMENT_FLAGS, LEAF_FLAGS


class PageTables:
    """The page tables of one machine; `initialise` builds the kernel's when it boots."""

    def __init__(self, frames: Frames, mmu: Mmu) -> None:
        self.frames = frames
        self.mmu = mmu
        self.words = frames.words
        self.tables = Tables(frames, mmu)
        self.leaves = Leaves(frames)
        self.directories = Directories(self.tables, self.leaves)
        self.ranges = TableRanges(self.tables, self.leaves)

    def __repr__(self) -> str:
        return f"<PageTables: {self.mmu.form.name} paging, current directory {self.mmu.cr3:#x}>"

    def resume(self) -> None:
        """Go on with the directory that was current when the RAM was saved."""
        self.mmu.set_cr3(self.directories.check(self.words[SB_CURRENT_DIRECTORY]))

    # Directories.

    def initialise(self) -> int:
        """Boot: the kernel directory and the direct map. 0, or -ENOMEM."""
        return self.directories.initialise()

    def create(self) -> int:
        """A new directory with an empty user half: its root's paddr, 0 without memory."""
        return self.directories.create()

    def clone(self, root: int) -> int:
        """A copy-on-write copy of a directory: its root's paddr, or 0 and nothing changed."""
        return self.directories.clone(root)

    def free(self, root: int) -> None:
        """Give back a directory with all that it holds. InUseError for the current and the kernel's."""
        self.directories.free(root)

    def switch(self, root: int) -> None:
        """Make a directory the current one."""
        self.directories.switch(root)

    # Pages.

    def map(self, root: int, vaddr: int, paddr: int, flags: int) -> int:
        """Map the page at `vaddr` to the frame at `paddr`; PAGE_HUGE: the format's smallest huge page.

        0, -EINVAL, -EEXIST (another frame is mapped there, or pages of another size), -ENOMEM (no
        frame for a table), -EOVERFLOW (the frame's counter is full); then nothing changed. The same
        frame again changes the flags. The mapping takes its own reference to the frame.
        """
        directory = self.directories.check(root)
        wanted = as_u64(flags)
        size = self.tables.form.huge_sizes[0] if wanted & PAGE_HUGE else FRAME_SIZE
        if wanted & ~DOCUMENT_FLAGS:
            return -EINVAL
        return self.map_size(directory, as_u64(vaddr), as_u64(paddr), wanted, size)

    def map_size(self, root: int, vaddr: int, paddr: int, flags: int, size: int) -> int:
        """`map` of a page of `size` bytes (any that the format has), typed; PAGE_SHARED is allowed here."""
        level = self.tables.last
        while bit(self.tables.shifts[level]) != size or not self.tables.leaf_bits[level]:
            if level == 0:
                return -EINVAL
            level -= 1
        error = self.refusal(vaddr, paddr, flags, level)
        return error if error else self.install(root, vaddr, paddr, flags, level)

    def refusal(self, vaddr: int, paddr: int, flags: int, level: int) -> int:
        """-EINVAL if no page of that level may be mapped so, else 0."""
        size = bit(self.tables.shifts[level])
        if flags & ~(LEAF_FLAGS | PAGE_HUGE) or not flags & PAGE_PRESENT:
            return -EINVAL
        if (flags & PAGE_NX and not self.mmu.nx) or (flags & PAGE_COW and flags & PAGE_WRITABLE):
            return -EINVAL
        if (vaddr | paddr) & (size - 1) or self.tables.hole_first <= vaddr <= self.tables.hole_last:
            return -EINVAL
        if vaddr >= self.tables.kernel_base and (flags & PAGE_USER or self.in_direct_map(vaddr)):
            return -EINVAL
        pfn = paddr >> FRAME_SHIFT
        if pfn >= self.frames.pfn_limit or size >> FRAME_SHIFT > self.frames.pfn_limit - pfn:
            return -EINVAL
        if not self.leaves.all_mappable(pfn, size >> FRAME_SHIFT):
            return -EINVAL
        return 0

    def in_direct_map(self, vaddr: int) -> bool:
        """Whether a kernel-half address is in the direct map of RAM."""
        return (vaddr - self.tables.kernel_base) >> FRAME_SHIFT < self.words[SB_LOWMEM]

    def install(self, root: int, vaddr: int, paddr: int, flags: int, level: int) -> int:
        """Map a page of that level whose arguments are right, where nothing or the same frame is mapped."""
        reached = self.tables.descend(root, vaddr, level)
        entry = self.tables.entry
        if not entry & PAGE_PRESENT:
            return self.fill(root, vaddr, paddr >> FRAME_SHIFT, flags, reached, level)
        if not entry & self.tables.leaf_bits[reached]:
            return -EEXIST  # a table of smaller pages
        if self.tables.leaf_address(entry, reached) + (vaddr & (bit(self.tables.shifts[reached]) - 1)) != paddr:
            return -EEXIST
        if reached != level and self.tables.split(root, vaddr, reached, level) != 0:
            return -ENOMEM
        self.change(root, vaddr, level, paddr | flags & LEAF_FLAGS | self.huge_bit(level))
        return 0

    def fill(self, root: int, vaddr: int, pfn: int, flags: int, reached: int, level: int) -> int:
        """Make the missing entry, and the tables from `reached` on that it needs."""
        user = vaddr < self.tables.kernel_base
        if not self.leaves.take(pfn, self.tables.frames_of(level), user):
            return -EOVERFLOW
        if reached != level and self.tables.extend(root, vaddr, reached, level) != 0:
            self.leaves.drop(pfn, self.tables.frames_of(level), user)
            return -ENOMEM
        self.tables.add(level, pfn << FRAME_SHIFT | flags & LEAF_FLAGS | self.huge_bit(level))
        if user and flags & PAGE_GLOBAL:
            self.tables.note_global(root)
        return 0

    def change(self, root: int, vaddr: int, level: int, entry: int) -> None:
        """Replace the leaf at the end of the path, and forget its translation unless rights only grew."""
        old = self.tables.get(self.tables.place(level))
        self.tables.put(self.tables.place(level), entry)
        if entry & PAGE_GLOBAL and vaddr < self.tables.kernel_base:
            self.tables.note_global(root)
        if (old & ~entry) & ~(PAGE_NX | PAGE_COW) or (entry & ~old) & ~(
            PAGE_WRITABLE | PAGE_USER | PAGE_ACCESSED | PAGE_DIRTY
        ):
            self.tables.forget(root, vaddr, 1)

    def huge_bit(self, level: int) -> int:
        """PS for a leaf above the last level."""
        return 0 if level == self.tables.last else PAGE_HUGE

    def unmap(self, root: int, vaddr: int) -> int:
        """Unmap the 4 KiB page that holds `vaddr`; nothing happens where none is.

        0; -EINVAL for the direct map, -ENOMEM if a huge page cannot be split: then nothing changed.
        """
        return self.unmap_page(self.directories.check(root), as_u64(vaddr))

    def unmap_page(self, root: int, vaddr: int) -> int:
        """`unmap`, typed."""
        if self.tables.hole_first <= vaddr <= self.tables.hole_last:
            return 0
        user = vaddr < self.tables.kernel_base
        if not user and self.in_direct_map(vaddr):
            return -EINVAL
        level = self.tables.descend(root, vaddr, self.tables.last)
        if not self.tables.entry & PAGE_PRESENT:
            return 0
        if level != self.tables.last and self.tables.split(root, vaddr, level, self.tables.last) != 0:
            return -ENOMEM
        entry = self.tables.entry
        self.tables.clear(self.tables.last)
        self.tables.forget(root, vaddr, 1)
        self.leaves.drop((entry & self.tables.address_mask) >> FRAME_SHIFT, 1, user)
        return 0

    def physical(self, root: int, vaddr: int) -> int:
        """The physical address that `vaddr` translates to, offset included; 0 if it is not mapped."""
        return self.mmu.walker.translate(self.directories.check(root), as_u64(vaddr))

    # For the fault handler: typed, the directory and the address are known to be right.

    def entry(self, root: int, vaddr: int) -> int:
        """The entry of the 4 KiB page at `vaddr`, 0 if there is none.

        A huge page answers as the small one would after a split: own frame, no PS and no PAT.
        """
        if self.tables.hole_first <= vaddr <= self.tables.hole_last:
            return 0
        level = self.tables.descend(root, vaddr, self.tables.last)
        entry = self.tables.entry
        if level == self.tables.last or not entry & PAGE_PRESENT:
            return entry
        return (
            self.tables.leaf_address(entry, level)
            | vaddr & (bit(self.tables.shifts[level]) - 1) & ~FRAME_MASK
            | entry & LEAF_FLAGS
        )

    def set_leaf(self, root: int, vaddr: int, pfn: int, flags: int) -> int:
        """Make the 4 KiB page at `vaddr` name a frame with those flags, whatever it named before.

        `vaddr` is page-aligned and in the user half; the frame may be mapped. The new frame gets a
        mapping, the old one loses its. 0, -ENOMEM or -EOVERFLOW, and then nothing changed.
        """
        level = self.tables.descend(root, vaddr, self.tables.last)
        entry = self.tables.entry
        bits = pfn << FRAME_SHIFT | flags & LEAF_FLAGS
        if not entry & PAGE_PRESENT:
            return self.fill(root, vaddr, pfn, flags, level, self.tables.last)
        if level != self.tables.last:
            if self.tables.split(root, vaddr, level, self.tables.last) != 0:
                return -ENOMEM
            entry = self.tables.entry
        old = (entry & self.tables.address_mask) >> FRAME_SHIFT
        if old != pfn and not self.leaves.take(pfn, 1, True):
            return -EOVERFLOW
        self.change(root, vaddr, self.tables.last, bits)
        if old != pfn:
            self.leaves.drop(old, 1, True)
        return 0

    # Ranges of the user half, and everything that is mapped.

    def unmap_range(self, root: int, start: int, end: int) -> int:
        """Unmap [start, end), page-aligned, of the user half: how many 4 KiB pages, -EINVAL or -ENOMEM.

        Costs what is mapped there, however wide the range is.
        """
        return self.ranges.unmap(root, start, end)

    def protect_range(self, root: int, start: int, end: int, flags: int) -> int:
        """Give every present page of [start, end) the W, U, COW, SHARED and NX bits of `flags`.

        How many 4 KiB pages there are, -EINVAL or -ENOMEM (a huge page at an end cannot be split).
        """
        return self.ranges.protect(root, start, end, flags)

    def for_each_leaf(self, root: int, start: int = 0, end: int = 0) -> Iterator[tuple[int, int, int, int]]:
        """Every mapping of a directory in [start, end) (end 0: to the last address): (vaddr, paddr, size, flags).

        `flags` are the entry's bits beside the address. Nothing may be mapped or unmapped meanwhile.
        """
        return self.ranges.leaves_between(self.directories.check(root), as_u64(start), as_u64(end))

    def validate(self) -> None:
        """Check every table of every directory; CorruptionError names the entry that is wrong."""
        from coalmm.virtual.table_check import TableCheck

        TableCheck(self.tables, self.leaves).run()
