"""The translation lookaside buffer: what the MMU remembers of its walks, right or stale.

Direct mapped: 1024 entries for 4 KiB pages and 64 for each of up to two sizes of huge pages. An
entry stays until it is invalidated or another takes its slot, whatever happens to the page tables
meanwhile, so a kernel that forgets an `invlpg` is caught as it would be on a real CPU.

    tag   vaddr >> page shift; ALL_ONES is an empty slot (no canonical page has it: at least one shift)
    data  page's paddr | global (bit 8) | allowed: one bit for each of the six accesses (bits 0 to 5)

The dirty bit is part of `allowed`: an entry made by a read of a clean page allows no write, so the
first write walks again and sets the bit in the page table. A lookup that finds the page but not
the right counts as a miss: the MMU walks before it reports a fault, so that rights which grew need no
invalidation (SDM 3A 4.10.4.3).
"""

import cython

from coalmm.hardware.formats import EntryFormat

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES, bit
    from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT

    SMALL_ENTRIES = 1024
    HUGE_ENTRIES = 64
    ENTRIES = SMALL_ENTRIES + 2 * HUGE_ENTRIES
    ENTRY_GLOBAL = 0x100


class Tlb:
    """An empty TLB for the page sizes of a format; `hits` and `misses` count lookups."""

    def __init__(self, form: EntryFormat) -> None:
        if not cython.compiled:
            self.tags = [ALL_ONES] * ENTRIES
            self.data = [0] * ENTRIES
        sizes = form.huge_sizes
        self.shift_large = min(sizes).bit_length() - 1
        self.shift_largest = max(sizes).bit_length() - 1
        self.hits = self.misses = 0
        self.filled = self.huge_filled = 1  # make the first flush clear every slot
        self.flush_all()

    def __repr__(self) -> str:
        return f"<Tlb: {ENTRIES} entries, {self.hits:,} hits, {self.misses:,} misses>"

    def lookup(self, vaddr: int, need: int) -> int:
        """The physical address if an entry covers `vaddr` and allows access `need` (a bit), else ALL_ONES."""
        slot = vaddr >> FRAME_SHIFT & (SMALL_ENTRIES - 1)
        if self.tags[slot] == vaddr >> FRAME_SHIFT and self.data[slot] >> need & 1:
            self.hits += 1
            return self.data[slot] & ~FRAME_MASK | vaddr & FRAME_MASK
        if self.huge_filled:
            return self._lookup_huge(vaddr, need)
        self.misses += 1
        return ALL_ONES

    def _lookup_huge(self, vaddr: int, need: int) -> int:
        """`lookup` among the huge entries, the smaller size first."""
        shift = self.shift_large
        slot = self._slot(vaddr, shift)
        if self.tags[slot] != vaddr >> shift:
            shift = self.shift_largest
            slot = self._slot(vaddr, shift)
        if self.tags[slot] == vaddr >> shift and self.data[slot] >> need & 1:
            self.hits += 1
            return self.data[slot] & ~FRAME_MASK | vaddr & (bit(shift) - 1)
        self.misses += 1
        return ALL_ONES

    def _slot(self, vaddr: int, shift: int) -> int:
        """Where an entry of that page size for that address stands."""
        if shift == FRAME_SHIFT:
            return vaddr >> FRAME_SHIFT & (SMALL_ENTRIES - 1)
        base = SMALL_ENTRIES if shift == self.shift_large else SMALL_ENTRIES + HUGE_ENTRIES
        return base + (vaddr >> shift & (HUGE_ENTRIES - 1))

    def insert(self, vaddr: int, paddr: int, shift: int, bits: int) -> None:
        """Remember a walk: `bits` are the allowed accesses and ENTRY_GLOBAL. What was in the slot is lost."""
        slot = self._slot(vaddr, shift)
        self.tags[slot] = vaddr >> shift
        self.data[slot] = paddr & ~(bit(shift) - 1) | bits
        self.filled = 1
        if shift != FRAME_SHIFT:
            self.huge_filled = 1

    def _drop(self, vaddr: int, shift: int) -> None:
        slot = self._slot(vaddr, shift)
        if self.tags[slot] == vaddr >> shift:
            self.tags[slot] = ALL_ONES

    def invalidate(self, vaddr: int) -> None:
        """Forget what covers an address, of any size, global or not (SDM 3A 4.10.4.1, INVLPG)."""
        self._drop(vaddr, FRAME_SHIFT)
        if self.huge_filled:
            self._drop(vaddr, self.shift_large)
            self._drop(vaddr, self.shift_largest)

    def flush_local(self) -> None:
        """Forget everything but global entries, as a load of CR3 does."""
        if self.filled:
            for slot in range(ENTRIES):
                if not self.data[slot] & ENTRY_GLOBAL:
                    self.tags[slot] = ALL_ONES

    def flush_all(self) -> None:
        """Forget everything."""
        if self.filled:
            for slot in range(ENTRIES):
                self.tags[slot] = ALL_ONES
                self.data[slot] = 0
            self.filled = self.huge_filled = 0
