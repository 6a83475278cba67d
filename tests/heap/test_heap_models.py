"""The three allocators of the heap against plain models: any sequence of calls, validated after each."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import coalmm
from coalmm.errors import DoubleFreeError, InUseError, InvalidPointerError
from machines import PAGING, Ledger, assert_refused

SIZES = st.one_of(st.integers(1, 300), st.integers(1, 40_000), st.sampled_from([4096, 32768, 32769, 65536, 300_000]))


class HeapMachine(RuleBasedStateMachine):
    """`live` is address -> (bytes that are ours, the byte that fills them)."""

    @initialize(paging=st.sampled_from(PAGING), debug=st.booleans())
    def boot(self, paging, debug):
        self.kernel = coalmm.boot("2M", paging, debug=debug)
        self.ledger = Ledger(self.kernel)
        self.live, self.freed, self.count = {}, [], 0

    def took(self, address, size, align=8):
        """A new allocation: aligned, apart from every other; filled with a pattern of its own."""
        assert address % align == 0
        for other, (length, _) in self.live.items():
            assert address + size <= other or other + length <= address
        self.count += 1
        self.fill(address, size)

    def fill(self, address, size):
        pattern = self.count % 250 + 1
        self.kernel.ram.fill(address - self.kernel.kernel_base, size, pattern)
        self.live[address] = size, pattern

    def holds(self, address, size):
        """Whether an allocation still has its pattern."""
        pattern = self.live[address][1]
        return self.kernel.ram.read(address - self.kernel.kernel_base, size) == bytes([pattern]) * size

    def chosen(self, data):
        return data.draw(st.sampled_from(sorted(self.live))) if self.live else 0

    def gone(self, address):
        del self.live[address]
        self.freed.append(address)

    def teardown(self):
        if hasattr(self, "kernel"):
            for address, (size, _) in self.live.items():
                assert self.holds(address, size)
            self.ledger.close()


class KmallocModel(HeapMachine):
    @rule(size=SIZES, zero=st.booleans())
    def allocate(self, size, zero):
        heap = self.kernel.heap
        address = heap.kzalloc(size) if zero else heap.kmalloc(size)
        if address:
            if zero:
                assert self.kernel.ram.read(address - self.kernel.kernel_base, size) == bytes(size)
            usable = heap.kmalloc_size(address)
            assert size <= usable
            self.took(address, usable)

    @rule(size=SIZES, shift=st.integers(0, 14))
    def allocate_aligned(self, size, shift):
        address = self.kernel.heap.kmalloc_aligned(size, 1 << shift)
        if address:
            self.took(address, self.kernel.heap.kmalloc_size(address), 1 << shift)

    @rule(data=st.data(), size=SIZES)
    def reallocate(self, data, size):
        old = self.chosen(data)
        before, pattern = self.live.get(old, (0, 0))
        new = self.kernel.heap.krealloc(old, size)
        if new:
            kept = min(before, size)
            assert self.kernel.ram.read(new - self.kernel.kernel_base, kept) == bytes([pattern]) * kept
            self.live.pop(old, None)
            self.took(new, self.kernel.heap.kmalloc_size(new))

    @rule(data=st.data())
    def free(self, data):
        address = self.chosen(data)
        self.kernel.heap.kfree(address)
        if address:
            self.gone(address)

    @rule(data=st.data(), offset=st.integers(1, 5000))
    def free_what_is_not_live(self, data, offset):
        wrong = (self.chosen(data) or self.kernel.kernel_base) + offset
        if wrong not in self.live:
            for call in (self.kernel.heap.kfree, self.kernel.heap.kmalloc_size):
                assert_refused(self.kernel, InvalidPointerError, call, wrong)
            assert_refused(self.kernel, InvalidPointerError, self.kernel.heap.krealloc, wrong, 10)

    @rule()
    def free_the_last_freed_again(self):
        if self.freed and self.freed[-1] not in self.live:
            assert_refused(self.kernel, InvalidPointerError, self.kernel.heap.kfree, self.freed[-1])

    @rule()
    def shrink(self):
        self.kernel.slabs.shrink()
        assert self.kernel.slabs.shrink() == 0

    @invariant()
    def agrees(self):
        if hasattr(self, "kernel"):
            self.kernel.validate()
            assert self.kernel.heap.statistics().live == len(self.live)


class BuddyModel(HeapMachine):
    @rule(size=st.one_of(st.integers(1, 70_000), st.sampled_from([4096, 4097, 1 << 17, 1 << 20])))
    def allocate(self, size):
        address = self.kernel.buddy.allocate(size)
        if address:
            rounded = max(4096, 1 << (size - 1).bit_length())
            assert self.kernel.buddy.size_of(address) == rounded
            self.took(address, rounded, rounded)

    @rule(data=st.data())
    def free(self, data):
        address = self.chosen(data)
        self.kernel.buddy.free(address)
        if address:
            self.gone(address)

    @rule(data=st.data(), offset=st.sampled_from([1, 8, 4096, 8192, 65536]))
    def free_what_is_not_live(self, data, offset):
        wrong = (self.chosen(data) or self.kernel.kernel_base) + offset
        if wrong not in self.live:
            assert_refused(self.kernel, InvalidPointerError, self.kernel.buddy.free, wrong)

    @rule()
    def free_the_last_freed_again(self):
        if self.freed and self.freed[-1] not in self.live:
            assert_refused(self.kernel, InvalidPointerError, self.kernel.buddy.free, self.freed[-1])

    @rule()
    def trim(self):
        assert self.kernel.buddy.trim() * 4096 <= self.kernel.ram.size

    @invariant()
    def agrees(self):
        if hasattr(self, "kernel"):
            self.kernel.validate()
            stats = self.kernel.buddy.statistics()
            assert stats.alloc_count - stats.free_count == len(self.live)
            assert stats.free_bytes == sum(blocks << 12 + order for order, blocks in enumerate(stats.free_blocks))


class SlabModel(HeapMachine):
    """Several caches, each with its constructor and destructor counted by object."""

    @initialize()
    def none(self):
        self.caches, self.dead, self.owner = {}, [], {}
        self.alive = set()  # constructed and not destructed

    def construct(self, address):
        assert address not in self.alive
        self.alive.add(address)

    def destruct(self, address):
        self.alive.remove(address)

    @rule(size=st.integers(1, 3000), shift=st.integers(0, 9), counted=st.booleans())
    def create(self, size, shift, counted):
        align = (1 << shift) if shift < 9 else 0
        hooks = (self.construct, self.destruct) if counted else (None, 0)
        cache = self.kernel.slabs.create(f"model-{size}", size, align, *hooks)
        if cache:
            self.caches[cache] = size, align or 1, counted

    @rule(data=st.data())
    def destroy(self, data):
        if self.caches:
            cache = data.draw(st.sampled_from(sorted(self.caches)))
            if cache in self.owner.values():
                assert_refused(self.kernel, InUseError, self.kernel.slabs.destroy, cache)
            else:
                self.kernel.slabs.destroy(cache)
                del self.caches[cache]
                assert_refused(self.kernel, InvalidPointerError, self.kernel.slabs.destroy, cache)
                assert_refused(self.kernel, InvalidPointerError, self.kernel.slabs.allocate, cache)

    @rule(data=st.data(), many=st.integers(0, 9))
    def allocate(self, data, many):
        if self.caches:
            cache = data.draw(st.sampled_from(sorted(self.caches)))
            size, align, counted = self.caches[cache]
            slabs = self.kernel.slabs
            for address in slabs.allocate_many(cache, many) if many else [slabs.allocate(cache)]:
                if address:
                    assert not counted or address in self.alive
                    self.took(address, size, align)
                    self.owner[address] = cache

    @rule(data=st.data())
    def free(self, data):
        address = self.chosen(data)
        if address:
            self.kernel.slabs.free(self.owner.pop(address), address)
            self.gone(address)

    @rule(data=st.data())
    def free_many(self, data):
        if self.live:
            cache = self.owner[self.chosen(data)]
            mine = [address for address, owner in self.owner.items() if owner == cache]
            self.kernel.slabs.free_many(cache, mine)
            for address in mine:
                del self.owner[address]
                self.gone(address)

    @rule(data=st.data(), offset=st.integers(0, 3000))
    def free_what_is_not_ours(self, data, offset):
        if self.caches:
            cache = data.draw(st.sampled_from(sorted(self.caches)))
            wrong = (self.chosen(data) or self.kernel.kernel_base) + offset
            if self.owner.get(wrong) != cache:
                assert_refused(self.kernel, InvalidPointerError, self.kernel.slabs.free, cache, wrong)

    @rule()
    def shrink(self):
        before = self.kernel.buddy.statistics().free_bytes, self.kernel.frames.statistics().free
        pages = self.kernel.slabs.shrink()
        after = self.kernel.buddy.statistics().free_bytes, self.kernel.frames.statistics().free
        assert pages == (after[0] - before[0] >> 12) + after[1] - before[1]

    @invariant()
    def agrees(self):
        if hasattr(self, "caches"):
            self.kernel.validate()
            infos = {info.address: info for info in self.kernel.slabs.caches()}
            counted = [infos[cache].objects for cache in self.caches if self.caches[cache][2]]
            assert len(self.alive) == sum(counted)
            for cache in self.caches:
                assert infos[cache].active == sum(owner == cache for owner in self.owner.values())

    def teardown(self):
        super().teardown()
        assert not getattr(self, "alive", set())


TestKmallocModel = KmallocModel.TestCase
TestBuddyModel = BuddyModel.TestCase
TestSlabModel = SlabModel.TestCase
for model in (TestKmallocModel, TestBuddyModel, TestSlabModel):
    model.settings = settings(max_examples=settings().max_examples // 3)  # each step is validated: that takes its time
del model


def test_double_frees_are_named_as_such(kernel):
    for free, address in (
        (kernel.heap.kfree, kernel.heap.kmalloc(40)),
        (kernel.buddy.free, kernel.buddy.allocate(8192)),
    ):
        free(address)
        assert assert_refused(kernel, DoubleFreeError, free, address).address == address
