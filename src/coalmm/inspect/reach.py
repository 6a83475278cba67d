"""Which live memory nothing points to: a conservative scan, as a collector of garbage would make it.

    roots                        the superblock, and the kernel's own records (processes, address spaces,
                                 files): words that are a kernel address or a physical one
    every other live allocation  words that are a kernel address inside another allocation, its start or not
    frames of frame_alloc        the same, unless a user mapping holds them

The records of slab caches are never lost, and what they say of their slabs is no pointer. Words are 8 bytes,
aligned; in 32-bit modes 4-byte ones count too. What is found points nowhere else: an
allocation that only points at itself counts as pointed to by nobody. Two that point at each other and
at which nothing else does are not found. Addresses that only a program on the host knows (a variable in
Python) are not memory of the machine.
"""

from bisect import bisect_right

from coalmm.hardware.constants import FRAME_SHIFT, FRAME_SIZE
from coalmm.heap.constants import SLAB_ROOT
from coalmm.inspect.live import Live, live_allocations
from coalmm.inspect.machine import Machine
from coalmm.physical.constants import DESCRIPTOR_SIZE, KIND_FRAME, SB_KERNEL_BASE, SB_LOWMEM, SB_SLAB
from coalmm.process.constants import SB_PROCESS_SLAB
from coalmm.typed import Iterable, Iterator
from coalmm.virtual.constants import SB_FILE_SLAB, SB_SPACE_SLAB


def unreachable(machine: Machine) -> list[Live]:
    """The live allocations, by address, that no other live memory points to. Changes nothing."""
    live = sorted(live_allocations(machine), key=lambda each: each.address)
    return Scan(machine, live).run()


class Scan:
    """One scan of one machine."""

    def __init__(self, machine: Machine, live: list[Live]) -> None:
        self.machine = machine
        self.live = live
        self.starts = [each.address for each in live]
        self.base = int(machine.ram.words[SB_KERNEL_BASE])
        self.limit = self.base + (int(machine.ram.words[SB_LOWMEM]) << FRAME_SHIFT)
        self.view = memoryview(machine.ram.mapping)
        self.narrow = machine.format.vaddr_bits == 32
        self.reached: set[int] = set()

    def run(self) -> list[Live]:
        """The allocations that nothing points to."""
        own, root = record_caches(self.machine), root_cache(self.machine)
        starts = set(self.starts)
        for word in self.words(0, FRAME_SIZE):
            self.mark_root(word, starts)
        for index, each in enumerate(self.live):
            if each.cache and each.cache == root:
                self.reached.add(index)
            elif each.cache in own:
                self.reached.add(index)
                for word in self.words(each.address - self.base, each.size):
                    self.mark_root(word, starts)
            else:
                self.mark(self.words(each.address - self.base, each.size), index)
        for pfn in self.plain_frames():
            self.mark(self.words(pfn << FRAME_SHIFT, FRAME_SIZE), -1)
        return [each for index, each in enumerate(self.live) if index not in self.reached]

    def words(self, paddr: int, size: int) -> Iterator[int]:
        """The aligned words of a range of RAM that are not 0."""
        first, end = paddr + 7 & -8, (paddr + size) & -8
        if first < end:
            yield from filter(None, self.view[first:end].cast("Q"))
        first, end = paddr + 3 & -4, (paddr + size) & -4
        if self.narrow and first < end:
            yield from filter(None, self.view[first:end].cast("I"))

    def mark_root(self, word: int, starts: set[int]) -> None:
        """A word of the kernel's own structures, which hold physical addresses as well."""
        self.mark((word,), -1)
        if word + self.base in starts:
            self.mark((word + self.base,), -1)

    def mark(self, words: Iterable[int], holder: int) -> None:
        """Note what the words of allocation number `holder` (-1: a root) point to."""
        base, limit = self.base, self.limit
        for word in words:
            if base <= word < limit:
                index = bisect_right(self.starts, word) - 1
                if index >= 0 and index != holder and word < self.live[index].address + self.live[index].size:
                    self.reached.add(index)

    def plain_frames(self) -> Iterator[int]:
        """Frames of frame_alloc that no user mapping holds: memory of whoever called it."""
        frames = self.machine.frames
        for first, last in frames.backed(frames.descriptors, frames.pfn_limit, DESCRIPTOR_SIZE):
            for pfn in range(first, last):
                if frames.kind(pfn) == KIND_FRAME and frames.mappings(pfn) == 0:
                    yield pfn


def record_caches(machine: Machine) -> set[int]:
    """The kernel addresses of the caches whose objects are processes, address spaces and files."""
    words = machine.ram.words
    return {int(words[word]) for word in (SB_PROCESS_SLAB, SB_FILE_SLAB, SB_SPACE_SLAB)} - {0}


def root_cache(machine: Machine) -> int:
    """The kernel address of the cache whose objects are caches, 0 if there is no heap."""
    root = int(machine.ram.words[SB_SLAB + SLAB_ROOT])
    return machine.slabs.objects.address(root) if root else 0
