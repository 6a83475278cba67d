"""Random sequences of paging calls against a model: a dict of pages to (frame, flags) a directory."""

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from paging_machine import MIB, RW, PagingMachine

import coalmm
from coalmm.errors import EEXIST
from coalmm.hardware.constants import PAGE_COW, PAGE_HUGE, PAGE_PRESENT, PAGE_USER, PAGE_WRITABLE
from coalmm.hardware.memory_map import MemoryMap

FRAMES = 6
FLAGS = (RW, PAGE_PRESENT | PAGE_USER, PAGE_PRESENT, PAGE_PRESENT | PAGE_USER | PAGE_COW)
EXAMPLES, STEPS = (60, 40) if coalmm.MODE == "compiled" else (4, 15)  # the interpreted checker takes its time


class PagingModel(RuleBasedStateMachine):
    """Up to four directories with pages in a few tables, one of which may be huge."""

    mode = "x86_64"

    def __init__(self):
        super().__init__()
        self.machine = PagingMachine(self.mode, 8 * MIB, MemoryMap([(0, 8 * MIB, "usable")]))
        machine = self.machine
        self.size = machine.form.huge_sizes[0]
        self.huge = machine.huge() if self.size == 2 * MIB else 0
        self.frames = [machine.frame() for _ in range(FRAMES)]
        self.places = [0, 4096, 8 * MIB, 8 * MIB + 4096, 16 * MIB, machine.form.user_top - 4096]
        self.models = {machine.root: {}}
        self.empty = machine.free

    def pages(self, root):
        return {
            vaddr + offset: (paddr + offset, flags & ~PAGE_HUGE)
            for vaddr, paddr, size, flags in self.machine.leaves(root)
            for offset in range(0, size, 4096)
        }

    @rule(data=st.data(), flags=st.sampled_from(FLAGS))
    def map_page(self, data, flags):
        root, model = data.draw(st.sampled_from(list(self.models.items())))
        vaddr, frame = data.draw(st.sampled_from(self.places)), data.draw(st.sampled_from(self.frames))
        result = self.machine.map(vaddr, frame, flags, root)
        if vaddr in model and model[vaddr][0] != frame:
            assert result == -EEXIST
        else:
            assert result == 0
            model[vaddr] = (frame, flags)

    @precondition(lambda self: self.huge)
    @rule(data=st.data(), flags=st.sampled_from(FLAGS))
    def map_huge(self, data, flags):
        root, model = data.draw(st.sampled_from(list(self.models.items())))
        start = 8 * MIB
        result = self.machine.map(start, self.huge, flags | PAGE_HUGE, root)
        inside = [vaddr for vaddr in model if start <= vaddr < start + self.size]
        whole = any(leaf[0] == start and leaf[2] == self.size for leaf in self.machine.leaves(root))
        assert result == (0 if whole or not inside else -EEXIST)
        if result == 0:
            model.update({start + at: (self.huge + at, flags) for at in range(0, self.size, 4096)})

    @rule(data=st.data(), offset=st.integers(0, 4095))
    def unmap_page(self, data, offset):
        root, model = data.draw(st.sampled_from(list(self.models.items())))
        vaddr = data.draw(st.sampled_from(self.places))
        result = self.machine.unmap(vaddr + offset, root)
        assert result == 0
        model.pop(vaddr, None)

    @rule(data=st.data())
    def unmap_range(self, data):
        root, model = data.draw(st.sampled_from(list(self.models.items())))
        start, end = sorted(
            data.draw(st.tuples(*[st.sampled_from([*self.places, self.machine.form.user_top])] * 2))
        )
        gone = [vaddr for vaddr in model if start <= vaddr < end]
        assert self.machine.tables.unmap_range(root, start, end) == len(gone)
        for vaddr in gone:
            del model[vaddr]

    @rule(data=st.data(), flags=st.sampled_from(FLAGS))
    def protect_range(self, data, flags):
        root, model = data.draw(st.sampled_from(list(self.models.items())))
        start, end = sorted(
            data.draw(st.tuples(*[st.sampled_from([*self.places, self.machine.form.user_top])] * 2))
        )
        changed = [vaddr for vaddr in model if start <= vaddr < end]
        assert self.machine.tables.protect_range(root, start, end, flags) == len(changed)
        for vaddr in changed:
            model[vaddr] = (model[vaddr][0], flags)

    @rule(data=st.data(), flags=st.sampled_from(FLAGS))
    def set_leaf(self, data, flags):
        root, model = data.draw(st.sampled_from(list(self.models.items())))
        vaddr, frame = data.draw(st.sampled_from(self.places)), data.draw(st.sampled_from(self.frames))
        assert self.machine.tables.set_leaf(root, vaddr, frame >> 12, flags) == 0
        model[vaddr] = (frame, flags)

    @precondition(lambda self: len(self.models) < 4)
    @rule(data=st.data(), fail=st.integers(0, 6))
    def clone(self, data, fail):
        root, model = data.draw(st.sampled_from(list(self.models.items())))
        before = self.machine.ram.digest()
        with self.machine.frames.injection.failing(nth=fail, points=("frame",)):
            copy = self.machine.tables.clone(root)
        if not copy:
            assert fail and self.machine.ram.digest() == before
            return
        for vaddr, (frame, flags) in model.items():
            if flags & PAGE_WRITABLE:
                model[vaddr] = (frame, flags & ~PAGE_WRITABLE | PAGE_COW)
        self.models[copy] = dict(model)

    @precondition(lambda self: len(self.models) < 4)
    @rule()
    def create(self):
        self.models[self.machine.tables.create()] = {}

    @rule(data=st.data())
    def switch(self, data):
        self.machine.tables.switch(data.draw(st.sampled_from(list(self.models))))

    @rule(data=st.data())
    def free(self, data):
        root = data.draw(st.sampled_from(list(self.models)))
        if root != self.machine.mmu.cr3:
            self.machine.tables.free(root)
            del self.models[root]

    @rule(data=st.data(), access=st.integers(0, 1), user=st.booleans())
    def access(self, data, access, user):
        """What the MMU says is what the model says: nothing stale, no right too many."""
        model = self.models[self.machine.mmu.cr3]
        vaddr = data.draw(st.sampled_from(self.places))
        found = self.machine.mmu.translate(vaddr, access, user)
        frame, flags = model.get(vaddr, (0, 0))
        allowed = (
            flags & PAGE_PRESENT and (not user or flags & PAGE_USER) and (not access or flags & PAGE_WRITABLE)
        )
        assert found == (frame if allowed else (1 << 64) - 1)

    @invariant()
    def every_directory_maps_what_its_model_has(self):
        for root, model in self.models.items():
            found = {vaddr: (paddr, flags & ~0x60) for vaddr, (paddr, flags) in self.pages(root).items()}
            assert found == model

    @invariant()
    def everything_is_valid(self):
        self.machine.validate()

    def teardown(self):
        self.machine.tables.switch(self.machine.kernel_root)
        for root in self.models:
            self.machine.tables.free(root)
        assert self.machine.free == self.empty + 1  # the first directory's root too
        self.machine.validate()


class NarrowPagingModel(PagingModel):
    mode = "i386"


class PaePagingModel(PagingModel):
    mode = "pae"


CHECKED = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # a failure is short enough to read as it is
)
TestPagingModel = PagingModel.TestCase
TestPagingModel.settings = CHECKED
TestNarrowPagingModel = NarrowPagingModel.TestCase
TestNarrowPagingModel.settings = CHECKED
TestPaePagingModel = PaePagingModel.TestCase
TestPaePagingModel.settings = CHECKED
