"""A heap and slabs made of whole frames, for tests of what stands on them."""

from coalmm.physical.constants import KIND_LARGE, SB_KERNEL_BASE


class FakeHeap:
    """kmalloc and the slab calls, each object in frames of its own."""

    def __init__(self, frames):
        self.frames = frames
        self.base = frames.words[SB_KERNEL_BASE]
        self.sizes = {}

    def kmalloc(self, size):
        count = (size + 4095) >> 12
        pfn = self.frames.take_run(count, 1, KIND_LARGE, 0, True)
        if not pfn:
            return 0
        self.sizes[self.base + (pfn << 12)] = size
        return self.base + (pfn << 12)

    def kfree(self, kaddr):
        self.frames.give_run((kaddr - self.base) >> 12, (self.sizes.pop(kaddr) + 4095) >> 12)

    def kmalloc_size(self, kaddr):
        return self.sizes[kaddr]

    def create(self, name, size, align, ctor, dtor):
        return size

    def allocate(self, cache):
        return self.kmalloc(cache)

    def free(self, cache, kaddr):
        self.kfree(kaddr)
