"""The page walk: translation, why it fails, and the bits it sets (Intel SDM 3A 4.6 to 4.8)."""

import random
from array import array

import pytest
from table_builder import HUGE, PRESENT, USER, WRITABLE, TableBuilder

from coalmm.hardware.constants import ACCESS_EXECUTE, ACCESS_READ, ACCESS_WRITE, FAULT_NON_CANONICAL, PAGE_NX
from coalmm.hardware.formats import FORMATS, I386, PAE, X86_64
from coalmm.hardware.ram import Ram
from coalmm.hardware.walk import Walker

ALL_ONES = (1 << 64) - 1
ACCESSED, DIRTY = 0x20, 0x40
P, W, U, RSVD, I = 1, 2, 4, 8, 16  # noqa: E741
MODES = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
PAGE = 0x40_0000


class Machine:
    """A RAM of 4 MiB, its tables and their walker."""

    def __init__(self, form, nx=True):
        self.ram = Ram(4 << 20)
        self.tables = TableBuilder(self.ram, form)
        self.walker = Walker(self.ram, form, nx)
        self.root = self.tables.root

    def translate(self, vaddr):
        return self.walker.translate(self.root, vaddr)

    def access(self, vaddr, access=ACCESS_READ, user=False, wp=True):
        return self.walker.access(self.root, vaddr, access, user, wp)

    def fault(self, vaddr, access=ACCESS_READ, user=False, wp=True):
        assert self.access(vaddr, access, user, wp) == ALL_ONES
        return self.walker.fault_code

    def leaf(self, where):
        return int.from_bytes(self.ram.read(where, self.tables.form.entry_size), "little")


@MODES
def test_an_address_translates_to_its_frame_and_offset(form):
    machine = Machine(form)
    machine.tables.map(PAGE, 0x12_3000 | PRESENT)
    assert machine.translate(PAGE + 0x123) == 0x12_3123
    assert machine.translate(PAGE + 0x1000) == 0


@MODES
def test_the_whole_kernel_half_can_be_walked(form):
    machine = Machine(form)
    for vaddr in (form.kernel_base, (1 << (32 if form.vaddr_bits == 32 else 64)) - 0x1000):
        machine.tables.map(vaddr, 0x5000 | PRESENT)
        assert machine.translate(vaddr + 7) == 0x5007


@MODES
def test_a_huge_page_translates_with_its_wide_offset(form):
    for level, kind in enumerate(form.levels[:-1]):
        if kind.leaf:
            machine = Machine(form)
            machine.tables.map(3 << 30, (1 << 30) | PRESENT | HUGE | 1 << 12, level)  # PAT is no address bit
            assert machine.translate((3 << 30) + kind.size - 1) == (1 << 30) + kind.size - 1


@MODES
def test_a_translation_changes_nothing(form):
    machine = Machine(form)
    machine.tables.map(PAGE, 0x5000 | PRESENT | WRITABLE | USER)
    before = machine.ram.digest()
    machine.translate(PAGE), machine.walker.translate_many(machine.root, array("Q", [PAGE, 0]))
    machine.walker.walk(machine.root, PAGE)
    assert machine.ram.digest() == before


@MODES
def test_what_is_not_canonical_has_no_translation_and_no_page_fault(form):
    machine = Machine(form)
    for vaddr in form.hole:
        assert machine.translate(vaddr) == 0
        assert machine.fault(vaddr) == FAULT_NON_CANONICAL


@MODES
def test_a_missing_page_is_a_fault_without_the_present_bit(form):
    machine = Machine(form)
    fetch = I if form.has_nx else 0
    assert machine.fault(PAGE) == 0
    assert machine.fault(PAGE, ACCESS_WRITE, user=True) == W | U
    assert machine.fault(PAGE, ACCESS_EXECUTE) == fetch
    machine.tables.map(PAGE, 0xFFFFE)  # address bits and rights, but not present
    assert machine.translate(PAGE) == 0 and machine.fault(PAGE) == 0


