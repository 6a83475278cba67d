"""The page-table formats of x86, each as a table of levels (Intel SDM 3A 4.3 to 4.5).

Everything that walks, builds, checks or prints page tables is driven by these tables:

    i386    10 + 10 bits        4-byte entries    4 MiB pages (CR4.PSE)           SDM 3A 4.3
    pae     2 + 9 + 9           8-byte entries    2 MiB pages                     SDM 3A 4.4
    x86_64  9 + 9 + 9 + 9       8-byte entries    2 MiB and 1 GiB pages           SDM 3A 4.5
    la57    9 + 9 + 9 + 9 + 9   8-byte entries    2 MiB and 1 GiB pages           SDM 3A 4.5

Physical addresses have MAXPHYADDR = 52 bits where entries have 8 bytes, 32 bits otherwise: PSE-36
(SDM 3A 4.3, physical addresses of 4 MiB pages above 4 GiB) is not modelled, so bits 21:13 of an
i386 PDE that maps a page are reserved.
"""

from coalmm.hardware.bits import ALL_ONES
from coalmm.hardware.constants import (
    FRAME_MASK,
    FRAME_SHIFT,
    PAGE_ACCESSED,
    PAGE_CACHE_DISABLE,
    PAGE_COW,
    PAGE_DIRTY,
    PAGE_GLOBAL,
    PAGE_HUGE,
    PAGE_NX,
    PAGE_PRESENT,
    PAGE_SHARED,
    PAGE_USER,
    PAGE_WRITABLE,
    PAGE_WRITE_THROUGH,
)
from coalmm.typed import NamedTuple

MAXPHYADDR = 52
PAT_HUGE_BIT = 12  # bit 12 of an entry that maps a huge page is PAT, not an address bit (SDM 3A 4.9.2)
BIT_NAMES = {
    PAGE_PRESENT: "P",
    PAGE_WRITABLE: "W",
    PAGE_USER: "U",
    PAGE_WRITE_THROUGH: "PWT",
    PAGE_CACHE_DISABLE: "PCD",
    PAGE_ACCESSED: "A",
    PAGE_DIRTY: "D",
    PAGE_HUGE: "PS",
    PAGE_GLOBAL: "G",
    PAGE_COW: "COW",
    PAGE_SHARED: "SHARED",
    PAGE_NX: "NX",
}


def bit_range(high: int, low: int) -> int:
    """The mask of bits `high` down to `low`, written as the manual writes them."""
    return (1 << (high + 1)) - (1 << low)


class Level(NamedTuple):
    """One level of page tables: which bits of an address index it, and what its entries may say.

    `reserved` are the bits that must be 0 in an entry that names a table, `leaf_reserved` in one
    that maps a page; with EFER.NXE off, bit 63 joins both. A PAE PDPTE has no W, U, A
    (`has_rights` is false): it grants everything.
    """

    name: str
    shift: int
    bits: int
    leaf: bool
    reserved: int = 0
    leaf_reserved: int = 0
    has_rights: bool = True

    @property
    def entries(self) -> int:
        """How many entries a table of this level has."""
        return 1 << self.bits

    @property
    def size(self) -> int:
        """Bytes of address space that one entry covers."""
        return 1 << self.shift

    def index(self, vaddr: int) -> int:  # type: ignore[override] # not what a tuple's is
        """Which entry of a table of this level an address uses."""
        return vaddr >> self.shift & self.entries - 1


