"""Directories: create, clone, free, switch; and what a failure leaves behind."""

import pytest
from paging_machine import ALL_ONES, MIB, RW, PagingMachine

from coalmm.errors import InUseError, InvalidPointerError
from coalmm.hardware.constants import (
    PAGE_ACCESSED,
    PAGE_COW,
    PAGE_DIRTY,
    PAGE_GLOBAL,
    PAGE_HUGE,
    PAGE_PRESENT,
    PAGE_SHARED,
    PAGE_USER,
    PAGE_WRITABLE,
)
from coalmm.hardware.formats import FORMATS
from coalmm.physical.constants import SB_CURRENT_DIRECTORY

PAGE = 0x40_0000
SHARED_COW = PAGE_PRESENT | PAGE_USER | PAGE_COW


@pytest.fixture(params=FORMATS)
def machine(request):
    return PagingMachine(request.param)


def garbage(machine):
    freed = machine.tables.create()
    machine.tables.free(freed)
    return (freed, machine.frame(), machine.root + 4, 1, 1 << 63, ALL_ONES, machine.ram.size, 0x1000)


def test_many_directories_come_and_go_without_a_leak(machine):
    free = machine.free
    for _ in range(1000):
        machine.tables.free(machine.tables.create())
    roots = [machine.tables.create() for _ in range(20)]
    for root in roots[::2] + roots[1::2]:
        machine.tables.free(root)
    assert machine.free == free
    machine.validate()


def test_without_a_frame_there_is_no_directory(machine):
    frames = machine.frames.allocate_many(machine.free)
    before = machine.ram.digest()
    assert machine.tables.create() == 0
    assert machine.tables.clone(machine.root) == 0
    assert machine.ram.digest() == before
    machine.frames.free_many(frames)


def test_a_clone_keeps_rights_and_shares_only_what_may_be_written(machine):
    flags = (RW, PAGE_PRESENT | PAGE_USER, RW & ~PAGE_WRITABLE | PAGE_COW, RW | PAGE_ACCESSED | PAGE_DIRTY)
    for number, flag in enumerate(flags):
        machine.map(PAGE + number * 4096, machine.frame(), flag)
    shared = machine.frame()
    machine.tables.set_leaf(machine.root, PAGE + 4 * 4096, shared >> 12, RW | PAGE_SHARED)
    copy = machine.tables.clone(machine.root)
    expected = (SHARED_COW, PAGE_PRESENT | PAGE_USER, SHARED_COW, SHARED_COW | PAGE_ACCESSED | PAGE_DIRTY)
    for number, want in enumerate((*expected, RW | PAGE_SHARED)):
        assert machine.entry(PAGE + number * 4096) & 0xFFF == want
        assert machine.entry(PAGE + number * 4096) == machine.entry(PAGE + number * 4096, copy)
    assert machine.frames.mappings(shared >> 12) == 2
    machine.validate()


def test_null_is_no_error(machine):
    before = machine.ram.digest()
    assert machine.tables.clone(0) == 0
    machine.tables.free(0)
    assert machine.ram.digest() == before


def test_what_is_no_directory_is_reported_and_nothing_changes(machine):
    for root in garbage(machine):
        before = machine.ram.digest()
        for call in (machine.tables.clone, machine.tables.free, machine.tables.switch):
            with pytest.raises(InvalidPointerError):
                call(root)
        assert machine.ram.digest() == before
        assert machine.mmu.cr3 == machine.root
    with pytest.raises(InvalidPointerError):
        machine.tables.switch(0)


def test_only_numbers_name_a_directory(machine):
    for call in (machine.tables.clone, machine.tables.free, machine.tables.switch):
        with pytest.raises(TypeError):
            call("root")
        with pytest.raises(TypeError):
            call(None)
        with pytest.raises(ValueError):
            call(-1)


def test_the_current_and_the_kernels_directory_are_in_use(machine):
    before = machine.ram.digest()
    for root in (machine.root, machine.kernel_root):
        with pytest.raises(InUseError):
            machine.tables.free(root)
    assert machine.ram.digest() == before


