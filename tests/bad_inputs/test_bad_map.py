"""B022 to B050: paging_map_page."""

import pytest
from scene import FRAME, MIB, RW, SIZE_MAX, USER, every_mode

import coalmm
from coalmm import api
from coalmm.api import (
    EEXIST,
    EINVAL,
    ENOMEM,
    PAGE_ACCESSED,
    PAGE_COW,
    PAGE_DIRTY,
    PAGE_HUGE,
    PAGE_NX,
    PAGE_PRESENT,
    PAGE_USER,
    PAGE_WRITABLE,
)
from coalmm.hardware.constants import ACCESS_READ, ACCESS_WRITE
from coalmm.hardware.formats import FORMATS
from coalmm.physical.constants import REFERENCES_LIMIT

ALL_ONES = SIZE_MAX
WIDE = [mode for mode, form in FORMATS.items() if form.vaddr_bits > 32]
wide_modes = pytest.mark.parametrize("paging", WIDE)


def refused(scene, vaddr, paddr, flags=RW, error=EINVAL):
    """The mapping is refused, and not one byte of RAM changes."""
    assert scene.unchanged(api.paging_map_page, vaddr, paddr, flags, works=False) == -error


@pytest.fixture
def huge(scene):
    """The size of the smallest huge page, and adjacent frames for one."""
    size = scene.kernel.format.huge_sizes[0]
    paddr = scene.kernel.frames.allocate_run(size >> 12, size >> 12)
    assert paddr
    return size, paddr


@every_mode
@pytest.mark.parametrize("offset", [1, 8, 2048, 4095])
def test_b022_b023_addresses_inside_a_page_are_refused(scene, offset):
    paddr = scene.frame()
    refused(scene, USER + offset, paddr)
    refused(scene, USER, paddr + offset)
    assert api.paging_get_physical(USER) == 0
    assert api.paging_map_page(USER, paddr, RW) == 0


@wide_modes
def test_b024_b025_addresses_that_are_not_canonical_are_refused(scene):
    first, last = scene.kernel.format.hole
    for vaddr in (first, last - 4095, 1 << 62):
        refused(scene, vaddr, scene.frame())
        refused(scene, vaddr, scene.frame(), RW & ~PAGE_USER)
    scene.works()


def test_b024_b025_the_addresses_of_the_table(paging="x86_64"):
    with coalmm.boot(ram="8M", paging=paging):
        paddr = api.frame_alloc()
        for vaddr in (0x0000_8000_0000_0000, 0xFFFF_7FFF_FFFF_F000):
            assert api.paging_map_page(vaddr, paddr, RW) == -EINVAL


@every_mode
def test_b026_the_top_pages_are_canonical(scene):
    top = 1 << (32 if scene.kernel.format.vaddr_bits == 32 else 64)
    for vaddr in (top - 2 * FRAME, top - FRAME):
        paddr = scene.frame()
        assert api.paging_map_page(vaddr, paddr, PAGE_PRESENT | PAGE_WRITABLE) == 0
        assert api.paging_get_physical(vaddr + 4095) == paddr + 4095
        api.paging_unmap_page(vaddr)
        assert api.paging_get_physical(vaddr) == 0
        api.frame_free(paddr)
    scene.works()


@pytest.mark.parametrize("paging", ["i386", "pae"])
def test_b027_a_33_bit_address_does_not_alias_0(scene, paging):
    for vaddr in (0x1_0000_0000, 0x1_0000_0000 + USER, 1 << 63):
        refused(scene, vaddr, scene.frame())
    assert api.paging_get_physical(USER) == 0


def test_b028_i386_takes_no_frame_above_4_gib(scene):
    for paddr in (0x1_0000_0000, 0x1_0000_0000 + scene.frame()):
        refused(scene, USER, paddr)
        refused(scene, USER, paddr, RW | PAGE_HUGE)


@pytest.mark.parametrize("paging", ["pae", *WIDE])
def test_b029_reserved_physical_address_bits_are_refused(scene):
    paddr = scene.frame()
    for bit in range(40, 64):
        refused(scene, USER, paddr | 1 << bit)


@every_mode
def test_b030_addresses_past_ram_are_refused(scene):
    for paddr in (scene.ram.size, scene.ram.size + FRAME, SIZE_MAX - 4095):
        refused(scene, USER, paddr)
    refused(scene, USER, (scene.ram.size + 4 * MIB) & -(4 * MIB), RW | PAGE_HUGE)


@every_mode
def test_b031_frames_of_page_tables_and_other_structures_are_refused(scene):
    kernel = scene.kernel
    scene.mapped(USER)
    walk = kernel.mmu.walker.walk(kernel.mmu.cr3, USER)
    assert walk.steps
    structures = {step.table & ~0xFFF for step in walk.steps} | {api.paging_create_directory()}
    structures |= {(address - scene.base) & ~0xFFF for address in list(scene.live)[:-1]}
    structures |= {0, kernel.frames.descriptors & ~0xFFF}
    for paddr in structures:
        refused(scene, USER + FRAME, paddr)
        refused(scene, USER + FRAME, paddr, PAGE_PRESENT)
    scene.works()


