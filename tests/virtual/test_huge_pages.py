"""Huge pages: offsets, overlap with small ones, splitting, 1 GiB pages."""

import pytest
from paging_machine import MIB, RW, PagingMachine

from coalmm.errors import EEXIST, ENOMEM
from coalmm.hardware.constants import PAGE_COW, PAGE_DIRTY, PAGE_HUGE, PAGE_PRESENT, PAGE_USER, PAGE_WRITABLE
from coalmm.hardware.formats import FORMATS

AT = 8 * MIB
HUGE = RW | PAGE_HUGE


@pytest.fixture(params=FORMATS)
def machine(request):
    return PagingMachine(request.param)


@pytest.fixture
def mapped(machine):
    machine.base = machine.huge()
    machine.size = machine.form.huge_sizes[0]
    assert machine.map(AT, machine.base, HUGE) == 0
    return machine


def use_up(machine):
    """Take every free frame but none of the caller's; give them back with `free_many`."""
    return machine.frames.allocate_many(machine.free)


def test_a_split_of_a_supervisor_page_leaves_room_for_user_pages_beside(machine):
    base = machine.huge()
    machine.map(AT, base, PAGE_PRESENT | PAGE_HUGE)
    machine.unmap(AT + 0x1000)
    frame = machine.frame()
    assert machine.map(AT + 0x1000, frame) == 0
    assert machine.mmu.translate(AT + 0x1000, 1, True) == frame
    machine.validate()


def test_an_offset_has_the_bits_of_the_page(mapped):
    for offset in (0, 0x123, 0x1234, mapped.size - 1):
        assert mapped.physical(AT + offset) == mapped.base + offset
    mapped.validate()


def test_every_frame_of_it_is_held(mapped):
    assert mapped.frames.statistics().user == mapped.size >> 12
    mapped.tables.unmap_range(mapped.root, AT, AT + mapped.size)
    assert mapped.frames.statistics().user == 0
    mapped.validate()


def test_a_huge_page_over_small_ones_is_refused(machine):
    base = machine.huge()
    machine.map(AT + 0x3000, machine.frame())
    before = machine.ram.digest()
    assert machine.map(AT, base, HUGE) == -EEXIST
    assert machine.ram.digest() == before


def test_a_small_page_of_another_frame_inside_is_refused(mapped):
    frame = mapped.frame()
    before = mapped.ram.digest()
    assert mapped.map(AT + 0x1000, frame) == -EEXIST
    assert mapped.map(AT + 0x1000, mapped.base) == -EEXIST
    assert mapped.ram.digest() == before


def test_a_small_page_of_the_same_frame_splits_and_changes_its_flags_only(mapped):
    assert mapped.map(AT + 0x1000, mapped.base + 0x1000, PAGE_PRESENT) == 0
    assert mapped.entry(AT + 0x1000) == mapped.base + 0x1000 | PAGE_PRESENT
    for number in range(mapped.size >> 12):
        assert mapped.physical(AT + number * 4096) == mapped.base + number * 4096
    assert mapped.entry(AT) & 0xFFF == RW
    mapped.validate()


def test_the_same_huge_page_again_changes_the_flags(mapped):
    assert mapped.map(AT, mapped.base, PAGE_PRESENT | PAGE_HUGE) == 0
    assert mapped.leaves() == [(AT, mapped.base, mapped.size, PAGE_PRESENT | PAGE_HUGE)]
    mapped.validate()


def test_unmapping_one_small_page_leaves_the_others(mapped):
    mapped.unmap(AT + 5 * 4096 + 9)
    assert mapped.physical(AT + 5 * 4096) == 0
    assert mapped.physical(AT + 4 * 4096) == mapped.base + 4 * 4096
    assert mapped.physical(AT + 6 * 4096) == mapped.base + 6 * 4096
    assert mapped.frames.references((mapped.base >> 12) + 5) == 1
    mapped.validate()