def test_a_switch_sets_cr3_here_and_in_ram(machine):
    other = machine.tables.create()
    machine.tables.switch(other)
    assert machine.mmu.cr3 == machine.ram.words[SB_CURRENT_DIRECTORY] == other
    machine.tables.switch(other)
    machine.tables.free(machine.root)
    machine.validate()


def test_freeing_a_directory_drops_what_it_maps_and_spares_the_kernel_half(machine):
    free = machine.free
    other = machine.tables.create()
    frame = machine.frame()
    for vaddr in (0, PAGE, machine.form.user_top - 4096):
        machine.map(vaddr, frame, root=other)
    machine.frames.free(frame)
    machine.tables.free(other)
    assert machine.free == free
    assert machine.physical(machine.form.kernel_base + 0x5000) == 0x5000
    machine.validate()


def test_64_generations_share_a_page_and_let_it_go(machine):
    frame = machine.frame(9)
    free = machine.free
    machine.map(PAGE, frame)
    roots = [machine.root]
    for _ in range(64):
        roots.append(machine.tables.clone(roots[-1]))
    assert machine.frames.mappings(frame >> 12) == 65
    machine.validate()
    for root in roots[1:]:
        machine.tables.free(root)
    assert machine.frames.mappings(frame >> 12) == 1
    machine.unmap(PAGE)
    assert machine.free == free
    machine.validate()


def populate(machine):
    """Small pages in several tables, a huge page, a shared one."""
    top = machine.form.user_top
    for vaddr in (0x1000, PAGE, PAGE + 0x1000, 64 * MIB, top // 2, top - 4096):
        machine.map(vaddr, machine.frame())
    machine.map(128 * MIB, machine.huge(), RW | PAGE_HUGE)
    machine.tables.set_leaf(machine.root, PAGE + 0x5000, machine.frame() >> 12, RW | PAGE_SHARED)


def test_a_clone_that_fails_at_any_allocation_changes_nothing(machine):
    populate(machine)
    before = machine.ram.digest()
    failures = 0
    while True:
        with machine.frames.injection.failing(nth=failures + 1, points=("frame",)):
            copy = machine.tables.clone(machine.root)
        if copy:
            break
        assert machine.ram.digest() == before
        failures += 1
    assert failures > len(machine.form.levels)
    machine.validate()
    machine.tables.free(copy)
    machine.validate()


def test_a_map_that_fails_at_any_allocation_builds_nothing(machine):
    frame = machine.frame()
    kernel = machine.form.kernel_base + (512 * MIB if machine.form.vaddr_bits == 32 else 1 << 45)
    for vaddr, flags in ((machine.form.user_top - 4096, RW), (kernel, PAGE_PRESENT)):
        before = machine.ram.digest()
        failures = 0
        while True:
            with machine.frames.injection.failing(nth=failures + 1, points=("frame",)):
                result = machine.map(vaddr, frame, flags)
            if result == 0:
                break
            assert result == -12
            assert machine.ram.digest() == before
            failures += 1
        assert failures >= 1
        machine.validate()


def test_a_map_without_enough_free_frames_gives_back_what_it_took(machine):
    frame = machine.frame()
    taken = machine.frames.allocate_many(machine.free)
    for spare in range(len(machine.form.levels) - 1):
        before = machine.ram.digest()
        assert machine.map(machine.form.user_top // 2, frame) == -12
        assert machine.ram.digest() == before, spare
        machine.frames.free(taken.pop())
    if machine.form.levels[0].name == "PDPTE":
        assert machine.map(machine.form.user_top // 2, frame) == 0
    machine.frames.free_many(taken)
    assert machine.map(machine.form.user_top // 2, frame) == 0
    machine.validate()


def test_user_global_pages_do_not_leak_into_the_next_directory(machine):
    machine.map(PAGE, machine.frame(), RW | PAGE_GLOBAL)
    other = machine.tables.create()
    assert machine.mmu.translate(PAGE, 0, True) != ALL_ONES
    machine.tables.switch(other)
    assert machine.mmu.translate(PAGE, 0, True) == ALL_ONES


def test_a_resumed_machine_goes_on_with_its_directory(machine):
    machine.mmu.set_cr3(machine.kernel_root)
    machine.tables.resume()
    assert machine.mmu.cr3 == machine.root
