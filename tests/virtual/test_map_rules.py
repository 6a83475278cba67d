"""paging_map_page, paging_unmap_page, paging_get_physical: what is refused, and that nothing changes then."""

import pytest
from paging_machine import ALL_ONES, MIB, RW, PagingMachine

from coalmm.errors import EEXIST, EINVAL, InvalidPointerError
from coalmm.hardware.constants import (
    PAGE_ACCESSED,
    PAGE_CACHE_DISABLE,
    PAGE_COW,
    PAGE_DIRTY,
    PAGE_GLOBAL,
    PAGE_HUGE,
    PAGE_NX,
    PAGE_PRESENT,
    PAGE_SHARED,
    PAGE_USER,
    PAGE_WRITABLE,
    PAGE_WRITE_THROUGH,
)
from coalmm.hardware.formats import FORMATS
from coalmm.hardware.memory_map import MemoryMap

PAGE = 0x40_0000


@pytest.fixture(params=FORMATS)
def machine(request):
    return PagingMachine(request.param)


@pytest.fixture
def wide():
    return PagingMachine("x86_64")


@pytest.fixture
def narrow():
    return PagingMachine("i386")


def refused(machine, vaddr, paddr, flags=RW, error=EINVAL, root=0):
    """The call fails so, and RAM is as it was."""
    before = machine.ram.digest()
    assert machine.map(vaddr, paddr, flags, root) == -error
    assert machine.ram.digest() == before


def untouched(machine, call):
    """The call raises nothing and changes nothing."""
    before = machine.ram.digest()
    call()
    assert machine.ram.digest() == before


def test_unaligned_addresses_are_refused(machine):
    frame = machine.frame()
    for offset in (1, 8, 2048, 4095):
        refused(machine, PAGE + offset, frame)
        refused(machine, PAGE, frame + offset)


def test_addresses_that_are_not_canonical_are_refused(machine):
    frame = machine.frame()
    first, last = machine.form.hole
    for vaddr in (first, last & ~0xFFF):
        refused(machine, vaddr, frame)
        refused(machine, vaddr, frame, RW & ~PAGE_USER)
        assert machine.physical(vaddr) == 0
        untouched(machine, lambda vaddr=vaddr: machine.unmap(vaddr))


def test_the_top_page_is_an_address_like_others(machine):
    top = (1 << (32 if machine.form.vaddr_bits == 32 else 64)) - 0x1000
    assert machine.map(top, machine.frame(), PAGE_PRESENT) == 0
    assert machine.physical(top + 5) == machine.entry(top) & ~0xFFF | 5
    machine.validate()
    machine.unmap(top)
    machine.validate()


def test_a_32_bit_address_does_not_wrap_to_0(narrow):
    refused(narrow, 0x1_0000_0000, narrow.frame())


def test_physical_addresses_past_the_format_or_ram_are_refused(machine):
    for paddr in (machine.ram.size, 0x1_0000_0000, 1 << 52, 1 << 63, ALL_ONES & ~0xFFF):
        refused(machine, PAGE, paddr)


def test_frames_that_hold_structures_or_nothing_are_refused(machine):
    table = machine.root
    free = machine.frame()
    machine.frames.free(free)
    for paddr in (0, table, free, machine.frames.descriptors & ~0xFFF):
        refused(machine, PAGE, paddr)


def test_a_range_that_the_memory_map_reserves_may_be_mapped_and_counts_nothing(machine):
    before = machine.frames.statistics()
    assert machine.map(PAGE, 0xB8000) == 0  # the video memory of a PC
    assert machine.physical(PAGE) == 0xB8000
    machine.validate()
    copy = machine.tables.clone(machine.root)
    assert machine.physical(PAGE, copy) == 0xB8000
    machine.tables.free(copy)
    machine.unmap(PAGE)
    machine.validate()
    assert machine.frames.statistics() == before


def test_flags_without_present_or_unknown_ones_are_refused(machine):
    frame = machine.frame()
    for flags in (
        0,
        RW & ~PAGE_PRESENT,
        RW | 0xFFFF_FC00,
        RW | PAGE_SHARED,
        RW | 1 << 11,
        RW | 1 << 12,
        RW | 1 << 62,
    ):
        refused(machine, PAGE, frame, flags)


def test_no_execute_is_refused_where_the_format_has_none(machine):
    frame = machine.frame()
    if machine.form.has_nx:
        assert machine.map(PAGE, frame, RW | PAGE_NX) == 0
        assert machine.entry(PAGE) & PAGE_NX
        machine.mmu.set_control(nx=False)
        refused(machine, PAGE + 0x1000, frame, RW | PAGE_NX)
    else:
        refused(machine, PAGE, frame, RW | PAGE_NX)


def test_user_pages_in_the_kernel_half_are_refused(machine):
    refused(machine, machine.form.kernel_base + 64 * MIB, machine.frame())