class EntryFormat(NamedTuple):
    """A paging mode. `levels` go from the root down; the last maps 4 KiB pages.

    `number` is what the superblock records (SB_PAGING); `physical_limit` and the two ends of the
    user and kernel halves are in bytes, `user_top` exclusive.
    """

    name: str
    number: int
    entry_size: int
    levels: tuple[Level, ...]
    has_nx: bool
    vaddr_bits: int
    kernel_base: int
    user_top: int

    @property
    def physical_limit(self) -> int:
        """The first physical address that no entry can name."""
        return 1 << (32 if self.entry_size == 4 else MAXPHYADDR)

    @property
    def address_mask(self) -> int:
        """The bits of an entry that hold a frame's address."""
        return self.physical_limit - 1 & ~FRAME_MASK

    @property
    def root_mask(self) -> int:
        """The bits of CR3 that hold the root's address (a PAE root has 32 bytes and that alignment)."""
        if self.name == "pae":
            return bit_range(31, 5)
        return self.address_mask

    @property
    def huge_sizes(self) -> tuple[int, ...]:
        """The sizes of huge pages in bytes, smallest first."""
        return tuple(level.size for level in reversed(self.levels[:-1]) if level.leaf)

    @property
    def kernel_index(self) -> int:
        """The first entry of a root that belongs to the kernel half."""
        return self.levels[0].index(self.kernel_base)

    @property
    def hole(self) -> tuple[int, int]:
        """First and last address that is not canonical: no page can have it."""
        if self.vaddr_bits == 32:
            return 1 << 32, ALL_ONES
        return 1 << (self.vaddr_bits - 1), self.kernel_base - 1

    def is_canonical(self, vaddr: int) -> bool:
        """Whether an address exists in this mode (SDM 1 3.3.7.1; below 4 GiB in 32-bit modes)."""
        first, last = self.hole
        return 0 <= vaddr < first or last < vaddr <= ALL_ONES

    def is_leaf(self, entry: int, level: int) -> bool:
        """Whether a present entry of that level maps a page rather than naming a table."""
        return level == len(self.levels) - 1 or (self.levels[level].leaf and bool(entry & PAGE_HUGE))

    def reserved_bits(self, entry: int, level: int, nx: bool = True) -> int:
        """Those bits of a present entry that are set and reserved; `nx` is EFER.NXE."""
        kind = self.levels[level]
        mask = kind.leaf_reserved if self.is_leaf(entry, level) else kind.reserved
        return entry & (mask if nx and self.has_nx else mask | PAGE_NX)

    def leaf_address(self, entry: int, level: int) -> int:
        """The physical address of the page that an entry of that level maps."""
        return entry & self.address_mask & -self.levels[level].size

    def describe_entry(self, value: int, level: int) -> str:
        """An entry in words: what it points at and its bits by name, "not present" without P."""
        kind = self.levels[level]
        if not value & PAGE_PRESENT:
            return f"{kind.name} {value:#x}: not present"
        leaf = self.is_leaf(value, level)
        target = self.leaf_address(value, level) if leaf else value & self.address_mask
        names = [name for bit, name in BIT_NAMES.items() if value & bit]
        if leaf and level == len(self.levels) - 1:
            names = ["PAT" if name == "PS" else name for name in names]
        reserved = self.reserved_bits(value, level)
        suffix = f" RESERVED({reserved:#x})" if reserved else ""
        what = f"{_size_text(kind.size)} page" if leaf else "table"
        return f"{kind.name} {value:#x}: {what} at {target:#x} {' '.join(names)}{suffix}"


def _size_text(size: int) -> str:
    for unit, shift in (("GiB", 30), ("MiB", 20)):
        if size >> shift:
            return f"{size >> shift} {unit}"
    return f"{size >> 10} KiB"


def _huge_reserved(shift: int) -> int:
    """The address bits below a huge page's size, without PAT."""
    return bit_range(shift - 1, PAT_HUGE_BIT + 1)


_PAE_HIGH = bit_range(62, MAXPHYADDR)  # reserved in PAE entries, ignored in 64-bit ones
_PDE = Level("PDE", 21, 9, leaf=True, leaf_reserved=_huge_reserved(21))
_PTE = Level("PTE", FRAME_SHIFT, 9, leaf=True)
_64_BIT_LEVELS = (
    Level("PML4E", 39, 9, leaf=False, reserved=PAGE_HUGE),
    Level("PDPTE", 30, 9, leaf=True, leaf_reserved=_huge_reserved(30)),
    _PDE,
    _PTE,
)

I386 = EntryFormat(
    "i386", 1, 4,
    (
        Level("PDE", 22, 10, leaf=True, leaf_reserved=_huge_reserved(22)),
        Level("PTE", FRAME_SHIFT, 10, leaf=True),
    ),
    has_nx=False, vaddr_bits=32, kernel_base=0xC000_0000, user_top=0xC000_0000,
)  # fmt: skip

PAE = EntryFormat(
    "pae", 2, 8,
    (
        Level("PDPTE", 30, 2, leaf=False, has_rights=False,
              reserved=bit_range(63, MAXPHYADDR) | bit_range(8, 5) | bit_range(2, 1)),  # SDM 3A table 4-8
        Level("PDE", 21, 9, leaf=True, reserved=_PAE_HIGH, leaf_reserved=_PAE_HIGH | _huge_reserved(21)),
        Level("PTE", FRAME_SHIFT, 9, leaf=True, leaf_reserved=_PAE_HIGH),
    ),
    has_nx=True, vaddr_bits=32, kernel_base=0xC000_0000, user_top=0xC000_0000,
)  # fmt: skip

X86_64 = EntryFormat(
    "x86_64", 3, 8, _64_BIT_LEVELS,
    has_nx=True, vaddr_bits=48, kernel_base=0xFFFF_8000_0000_0000, user_top=1 << 47,
)  # fmt: skip

LA57 = EntryFormat(
    "la57", 4, 8, (Level("PML5E", 48, 9, leaf=False, reserved=PAGE_HUGE), *_64_BIT_LEVELS),
    has_nx=True, vaddr_bits=57, kernel_base=0xFF00_0000_0000_0000, user_top=1 << 56,
)  # fmt: skip

FORMATS = {form.name: form for form in (I386, PAE, X86_64, LA57)}


def format_of_number(number: int) -> EntryFormat | None:
    """The format that a superblock records, or None."""
    return next((form for form in FORMATS.values() if form.number == number), None)
