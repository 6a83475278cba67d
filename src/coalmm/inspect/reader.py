"""Memory by virtual address, as a look: supervisor rights, no accessed bit, no fault, and how far a hole goes."""

from coalmm.hardware.bits import ALL_ONES
from coalmm.hardware.constants import FRAME_SHIFT
from coalmm.hardware.formats import EntryFormat
from coalmm.hardware.ram import Ram
from coalmm.hardware.walk import Walker
from coalmm.physical.constants import SB_KERNEL_BASE, SB_LOWMEM
from coalmm.typed import Iterator

Stretch = tuple[int, int, int]  # vaddr, physical address or -1 for what cannot be read, bytes


class Reader:
    """Reads virtual memory of a directory; the direct map of RAM also without one (`root` 0)."""

    def __init__(self, ram: Ram, walker: Walker, root: int) -> None:
        self.ram = ram
        self.walker = walker
        self.form: EntryFormat = walker.form
        self.root = root
        self.base = int(ram.words[SB_KERNEL_BASE])
        self.low = int(ram.words[SB_LOWMEM]) << FRAME_SHIFT

    def stretch(self, vaddr: int) -> Stretch:
        """What is at `vaddr`, and for how many bytes that stays so (it may well go on behind them)."""
        if 0 <= vaddr - self.base < self.low:
            return vaddr, vaddr - self.base, self.low - (vaddr - self.base)
        first, last = self.form.hole
        if first <= vaddr <= last:
            return vaddr, -1, last + 1 - vaddr
        if self.root == 0:
            return vaddr, -1, (self.base if vaddr < self.base else ALL_ONES + 1) - vaddr
        walk = self.walker.walk(self.root, vaddr)
        if walk.page_size:
            rest = walk.page_size - (vaddr & walk.page_size - 1)
            inside = max(0, min(rest, self.ram.size - walk.paddr))
            return (vaddr, walk.paddr, inside) if inside else (vaddr, -1, rest)
        size = self.form.levels[max(len(walk.steps) - 1, 0)].size
        return vaddr, -1, size - (vaddr & size - 1)

    def read(self, paddr: int, size: int) -> bytes:
        """Bytes of a stretch, by the address that it has in RAM."""
        return self.ram.read(paddr, size)

    def stretches(self, start: int, end: int) -> Iterator[Stretch]:
        """[start, end) in order, without gaps."""
        at = start
        while at < end:
            vaddr, paddr, size = self.stretch(at)
            yield vaddr, paddr, min(size, end - at)
            at += size