@MODES
def test_rights_are_those_that_every_level_gives(form):
    for missing in (WRITABLE, USER):
        for level, kind in enumerate(form.levels):
            if not kind.has_rights:
                continue
            machine = Machine(form)
            machine.tables.map(PAGE, 0x5000 | PRESENT | WRITABLE | USER)
            table = machine.tables.table(PAGE, level)
            index = kind.index(PAGE)
            machine.tables.write(table, index, machine.tables.read(table, index) & ~missing)
            code = machine.fault(PAGE, ACCESS_WRITE, user=True)
            assert code == P | W | U
            assert machine.access(PAGE, ACCESS_WRITE, wp=False) == 0x5000


@MODES
def test_the_supervisor_writes_read_only_pages_only_without_write_protect(form):
    machine = Machine(form)
    machine.tables.map(PAGE, 0x5000 | PRESENT | USER)
    assert machine.fault(PAGE, ACCESS_WRITE) == P | W
    assert machine.access(PAGE, ACCESS_WRITE, wp=False) == 0x5000
    assert machine.fault(PAGE, ACCESS_WRITE, user=True, wp=False) == P | W | U


@pytest.mark.parametrize("level", range(4))
def test_no_execute_at_any_level_forbids_a_fetch(level):
    machine = Machine(X86_64)
    machine.tables.map(PAGE, 0x5000 | PRESENT | USER)
    table = machine.tables.table(PAGE, level)
    index = X86_64.levels[level].index(PAGE)
    machine.tables.write(table, index, machine.tables.read(table, index) | PAGE_NX)
    assert machine.access(PAGE, ACCESS_READ) == 0x5000
    assert machine.fault(PAGE, ACCESS_EXECUTE) == P | I
    assert machine.fault(PAGE, ACCESS_EXECUTE, user=True) == P | I | U
    machine.walker.set_nx(False)
    assert machine.fault(PAGE, ACCESS_READ) == P | RSVD
    assert machine.translate(PAGE) == 0


@MODES
def test_reserved_bits_fault_before_rights_are_asked(form):
    for level, kind in enumerate(form.levels):
        for leaf in (False, True):
            reserved = kind.leaf_reserved if leaf else kind.reserved
            last = level == len(form.levels) - 1
            if not reserved or leaf != (last or bool(leaf and kind.leaf)):
                continue
            machine = Machine(form)
            bit = reserved & -reserved
            entry = PRESENT | bit | (HUGE if leaf and not last else 0)
            machine.tables.map(PAGE, entry, level)
            assert machine.translate(PAGE) == 0
            assert machine.fault(PAGE, ACCESS_WRITE, user=True) == P | W | U | RSVD
            assert "reserved" in machine.walker.walk(machine.root, PAGE).reason


@MODES
def test_a_read_sets_accessed_everywhere_and_dirty_nowhere(form):
    machine = Machine(form)
    where = machine.tables.map(PAGE, 0x5000 | PRESENT | WRITABLE)
    assert machine.access(PAGE + 5) == 0x5005
    steps = machine.walker.walk(machine.root, PAGE).steps
    for step, level in zip(steps, form.levels, strict=True):
        assert bool(step.entry & ACCESSED) == level.has_rights
        assert not step.entry & DIRTY
    machine.access(PAGE, ACCESS_WRITE)
    assert machine.leaf(where) & DIRTY
    assert not any(step.entry & DIRTY for step in machine.walker.walk(machine.root, PAGE).steps[:-1])


@MODES
def test_a_failed_access_marks_the_tables_it_used_but_not_the_leaf(form):
    machine = Machine(form)
    where = machine.tables.map(PAGE, 0x5000 | PRESENT)
    machine.fault(PAGE, ACCESS_WRITE)
    assert not machine.leaf(where) & (ACCESSED | DIRTY)
    *tables, _ = machine.walker.walk(machine.root, PAGE).steps
    assert all(step.entry & ACCESSED for step in tables if form.levels[step.level].has_rights)


@MODES
def test_a_table_outside_ram_is_a_fault_with_its_own_reason(form):
    machine = Machine(form)
    for level, kind in enumerate(form.levels[:-1]):
        machine.tables.map(PAGE, 0x8000_0000 | PRESENT | (0 if not kind.has_rights else WRITABLE), level)
        assert machine.translate(PAGE) == 0
        assert machine.walker.translate_many(machine.root, array("Q", [PAGE]))[0] == 0
        assert machine.fault(PAGE) == P | RSVD
        assert machine.walker.outside_ram
        assert "outside RAM" in machine.walker.walk(machine.root, PAGE).reason
        machine.tables.map(PAGE, 0, level)


