"""The page walk: from a root and a virtual address to a physical one, as the CPU does it.

One loop for every format. What differs between them is data, one number a level (`formats.py`):

    where = table + (vaddr >> shift & index mask)      both moved by the entry's size, so this is bytes
    entry = RAM at where
    leaf  = entry & leaf bit          PS where a huge page may be, P at the last level, else 0
    fail  = (entry ^ P) & forbidden   forbidden = P and the reserved bits: not present, or reserved

Entries of 4 bytes are read as halves of 8-byte words (`narrow`).

`access` sets the accessed and dirty bits the way the hardware does (SDM 3A 4.8):
- the accessed bit of an entry that names a table is set when the walk uses it, whether or not the
  access succeeds in the end (QEMU and Unicorn do the same);
- the accessed bit of the leaf is set, and on a write its dirty bit, only when the access succeeds.
  (QEMU sets it in a 1 GiB leaf before it checks the rights; the manual allows both.)
- a PAE PDPTE has neither. It is read on each walk here, as in QEMU; a real CPU reads the four of
  them when CR3 is loaded (SDM 3A 4.4.1), so a kernel must load CR3 after it changes one.

A table outside RAM is a fault with P and RSVD set, and `outside_ram` says so.
"""

from array import array

import cython

from coalmm.hardware.formats import EntryFormat
from coalmm.hardware.steps import Walk, walk_steps

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES, as_u64
    from coalmm.hardware.constants import (
        ACCESS_EXECUTE,
        ACCESS_WRITE,
        FAULT_FETCH,
        FAULT_NON_CANONICAL,
        FAULT_PRESENT,
        FAULT_RESERVED,
        FAULT_USER,
        FAULT_WRITE,
        PAGE_ACCESSED,
        PAGE_DIRTY,
        PAGE_HUGE,
        PAGE_NX,
        PAGE_PRESENT,
    )
    from coalmm.hardware.ram import Ram

    LOW_HALF = 0xFFFF_FFFF
    CACHED_TABLES = 512
    PREFIX_BITS = 43  # of an address above a lowest table: 64 - 21

MOST_LEVELS = 5