def test_without_a_frame_for_the_split_nothing_changes(mapped):
    frames = use_up(mapped)
    before = mapped.ram.digest()
    assert mapped.unmap(AT + 0x1000) == -ENOMEM
    assert mapped.map(AT + 0x1000, mapped.base + 0x1000, PAGE_PRESENT) == -ENOMEM
    assert mapped.tables.unmap_range(mapped.root, AT + 0x1000, AT + 0x2000) == -ENOMEM
    assert mapped.tables.set_leaf(mapped.root, AT, mapped.base >> 12, PAGE_PRESENT) == -ENOMEM
    assert mapped.ram.digest() == before
    mapped.frames.free_many(frames)
    assert mapped.unmap(AT + 0x1000) == 0
    mapped.validate()


def test_an_entry_inside_a_huge_page_reads_as_a_small_one(mapped):
    assert mapped.entry(AT + 0x5000) == mapped.base + 0x5000 | RW


def test_a_clone_shares_a_huge_page_as_one_and_a_write_splits_one_side(mapped):
    copy = mapped.tables.clone(mapped.root)
    shared = PAGE_PRESENT | PAGE_USER | PAGE_COW | PAGE_HUGE
    assert mapped.leaves() == mapped.leaves(copy) == [(AT, mapped.base, mapped.size, shared)]
    own = mapped.frame(7)
    assert mapped.tables.set_leaf(copy, AT + 0x3000, own >> 12, RW) == 0
    assert mapped.physical(AT + 0x3000, copy) == own
    assert mapped.physical(AT + 0x3000) == mapped.base + 0x3000
    assert mapped.physical(AT + 0x4000, copy) == mapped.base + 0x4000
    mapped.validate()
    mapped.tables.free(copy)
    assert mapped.leaves()[0][2] == mapped.size
    mapped.validate()


def test_a_split_keeps_accessed_and_dirty(mapped):
    mapped.mmu.store(AT + 0x1000, b"x", user=True)
    mapped.unmap(AT)
    assert mapped.entry(AT + 0x7000) & PAGE_DIRTY


@pytest.mark.parametrize("mode", ["x86_64", "la57"])
def test_one_gibibyte_splits_in_two_steps(mode):
    machine = PagingMachine(mode, ram=2100 * MIB)
    gib = 1 << 30
    first = machine.frames.allocate_run(gib >> 12, gib >> 12)
    assert first == gib
    assert machine.tables.map_size(machine.root, 4 * gib, first, RW, gib) == 0
    assert machine.physical(4 * gib + 0x1234_5678) == first + 0x1234_5678
    assert machine.unmap(4 * gib + 0x1234_5000) == 0
    assert machine.physical(4 * gib + 0x1234_5678) == 0
    sizes = [size for _, _, size, _ in machine.leaves()]
    assert sizes.count(2 * MIB) == 511 and sizes.count(4096) == 511
    machine.validate()
    assert machine.tables.unmap_range(machine.root, 0, machine.form.user_top) == (gib >> 12) - 1
    assert machine.tables.map_size(machine.root, 4 * gib, first, RW, gib) == 0
    assert machine.map(4 * gib + 2 * MIB, first + 2 * MIB, PAGE_PRESENT | PAGE_HUGE) == 0
    assert machine.leaves()[1] == (4 * gib + 2 * MIB, first + 2 * MIB, 2 * MIB, PAGE_PRESENT | PAGE_HUGE)


def test_no_size_but_the_formats_is_a_page():
    machine = PagingMachine("x86_64")
    frame = machine.frame()
    for size in (0, 1, 8192, 4 * MIB, 1 << 39, 1 << 63):
        assert machine.tables.map_size(machine.root, 0, frame, RW, size) == -22


def test_writable_pages_below_a_split_stay_writable(mapped):
    mapped.unmap(AT)
    assert mapped.mmu.translate(AT + 0x1000, 1, True) == mapped.base + 0x1000
    assert mapped.entry(AT + 0x1000) & PAGE_WRITABLE
