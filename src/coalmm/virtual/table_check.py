"""The checker of page tables: every entry of every directory against the frames it names.

Checked of each entry: only bits that this kernel sets; a table entry names a frame of kind TABLE of
the right owner, reached once; a leaf names frames that are taken and may be mapped. Then per table,
D_COUNT is the number of its present entries; per frame, mappings is the number of user leaves over
it and references are at least those of all leaves; per directory, the kernel half is everybody's.
"""

import mmap

import cython

from coalmm.errors import CorruptionError
from coalmm.virtual.leaves import Leaves
from coalmm.virtual.tables import Tables

if not cython.compiled:
    from coalmm.hardware.constants import (
        FRAME_SHIFT,
        PAGE_ACCESSED,
        PAGE_COW,
        PAGE_HUGE,
        PAGE_NX,
        PAGE_PRESENT,
        PAGE_USER,
        PAGE_WRITABLE,
    )
    from coalmm.physical.constants import (
        D_MAPPINGS,
        D_NEXT,
        D_OWNER,
        D_PREVIOUS,
        D_REFERENCES,
        KIND_DIRECTORY,
        KIND_FREE,
        KIND_TABLE,
        SB_CURRENT_DIRECTORY,
        SB_KERNEL_DIRECTORY,
        SB_KINDS,
        SB_LOWMEM,
    )
    from coalmm.virtual.constants import D_ENTRY, LEAF_FLAGS, SB_DIRECTORIES


SUSPECTS = 16  # how many entries a message names