def test_b032_a_frame_that_is_not_allocated_is_refused(scene):
    paddr = scene.frame()
    api.frame_free(paddr)
    refused(scene, USER, paddr)


@every_mode
def test_b033_a_page_with_another_frame_is_refused_and_keeps_its_own(scene):
    old, new = scene.mapped(USER, fill=1), scene.frame(2)
    refused(scene, USER, new, error=EEXIST)
    assert api.paging_get_physical(USER) == old
    assert scene.kernel.frames.references(new >> 12) == 1
    api.frame_free(new)
    api.paging_unmap_page(USER)
    assert api.paging_map_page(USER, scene.frame(), RW) == 0


@every_mode
def test_b034_the_same_frame_again_is_0_and_changes_the_flags_only(scene):
    paddr = scene.mapped()
    assert scene.unchanged(api.paging_map_page, USER, paddr, RW) == 0
    assert api.paging_map_page(USER, paddr, PAGE_PRESENT | PAGE_USER) == 0
    assert scene.kernel.frames.references(paddr >> 12) == scene.kernel.frames.mappings(paddr >> 12) == 1
    assert scene.kernel.mmu.translate(USER, ACCESS_WRITE, True) == ALL_ONES
    free = api.frame_get_free_memory()
    api.paging_unmap_page(USER)
    assert api.frame_get_free_memory() > free


@every_mode
def test_b035_flags_without_present_are_refused(scene):
    paddr = scene.frame()
    for flags in (0, PAGE_WRITABLE, PAGE_USER | PAGE_WRITABLE, PAGE_COW, PAGE_HUGE):
        refused(scene, USER, paddr, flags)
    assert api.paging_get_physical(USER) == 0


@every_mode
def test_b036_flags_that_would_overwrite_the_address_are_refused(scene):
    paddr = scene.frame()
    for wrong in (0xFFFF_FC00, *(1 << bit for bit in range(10, 63))):
        refused(scene, USER, paddr, RW | wrong)


@every_mode
def test_b037_b038_no_execute_is_bit_63_of_the_flags_and_refused_where_there_is_none(scene):
    paddr = scene.frame()
    if scene.kernel.format.has_nx:
        assert api.paging_map_page(USER, paddr, RW | PAGE_NX) == 0
        assert scene.kernel.page_tables.entry(scene.kernel.mmu.cr3, USER) & PAGE_NX
    else:
        refused(scene, USER, paddr, RW | PAGE_NX)
        assert api.paging_get_physical(USER + FRAME) == 0


