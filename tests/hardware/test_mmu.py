"""The TLB and the MMU: what is remembered, what goes stale, what an invalidation forgets."""

import pytest
from table_builder import HUGE, PRESENT, USER, WRITABLE, TableBuilder

from coalmm.hardware.constants import (
    ACCESS_EXECUTE,
    ACCESS_READ,
    ACCESS_WRITE,
    FAULT_NON_CANONICAL,
    PAGE_GLOBAL,
)
from coalmm.hardware.formats import FORMATS, I386, X86_64
from coalmm.hardware.mmu import Mmu
from coalmm.hardware.ram import Ram

ALL_ONES = (1 << 64) - 1
DIRTY = 0x40
MODES = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
PAGE = 0x40_0000


class Machine:
    def __init__(self, form):
        self.ram = Ram(4 << 20)
        self.tables = TableBuilder(self.ram, form)
        self.mmu = Mmu(self.ram, form)
        self.mmu.set_cr3(self.tables.root)

    def read(self, vaddr):
        return self.mmu.translate(vaddr, ACCESS_READ, False)

    def write(self, vaddr):
        return self.mmu.translate(vaddr, ACCESS_WRITE, False)


@pytest.fixture(params=FORMATS.values(), ids=FORMATS)
def machine(request):
    return Machine(request.param)


def test_the_second_translation_of_a_page_hits(machine):
    machine.tables.map(PAGE, 0x5000 | PRESENT)
    assert machine.read(PAGE + 1) == 0x5001
    assert (machine.mmu.tlb.hits, machine.mmu.tlb.misses) == (0, 1)
    assert machine.read(PAGE + 2) == 0x5002
    assert (machine.mmu.tlb.hits, machine.mmu.tlb.misses) == (1, 1)


def test_a_changed_entry_goes_unnoticed_until_it_is_invalidated(machine):
    machine.tables.map(PAGE, 0x5000 | PRESENT)
    machine.read(PAGE)
    machine.tables.map(PAGE, 0x6000 | PRESENT)
    assert machine.read(PAGE) == 0x5000  # stale, as on a real CPU
    machine.mmu.invlpg(PAGE + 0x123)
    assert machine.read(PAGE) == 0x6000


def test_the_first_write_after_a_read_walks_and_sets_the_dirty_bit(machine):
    where = machine.tables.map(PAGE, 0x5000 | PRESENT | WRITABLE)
    machine.read(PAGE)
    assert not machine.ram.read(where, 1)[0] & DIRTY
    machine.write(PAGE)
    assert machine.ram.read(where, 1)[0] & DIRTY
    misses = machine.mmu.tlb.misses
    machine.write(PAGE)
    assert machine.mmu.tlb.misses == misses


def test_a_load_of_cr3_forgets_all_but_global_pages(machine):
    machine.tables.map(PAGE, 0x5000 | PRESENT)
    machine.tables.map(PAGE + 0x1000, 0x6000 | PRESENT | PAGE_GLOBAL)
    machine.read(PAGE), machine.read(PAGE + 0x1000)
    machine.tables.map(PAGE, 0), machine.tables.map(PAGE + 0x1000, 0)
    machine.mmu.set_cr3(machine.tables.root)
    assert machine.read(PAGE) == ALL_ONES
    assert machine.read(PAGE + 0x1000) == 0x6000
    machine.mmu.flush()
    assert machine.read(PAGE + 0x1000) == ALL_ONES


def test_the_global_bit_means_nothing_without_pge(machine):
    machine.mmu.set_control(global_pages=False)
    machine.tables.map(PAGE, 0x6000 | PRESENT | PAGE_GLOBAL)
    machine.read(PAGE)
    machine.tables.map(PAGE, 0)
    machine.mmu.set_cr3(machine.tables.root)
    assert machine.read(PAGE) == ALL_ONES


