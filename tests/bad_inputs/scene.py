"""A booted machine with live objects of every allocator, and the ways in which a bad call may go.

INV, in the table's words: free and used counts unchanged, every live object's bytes unchanged, `validate()`
passes, the next valid call works.
"""

import random

import pytest

from coalmm import api
from coalmm.errors import MisuseError
from coalmm.hardware.constants import PAGE_PRESENT, PAGE_USER, PAGE_WRITABLE
from coalmm.hardware.formats import FORMATS
from coalmm.inspect.why import REASONS

FRAME = 4096
MIB = 1 << 20
SIZE_MAX = (1 << 64) - 1
RW = PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER
USER = 0x4000_0000  # a page-aligned user address of every mode
OTHER_TYPES = (1.5, None, "0x1000", b"\0" * 8, object())
NUMBERS_NO_WORD_HOLDS = (-1, -(1 << 63), 1 << 64, 1 << 200)
NULL_IS_FAILURE = {name for name in REASONS if name.endswith(("alloc", "aligned", "create", "directory"))} | {
    "validate_user_pointer", "validate_user_buffer", "paging_get_physical",
}  # fmt: skip
every_mode = pytest.mark.parametrize("paging", list(FORMATS))


class Scene:
    """One kernel, the current one, and objects in it whose bytes are watched."""

    def __init__(self, kernel, busy=True):
        self.kernel = kernel
        self.ram = kernel.ram
        self.base = kernel.kernel_base
        self.live = {}
        self.cache = 0
        if busy:
            self.cache = api.slab_cache_create("watched", 96, 8, None, None)
            for address, size in self.first_objects():
                self.watch(address, size)
            frame = api.frame_alloc()
            self.watch(self.base + frame, FRAME)

    def first_objects(self):
        """(address, size) of one or more objects of each allocator."""
        yield from ((api.kmalloc(size), size) for size in (1, 40, 235, 5000, 100_000))
        yield from ((api.slab_alloc(self.cache), 96) for _ in range(3))
        yield api.buddy_alloc(2 * FRAME), 2 * FRAME

    def watch(self, address, size):
        """Fill an object with bytes of its own, which `check` looks for."""
        assert address
        data = random.Random(address).randbytes(size)
        self.kernel.memory.write(address, data)
        self.live[address] = data
        return address

    def unwatch(self, address):
        """Expect nothing of an object any more."""
        del self.live[address]
        return address

    def frame(self, fill=0):
        """A frame of frame_alloc, filled with one byte's value."""
        paddr = api.frame_alloc()
        assert paddr
        self.ram.fill(paddr, FRAME, fill)
        return paddr

    def mapped(self, vaddr=USER, flags=RW, fill=0):
        """A frame that the current directory maps, its own reference given back; its address."""
        paddr = self.frame(fill)
        assert api.paging_map_page(vaddr, paddr, flags) == 0
        api.frame_free(paddr)
        return paddr

    def counts(self):
        """Everything that is counted, failures and fault injection left out."""
        kernel = self.kernel
        buddy = kernel.buddy.statistics()
        caches = [(c.name, c.active, c.objects, c.slabs, c.allocations, c.frees) for c in kernel.slabs.caches()]
        return (
            kernel.frames.statistics(),
            kernel.frames.kinds(),
            (buddy.total_bytes, buddy.free_bytes, buddy.alloc_count, buddy.free_count, buddy.free_blocks),
            caches,
            kernel.tracking.live_count(),
            len(kernel.processes),
            kernel.mmu.cr3,
        )

    def check(self):
        """Every live object's bytes are as they were, every structure is whole."""
        for address, data in self.live.items():
            assert self.kernel.memory.read(address, len(data)) == data, f"{address:#x} was overwritten"
        self.kernel.validate()

    def works(self):
        """The next valid calls do what they should."""
        frame, block, object_ = api.frame_alloc(), api.buddy_alloc(FRAME), api.kmalloc(100)
        assert frame and block and object_
        assert not {self.base + frame, block, object_} & set(self.live)
        api.frame_free(frame)
        api.buddy_free(block)
        api.kfree(object_)
        if self.cache:
            object_ = api.slab_alloc(self.cache)
            assert object_ and object_ not in self.live
            api.slab_free(self.cache, object_)
        self.check()

    # How a call may go.

    def reported(self, call, *arguments, error=MisuseError, works=True, whole=True):
        """The call raises, RAM's bytes are exactly as before, and the next valid call works; the exception.

        `whole` is false where the test has damaged RAM itself, which `validate` would say.
        """
        before = self.ram.digest(), self.kernel.mmu.cr3
        with pytest.raises(error) as caught:
            call(*arguments)
        assert (self.ram.digest(), self.kernel.mmu.cr3) == before, f"changed by a call that raised {caught.value}"
        if whole:
            self.check()
        if works and whole:
            self.works()
        return caught.value

    def unchanged(self, call, *arguments, works=True):
        """The call changes not one byte of RAM; what it returned."""
        before = self.ram.digest(), self.kernel.mmu.cr3
        result = call(*arguments)
        self.explained(call, arguments, result)
        assert (self.ram.digest(), self.kernel.mmu.cr3) == before
        self.check()
        if works:
            self.works()
        return result

    def null(self, call, *arguments, works=True):
        """The call returns 0, and only counters of failures may have changed."""
        before = self.counts()
        assert call(*arguments) == 0
        self.explained(call, arguments, 0)
        assert self.counts() == before
        self.check()
        if works:
            self.works()

    def failed(self, call, *arguments):
        """The call may have counted a page fault or set accessed bits, and that is all; what it returned."""
        before = self.counts()
        result = call(*arguments)
        self.explained(call, arguments, result)
        assert self.counts() == before
        self.check()
        return result

    def explained(self, call, arguments, result):
        """An error return has left a sentence that names the call and the cause."""
        name = getattr(call, "__name__", "")
        freed = name == "krealloc" and arguments[0] and not arguments[1]
        if name not in REASONS or result is None or freed:
            return
        if result < 0 or (result == 0 and name in NULL_IS_FAILURE):
            head, found, cause = self.kernel.why().partition(": ")
            assert found and head.startswith(f"{name}(") and len(cause) > 15, self.kernel.why()

    def top_page(self):
        """Map the last page of user space, which no area reaches in 64-bit modes; its address."""
        top = self.kernel.format.user_top
        self.mapped(top - FRAME)
        self.kernel.memory.write(top - 8, b"the last")
        return top

    def wrong_types(self, call, *others, before=()):
        """The call refuses what is no unsigned 64-bit number, at the place between `before` and `others`."""
        for wrong in OTHER_TYPES:
            self.reported(call, *before, wrong, *others, error=TypeError, works=False)
        for wrong in NUMBERS_NO_WORD_HOLDS:
            self.reported(call, *before, wrong, *others, error=ValueError, works=False)
        self.works()

    def exhaust(self):
        """Take every free frame; their addresses."""
        frames = []
        while paddr := api.frame_alloc():
            frames.append(paddr)
        return frames

    def exhaust_heap(self):
        """Take all memory that the heap could have; a function that gives it back."""
        blocks = []
        for size in (16 * MIB, MIB, 64 << 10, FRAME):
            while block := api.buddy_alloc(size):
                blocks.append(block)
        small = []
        for size in (32768, 1024, 64, 8):
            while object_ := api.kmalloc(size):
                small.append(object_)
        frames = self.exhaust()

        def give_back():
            for address in small:
                api.kfree(address)
            for address in blocks:
                api.buddy_free(address)
            for paddr in frames:
                api.frame_free(paddr)

        return give_back

    def free_memory(self):
        """Bytes free in all, once what is only kept for later has gone back."""
        api.slab_shrink_caches()
        self.kernel.buddy.trim()
        return api.frame_get_free_memory()
