"""No call leaves a stale translation; and the MMU would show one if it did."""

import pytest
from paging_machine import ALL_ONES, MIB, RW, PagingMachine

from coalmm.hardware.constants import (
    ACCESS_READ,
    ACCESS_WRITE,
    PAGE_COW,
    PAGE_HUGE,
    PAGE_NX,
    PAGE_PRESENT,
    PAGE_USER,
)
from coalmm.hardware.formats import FORMATS

PAGE = 0x40_0000


@pytest.fixture(params=FORMATS)
def machine(request):
    return PagingMachine(request.param)


def read(machine, vaddr):
    return machine.mmu.translate(vaddr, ACCESS_READ, True)


def write(machine, vaddr):
    return machine.mmu.translate(vaddr, ACCESS_WRITE, True)


def test_a_change_without_an_invalidation_would_be_seen(machine):
    frame = machine.frame()
    machine.map(PAGE, frame)
    write(machine, PAGE)
    tables = machine.tables.tables
    tables.descend(machine.root, PAGE, tables.last)
    tables.put(tables.place(tables.last), 0)  # behind the kernel's back
    assert write(machine, PAGE) == frame
    machine.mmu.invlpg(PAGE)
    assert write(machine, PAGE) == ALL_ONES


def test_unmap_leaves_none(machine):
    machine.map(PAGE, machine.frame())
    write(machine, PAGE)
    machine.unmap(PAGE)
    assert read(machine, PAGE) == ALL_ONES


def test_a_new_owner_of_a_frame_is_never_seen_through_the_old_address(machine):
    frame = machine.frame(0x11)
    machine.map(PAGE, frame)
    assert machine.mmu.load(PAGE, 1, user=True) == b"\x11"
    machine.unmap(PAGE)
    machine.frames.free(frame)
    assert machine.frame(0x22) == frame
    assert machine.mmu.load(PAGE, 1, user=True) is None


def test_fewer_rights_leave_none(machine):
    frame = machine.frame()
    machine.map(PAGE, frame)
    write(machine, PAGE)
    machine.map(PAGE, frame, PAGE_PRESENT | PAGE_USER)
    assert read(machine, PAGE) == frame and write(machine, PAGE) == ALL_ONES
    machine.map(PAGE, frame, PAGE_PRESENT)
    assert read(machine, PAGE) == ALL_ONES


def test_no_execute_leaves_none():
    machine = PagingMachine("x86_64")
    frame = machine.frame()
    machine.map(PAGE, frame)
    assert machine.mmu.translate(PAGE, 2, True) == frame
    machine.map(PAGE, frame, RW | PAGE_NX)
    assert machine.mmu.translate(PAGE, 2, True) == ALL_ONES


def test_cleared_dirty_bits_are_set_again_by_the_next_write(machine):
    frame = machine.frame()
    machine.map(PAGE, frame)
    write(machine, PAGE)
    machine.map(PAGE, frame)
    assert not machine.entry(PAGE) & 0x40
    write(machine, PAGE)
    assert machine.entry(PAGE) & 0x40


def test_a_clone_leaves_the_parent_no_right_to_write(machine):
    frame = machine.frame()
    machine.map(PAGE, frame)
    write(machine, PAGE)
    copy = machine.tables.clone(machine.root)
    assert write(machine, PAGE) == ALL_ONES
    assert machine.mmu.fault_code == 0x7
    machine.tables.free(copy)


def test_a_switch_shows_each_directory_its_own(machine):
    first, second = machine.frame(1), machine.frame(2)
    other = machine.tables.create()
    machine.map(PAGE, first)
    machine.map(PAGE, second, root=other)
    for _ in range(3):
        machine.tables.switch(machine.root)
        assert machine.mmu.load(PAGE, 1, user=True) == b"\x01"
        machine.tables.switch(other)
        assert machine.mmu.load(PAGE, 1, user=True) == b"\x02"


def test_kernel_pages_stay_in_the_tlb_over_a_switch_and_leave_it_with_unmap(machine):
    vaddr = machine.form.kernel_base + 256 * MIB
    machine.map(vaddr, machine.frame(), PAGE_PRESENT | 0x100)
    machine.mmu.translate(vaddr, ACCESS_READ, False)
    misses = machine.mmu.tlb.misses
    other = machine.tables.create()
    machine.tables.switch(other)
    machine.mmu.translate(vaddr, ACCESS_READ, False)
    assert machine.mmu.tlb.misses == misses
    machine.unmap(vaddr)
    assert machine.mmu.translate(vaddr, ACCESS_READ, False) == ALL_ONES


def test_a_split_and_what_follows_leave_none(machine):
    base = machine.huge()
    machine.map(8 * MIB, base, RW | PAGE_HUGE)
    write(machine, 8 * MIB + 0x3000)
    machine.unmap(8 * MIB + 0x3000)
    assert read(machine, 8 * MIB + 0x3000) == ALL_ONES
    assert write(machine, 8 * MIB + 0x4000) == base + 0x4000


@pytest.mark.parametrize("pages", [1, 32, 33, 200])
def test_ranges_leave_none(machine, pages):
    for number in range(pages):
        machine.map(PAGE + number * 4096, machine.frame())
        write(machine, PAGE + number * 4096)
    end = PAGE + pages * 4096
    machine.tables.protect_range(machine.root, PAGE, end, PAGE_PRESENT | PAGE_USER | PAGE_COW)
    for vaddr in range(PAGE, end, 4096):
        assert write(machine, vaddr) == ALL_ONES
        assert read(machine, vaddr) != ALL_ONES
    assert machine.tables.unmap_range(machine.root, PAGE, end) == pages
    for vaddr in range(PAGE, end, 4096):
        assert read(machine, vaddr) == ALL_ONES


def test_ranges_of_global_pages_leave_none(machine):
    for number in range(40):
        machine.map(PAGE + number * 4096, machine.frame(), RW | 0x100)
        write(machine, PAGE + number * 4096)
    machine.tables.unmap_range(machine.root, PAGE, PAGE + 40 * 4096)
    assert read(machine, PAGE) == ALL_ONES


def test_another_frame_by_the_fault_handler_leaves_none(machine):
    first, second = machine.frame(), machine.frame()
    machine.map(PAGE, first)
    write(machine, PAGE)
    machine.tables.set_leaf(machine.root, PAGE, second >> 12, RW)
    assert write(machine, PAGE) == second


def test_changes_in_a_directory_that_is_not_current_cost_no_invalidation(machine):
    other = machine.tables.create()
    generation = machine.mmu.generation
    machine.map(PAGE, machine.frame(), root=other)
    machine.unmap(PAGE, root=other)
    assert machine.mmu.generation == generation or machine.form.levels[0].name == "PDPTE"
