"""Our page walk against an emulated CPU's, over the same random tables.

Compared after each access: whether it faults, the error code and CR2, where it lands, and every byte
of the page tables, so accessed and dirty bits are the CPU's.
"""

import random

import pytest
from table_builder import HUGE, PRESENT, USER, WRITABLE, TableBuilder

pytest.importorskip("unicorn")
from cpu_oracle import CODE, CODE_FRAME, FETCHED, CpuOracle, write_code

from coalmm.hardware.constants import (
    ACCESS_EXECUTE,
    ACCESS_READ,
    ACCESS_WRITE,
    FAULT_NON_CANONICAL,
    PAGE_ACCESSED,
    PAGE_NX,
)
from coalmm.hardware.formats import FORMATS, I386, bit_range
from coalmm.hardware.ram import Ram
from coalmm.hardware.walk import Walker

ALL_ONES = (1 << 64) - 1
SIZE = 8 << 20
TABLES = 0x1_0000
TABLES_END = FRAMES = 0x10_0000
ROUNDS, PAGES, ACCESSES = 30, 24, 90
RANDOM_BITS = (0x08, 0x10, PAGE_ACCESSED, 0x200, 0x400)  # PWT, PCD, A, and two that software may use
CPUS = ((False, True, True), (True, True, True), (False, False, True), (True, True, False))  # user, WP, NX


def fill_frames(ram):
    """Each word of the data frames holds its own address; at FETCHED is `mov ax, <frame's number>`, `jmp cx`."""
    words = ram.words
    for index in range(FRAMES >> 3, SIZE >> 3):
        words[index] = index << 3
    for frame in range(FRAMES, SIZE, 4096):
        ram.write(frame + FETCHED, b"\xb8" + (frame >> 12).to_bytes(4, "little") + b"\xff\xe1\x90")