@every_mode
def test_b039_b040_huge_pages_are_aligned_to_their_size(scene, huge):
    size, paddr = huge
    for offset in (FRAME, size // 2, size - FRAME):
        refused(scene, USER + offset, paddr, RW | PAGE_HUGE)
        refused(scene, USER, paddr + offset, RW | PAGE_HUGE)
    assert api.paging_map_page(USER, paddr, RW | PAGE_HUGE) == 0
    assert api.paging_get_physical(USER + size - 1) == paddr + size - 1


@every_mode
def test_b041_a_huge_page_over_small_ones_is_refused_and_nothing_leaks(scene, huge):
    _, paddr = huge
    small = scene.mapped(USER + FRAME)
    refused(scene, USER, paddr, RW | PAGE_HUGE, error=EEXIST)
    assert api.paging_get_physical(USER + FRAME) == small
    api.paging_unmap_page(USER + FRAME)
    assert api.paging_map_page(USER, paddr, RW | PAGE_HUGE) == 0
    scene.works()


@every_mode
def test_b042_a_small_page_inside_a_huge_one_is_refused_and_the_neighbours_stay(scene, huge):
    size, paddr = huge
    assert api.paging_map_page(USER, paddr, RW | PAGE_HUGE) == 0
    refused(scene, USER + 5 * FRAME, scene.frame(), error=EEXIST)
    assert api.paging_map_page(USER + 5 * FRAME, paddr + 5 * FRAME, PAGE_PRESENT | PAGE_USER) == 0  # its own: split
    for offset in range(0, size, FRAME):
        assert api.paging_get_physical(USER + offset) == paddr + offset
    mmu = scene.kernel.mmu
    assert mmu.translate(USER + 5 * FRAME, ACCESS_WRITE, True) == ALL_ONES
    assert mmu.translate(USER + 4 * FRAME, ACCESS_WRITE, True) == paddr + 4 * FRAME
    scene.works()


@every_mode
def test_b043_copy_on_write_and_writable_together_are_refused(scene):
    paddr = scene.frame()
    refused(scene, USER, paddr, RW | PAGE_COW)
    assert api.paging_map_page(USER, paddr, PAGE_PRESENT | PAGE_USER | PAGE_COW) == 0
    assert scene.kernel.mmu.translate(USER, ACCESS_WRITE, True) == ALL_ONES


@every_mode
def test_b044_a_user_page_in_the_kernel_half_is_refused(scene):
    paddr = scene.frame()
    top = 1 << (32 if scene.kernel.format.vaddr_bits == 32 else 64)
    for vaddr in (scene.base, scene.base + paddr, top - FRAME):
        refused(scene, vaddr, paddr, RW)


@every_mode
def test_b045_a_kernel_page_in_the_user_half_faults_for_the_user(scene):
    paddr = scene.mapped(USER, PAGE_PRESENT | PAGE_WRITABLE)
    mmu = scene.kernel.mmu
    assert mmu.translate(USER, ACCESS_READ, True) == ALL_ONES
    assert mmu.fault_address == USER and mmu.fault_code == 5  # present, user
    assert mmu.translate(USER, ACCESS_READ, False) == paddr


@every_mode
def test_b046_without_a_frame_for_a_table_nothing_is_left_half_built(scene):
    frames = scene.exhaust()
    paddr = frames.pop()
    result, spares = -ENOMEM, 0
    while result == -ENOMEM:  # one more free frame at each try, until there are enough for the tables
        result = api.paging_map_page(USER, paddr, RW)
        assert api.paging_get_physical(USER) == (paddr if result == 0 else 0)
        if result:
            assert scene.kernel.frames.statistics().free == spares
            api.frame_free(frames.pop())
            spares += 1
    assert result == 0 and 1 <= spares < len(scene.kernel.format.levels)
    api.paging_unmap_page(USER)
    assert scene.kernel.frames.statistics().free == spares
    scene.check()


@every_mode
def test_b046_the_failure_of_every_table_leaves_nothing(scene):
    paddr = scene.frame()
    for nth in range(1, 10):
        with scene.kernel.failing(nth=nth, points=("frame",)):
            before = scene.counts()
            result = api.paging_map_page(USER, paddr, RW)
        if result == 0:
            break
        assert result == -ENOMEM and scene.counts() == before
        scene.check()
    assert 1 < nth < 10 and api.paging_get_physical(USER) == paddr


@every_mode
def test_b047_tables_without_entries_go_back(scene):
    count = scene.kernel.format.levels[-1].entries
    paddr = scene.frame()
    free = api.frame_get_free_memory()
    for _ in range(3):
        for page in range(count):
            assert api.paging_map_page(USER + page * FRAME, paddr, RW) == 0
        assert api.frame_get_free_memory() < free
        for page in range(count):
            api.paging_unmap_page(USER + page * FRAME)
        assert api.frame_get_free_memory() == free
    scene.works()


@every_mode
def test_b048_only_the_current_directory_changes(scene):
    first, second = scene.kernel.mmu.cr3, api.paging_create_directory()
    paddr = scene.mapped()
    api.paging_switch_directory(second)
    assert api.paging_get_physical(USER) == 0
    kernel_page = scene.frame()
    top = (1 << (32 if scene.kernel.format.vaddr_bits == 32 else 64)) - FRAME
    assert api.paging_map_page(top, kernel_page, PAGE_PRESENT | PAGE_WRITABLE) == 0
    api.paging_switch_directory(first)
    assert api.paging_get_physical(USER) == paddr
    assert api.paging_get_physical(top) == kernel_page  # the kernel half is everybody's
    api.paging_free_directory(second)
    assert api.paging_get_physical(top) == kernel_page
    scene.works()


def test_b049_page_0_can_be_mapped_but_is_never_valid_for_user_access(scene):
    scene.mapped(0)
    assert not api.validate_user_pointer(0, 8, False)
    assert api.copy_to_user(0, b"x", 1) == -api.EFAULT
    assert api.paging_get_physical(5) != 0
    api.paging_unmap_page(0)


@every_mode
def test_b050_accessed_and_dirty_land_as_given(scene):
    for page, bits in enumerate((0, PAGE_ACCESSED, PAGE_DIRTY, PAGE_ACCESSED | PAGE_DIRTY)):
        vaddr = USER + page * FRAME
        scene.mapped(vaddr, RW | bits)
        entry = scene.kernel.page_tables.entry(scene.kernel.mmu.cr3, vaddr)
        assert entry & (PAGE_ACCESSED | PAGE_DIRTY) == bits


@every_mode
def test_b079_a_full_reference_counter_refuses_one_more_mapping(scene):
    paddr = scene.frame()
    at = scene.kernel.frames.first_half + (paddr >> 12 << 4)
    scene.kernel.frames.halves[at] = REFERENCES_LIMIT
    refused_with = api.paging_map_page(USER, paddr, RW)
    scene.kernel.frames.halves[at] = 1
    assert refused_with < 0 and api.paging_get_physical(USER) == 0
    scene.works()


@pytest.mark.parametrize("place", range(3))
def test_what_is_no_number_is_refused(scene, place):
    paddr = scene.frame()
    arguments = [USER, paddr, RW]
    scene.wrong_types(api.paging_map_page, *arguments[place + 1 :], before=tuple(arguments[:place]))