def test_invlpg_forgets_a_huge_page_from_any_address_in_it(machine):
    form = machine.tables.form
    for level, kind in enumerate(form.levels[:-1]):
        if not kind.leaf:
            continue
        machine.tables.map(1 << 30, PRESENT | HUGE | PAGE_GLOBAL, level)
        assert machine.read((1 << 30) + kind.size - 1) == kind.size - 1
        machine.tables.map(1 << 30, 0, level)
        assert machine.read((1 << 30) + 5) == 5
        machine.mmu.invlpg((1 << 30) + kind.size // 2)
        assert machine.read((1 << 30) + 5) == ALL_ONES


def test_a_fault_leaves_its_code_and_exact_address(machine):
    assert machine.mmu.translate(PAGE + 0x321, ACCESS_WRITE, True) == ALL_ONES
    assert (machine.mmu.fault_code, machine.mmu.fault_address) == (0x6, PAGE + 0x321)
    assert machine.read(machine.tables.form.hole[0]) == ALL_ONES
    assert machine.mmu.fault_code == FAULT_NON_CANONICAL


def test_rights_that_grew_need_no_invalidation(machine):
    machine.tables.map(PAGE, 0x5000 | PRESENT)
    machine.read(PAGE)
    machine.tables.map(PAGE, 0x5000 | PRESENT | WRITABLE | USER)
    assert machine.mmu.translate(PAGE, ACCESS_WRITE, True) == 0x5000


def test_rights_that_shrank_stay_until_the_invalidation(machine):
    machine.tables.map(PAGE, 0x5000 | PRESENT | WRITABLE)
    machine.write(PAGE)
    machine.tables.map(PAGE, 0x5000 | PRESENT)
    assert machine.write(PAGE) == 0x5000
    machine.mmu.invlpg(PAGE)
    assert machine.write(PAGE) == ALL_ONES


def test_user_and_supervisor_rights_of_one_entry_are_kept_apart(machine):
    machine.tables.map(PAGE, 0x5000 | PRESENT)
    machine.read(PAGE)
    assert machine.mmu.translate(PAGE, ACCESS_READ, True) == ALL_ONES
    assert machine.mmu.fault_code == 0x5


def test_write_protect_off_lets_the_supervisor_write(machine):
    machine.tables.map(PAGE, 0x5000 | PRESENT | USER)
    machine.mmu.set_control(write_protect=False)
    assert machine.write(PAGE) == machine.write(PAGE) == 0x5000
    assert machine.mmu.translate(PAGE, ACCESS_WRITE, True) == ALL_ONES
    machine.mmu.set_control(write_protect=True)
    assert machine.write(PAGE) == ALL_ONES


def test_fetches_obey_no_execute_from_the_tlb_too():
    machine = Machine(X86_64)
    machine.tables.map(PAGE, 0x5000 | PRESENT | 1 << 63)
    assert machine.read(PAGE) == 0x5000
    assert machine.mmu.translate(PAGE, ACCESS_EXECUTE, False) == ALL_ONES
    assert machine.mmu.fault_code == 0x11


def test_pages_that_share_a_slot_push_each_other_out(machine):
    for number in (0, 1024):
        machine.tables.map(PAGE + number * 4096, 0x5000 + number * 4 | PRESENT)
    for _ in range(2):
        assert machine.read(PAGE) == 0x5000
        assert machine.read(PAGE + 1024 * 4096) == 0x6000
    assert machine.mmu.tlb.hits == 0


def test_every_invalidation_moves_the_generation(machine):
    before = machine.mmu.generation
    machine.mmu.invlpg(0), machine.mmu.flush(), machine.mmu.set_cr3(machine.tables.root)
    assert machine.mmu.generation == before + 4  # more than one page counts more than one


def test_loads_and_stores_cross_pages(machine):
    for number, frame in enumerate((0x7000, 0x5000, 0x9000)):
        machine.tables.map(PAGE + number * 4096, frame | PRESENT | WRITABLE | USER)
    data = bytes(range(256)) * 33
    assert machine.mmu.store(PAGE + 100, data, user=True)
    assert machine.mmu.load(PAGE + 100, len(data), user=True) == data
    assert machine.ram.read(0x7000 + 100, 3996) == data[:3996]
    assert machine.ram.read(0x5000, 4096) == data[3996:8092]


def test_a_store_that_faults_on_its_last_page_writes_nothing(machine):
    machine.tables.map(PAGE, 0x5000 | PRESENT | WRITABLE)
    machine.tables.map(PAGE + 4096, 0x6000 | PRESENT)
    assert not machine.mmu.store(PAGE + 4090, b"x" * 10)
    assert machine.mmu.fault_address == PAGE + 4096
    assert machine.ram.read(0x5000, 4096) == bytes(4096)
    assert machine.mmu.load(PAGE + 4090, 5000) is None
    assert machine.mmu.load(PAGE, 0) == b"" and machine.mmu.store(0, b"")


def test_physical_addresses_where_nothing_answers_read_as_ones(machine):
    machine.tables.map(PAGE, 0xF000_0000 | PRESENT | WRITABLE)
    assert machine.mmu.store(PAGE, b"lost")
    assert machine.mmu.load(PAGE, 4) == b"\xff" * 4


def test_a_load_takes_only_numbers():
    mmu = Machine(I386).mmu
    with pytest.raises(TypeError):
        mmu.load("0", 1)
    with pytest.raises(ValueError):
        mmu.load(-1, 1)
    with pytest.raises(ValueError):
        mmu.load(1 << 64, 1)
    assert mmu.load(ALL_ONES, ALL_ONES) is None