def test_copy_on_write_excludes_writable(machine):
    frame = machine.frame()
    refused(machine, PAGE, frame, RW | PAGE_COW)
    assert machine.map(PAGE, frame, RW & ~PAGE_WRITABLE | PAGE_COW) == 0


def test_the_direct_map_can_be_neither_mapped_over_nor_unmapped(machine):
    base = machine.form.kernel_base
    frame = machine.frame()
    for vaddr in (base, base + frame, base + machine.ram.size - 0x1000):
        refused(machine, vaddr, frame, PAGE_PRESENT)
        before = machine.ram.digest()
        assert machine.unmap(vaddr) == -EINVAL
        assert machine.ram.digest() == before


def test_another_frame_is_not_replaced(machine):
    first, second = machine.frame(), machine.frame()
    machine.map(PAGE, first)
    refused(machine, PAGE, second, error=EEXIST)
    assert machine.physical(PAGE) == first


def test_the_same_frame_again_changes_the_flags_and_no_count(machine):
    frame = machine.frame()
    machine.map(PAGE, frame)
    references = machine.frames.references(frame >> 12)
    assert machine.map(PAGE, frame, PAGE_PRESENT) == 0
    assert machine.entry(PAGE) == frame | PAGE_PRESENT
    assert machine.frames.references(frame >> 12) == references
    untouched(machine, lambda: machine.map(PAGE, frame, PAGE_PRESENT))
    machine.validate()


def test_every_flag_of_the_document_lands_in_the_entry(machine):
    frame = machine.frame()
    flags = RW | PAGE_WRITE_THROUGH | PAGE_CACHE_DISABLE | PAGE_ACCESSED | PAGE_DIRTY | PAGE_GLOBAL
    assert machine.map(PAGE, frame, flags) == 0
    assert machine.entry(PAGE) == frame | flags
    machine.validate()


def test_a_supervisor_page_in_the_user_half_faults_for_the_user_only(machine):
    machine.map(PAGE, machine.frame(), PAGE_PRESENT | PAGE_WRITABLE)
    assert machine.mmu.translate(PAGE, 0, False) != ALL_ONES
    assert machine.mmu.translate(PAGE, 0, True) == ALL_ONES
    assert machine.mmu.fault_code == 0x5


def test_the_null_page_may_be_mapped(machine):
    frame = machine.frame()
    assert machine.map(0, frame) == 0
    assert machine.physical(0) == frame
    machine.validate()


def test_mapping_a_table_full_and_unmapping_it_leaks_nothing(machine):
    entries = machine.form.levels[-1].entries
    frames = [machine.frame() for _ in range(4)]
    free = machine.free
    for _ in range(3):
        for number in range(entries + 1):
            assert machine.map(PAGE + number * 4096, frames[number % 4]) == 0
        machine.validate()
        for number in range(entries + 1):
            machine.unmap(PAGE + number * 4096)
        assert machine.free == free
    machine.validate()


def test_unmapping_what_is_not_mapped_does_nothing(machine):
    machine.map(PAGE, machine.frame())
    untouched(machine, lambda: machine.unmap(PAGE + 0x1000))
    machine.unmap(PAGE)
    untouched(machine, lambda: machine.unmap(PAGE))
    untouched(machine, lambda: machine.unmap(machine.form.kernel_base + 128 * MIB))


def test_unmapping_takes_the_page_that_holds_the_address_and_no_neighbour(machine):
    for number in range(3):
        machine.map(PAGE + number * 4096, machine.frame())
    machine.unmap(PAGE + 4096 + 123)
    assert machine.physical(PAGE) and machine.physical(PAGE + 8192)
    assert machine.physical(PAGE + 4096) == 0


def test_a_frame_freed_while_mapped_goes_to_nobody_until_it_is_unmapped(machine):
    frame = machine.frame()
    machine.map(PAGE, frame)
    machine.frames.free(frame)
    assert machine.frames.is_allocated(frame >> 12)
    machine.validate()
    machine.unmap(PAGE)
    assert not machine.frames.is_allocated(frame >> 12)
    machine.validate()


def test_mappings_in_the_user_half_make_user_frames(machine):
    frame = machine.frame()
    machine.map(PAGE, frame)
    assert machine.frames.statistics().user == 1
    machine.map(machine.form.kernel_base + 64 * MIB, frame, PAGE_PRESENT)
    assert machine.frames.statistics().user == 1
    machine.unmap(PAGE)
    assert machine.frames.statistics().user == 0
    assert machine.frames.references(frame >> 12) == 2
    machine.validate()