@MODES
def test_a_root_outside_ram_is_no_crash(form):
    machine = Machine(form)
    for root in (0xFFFF_F000, ALL_ONES, machine.ram.size):
        assert machine.walker.translate(root, PAGE) == 0
        assert machine.walker.access(root, PAGE, ACCESS_READ, False, True) == ALL_ONES
        assert machine.walker.translate_many(root, array("Q", [PAGE, 0, ALL_ONES])).tolist() == [0, 0, 0]


@MODES
def test_random_bytes_as_tables_never_crash_and_every_form_of_the_walk_agrees(form):
    rng = random.Random(form.number)
    machine = Machine(form)
    for frame in range(64):
        entries = []
        for _ in range(4096 // form.entry_size):
            value = rng.getrandbits(form.entry_size * 8)
            if rng.random() < 0.7:  # plausible: in RAM, few reserved bits
                value = rng.randrange(64) << 12 | value & 0xFFF
                value &= ~(0x80 if rng.random() < 0.8 else 0)
            entries.append((value | (rng.random() < 0.9)).to_bytes(form.entry_size, "little"))
        machine.ram.write(frame << 12, b"".join(entries))
    if form is PAE:  # else almost every root entry has a reserved bit
        machine.ram.write(
            0, b"".join((rng.randrange(1, 64) << 12 | 1).to_bytes(8, "little") for _ in range(4))
        )
    first = form.hole[0]
    vaddrs = array("Q", [rng.choice((rng.randrange(first), rng.getrandbits(64))) for _ in range(2000)])
    many = machine.walker.translate_many(0, vaddrs)
    reached = 0
    for vaddr, paddr in zip(vaddrs, many, strict=True):
        shown = machine.walker.walk(0, vaddr)
        assert machine.walker.translate(0, vaddr) == shown.paddr == paddr
        assert bool(shown.reason) != bool(shown.page_size)
        reached += paddr != 0
    assert reached > 100


def test_a_batch_sees_what_changed_since_the_last_one():
    machine = Machine(X86_64)
    machine.tables.map(PAGE, 0x5000 | PRESENT)
    pages = array("Q", [PAGE] * 3)
    assert machine.walker.translate_many(machine.root, pages).tolist() == [0x5000] * 3
    machine.tables.map(PAGE, machine.tables.new_table() | PRESENT, 2)
    assert machine.walker.translate_many(machine.root, pages).tolist() == [0] * 3


def test_a_batch_takes_only_an_array_of_64_bit_numbers():
    walker = Machine(I386).walker
    for wrong in ([1, 2], array("I", [1]), b"12345678", None):
        with pytest.raises(TypeError):
            walker.translate_many(0, wrong)
    with pytest.raises(ValueError):
        walker.translate_many(-1, array("Q", [1]))
    assert walker.translate_many(0, array("Q")).tolist() == []


def test_an_unknown_access_is_refused():
    with pytest.raises(ValueError):
        Machine(I386).access(PAGE, 3)


def test_a_pae_root_may_lie_anywhere_on_32_bytes():
    machine = Machine(PAE)
    machine.tables.map(PAGE, 0x5000 | PRESENT)
    machine.ram.write(0x3F_F020, machine.ram.read(machine.root, 32))
    assert machine.walker.translate(0x3F_F020, PAGE) == 0x5000


def test_a_walk_in_words_shows_each_step():
    machine = Machine(X86_64)
    machine.tables.map(PAGE, 0x5000 | PRESENT | USER)
    lines = str(machine.walker.walk(machine.root, PAGE)).splitlines()
    assert [line.split()[4] for line in lines[1:5]] == ["PML4E", "PDPTE", "PDE", "PTE"]
    assert lines[-1] == "  -> 0x5000"
    assert str(machine.walker.walk(machine.root, 0)).endswith("the PDE is not present")
