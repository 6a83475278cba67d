"""Page directories: the roots of page tables. Created, cloned for fork, switched to and freed.

A directory is named by the physical address of its root, which is what CR3 holds. All of them stand
on a list (SB_DIRECTORIES, D_NEXT, D_PREVIOUS), so that a new entry of the kernel half reaches each.

A clone shares the user half copy-on-write: a leaf that may be written loses W and gets COW on both
sides; read-only leaves and PAGE_SHARED ones are copied as they are, huge leaves are shared as huge
ones, accessed and dirty bits are kept. It goes in two passes: the copy, which may fail and then is
given back with the source untouched, and the marking of the source, which cannot. All frames for
tables are taken before either, so that without memory not a byte is written.
"""

import cython

from coalmm.errors import ENOMEM, InUseError, InvalidPointerError
from coalmm.virtual.leaves import Leaves
from coalmm.virtual.tables import Tables

if not cython.compiled:
    from coalmm.hardware.bits import as_u64
    from coalmm.hardware.constants import (
        FRAME_MASK,
        FRAME_SHIFT,
        FRAME_SIZE,
        PAGE_ACCESSED,
        PAGE_COW,
        PAGE_DIRTY,
        PAGE_GLOBAL,
        PAGE_HUGE,
        PAGE_PRESENT,
        PAGE_SHARED,
        PAGE_WRITABLE,
    )
    from coalmm.physical.constants import (
        D_COUNT,
        D_KIND,
        D_NEXT,
        D_OWNER,
        D_PREVIOUS,
        KIND_DIRECTORY,
        KIND_FREE,
        KIND_MASK,
        KIND_TABLE,
        SB_CURRENT_DIRECTORY,
        SB_FRAMES,
        SB_KERNEL_BASE,
        SB_KERNEL_DIRECTORY,
        SB_LOWMEM,
        SB_PAGING,
    )
    from coalmm.virtual.constants import LOWMEM_LIMIT, SB_DIRECTORIES