class TableCheck:
    """One run over the page tables of a machine."""

    def __init__(self, tables: Tables, leaves: Leaves) -> None:
        self.tables = tables
        self.leaves = leaves
        self.frames = tables.frames
        self.halves = self.frames.halves
        self.words = self.frames.words
        # Per frame, sparse as RAM is: user leaves over it; other leaves, and 1 << 31 for a table reached.
        self.mapped = memoryview(mmap.mmap(-1, self.frames.pfn_limit * 4)).cast("I")
        self.held = memoryview(mmap.mmap(-1, self.frames.pfn_limit * 4)).cast("I")
        self.tables_found = 0
        self.kernel = self.words[SB_KERNEL_DIRECTORY]
        self.wanted = 0
        self.counting = True
        self.suspects: list[tuple[int, int]] = []

    def run(self) -> None:
        """Check everything. CorruptionError names the first wrong entry, table or frame."""
        if not self.kernel:
            return  # not booted yet
        roots = self.directories()
        for root in roots:
            self.check_root(root)
        if self.words[SB_KINDS + KIND_TABLE] != self.tables_found:
            found = self.tables_found
            raise CorruptionError(f"{self.words[SB_KINDS + KIND_TABLE]} page tables are taken, {found} are reached")
        if self.words[SB_CURRENT_DIRECTORY] not in roots:
            current = self.words[SB_CURRENT_DIRECTORY]
            raise CorruptionError(f"the current directory {current:#x} is not on the list", current)
        for first, last in self.frames.backed(self.frames.descriptors, self.frames.pfn_limit, 64):
            self.compare(first, last)

    def directories(self) -> list[int]:
        """The roots on the list; CorruptionError if its links or kinds are wrong."""
        roots = []
        pfn = self.words[SB_DIRECTORIES]
        before = 0
        for _ in range(self.words[SB_KINDS + KIND_DIRECTORY] + 1):
            if pfn == 0:
                break
            if pfn >= self.frames.pfn_limit or self.frames.kind(pfn) != KIND_DIRECTORY:
                raise CorruptionError(f"the list of directories goes through {pfn << FRAME_SHIFT:#x}, which is none")
            if self.halves[self.frames.first_half + (pfn << 4) + D_PREVIOUS] != before:
                raise CorruptionError(f"the list of directories is broken before {pfn << FRAME_SHIFT:#x}")
            roots.append(pfn << FRAME_SHIFT)
            before = pfn
            pfn = self.halves[self.frames.first_half + (pfn << 4) + D_NEXT]
        if len(roots) != self.words[SB_KINDS + KIND_DIRECTORY] or self.kernel not in roots:
            number = self.words[SB_KINDS + KIND_DIRECTORY]
            raise CorruptionError(f"{len(roots)} directories are on the list, {number} are taken")
        return roots

    def check_root(self, root: int) -> None:
        """A directory: all of the kernel's, the user half and the equality of the kernel half of others."""
        half = self.tables.kernel_index
        entries = self.tables.form.levels[0].entries
        if root == self.kernel:
            self.check_count(root, self.check_table(root, 0, 0, entries, 0, root), "directory")
            return
        present = self.check_table(root, 0, 0, half, 0, root)
        present += self.check_kernel_half(root)
        self.check_count(root, present, "directory")

    def check_table(self, table: int, level: int, first: int, end: int, base: int, root: int) -> int:
        """Check entries [first, end) of a table whose first one is for the address `base`; how many are present."""
        present = 0
        for index in range(first, end):
            where = table + (index << self.tables.entry_shift)
            entry = self.tables.get(where)
            if entry == 0:
                continue
            vaddr = base + (index << self.tables.shifts[level])
            if level == 0 and index >= self.tables.kernel_index:
                vaddr = self.tables.kernel_base + ((index - self.tables.kernel_index) << self.tables.shifts[0])
            if not entry & PAGE_PRESENT:
                self.wrong(where, level, entry, vaddr, "bits are set in an entry that is not present")
            present += 1
            if entry & self.tables.leaf_bits[level]:
                self.check_leaf(where, level, entry, vaddr)
            else:
                self.check_link(where, level, entry, vaddr, root)
        return present

    def check_link(self, where: int, level: int, entry: int, vaddr: int, root: int) -> None:
        """An entry that names a table, and that table."""
        allowed = self.tables.table_bits[level] | self.tables.address_mask
        if self.tables.table_bits[level] & PAGE_WRITABLE:
            allowed |= PAGE_ACCESSED | (PAGE_USER if vaddr < self.tables.kernel_base else 0)
        needed = self.tables.table_bits[level]
        if needed & PAGE_WRITABLE and vaddr < self.tables.kernel_base:
            needed |= PAGE_USER
        if entry & ~allowed or needed & ~entry:
            self.wrong(where, level, entry, vaddr, "not the bits of an entry that names a table")
        table = entry & self.tables.address_mask
        pfn = table >> FRAME_SHIFT
        if pfn >= self.frames.pfn_limit or self.frames.kind(pfn) != KIND_TABLE:
            self.wrong(where, level, entry, vaddr, "names no page table")
        at = self.frames.first_half + (pfn << 4)
        if self.halves[at + D_OWNER] != self.tables.owner(root, vaddr) or self.halves[at + D_REFERENCES] != 1:
            self.wrong(where, level, entry, vaddr, "names a page table of another directory")
        if self.words[self.frames.first_word + (pfn << 3) + D_ENTRY] != where:
            self.wrong(where, level, entry, vaddr, "names a page table that belongs to another entry")
        if self.counting:
            if self.held[pfn]:
                self.wrong(where, level, entry, vaddr, "names a page table that another entry names too")
            self.held[pfn] = 1
            self.tables_found += 1
        present = self.check_table(table, level + 1, 0, self.tables.entries[level + 1], vaddr, root)
        self.check_count(table, present, "page table")

    def check_leaf(self, where: int, level: int, entry: int, vaddr: int) -> None:
        """An entry that maps a page: its bits, and the frames behind it."""
        count = self.tables.frames_of(level)
        user = vaddr < self.tables.kernel_base
        allowed = LEAF_FLAGS | self.tables.address_mask & ~((count << FRAME_SHIFT) - 1)
        if level != self.tables.last:
            allowed |= PAGE_HUGE
        if not user:
            allowed &= ~PAGE_USER
        if entry & ~allowed or (entry & PAGE_COW and entry & PAGE_WRITABLE) or (
            entry & PAGE_NX and not self.tables.mmu.nx
        ):
            self.wrong(where, level, entry, vaddr, "not the bits of an entry that maps a page")
        pfn = self.tables.leaf_address(entry, level) >> FRAME_SHIFT
        if self.in_direct_map(vaddr):
            if self.tables.kernel_base + (pfn << FRAME_SHIFT) != vaddr or not entry & PAGE_WRITABLE:
                self.wrong(where, level, entry, vaddr, "not the direct map of RAM")
            count = 0
        elif pfn >= self.frames.pfn_limit or count > self.frames.pfn_limit - pfn:
            self.wrong(where, level, entry, vaddr, "maps what is past the end of RAM")
        for n in range(count):
            if not self.leaves.mappable(pfn + n):
                self.wrong(where, level, entry, vaddr, f"maps {self.frames.describe((pfn + n) << FRAME_SHIFT)}")
            if not self.counting and self.wanted == (pfn + n if self.frames.kind(pfn + n) != KIND_FREE else 0):
                self.suspects.append((where, vaddr))
            if user:
                self.mapped[pfn + n] += 1
            else:
                self.held[pfn + n] += 1

    def in_direct_map(self, vaddr: int) -> bool:
        """Whether a kernel-half leaf is of the direct map."""
        if vaddr < self.tables.kernel_base:
            return False
        return (vaddr - self.tables.kernel_base) >> FRAME_SHIFT < self.words[SB_LOWMEM]

    def check_kernel_half(self, root: int) -> int:
        """The kernel half of a root is the kernel's, accessed bits aside; how many entries are present."""
        present = 0
        for index in range(self.tables.kernel_index, self.tables.entries[0]):
            where = root + (index << self.tables.entry_shift)
            entry = self.tables.get(where)
            want = self.tables.get(self.kernel + (index << self.tables.entry_shift))
            if (entry ^ want) & ~PAGE_ACCESSED:
                vaddr = self.tables.kernel_base + ((index - self.tables.kernel_index) << self.tables.shifts[0])
                self.wrong(where, 0, entry, vaddr, f"the kernel directory has {want:#x} there")
            present += entry & PAGE_PRESENT
        return present

    def check_count(self, table: int, present: int, what: str) -> None:
        """D_COUNT of a table."""
        count = self.halves[self.tables.count_at(table)]
        if count != present:
            raise CorruptionError(f"the {what} at {table:#x} has {present} present entries, not {count}", table)

    def wrong(self, where: int, level: int, entry: int, vaddr: int, what: str) -> None:
        """Raise for an entry."""
        form = self.tables.form
        text = form.describe_entry(entry, level)
        raise CorruptionError(f"the entry at {where:#x} for the address {vaddr:#x}: {what} ({text})", where)

    def compare(self, first: int, last: int) -> None:
        """Check the counters of frames [first, last) against the leaves that were found."""
        for pfn in range(first, last):
            at = self.frames.first_half + (pfn << 4)
            if self.frames.kind(pfn) == KIND_FREE or self.frames.kind(pfn) == KIND_TABLE:
                continue
            if self.mapped[pfn] > self.halves[at + D_MAPPINGS]:
                self.name_entry(pfn)
            if self.mapped[pfn] < self.halves[at + D_MAPPINGS]:
                self.name_excess()
                self.find_entries(0)
                devices = f"; entries that map no RAM: {self.listed()}" if self.suspects else ""
                raise CorruptionError(
                    f"{self.frames.describe(pfn << FRAME_SHIFT)}, but fewer entries map it{devices}", pfn << FRAME_SHIFT
                )
            if self.mapped[pfn] + self.held[pfn] > self.halves[at + D_REFERENCES]:
                self.name_entry(pfn)

    def name_excess(self) -> None:
        """A mapping that one frame misses may be what another has too many: name that entry, if there is one."""
        for first, last in self.frames.backed(self.frames.descriptors, self.frames.pfn_limit, 64):
            for pfn in range(first, last):
                mappings = self.halves[self.frames.first_half + (pfn << 4) + D_MAPPINGS]
                if self.mapped[pfn] > mappings and self.frames.kind(pfn) != KIND_FREE:
                    self.name_entry(pfn)

    def name_entry(self, pfn: int) -> None:
        """Find the entries that map a frame, one of them wrongly, and raise for them."""
        self.find_entries(pfn)
        raise CorruptionError(
            f"{self.frames.describe(pfn << FRAME_SHIFT)}, but {len(self.suspects)} entries map it: {self.listed()}",
            self.suspects[0][0],
        )

    def find_entries(self, pfn: int) -> None:
        """Fill `suspects` with the entries that map a frame; for 0, what no descriptor counts (devices)."""
        self.wanted = pfn
        self.counting = False
        for root in self.directories():
            self.check_root(root)

    def listed(self) -> str:
        """The suspects in words."""
        return ", ".join(f"at {where:#x} for the address {vaddr:#x}" for where, vaddr in self.suspects[:SUSPECTS])