class RandomTables:
    """Random entries on the way to random pages; the code page stays mapped."""

    def __init__(self, ram, form, rng):
        self.ram, self.form, self.rng = ram, form, rng
        ram.fill(TABLES, TABLES_END - TABLES, 0)
        self.tables = TableBuilder(ram, form, TABLES)
        self.tables.map(CODE, CODE_FRAME | PRESENT | USER)
        for level in range(len(form.levels)):  # so that running the code changes no bit
            table = self.tables.table(CODE, level)
            index = form.levels[level].index(CODE)
            accessed = PAGE_ACCESSED if form.levels[level].has_rights else 0
            self.tables.write(table, index, self.tables.read(table, index) | accessed)
        indices = [[rng.randrange(level.entries) for _ in range(3)] for level in form.levels]
        indices[0] = [index for index in range(form.levels[0].entries) if index != form.levels[0].index(CODE)]
        indices[0] = rng.sample(indices[0], 3)
        self.pages = [self.plant(indices) for _ in range(PAGES)]

    def plant(self, indices):
        """One page: random entries where there are none yet. Its address."""
        vaddr = 0
        for level, choices in zip(self.form.levels, indices, strict=True):
            vaddr |= self.rng.choice(choices) << level.shift
        if vaddr >> self.form.vaddr_bits - 1 and self.form.vaddr_bits > 32:
            vaddr |= ALL_ONES << self.form.vaddr_bits & ALL_ONES
        table = self.tables.root
        for number, level in enumerate(self.form.levels):
            entry = self.tables.read(table, level.index(vaddr))
            if not entry:
                entry = self.random_entry(number, level)
                self.tables.write(table, level.index(vaddr), entry)
            if self.form.is_leaf(entry, number) or entry & self.form.address_mask >= TABLES_END:
                break
            table = entry & self.form.address_mask
        return vaddr

    def random_entry(self, number, level):
        rng = self.rng
        last = number == len(self.form.levels) - 1
        huge = not last and level.leaf and rng.random() < 0.25
        entry = PRESENT if rng.random() < 0.95 else 0
        if level.has_rights:
            entry |= (WRITABLE if rng.random() < 0.8 else 0) | (USER if rng.random() < 0.8 else 0)
            entry |= sum(bit for bit in RANDOM_BITS if rng.random() < 0.4)
            if last or huge:
                entry |= rng.choice((0, 0x40)) | rng.choice((0, 0x100))
            if self.form.has_nx and rng.random() < 0.1:
                entry |= PAGE_NX
        if huge:
            entry |= HUGE | rng.randrange(SIZE // level.size) * level.size if level.size < SIZE else HUGE
        elif last:
            entry |= rng.randrange(FRAMES, SIZE, 4096)
        else:
            entry |= self.tables.new_table()
        if rng.random() < 0.06:
            entry |= self.random_reserved(level, last or huge)
        return entry

    def random_reserved(self, level, leaf):
        mask = level.leaf_reserved if leaf else level.reserved
        if self.form is I386:
            mask &= ~bit_range(20, 13)  # address bits for the oracle
        if not level.has_rights:
            mask &= bit_range(63, 52)  # the oracle checks no others in a PAE PDPTE
        if level.name != "PTE" and not leaf and level.leaf:
            mask &= ~HUGE
        bits = [1 << bit for bit in range(64) if mask >> bit & 1]
        return self.rng.choice(bits) if bits else 0

    def address(self):
        """An address in or near a planted page, that translates to a data frame if at all."""
        vaddr = self.rng.choice(self.pages)
        if self.rng.random() < 0.1:
            vaddr ^= 1 << self.rng.randrange(12, self.form.vaddr_bits - 1)
        return vaddr


class Comparison:
    """The same tables twice: one RAM for the CPUs, one for our walk."""

    def __init__(self, form, seed):
        self.form, self.rng = form, random.Random(seed)
        self.theirs, self.ours = Ram(SIZE), Ram(SIZE)
        fill_frames(self.theirs)
        write_code(self.theirs, form)
        self.faults = self.successes = 0
        self.cpus = []

    def new_round(self):
        self.random = RandomTables(self.theirs, self.form, self.rng)
        root = self.random.tables.root
        if not self.cpus:
            self.cpus = [CpuOracle(self.theirs, self.form, root, *settings) for settings in CPUS]
        self.ours.write(0, self.theirs.read(0, SIZE))
        self.root = root

    def access(self):
        cpu = self.rng.choice(self.cpus)
        access = self.rng.choice((ACCESS_READ, ACCESS_WRITE, ACCESS_EXECUTE))
        walker = Walker(self.ours, self.form, cpu.nx)
        vaddr = self.random.address()
        shown = walker.walk(self.root, vaddr)
        if shown.page_size > 4096:  # anywhere in the huge page that is a data frame
            base = shown.paddr & -shown.page_size
            paddr = self.rng.randrange(max(base, FRAMES), min(base + shown.page_size, SIZE), 4096)
            vaddr += paddr - shown.paddr
        vaddr += FETCHED if access == ACCESS_EXECUTE else self.rng.randrange(0, FETCHED, 8)
        expected = walker.translate(self.root, vaddr)
        succeeded = cpu.run(vaddr, access, expected)
        found = walker.access(self.root, vaddr, access, cpu.user, cpu.wp)
        note = f"{self.form.name} access {access} user {cpu.user}\n{walker.walk(self.root, vaddr)}"
        if succeeded:
            self.successes += 1
            assert found == expected != 0, note
            told = cpu.result << 12 | vaddr & 0xFFF if access == ACCESS_EXECUTE else cpu.result
            assert told == found, note
        else:
            self.faults += 1
            assert found == ALL_ONES, note
            if walker.fault_code != FAULT_NON_CANONICAL:
                assert cpu.fault == (walker.fault_code, vaddr), note
        self.compare_tables(shown, succeeded, note)

    def compare_tables(self, shown, succeeded, note):
        used = self.random.tables.next - TABLES
        if self.theirs.read(TABLES, used) == self.ours.read(TABLES, used):
            return
        step = shown.steps[-1]  # the one known difference: QEMU marks a 1 GiB leaf before it checks it
        assert not succeeded and self.form.levels[step.level].size == 1 << 30 and step.entry & HUGE, note
        assert not step.entry & PAGE_ACCESSED, note
        self.ours.words[step.entry_paddr >> 3] |= PAGE_ACCESSED
        assert self.theirs.read(TABLES, used) == self.ours.read(TABLES, used), note

    def compare_frames(self):
        for frame in range(FRAMES, SIZE, 1 << 20):
            assert self.theirs.read(frame, 1 << 20) == self.ours.read(frame, 1 << 20)


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_every_access_ends_as_on_an_emulated_cpu(form):
    comparison = Comparison(form, seed=form.number)
    for _ in range(ROUNDS):
        comparison.new_round()
        for _ in range(ACCESSES):
            comparison.access()
        comparison.compare_frames()
    assert comparison.successes > 800 and comparison.faults > 800


@pytest.mark.parametrize(
    "form", [form for form in FORMATS.values() if form.vaddr_bits > 32], ids=["x86_64", "la57"]
)
def test_what_is_not_canonical_is_no_page_fault_on_the_cpu_either(form):
    comparison = Comparison(form, seed=0)
    comparison.new_round()
    for vaddr in form.hole:
        cpu = comparison.cpus[0]
        assert not cpu.run(vaddr & -8, ACCESS_READ, 0)
        assert cpu.fault[1] == 0  # CR2 is untouched: #GP
