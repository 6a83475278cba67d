"""Two-level i386 page tables of user pages, slow and simple, that a real Mmu walks."""

from coalmm.errors import ENOMEM
from coalmm.hardware.constants import PAGE_COW, PAGE_SHARED, PAGE_WRITABLE
from coalmm.physical.constants import KIND_DIRECTORY, KIND_TABLE

MASK = 0xFFFFF000


class FakeTables:
    def __init__(self, ram, frames, mmu):
        self.ram, self.frames, self.mmu = ram, frames, mmu
        self.halves = ram.halves

    def _table(self, kind):
        pfn = self.frames.take(kind, 0)
        if pfn:
            self.frames.zero(pfn)
        return pfn << 12

    def create(self):
        return self._table(KIND_DIRECTORY)

    def _at(self, root, vaddr, make=False):
        slot = (root >> 2) + (vaddr >> 22)
        if not self.halves[slot]:
            table = self._table(KIND_TABLE) if make else 0
            if not table:
                return 0
            self.halves[slot] = table | 7
        return ((self.halves[slot] & MASK) >> 2) + (vaddr >> 12 & 1023)

    def entry(self, root, vaddr):
        at = self._at(root, vaddr) if vaddr < 1 << 32 else 0
        return self.halves[at] if at else 0

    def physical(self, root, vaddr):
        entry = self.entry(root, vaddr)
        return entry & MASK | vaddr & 4095 if entry else 0

    def set_leaf(self, root, vaddr, pfn, flags):
        at = self._at(root, vaddr, True)
        if not at:
            return -ENOMEM
        old = self.halves[at]
        if not old or old >> 12 != pfn:
            self.frames.map_user(pfn)
        self.halves[at] = pfn << 12 | flags
        if old:
            if old >> 12 != pfn:
                self.frames.unmap_user(old >> 12)
            self.mmu.invlpg(vaddr)
        return 0

    def leaves(self, root, start=0, end=1 << 32):
        for top in range(start >> 22, (end + (1 << 22) - 1) >> 22):
            table = self.halves[(root >> 2) + top] & MASK
            for low in range(1024 if table else 0):
                vaddr = top << 22 | low << 12
                if start <= vaddr < end and self.halves[(table >> 2) + low]:
                    yield vaddr, (table >> 2) + low

    def unmap_range(self, root, start, end):
        pages = 0
        for vaddr, at in list(self.leaves(root, start, end)):
            pfn = self.halves[at] >> 12
            self.halves[at] = 0
            self.frames.unmap_user(pfn)
            self.mmu.invlpg(vaddr)
            pages += 1
        for top in range(start >> 22, (end + (1 << 22) - 1) >> 22):
            table = self.halves[(root >> 2) + top] & MASK
            if table and not any(self.halves[(table >> 2) + low] for low in range(1024)):
                self.halves[(root >> 2) + top] = 0
                self.frames.drop(table >> 12)
        self.mmu.flush()
        return pages

    def protect_range(self, root, start, end, flags):
        for vaddr, at in self.leaves(root, start, end):
            self.halves[at] = self.halves[at] & (MASK | 0x60) | flags
            self.mmu.invlpg(vaddr)

    def clone(self, root):
        copy = self.create()
        if not copy:
            return 0
        for vaddr, at in self.leaves(root):
            entry = self.halves[at]
            if not entry & PAGE_SHARED:
                entry = entry & ~PAGE_WRITABLE | PAGE_COW
            if self.set_leaf(copy, vaddr, entry >> 12, entry & 4095) != 0:
                self.free(copy)
                return 0
        for _, at in self.leaves(root):
            if not self.halves[at] & PAGE_SHARED:
                self.halves[at] = self.halves[at] & ~PAGE_WRITABLE | PAGE_COW
        self.mmu.flush()
        return copy

    def free(self, root):
        self.unmap_range(root, 0, 1 << 32)
        self.frames.drop(root >> 12)

    def switch(self, root):
        self.mmu.set_cr3(root)
