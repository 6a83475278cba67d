"""The frame allocator against a dict: any sequence of calls, checked and validated after each."""

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

import coalmm
from coalmm.errors import InvalidPointerError
from coalmm.hardware.memory_map import MemoryMap
from machines import PAGING, assert_refused

MAPS = [None, MemoryMap([(0, 0x60000, "usable"), (0x61000, 0x70800, "usable"), (0xF0000, 0x141000, "usable")])]


class FramesAgainstDict(RuleBasedStateMachine):
    """`held` is address -> [the caller's references, user mappings]."""

    frames = Bundle("frames")

    @initialize(paging=st.sampled_from(PAGING), layout=st.sampled_from(MAPS))
    def boot(self, paging, layout):
        self.kernel = coalmm.boot("1M", paging, memory_map=layout, heap=False)
        self.kernel.check = self.kernel.frames.validate  # there are mappings without page tables
        self.start = self.kernel.frames.statistics()
        self.held = {}

    def took(self, paddr):
        assert paddr % 4096 == 0
        assert paddr not in self.held
        self.held[paddr] = [1, 0]

    @rule(target=frames)
    def allocate(self):
        paddr = self.kernel.frames.allocate()
        assert (paddr == 0) == (len(self.held) == self.start.free)
        if paddr:
            self.took(paddr)
        return paddr

    @rule(count=st.integers(0, 40), align=st.integers(1, 9))
    def allocate_run(self, count, align):
        first = self.kernel.frames.allocate_run(count, align)
        if first:
            assert (first >> 12) % align == 0
            for index in range(count):
                self.took(first + index * 4096)

    @rule(count=st.integers(0, 200))
    def allocate_many(self, count):
        paddrs = self.kernel.frames.allocate_many(count)
        assert len(paddrs) == (count if count <= self.start.free - len(self.held) else 0)
        for paddr in paddrs:
            self.took(paddr)

    @rule(paddr=frames)
    def free(self, paddr):
        if self.held.get(paddr, [0])[0]:
            self.kernel.frames.free(paddr)
            self.held[paddr][0] -= 1
            self.forget(paddr)
        else:
            assert_refused(self.kernel, InvalidPointerError, self.kernel.frames.free, paddr)

    @rule(data=st.data())
    def free_some(self, data):
        mine = [paddr for paddr, (own, _) in self.held.items() if own == 1]
        if mine:
            chosen = data.draw(st.lists(st.sampled_from(mine), unique=True))
            self.kernel.frames.free_many(chosen)
            for paddr in chosen:
                self.held[paddr][0] -= 1
                self.forget(paddr)

    @rule(paddr=frames)
    def get(self, paddr):
        if self.held.get(paddr, [0])[0]:
            self.kernel.frames.get(paddr)
            self.held[paddr][0] += 1
        else:
            assert_refused(self.kernel, InvalidPointerError, self.kernel.frames.get, paddr)

    @rule(paddr=frames)
    def map(self, paddr):
        if paddr in self.held:
            assert self.kernel.frames.map_user(paddr >> 12)
            self.held[paddr][1] += 1

    @rule(paddr=consumes(frames))
    def unmap(self, paddr):
        if self.held.get(paddr, [0, 0])[1]:
            left = self.kernel.frames.unmap_user(paddr >> 12)
            self.held[paddr][1] -= 1
            assert left == sum(self.held[paddr])
            self.forget(paddr)

    @rule(paddr=st.integers(0, 0x150000))
    def free_anything(self, paddr):
        if self.held.get(paddr, [0])[0] == 0:
            assert_refused(self.kernel, InvalidPointerError, self.kernel.frames.free, paddr)

    def forget(self, paddr):
        if not any(self.held[paddr]):
            del self.held[paddr]

    @invariant()
    def agrees(self):
        if not hasattr(self, "kernel"):
            return
        self.kernel.check()
        stats = self.kernel.frames.statistics()
        assert stats.total == stats.free + stats.reserved + stats.user == self.start.total
        assert stats.free == self.start.free - len(self.held)
        assert stats.user == sum(mappings > 0 for _, mappings in self.held.values())
        for paddr, (own, mappings) in self.held.items():
            assert self.kernel.frames.references(paddr >> 12) == own + mappings


TestFramesAgainstDict = FramesAgainstDict.TestCase
