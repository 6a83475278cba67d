"""Ranges: unmap, protect, list; by tables, not by pages."""

import time

import pytest
from paging_machine import MIB, RW, PagingMachine

from coalmm.errors import EINVAL
from coalmm.hardware.constants import (
    PAGE_ACCESSED,
    PAGE_COW,
    PAGE_DIRTY,
    PAGE_HUGE,
    PAGE_NX,
    PAGE_PRESENT,
    PAGE_SHARED,
    PAGE_USER,
)
from coalmm.hardware.formats import FORMATS

PAGE = 0x40_0000


@pytest.fixture(params=FORMATS)
def machine(request):
    return PagingMachine(request.param)


def test_only_the_pages_of_the_range_go(machine):
    free = machine.free
    frames = [machine.frame() for _ in range(8)]
    for number, frame in enumerate(frames):
        machine.map(PAGE + number * 4096, frame)
    assert machine.tables.unmap_range(machine.root, PAGE + 2 * 4096, PAGE + 5 * 4096) == 3
    assert [vaddr for vaddr, *_ in machine.leaves()] == [PAGE + n * 4096 for n in (0, 1, 5, 6, 7)]
    machine.validate()
    assert machine.tables.unmap_range(machine.root, 0, machine.form.user_top) == 5
    machine.frames.free_many(frames)
    assert machine.free == free
    machine.validate()


def test_a_wide_empty_range_costs_nothing(machine):
    machine.map(PAGE, machine.frame())
    machine.map(machine.form.user_top - 4096, machine.frame())
    start = time.perf_counter()
    assert machine.tables.protect_range(machine.root, PAGE + 4096, machine.form.user_top - 4096, RW) == 0
    assert machine.tables.unmap_range(machine.root, 0, machine.form.user_top) == 2
    assert list(machine.tables.for_each_leaf(machine.root, 0, machine.form.user_top)) == []
    assert time.perf_counter() - start < 1


def test_wrong_ranges_are_refused(machine):
    top = machine.form.user_top
    for start, end in ((1, 4096), (0, 4097), (8192, 4096), (0, top + 4096), (top, top + 4096)):
        assert machine.tables.unmap_range(machine.root, start, end) == -EINVAL
        assert machine.tables.protect_range(machine.root, start, end, RW) == -EINVAL
    machine.map(0, machine.frame())
    for at in (0, PAGE, top):
        assert machine.tables.unmap_range(machine.root, at, at) == 0
        assert machine.tables.protect_range(machine.root, at, at, PAGE_PRESENT) == 0
    assert machine.entry(0) & 0xFFF == RW


def test_a_range_that_cuts_a_huge_page_splits_it(machine):
    size = machine.form.huge_sizes[0]
    for number in range(2):
        machine.map(8 * MIB + number * size, machine.huge(), RW | PAGE_HUGE)
    start, end = 8 * MIB + size // 2, 8 * MIB + size + 4096
    assert machine.tables.unmap_range(machine.root, start, end) == (end - start) >> 12
    machine.validate()
    assert machine.physical(start - 1) and not machine.physical(start)
    assert machine.physical(end) and not machine.physical(end - 1)


def test_a_huge_page_inside_the_range_stays_huge(machine):
    size = machine.form.huge_sizes[0]
    base = machine.huge()
    machine.map(8 * MIB, base, RW | PAGE_HUGE)
    bits = PAGE_PRESENT | PAGE_USER
    assert machine.tables.protect_range(machine.root, 4 * MIB, 16 * MIB, bits) == size >> 12
    assert machine.leaves() == [(8 * MIB, base, size, bits | PAGE_HUGE)]
    machine.validate()


def test_what_is_resident_is_counted_in_small_pages(machine):
    size = machine.form.huge_sizes[0]
    machine.map(8 * MIB, machine.huge(), RW | PAGE_HUGE | PAGE_DIRTY)
    machine.map(PAGE, machine.frame())
    counted = machine.tables.ranges.resident
    assert counted(machine.root, 0, machine.form.user_top) == ((size >> 12) + 1, 0, size >> 12)
    assert counted(machine.root, 8 * MIB + 4096, 8 * MIB + 3 * 4096) == (2, 0, 2)
    assert counted(machine.root, PAGE, PAGE + 4096) == (1, 0, 0)
    assert counted(machine.root, PAGE + 4096, 8 * MIB) == counted(machine.root, PAGE, PAGE) == (0, 0, 0)


def test_protect_sets_the_rights_and_keeps_the_rest(machine):
    machine.map(PAGE, machine.frame(), RW | PAGE_ACCESSED | PAGE_DIRTY)
    machine.tables.protect_range(machine.root, PAGE, PAGE + 4096, PAGE_PRESENT | PAGE_USER | PAGE_COW)
    assert machine.entry(PAGE) & 0xFFF == PAGE_PRESENT | PAGE_USER | PAGE_COW | PAGE_ACCESSED | PAGE_DIRTY
    machine.tables.protect_range(machine.root, PAGE, PAGE + 4096, RW | PAGE_SHARED)
    assert machine.entry(PAGE) & 0xFFF == RW | PAGE_SHARED | PAGE_ACCESSED | PAGE_DIRTY
    if machine.form.has_nx:
        machine.tables.protect_range(machine.root, PAGE, PAGE + 4096, RW | PAGE_NX)
        assert machine.entry(PAGE) & PAGE_NX
    else:
        assert machine.tables.protect_range(machine.root, PAGE, PAGE + 4096, RW | PAGE_NX) == -EINVAL
    machine.validate()


def test_every_mapping_is_listed_in_order_from_any_start(machine):
    places = [0, PAGE, PAGE + 4096, 64 * MIB, machine.form.user_top - 4096]
    for vaddr in places:
        machine.map(vaddr, machine.frame())
    listed = machine.leaves()
    assert [leaf[0] for leaf in listed] == places
    assert all(leaf[1] == machine.physical(leaf[0]) and leaf[2:] == (4096, RW) for leaf in listed)
    later = list(machine.tables.for_each_leaf(machine.root, PAGE + 1, 64 * MIB))
    assert [leaf[0] for leaf in later] == [PAGE, PAGE + 4096]
    assert [leaf[0] for leaf in machine.tables.for_each_leaf(machine.root)][:5] == places
    top = (1 << (32 if machine.form.vaddr_bits == 32 else 64)) - 4096
    machine.map(top, machine.frame(), PAGE_PRESENT)
    assert list(machine.tables.for_each_leaf(machine.root))[-1][0] == top


def test_set_leaf_replaces_and_moves_the_references(machine):
    first, second = machine.frame(), machine.frame()
    assert machine.tables.set_leaf(machine.root, PAGE, first >> 12, RW) == 0
    assert machine.tables.set_leaf(machine.root, PAGE, second >> 12, PAGE_PRESENT | PAGE_USER) == 0
    assert machine.frames.mappings(first >> 12) == 0 and machine.frames.mappings(second >> 12) == 1
    assert machine.entry(PAGE) == second | PAGE_PRESENT | PAGE_USER
    machine.validate()
    machine.frames.free(first)
    assert machine.tables.set_leaf(machine.root, PAGE, second >> 12, RW) == 0
    assert machine.frames.mappings(second >> 12) == 1
    machine.validate()
