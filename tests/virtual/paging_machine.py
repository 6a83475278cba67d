"""A machine with page tables and nothing above them, for tests; also the digest of its RAM and counts."""

from coalmm.hardware.constants import PAGE_PRESENT, PAGE_USER, PAGE_WRITABLE
from coalmm.hardware.formats import FORMATS
from coalmm.hardware.memory_map import MemoryMap, pc_map
from coalmm.hardware.mmu import Mmu
from coalmm.hardware.ram import Ram
from coalmm.physical.frames import Frames
from coalmm.physical.superblock import format_ram
from coalmm.virtual.page_tables import PageTables

MIB = 1 << 20
RW = PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER
ALL_ONES = (1 << 64) - 1


class PagingMachine:
    """RAM, frames, MMU and page tables of one mode, booted; `root` is a fresh directory, current."""

    def __init__(self, mode="x86_64", ram=16 * MIB, memory_map: MemoryMap | None = None):
        self.form = FORMATS[mode]
        self.ram = Ram(ram)
        memory = memory_map or pc_map(ram)
        format_ram(self.ram, list(memory.usable()), memory.top)
        self.frames = Frames(self.ram)
        self.mmu = Mmu(self.ram, self.form)
        self.tables = PageTables(self.frames, self.mmu)
        assert self.tables.initialise() == 0
        self.kernel_root = self.mmu.cr3
        self.root = self.tables.create()
        self.tables.switch(self.root)

    def frame(self, fill=0):
        paddr = self.frames.allocate()
        assert paddr
        self.ram.fill(paddr, 4096, fill)
        return paddr

    def huge(self, size=0):
        """Adjacent frames for a huge page (the smallest size); their paddr."""
        count = (size or self.form.huge_sizes[0]) >> 12
        paddr = self.frames.allocate_run(count, count)
        assert paddr
        return paddr

    def map(self, vaddr, paddr, flags=RW, root=0):
        return self.tables.map(root or self.root, vaddr, paddr, flags)

    def unmap(self, vaddr, root=0):
        return self.tables.unmap(root or self.root, vaddr)

    def physical(self, vaddr, root=0):
        return self.tables.physical(root or self.root, vaddr)

    def entry(self, vaddr, root=0):
        return self.tables.entry(root or self.root, vaddr)

    def leaves(self, root=0):
        """Every user-half mapping."""
        return list(self.tables.for_each_leaf(root or self.root, 0, self.form.user_top))

    @property
    def free(self):
        return self.frames.statistics().free

    def validate(self):
        self.frames.validate()
        self.tables.validate()