def test_a_full_reference_counter_is_refused_and_never_wraps(machine):
    frame = machine.frame()
    at = machine.frames.first_half + (frame >> 12) * 16
    machine.map(PAGE, frame)
    before = machine.frames.halves[at]
    machine.frames.halves[at] = 0x7FFF_FFFF
    digest, free, entry = machine.ram.digest(), machine.free, machine.entry(PAGE)
    assert machine.map(PAGE + 0x1000, frame) < 0
    assert machine.ram.digest() == digest
    assert machine.tables.clone(machine.root) == 0
    assert (machine.free, machine.entry(PAGE)) == (free, entry)
    machine.frames.halves[at] = before
    machine.validate()


def test_other_directories_do_not_see_a_user_page(machine):
    other = machine.tables.create()
    machine.map(PAGE, machine.frame(), root=other)
    assert machine.physical(PAGE) == 0 and machine.physical(PAGE, other)


def test_kernel_pages_reach_every_directory_old_and_new(machine):
    old = machine.tables.create()
    vaddr = machine.form.kernel_base + (256 * MIB if machine.form.vaddr_bits == 32 else 1 << 44)
    frame = machine.frame()
    free = machine.free
    assert machine.map(vaddr, frame, PAGE_PRESENT | PAGE_WRITABLE) == 0
    new = machine.tables.create()
    for root in (old, new, machine.root, machine.kernel_root):
        assert machine.physical(vaddr, root) == frame
    machine.validate()
    machine.tables.free(new)
    machine.unmap(vaddr, root=old)
    assert machine.physical(vaddr) == 0 and machine.physical(vaddr, machine.kernel_root) == 0
    assert machine.free == free
    machine.validate()


def test_what_is_no_directory_is_reported(machine):
    frame = machine.frame()
    for root in (0, 1, frame, machine.root + 8, ALL_ONES, 1 << 63, machine.ram.size):
        for call in (machine.tables.map, machine.tables.unmap, machine.tables.physical):
            before = machine.ram.digest()
            with pytest.raises(InvalidPointerError):
                call(root, *((PAGE, frame, RW) if call == machine.tables.map else (PAGE,)))
            assert machine.ram.digest() == before


def test_only_numbers_are_taken(wide):
    frame = wide.frame()
    for wrong in (None, "1", 1.5, b"x"):
        with pytest.raises(TypeError):
            wide.map(wrong, frame)
        with pytest.raises(TypeError):
            wide.map(PAGE, wrong)
        with pytest.raises(TypeError):
            wide.map(PAGE, frame, wrong)
        with pytest.raises(TypeError):
            wide.physical(wrong)
    for wrong in (-1, 1 << 64):
        with pytest.raises(ValueError):
            wide.map(wrong, frame)
        with pytest.raises(ValueError):
            wide.unmap(wrong)


def test_the_direct_map_of_a_32_bit_mode_ends_at_896_mebibytes():
    machine = PagingMachine("i386", ram=1000 * MIB)
    assert machine.physical(0xC000_0000 + 896 * MIB - 1) == 896 * MIB - 1
    assert machine.physical(0xC000_0000 + 896 * MIB) == 0
    assert machine.map(0xC000_0000 + 896 * MIB, machine.frame(), PAGE_PRESENT) == 0
    machine.validate()


def test_the_direct_map_ends_with_small_pages_where_ram_does():
    memory = MemoryMap([(0, 9 * MIB + 3 * 4096, "usable")])
    for mode in FORMATS:
        machine = PagingMachine(mode, ram=9 * MIB + 3 * 4096, memory_map=memory)
        sizes = [size for _, _, size, _ in machine.tables.for_each_leaf(machine.root, machine.form.kernel_base)]
        huge = machine.form.huge_sizes[0]
        assert sizes.count(huge) == 9 * MIB // huge
        assert sum(sizes) == machine.ram.size
        flags = {flags for *_, flags in machine.tables.for_each_leaf(machine.root, machine.form.kernel_base)}
        assert all(flag & PAGE_GLOBAL and not flag & PAGE_USER for flag in flags)
        machine.validate()


def test_one_gibibyte_pages_map_large_ram():
    machine = PagingMachine("x86_64", ram=2100 * MIB)
    sizes = [size for _, _, size, _ in machine.tables.for_each_leaf(machine.root, machine.form.kernel_base)]
    assert sizes[:2] == [1 << 30, 1 << 30] and set(sizes[2:]) == {2 * MIB}


def test_huge_flag_means_the_smallest_huge_page(machine):
    size = machine.form.huge_sizes[0]
    base = machine.huge()
    assert machine.map(8 * MIB, base, RW | PAGE_HUGE) == 0
    assert machine.leaves() == [(8 * MIB, base, size, RW | PAGE_HUGE)]
    refused(machine, 8 * MIB + size // 2, base, RW | PAGE_HUGE)
    refused(machine, 16 * MIB, base + 4096, RW | PAGE_HUGE)
    refused(machine, 16 * MIB, base + 8 * 4096, RW | PAGE_HUGE)
