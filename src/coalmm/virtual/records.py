"""Fixed-size records in RAM from a slab cache of their own, whose address a word of the superblock keeps."""

from coalmm.hardware.ram import Ram
from coalmm.physical.constants import SB_KERNEL_BASE
from coalmm.typed import Any


class Records:
    """Records of `size` bytes called `name`; `word` is the superblock word that holds the cache."""

    def __init__(self, ram: Ram, slabs: Any, name: str, size: int, word: int) -> None:
        self.ram = ram
        self.slabs = slabs
        self.name = name
        self.size = size
        self.word = word
        self.kernel_base = int(ram.words[SB_KERNEL_BASE])

    def allocate(self) -> int:
        """The paddr of a record of zero bytes, or 0. The caller owns it."""
        words = self.ram.words
        if not words[self.word]:
            words[self.word] = self.slabs.create(self.name, self.size, 64, None, None)
        if not words[self.word]:
            return 0
        kaddr = int(self.slabs.allocate(words[self.word]))
        if not kaddr:
            return 0
        self.ram.fill(kaddr - self.kernel_base, self.size, 0)
        return kaddr - self.kernel_base

    def free(self, paddr: int) -> None:
        """Give a record back."""
        self.slabs.free(self.ram.words[self.word], paddr + self.kernel_base)