class Walker:
    """Walks the page tables that lie in `ram` in one format. `nx` is EFER.NXE."""

    def __init__(self, ram: "Ram", form: EntryFormat, nx: bool = True) -> None:
        self.ram = ram
        self.form = form
        if not cython.compiled:
            self.shifts = [0] * MOST_LEVELS
            self.index_shifts = [0] * MOST_LEVELS
            self.index_masks = [0] * MOST_LEVELS
            self.leaf_bits = [0] * MOST_LEVELS
            self.table_forbidden = [0] * MOST_LEVELS
            self.leaf_forbidden = [0] * MOST_LEVELS
            self.rights_ignored = [0] * MOST_LEVELS
            self.accessed = [0] * MOST_LEVELS
            self.cached_keys = [0] * CACHED_TABLES
            self.cached_tables = [0] * CACHED_TABLES
        self.last = len(form.levels) - 1
        self.narrow = form.entry_size == 4
        self.root_mask = form.root_mask
        self.address_mask = form.address_mask
        self.hole_first, self.hole_last = form.hole
        self.generation = 0
        self.prefix_shift = form.levels[len(form.levels) - 2].shift
        entry_shift = form.entry_size.bit_length() - 1
        for number, level in enumerate(form.levels):
            self.shifts[number] = level.shift
            self.index_shifts[number] = level.shift - entry_shift
            self.index_masks[number] = (level.entries - 1) << entry_shift
            self.leaf_bits[number] = PAGE_HUGE if level.leaf else 0
            self.rights_ignored[number] = 0 if level.has_rights else ALL_ONES
            self.accessed[number] = PAGE_ACCESSED if level.has_rights else 0
        self.leaf_bits[self.last] = PAGE_PRESENT
        self.fault_code = self.entry = self.entry_paddr = self.allowed = self.page_shift = 0
        self.outside_ram = False
        self.set_nx(nx)

    def __repr__(self) -> str:
        return f"<Walker: {self.form.name} paging, {self.last + 1} levels>"

    def set_nx(self, nx: bool) -> None:
        """Turn EFER.NXE on or off: off, bit 63 of an entry is reserved."""
        self.nx = nx and self.form.has_nx
        more = PAGE_PRESENT if self.nx else PAGE_PRESENT | PAGE_NX
        for number, level in enumerate(self.form.levels):
            self.table_forbidden[number] = level.reserved | more
            self.leaf_forbidden[number] = level.leaf_reserved | more

    def walk(self, root: int, vaddr: int) -> Walk:
        """The walk with every step, for people; changes nothing."""
        return walk_steps(self.ram, self.form, as_u64(root), as_u64(vaddr), self.nx)

    def translate(self, root: int, vaddr: int) -> int:
        """The physical address of `vaddr`, or 0 if it has none. Rights are not asked; changes nothing."""
        view = self.ram.words
        if self.hole_first <= vaddr <= self.hole_last:
            return 0
        entry = root & self.root_mask
        level = 0
        while True:
            where = entry + (vaddr >> self.index_shifts[level] & self.index_masks[level])
            if where >= self.ram.size:
                return 0
            entry = view[where >> 3]
            if self.narrow:
                entry = entry >> ((where & 4) << 3) & LOW_HALF
            if entry & self.leaf_bits[level]:
                break
            if (entry ^ PAGE_PRESENT) & self.table_forbidden[level]:
                return 0
            entry &= self.address_mask
            level += 1
            if level > self.last:
                return 0
        if (entry ^ PAGE_PRESENT) & self.leaf_forbidden[level]:
            return 0
        mask = (PAGE_PRESENT << self.shifts[level]) - 1
        return entry & self.address_mask & ~mask | vaddr & mask

    def translate_many(self, root: int, vaddrs: "array[int]") -> "array[int]":
        """`translate` for each address of an `array('Q')`, in order: an array of the same length.

        Like the CPU (SDM 3A 4.10.3), it remembers which lowest tables it came to, but for this call only:
        no other can change one meanwhile.
        """
        if getattr(vaddrs, "typecode", "") != "Q":
            raise TypeError("the addresses must be an array('Q')")
        count = len(vaddrs)
        result = array("Q", bytes(count * 8))
        if not count:
            return result
        table = as_u64(root) & self.root_mask
        pages = memoryview(vaddrs)
        found = memoryview(result)
        view = self.ram.words
        limit = self.ram.size
        generation = self._new_generation()
        for n in range(count):
            vaddr = pages[n]
            slot = vaddr >> self.prefix_shift & (CACHED_TABLES - 1)
            key = vaddr >> self.prefix_shift | generation
            if self.cached_keys[slot] == key:
                entry = self.cached_tables[slot]
                level = self.last
            elif self.hole_first <= vaddr <= self.hole_last:
                continue
            else:
                entry = table
                level = 0
            while True:
                where = entry + (vaddr >> self.index_shifts[level] & self.index_masks[level])
                if where >= limit:
                    entry = 0
                    break
                entry = view[where >> 3]
                if self.narrow:
                    entry = entry >> ((where & 4) << 3) & LOW_HALF
                if entry & self.leaf_bits[level]:
                    break
                if (entry ^ PAGE_PRESENT) & self.table_forbidden[level]:
                    entry = 0
                    break
                entry &= self.address_mask
                level += 1
                if level == self.last:
                    self.cached_keys[slot] = key
                    self.cached_tables[slot] = entry
            if (entry ^ PAGE_PRESENT) & self.leaf_forbidden[level]:
                continue
            mask = (PAGE_PRESENT << self.shifts[level]) - 1
            found[n] = entry & self.address_mask & ~mask | vaddr & mask
        return result

    def _new_generation(self) -> int:
        """A number above all prefixes that no cached table has, which forgets all of them."""
        self.generation += 1
        if self.generation >> (64 - PREFIX_BITS):
            self.generation = 1
            for slot in range(CACHED_TABLES):
                self.cached_keys[slot] = 0
        return self.generation << PREFIX_BITS

    def access(self, root: int, vaddr: int, access: int, user: bool, wp: bool) -> int:
        """Walk for one access and set the accessed and dirty bits; the physical address.

        `access` is ACCESS_READ, ACCESS_WRITE or ACCESS_EXECUTE, `wp` is CR0.WP. On a fault the
        result is ALL_ONES and `fault_code` the error code (SDM 3A 4.7). On success `entry` is the
        leaf, `entry_paddr` where it is, `page_shift` its size, and `allowed` what further accesses
        need no walk (see `_allowed`).
        """
        self.fault_code = 0
        self.outside_ram = False
        if access > ACCESS_EXECUTE:
            raise ValueError(f"access {access} is none of read, write, execute")
        if self.hole_first <= vaddr <= self.hole_last:
            self.fault_code = FAULT_NON_CANONICAL
            return ALL_ONES
        rights = ALL_ONES
        entry = root & self.root_mask
        level = 0
        while True:
            where = entry + (vaddr >> self.index_shifts[level] & self.index_masks[level])
            if where >= self.ram.size:
                self.outside_ram = True
                return self._fault(FAULT_PRESENT | FAULT_RESERVED, access, user)
            entry = self.ram.words[where >> 3]
            if self.narrow:
                entry = entry >> ((where & 4) << 3) & LOW_HALF
            if not entry & PAGE_PRESENT:
                return self._fault(0, access, user)
            rights &= entry ^ PAGE_NX | self.rights_ignored[level]
            if entry & self.leaf_bits[level]:
                break
            if (entry ^ PAGE_PRESENT) & self.table_forbidden[level]:
                return self._fault(FAULT_PRESENT | FAULT_RESERVED, access, user)
            self._mark(where, entry, self.accessed[level])
            entry &= self.address_mask
            level += 1
        if (entry ^ PAGE_PRESENT) & self.leaf_forbidden[level]:
            return self._fault(FAULT_PRESENT | FAULT_RESERVED, access, user)
        self.allowed = self._allowed(rights, wp)
        if not self.allowed >> (access + (3 if user else 0)) & 1:
            return self._fault(FAULT_PRESENT, access, user)
        marks = PAGE_ACCESSED | PAGE_DIRTY if access == ACCESS_WRITE else PAGE_ACCESSED
        entry = self._mark(where, entry, marks)
        self.entry = entry
        self.entry_paddr = where
        self.page_shift = self.shifts[level]
        mask = (PAGE_PRESENT << self.page_shift) - 1
        return entry & self.address_mask & ~mask | vaddr & mask

    def _allowed(self, rights: int, wp: bool) -> int:
        """Six bits: `access` of the supervisor in bits 0 to 2, of the user in bits 3 to 5 (SDM 3A 4.6).

        `rights` are the entries of all levels combined: W and U in all of them, NX (inverted) in none.
        """
        writable = rights >> 1 & 1
        user = rights >> 2 & 1
        fetch = rights >> 63
        return 1 | (writable if wp else 1) << 1 | fetch << 2 | (1 | writable << 1 | fetch << 2) * user << 3

    def _fault(self, code: int, access: int, user: bool) -> int:
        """Complete the error code: W/R, U/S, and I/D, which only a mode with NX reports. ALL_ONES."""
        self.fault_code = code | (FAULT_USER if user else 0)
        if access == ACCESS_WRITE:
            self.fault_code |= FAULT_WRITE
        elif access == ACCESS_EXECUTE and self.nx:
            self.fault_code |= FAULT_FETCH
        return ALL_ONES

    def _mark(self, where: int, entry: int, bits: int) -> int:
        """Set bits of the entry at `where` unless they are set; the entry as it is then."""
        if bits & ~entry:
            self.ram.words[where >> 3] |= bits << ((where & 4) << 3)
        return entry | bits
