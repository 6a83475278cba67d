"""The checker of kmalloc's size classes: the table, entry by entry, against the caches that it names."""

from coalmm.errors import CorruptionError
from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT
from coalmm.heap.classes import size_classes
from coalmm.heap.constants import (
    C_MAGIC,
    C_OBJECT_SIZE,
    C_SHAPE,
    CACHE_KMALLOC,
    CACHE_MAGIC,
    CACHE_WORDS,
    KMALLOC_TABLE,
    KMALLOC_TABLE_SIZE,
    SHAPE_FLAGS_SHIFT,
)
from coalmm.physical.constants import HOOK_NO_HEAP, KIND_KERNEL, SB_HOOKS, SB_KMALLOC
from coalmm.physical.frames import Frames


class ClassCheck:
    """One pass over the table of kmalloc classes."""

    def __init__(self, frames: Frames) -> None:
        self.frames = frames
        self.words = frames.words

    def validate(self) -> None:
        """Check where the table is and that each of its entries names the class that it must."""
        paddr = self.words[SB_KMALLOC + KMALLOC_TABLE]
        if paddr == 0 and self.words[SB_HOOKS] & HOOK_NO_HEAP:
            return
        if not self.is_kernel_memory(paddr) or self.words[SB_HOOKS] & HOOK_NO_HEAP:
            raise CorruptionError("superblock: the table of kmalloc classes is wrong", paddr)
        table = self.frames.ram.read(paddr, KMALLOC_TABLE_SIZE)
        first = 0
        for size in size_classes():
            entries = (size >> 3) + 1 - first
            name = table[first * 4 : first * 4 + 4]
            if table[first * 4 : (first + entries) * 4] != name * entries or not self.is_class(name, size):
                raise CorruptionError(f"the table of kmalloc classes is damaged at {size} bytes", paddr + first * 4)
            first += entries

    def is_kernel_memory(self, paddr: int) -> bool:
        """Whether the table can be at a physical address."""
        pfn, last = paddr >> FRAME_SHIFT, (paddr + KMALLOC_TABLE_SIZE - 1) >> FRAME_SHIFT
        if paddr & FRAME_MASK or pfn == 0 or last >= self.frames.pfn_limit:
            return False
        return all(self.frames.kind(each) == KIND_KERNEL for each in range(pfn, last + 1))

    def is_class(self, name: bytes, size: int) -> bool:
        """Whether a table entry is the cache of a class."""
        cache = int.from_bytes(name, "little")
        if cache + CACHE_WORDS > len(self.words) or self.words[cache + C_MAGIC] != CACHE_MAGIC:
            return False
        flags = self.words[cache + C_SHAPE] >> SHAPE_FLAGS_SHIFT
        return bool(self.words[cache + C_OBJECT_SIZE] == size and flags & CACHE_KMALLOC)