class Directories:
    """Every page directory of one machine."""

    def __init__(self, tables: Tables, leaves: Leaves) -> None:
        self.tables = tables
        self.leaves = leaves
        self.frames = tables.frames
        self.mmu = tables.mmu
        self.words = self.frames.words
        self.halves = self.frames.halves
        self.chain = 0  # frames taken for the tables of a clone that is being made

    def check(self, root: int) -> int:
        """`root` if it is a live directory. Raises InvalidPointerError for anything else."""
        address = as_u64(root)
        pfn = address >> FRAME_SHIFT
        if address & FRAME_MASK or pfn >= self.frames.pfn_limit or self.frames.kind(pfn) != KIND_DIRECTORY:
            raise InvalidPointerError(f"no page directory: {self.frames.describe(address)}", address)
        return address

    def create(self) -> int:
        """A directory whose user half is empty, its kernel half everybody's; its root's paddr, 0 without memory."""
        pfn = self.frames.take_low(KIND_DIRECTORY, 0)
        if pfn == 0:
            return 0
        self.frames.zero(pfn)
        kernel = self.words[SB_KERNEL_DIRECTORY]
        if kernel:
            for index in range(self.tables.kernel_index, self.tables.entries[0]):
                entry = self.tables.get(kernel + (index << self.tables.entry_shift))
                if entry & PAGE_PRESENT:
                    self.tables.put((pfn << FRAME_SHIFT) + (index << self.tables.entry_shift), entry)
                    self.halves[self.frames.first_half + (pfn << 4) + D_COUNT] += 1
        self.link(pfn)
        return pfn << FRAME_SHIFT

    def link(self, pfn: int) -> None:
        """Put a directory on the list, first."""
        head = self.words[SB_DIRECTORIES]
        self.halves[self.frames.first_half + (pfn << 4) + D_NEXT] = head
        self.halves[self.frames.first_half + (pfn << 4) + D_PREVIOUS] = 0
        if head:
            self.halves[self.frames.first_half + (head << 4) + D_PREVIOUS] = pfn
        self.words[SB_DIRECTORIES] = pfn

    def unlink(self, pfn: int) -> None:
        """Take a directory off the list."""
        after = self.halves[self.frames.first_half + (pfn << 4) + D_NEXT]
        before = self.halves[self.frames.first_half + (pfn << 4) + D_PREVIOUS]
        if before:
            self.halves[self.frames.first_half + (before << 4) + D_NEXT] = after
        else:
            self.words[SB_DIRECTORIES] = after
        if after:
            self.halves[self.frames.first_half + (after << 4) + D_PREVIOUS] = before

    def clone(self, root: int) -> int:
        """A copy of a directory that shares its user pages copy-on-write; its root's paddr.

        0 for NULL, without memory, if a reference counter is full, or after the machine's deadline: nothing changed.
        Raises InvalidPointerError for what is no directory.
        """
        if as_u64(root) == 0:
            return 0
        source = self.check(root)
        if not self.reserve(self.count_tables(source, 0)):
            return 0
        copy = self.create()
        if copy == 0:
            self.release()
            return 0
        if not self.copy_table(source, copy, 0, copy >> FRAME_SHIFT):
            self.release()
            self.give_back(copy)
            return 0
        if self.tables.has_global(source):
            self.tables.note_global(copy)
        self.mark_shared(source, 0)
        self.tables.forget_user(source)
        return copy

    def count_tables(self, table: int, level: int) -> int:
        """How many tables the user half of a tree has below this one."""
        count = 0
        shift = self.tables.entry_shift
        if level == self.tables.last:
            return 0
        for index in range(self.tables.kernel_index if level == 0 else self.tables.entries[level]):
            entry = self.tables.get(table + (index << shift))
            if entry & PAGE_PRESENT and not entry & self.tables.leaf_bits[level]:
                count += 1 + self.count_tables(entry & self.tables.address_mask, level + 1)
        return count

    def reserve(self, count: int) -> bool:
        """Take `count` frames for tables, chained through D_NEXT; False, and none is taken, without memory."""
        self.chain = 0
        for _ in range(count):
            pfn = self.frames.take_low(KIND_TABLE, 0)
            if pfn == 0:
                self.release()
                return False
            self.halves[self.frames.first_half + (pfn << 4) + D_NEXT] = self.chain
            self.chain = pfn
        return True

    def release(self) -> None:
        """Give back what is left of the chain."""
        while self.chain:
            self.frames.drop(self.unchain(0))

    def unchain(self, owner: int) -> int:
        """The next frame of the chain, as a table of `owner`."""
        pfn = self.chain
        self.chain = self.halves[self.frames.first_half + (pfn << 4) + D_NEXT]
        self.halves[self.frames.first_half + (pfn << 4) + D_NEXT] = 0
        self.halves[self.frames.first_half + (pfn << 4) + D_OWNER] = owner
        return pfn

    def copy_table(self, table: int, to: int, level: int, owner: int) -> bool:
        """Copy a table of the user half into the empty one at `to`, and all below it.

        Its tables come from the chain. False if a reference counter is full, or the machine's deadline has
        passed: what was copied until then is whole, and can be freed.
        """
        if level == self.tables.last:
            return not self.mmu.is_late() and self.copy_pages(table, to)
        shift = self.tables.entry_shift
        added = 0
        for index in range(self.tables.kernel_index if level == 0 else self.tables.entries[level]):
            entry = self.tables.get(table + (index << shift))
            if not entry & PAGE_PRESENT:
                continue
            where = to + (index << shift)
            if entry & self.tables.leaf_bits[level]:
                pfn = self.tables.leaf_address(entry, level) >> FRAME_SHIFT
                if not self.leaves.take(pfn, self.tables.frames_of(level), True):
                    break
                if entry & PAGE_WRITABLE and not entry & PAGE_SHARED:
                    entry = entry & ~PAGE_WRITABLE | PAGE_COW
                self.tables.put(where, entry)
                added += 1
                continue
            pfn = self.unchain(owner)
            self.frames.zero(pfn)
            self.tables.note_entry(pfn, where, 0)
            self.tables.put(where, pfn << FRAME_SHIFT | entry & FRAME_MASK)
            added += 1
            if not self.copy_table(entry & self.tables.address_mask, pfn << FRAME_SHIFT, level + 1, owner):
                break
        else:
            self.halves[self.tables.count_at(to)] += added
            return True
        self.halves[self.tables.count_at(to)] += added
        return False

    def copy_pages(self, table: int, to: int) -> bool:
        """`copy_table` for the lowest tables: the loop that a clone spends its time in."""
        mask = self.tables.address_mask
        first = self.frames.first_half + D_KIND
        narrow = self.tables.narrow
        offset = 0
        added = 0
        while offset < FRAME_SIZE:
            entry = self.halves[(table + offset) >> 2] if narrow else self.words[(table + offset) >> 3]
            if entry & PAGE_PRESENT:
                pfn = (entry & mask) >> FRAME_SHIFT
                if self.halves[first + (pfn << 4)] & KIND_MASK != KIND_FREE and not self.frames.map_user(pfn):
                    break
                if entry & PAGE_WRITABLE and not entry & PAGE_SHARED:
                    entry = entry & ~PAGE_WRITABLE | PAGE_COW
                if narrow:
                    self.halves[(to + offset) >> 2] = entry
                else:
                    self.words[(to + offset) >> 3] = entry
                added += 1
            offset += 4 if narrow else 8
        self.halves[self.tables.count_at(to)] += added
        return offset == FRAME_SIZE

    def mark_shared(self, table: int, level: int) -> None:
        """Make every writable private leaf of a user half copy-on-write."""
        shift = self.tables.entry_shift
        for index in range(self.tables.kernel_index if level == 0 else self.tables.entries[level]):
            where = table + (index << shift)
            entry = self.tables.get(where)
            if not entry & PAGE_PRESENT:
                continue
            if not entry & self.tables.leaf_bits[level]:
                self.mark_shared(entry & self.tables.address_mask, level + 1)
            elif entry & PAGE_WRITABLE and not entry & PAGE_SHARED:
                self.tables.put(where, entry & ~PAGE_WRITABLE | PAGE_COW)

    def free(self, root: int) -> None:
        """Give back a directory: what its user half maps, its tables, its root. NULL: nothing happens.

        Raises InUseError for the current and the kernel's directory, InvalidPointerError for no directory.
        """
        if as_u64(root) == 0:
            return
        address = self.check(root)
        if address == self.words[SB_KERNEL_DIRECTORY]:
            raise InUseError(f"the directory {address:#x} is the kernel's", address)
        if address == self.mmu.cr3 or address == self.words[SB_CURRENT_DIRECTORY]:
            raise InUseError(f"the directory {address:#x} is the current one", address)
        self.give_back(address)

    def give_back(self, root: int) -> None:
        """`free` without the checks."""
        self.free_entries(root, 0)
        self.unlink(root >> FRAME_SHIFT)
        self.frames.drop(root >> FRAME_SHIFT)

    def free_entries(self, table: int, level: int) -> None:
        """Drop what the user-half entries of a table hold; the table itself stays as it is."""
        shift = self.tables.entry_shift
        leaf = self.tables.leaf_bits[level]
        last = level == self.tables.last
        for index in range(self.tables.kernel_index if level == 0 else self.tables.entries[level]):
            entry = self.tables.get(table + (index << shift))
            if not entry & PAGE_PRESENT:
                continue
            if last:
                self.leaves.drop_page((entry & self.tables.address_mask) >> FRAME_SHIFT)
            elif entry & leaf:
                self.leaves.drop(
                    self.tables.leaf_address(entry, level) >> FRAME_SHIFT,
                    self.tables.frames_of(level),
                    True,
                )
            else:
                self.free_entries(entry & self.tables.address_mask, level + 1)
                self.frames.drop((entry & self.tables.address_mask) >> FRAME_SHIFT)

    def switch(self, root: int) -> None:
        """Make a directory the current one: CR3, and its copy in the superblock.

        Raises InvalidPointerError for what is no directory (NULL too), and CR3 stays.
        """
        address = self.check(root)
        current = self.mmu.cr3
        if current != address and current >> FRAME_SHIFT < self.frames.pfn_limit and self.tables.has_global(current):
            self.mmu.flush()
        self.mmu.set_cr3(address)
        self.words[SB_CURRENT_DIRECTORY] = address

    def initialise(self) -> int:
        """Boot: build the kernel directory with the direct map and switch to it: 0, or -ENOMEM.

        Sets the words of the superblock that say how the kernel half lies, unless boot has set the base.
        """
        form = self.tables.form
        self.words[SB_PAGING] = form.number
        if self.words[SB_KERNEL_BASE] == 0:
            self.words[SB_KERNEL_BASE] = form.kernel_base
        frames = self.words[SB_FRAMES]
        self.words[SB_LOWMEM] = min(frames, LOWMEM_LIMIT >> FRAME_SHIFT) if form.vaddr_bits == 32 else frames
        root = self.create()
        if root == 0:
            return -ENOMEM
        self.words[SB_KERNEL_DIRECTORY] = root
        if self.build_direct_map(root) != 0:
            return -ENOMEM
        self.switch(root)
        return 0

    def build_direct_map(self, root: int) -> int:
        """Map RAM at the kernel base with the largest pages that fit: 0, or -ENOMEM."""
        flags = PAGE_PRESENT | PAGE_WRITABLE | PAGE_GLOBAL | PAGE_ACCESSED | PAGE_DIRTY
        end = self.words[SB_LOWMEM] << FRAME_SHIFT
        paddr = 0
        while paddr < end:
            level = self.direct_level(paddr, end)
            vaddr = self.tables.kernel_base + paddr
            if self.tables.extend(root, vaddr, self.tables.descend(root, vaddr, level), level) != 0:
                return -ENOMEM
            self.tables.add(level, paddr | flags | (0 if level == self.tables.last else PAGE_HUGE))
            paddr += FRAME_SIZE << (self.tables.shifts[level] - FRAME_SHIFT)
        return 0

    def direct_level(self, paddr: int, end: int) -> int:
        """The highest level whose pages fit at `paddr` and end by `end`."""
        for level in range(self.tables.last):
            size = FRAME_SIZE << (self.tables.shifts[level] - FRAME_SHIFT)
            if self.tables.leaf_bits[level] and paddr & (size - 1) == 0 and size <= end - paddr:
                return level
        return self.tables.last
