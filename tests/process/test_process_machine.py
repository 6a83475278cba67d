"""Processes under random calls, against dicts of bytes."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import coalmm
from coalmm.errors import ENOMEM, PageFaultError
from coalmm.virtual.constants import (
    MADV_DONTNEED,
    MAP_ANONYMOUS,
    MAP_FIXED,
    MAP_PRIVATE,
    MAP_SHARED,
    MREMAP_FIXED,
    MREMAP_MAYMOVE,
)
from machine import Machine

PAGE = 4096
BASE = 0x4000_0000
HEAP = 0x3000_0000
SPAN = 10
FILE = b"".join(bytes([number + 65]) * PAGE for number in range(8))
pages = st.integers(0, SPAN - 1)
lengths = st.integers(1, 4)
RIGHTS = st.sampled_from([0, 1, 3, 3, 3, 3])


class Page:
    """What a page holds: rights, and its bytes. A private page of a file shows `below` until it is written."""

    def __init__(self, rights, own, shared=False, below=None):
        self.rights, self.own, self.shared, self.below = rights, own, shared, below

    @property
    def data(self):
        return self.own if self.own is not None else self.below

    def forked(self):
        own = self.own if self.shared or self.own is None else bytearray(self.own)
        return Page(self.rights, own, self.shared, self.below)

    def put(self, at, value):
        if self.own is None:
            self.own = bytearray(self.below)
        self.own[at] = value

    def forget(self):
        if not self.shared:
            self.own = bytearray(PAGE) if self.below is None else None


class ProcessMachine(RuleBasedStateMachine):
    path = ""

    @initialize()
    def start(self):
        with open(self.path, "wb") as host:
            host.write(FILE)
        self.machine = Machine(8 << 20)
        self.file = [bytearray(FILE[number * PAGE : (number + 1) * PAGE]) for number in range(8)]
        self.live = [(self.machine.processes.create(), {}, [HEAP])]
        self.live[0][0].set_brk_start(HEAP)
        self.map(0, 0, 6, 3, "own")

    def pick(self, number):
        return self.live[number % len(self.live)]

    who = st.integers(0, 3)

    @rule(
        who=who,
        page=pages,
        length=lengths,
        rights=RIGHTS,
        kind=st.sampled_from(["own", "shared", "file", "file shared"]),
    )
    def map(self, who, page, length, rights, kind):
        process, model, _ = self.pick(who)
        shared = "shared" in kind
        flags = MAP_FIXED | (MAP_SHARED if shared else MAP_PRIVATE)
        number = 0
        if "file" in kind:
            number = self.machine.files.open_host(self.path, True)
        else:
            flags |= MAP_ANONYMOUS
        assert process.map(BASE + page * PAGE, length * PAGE, rights, flags, number) == BASE + page * PAGE
        for at in range(length):
            below = self.file[at] if kind == "file" else None
            own = None if kind == "file" else self.file[at] if kind == "file shared" else bytearray(PAGE)
            model[BASE + (page + at) * PAGE] = Page(rights, own, shared, below)
        if number:
            self.machine.files.release(number)

    @rule(who=who, page=pages, length=lengths)
    def unmap(self, who, page, length):
        process, model, _ = self.pick(who)
        assert process.unmap(BASE + page * PAGE, length * PAGE) == 0
        for at in range(length):
            model.pop(BASE + (page + at) * PAGE, None)

    @rule(who=who, page=pages, length=lengths, rights=RIGHTS)
    def protect(self, who, page, length, rights):
        process, model, _ = self.pick(who)
        result = process.protect(BASE + page * PAGE, length * PAGE, rights)
        for at in range(length):
            if BASE + (page + at) * PAGE not in model:
                assert result == -ENOMEM
                return
            model[BASE + (page + at) * PAGE].rights = rights
        assert result == 0

    @rule(who=who, page=pages, length=st.integers(1, 3), place=pages)
    def move(self, who, page, length, place):
        process, model, _ = self.pick(who)
        old, new = [[BASE + (first + at) * PAGE for at in range(length)] for first in (page, place)]
        flags = MREMAP_MAYMOVE | MREMAP_FIXED
        if process.remap(old[0], length * PAGE, length * PAGE, flags, new[0]) < 0:
            return
        for source, to in zip(old, new, strict=True):
            if source in model:
                model[to] = model.pop(source)

    @rule(who=who, page=pages, length=lengths)
    def forget(self, who, page, length):
        process, model, _ = self.pick(who)
        process.advise(BASE + page * PAGE, length * PAGE, MADV_DONTNEED)
        for at in range(length):
            if BASE + (page + at) * PAGE in model:
                model[BASE + (page + at) * PAGE].forget()

    @rule(who=who, size=st.integers(0, 5 * PAGE))
    def brk(self, who, size):
        process, model, heap = self.pick(who)
        assert process.brk(HEAP + size) == HEAP + size
        heap[0] = HEAP + size
        end = HEAP + (size + PAGE - 1) // PAGE * PAGE
        for at in range(HEAP, HEAP + 6 * PAGE, PAGE):
            if at < end:
                model.setdefault(at, Page(3, bytearray(PAGE)))
            else:
                model.pop(at, None)

    def allowed(self, model, vaddr, size, right):
        touched = range(vaddr // PAGE * PAGE, vaddr + size, PAGE)
        return all(at in model and model[at].rights & right for at in touched)

    @rule(who=who, at=st.integers(0, SPAN * PAGE), size=st.integers(1, 2 * PAGE), heap=st.booleans())
    def read(self, who, at, size, heap):
        process, model, _ = self.pick(who)
        vaddr = (HEAP + at % (5 * PAGE)) if heap else BASE + at
        if not self.allowed(model, vaddr, size, 3):
            with pytest.raises(PageFaultError):
                process.read(vaddr, size)
            return
        expected = b"".join(bytes(model[page].data) for page in range(vaddr // PAGE * PAGE, vaddr + size, PAGE))
        assert process.read(vaddr, size) == expected[vaddr % PAGE :][:size]

    @rule(
        who=who,
        at=st.integers(0, SPAN * PAGE),
        size=st.integers(1, 2 * PAGE),
        value=st.integers(1, 255),
        heap=st.booleans(),
    )
    def write(self, who, at, size, value, heap):
        process, model, _ = self.pick(who)
        vaddr = (HEAP + at % (5 * PAGE)) if heap else BASE + at
        if not self.allowed(model, vaddr, size, 2):
            with pytest.raises(PageFaultError):
                process.write(vaddr, bytes([value]) * size)
            return
        process.write(vaddr, bytes([value]) * size)
        for byte in range(vaddr, vaddr + size):
            model[byte // PAGE * PAGE].put(byte % PAGE, value)

    @precondition(lambda self: len(self.live) < 5)
    @rule(who=who)
    def fork(self, who):
        process, model, heap = self.pick(who)
        self.live.append((process.fork(), {at: page.forked() for at, page in model.items()}, list(heap)))

    @rule(who=who, nth=st.integers(1, 8))
    def fork_without_memory(self, who, nth):
        process, _, _ = self.pick(who)
        before = process.areas, process.usage
        try:
            with self.machine.injection.failing(nth=nth):
                child = process.fork()
        except OSError:
            assert (process.areas, process.usage) == before
            return
        child.exit()

    @precondition(lambda self: len(self.live) > 1)
    @rule(who=who)
    def exit(self, who):
        gone = self.pick(who)
        gone[0].exit()
        self.live.remove(gone)

    @invariant()
    def all_is_well(self):
        if not hasattr(self, "machine"):
            return
        self.machine.validate()
        for process, model, heap in self.live:
            usage = process.usage
            assert usage.virt == len(model) * PAGE and usage.rss <= usage.virt
            assert usage.text + usage.data + usage.stack <= usage.virt
            assert process.brk(0) == heap[0]
            for at, page in model.items():
                assert process.peek(at, PAGE) in (None, bytes(page.data))
            present = list(self.machine.tables.for_each_leaf(process.root, 0, 0xC000_0000))
            assert usage.rss == len(present) * PAGE

    def teardown(self):
        if hasattr(self, "machine"):
            for _, model, _ in self.live:
                model.clear()
            assert self.machine.ledger() == 0


@pytest.fixture(scope="module", autouse=True)
def host_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("machine") / "file"
    ProcessMachine.path = str(path)


TestProcessMachine = ProcessMachine.TestCase
TestProcessMachine.settings = settings(
    max_examples=40 if coalmm.MODE == "compiled" else 8, stateful_step_count=30, deadline=None
)
