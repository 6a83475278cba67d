"""B051 to B065: paging_unmap_page and paging_get_physical."""

import pytest
from scene import FRAME, RW, SIZE_MAX, USER, every_mode

from coalmm import api
from coalmm.api import PAGE_HUGE, PAGE_PRESENT, PAGE_USER
from coalmm.hardware.constants import ACCESS_EXECUTE, ACCESS_READ, ACCESS_WRITE

ALL_ONES = SIZE_MAX


@every_mode
def test_b051_unmapping_what_was_never_mapped_is_nothing(scene):
    for vaddr in (0, USER, scene.kernel.format.user_top - FRAME):
        scene.unchanged(api.paging_unmap_page, vaddr)
    scene.mapped(USER + FRAME)
    scene.unchanged(api.paging_unmap_page, USER)


@every_mode
def test_b052_unmapping_twice_is_as_once(scene):
    scene.mapped()
    api.paging_unmap_page(USER)
    scene.unchanged(api.paging_unmap_page, USER)


@every_mode
@pytest.mark.parametrize("offset", [1, 8, 4095])
def test_b053_an_address_inside_a_page_unmaps_that_page_only(scene, offset):
    pages = [scene.mapped(USER + page * FRAME) for page in range(3)]
    api.paging_unmap_page(USER + FRAME + offset)
    assert [api.paging_get_physical(USER + page * FRAME) for page in range(3)] == [pages[0], 0, pages[2]]
    scene.works()


@every_mode
def test_b054_an_address_that_is_not_canonical_is_nothing(scene):
    scene.mapped(0)
    first, last = scene.kernel.format.hole
    for vaddr in (first, (first + last) // 2, last):
        scene.unchanged(api.paging_unmap_page, vaddr)
    assert api.paging_get_physical(0)


@every_mode
def test_b055_unmapping_inside_a_huge_page_splits_it(scene):
    size = scene.kernel.format.huge_sizes[0]
    paddr = scene.kernel.frames.allocate_run(size >> 12, size >> 12)
    assert api.paging_map_page(USER, paddr, RW | PAGE_HUGE) == 0
    api.paging_unmap_page(USER + 3 * FRAME + 5)
    for page in range(size >> 12):
        assert api.paging_get_physical(USER + page * FRAME) == (0 if page == 3 else paddr + page * FRAME)
    assert scene.kernel.frames.mappings((paddr >> 12) + 3) == 0
    scene.works()


@every_mode
def test_b055_without_a_frame_for_the_split_nothing_changes(scene):
    size = scene.kernel.format.huge_sizes[0]
    paddr = scene.kernel.frames.allocate_run(size >> 12, size >> 12)
    assert api.paging_map_page(USER, paddr, RW | PAGE_HUGE) == 0
    scene.exhaust()
    scene.unchanged(api.paging_unmap_page, USER, works=False)
    assert api.paging_get_physical(USER) == paddr


def test_the_direct_map_of_the_kernel_is_not_unmapped(scene):
    scene.unchanged(api.paging_unmap_page, scene.base + 0x1000)
    assert api.paging_get_physical(scene.base + 0x1000) == 0x1000


@every_mode
@pytest.mark.parametrize("access", [ACCESS_EXECUTE, ACCESS_READ, ACCESS_WRITE])
def test_b056_b057_the_next_access_or_fetch_after_an_unmap_faults(scene, access):
    mmu = scene.kernel.mmu
    paddr = scene.mapped()
    for _ in range(2):  # the second time from the TLB
        assert mmu.translate(USER + 0x10, access, True) == paddr + 0x10
    api.paging_unmap_page(USER)
    assert mmu.translate(USER + 0x10, access, True) == ALL_ONES
    assert mmu.fault_address == USER + 0x10


@every_mode
def test_b058_the_old_address_never_shows_the_new_owners_bytes(scene):
    old = scene.mapped(fill=1)
    buffer = bytearray(4)
    assert api.copy_from_user(buffer, USER, 4) == 0 and buffer == b"\1\1\1\1"
    api.paging_unmap_page(USER)
    frames = scene.exhaust()
    assert old in frames  # the mapping was the last to hold it
    scene.ram.fill(old, FRAME, 0x99)
    assert api.copy_from_user(buffer, USER, 4) == -api.EFAULT
    assert buffer == b"\1\1\1\1"


@every_mode
def test_b059_unmapping_one_side_of_a_copy_on_write_page_leaves_the_other(scene):
    paddr = scene.mapped(fill=3)
    clone = api.paging_clone_directory(scene.kernel.mmu.cr3)
    assert scene.kernel.frames.references(paddr >> 12) == 2
    api.paging_unmap_page(USER)
    assert scene.kernel.frames.references(paddr >> 12) == 1
    api.paging_switch_directory(clone)
    assert api.paging_get_physical(USER) == paddr and scene.ram.read(paddr, 1) == b"\3"
    scene.works()


@every_mode
def test_b060_what_is_not_mapped_is_0(scene):
    for vaddr in (0, USER, scene.kernel.format.user_top - 1):
        assert scene.unchanged(api.paging_get_physical, vaddr) == 0


@every_mode
def test_b061_an_entry_that_is_not_present_is_0_whatever_else_it_says(scene):
    scene.mapped(USER + FRAME)
    form = scene.kernel.format
    walk = scene.kernel.mmu.walker.walk(scene.kernel.mmu.cr3, USER + FRAME)
    entry = walk.steps[-1].entry_paddr - form.entry_size  # that of USER
    scene.ram.write(entry, (0xABCD_E006).to_bytes(form.entry_size, "little"))
    assert api.paging_get_physical(USER) == api.paging_get_physical(USER + 5) == 0
    scene.ram.write(entry, bytes(form.entry_size))


@every_mode
@pytest.mark.parametrize("offset", [0, 1, 0x123, 4095])
def test_b062_the_physical_address_has_the_offset_in_the_page(scene, offset):
    assert api.paging_get_physical(USER + offset) == 0
    paddr = scene.mapped()
    assert scene.unchanged(api.paging_get_physical, USER + offset) == paddr + offset


@every_mode
def test_b063_inside_a_huge_page_the_offset_is_all_of_it(scene):
    size = scene.kernel.format.huge_sizes[0]
    paddr = scene.kernel.frames.allocate_run(size >> 12, size >> 12)
    assert api.paging_map_page(USER, paddr, PAGE_PRESENT | PAGE_USER | PAGE_HUGE) == 0
    for offset in (0, 0x1234, size // 2 + 1, size - 1):
        assert api.paging_get_physical(USER + offset) == paddr + offset


@every_mode
def test_b064_what_is_not_canonical_is_0(scene):
    scene.mapped(0)
    first, last = scene.kernel.format.hole
    for vaddr in (first, (first + last) // 2, last):
        assert scene.unchanged(api.paging_get_physical, vaddr) == 0


@every_mode
def test_b065_frame_0_cannot_be_mapped_so_0_means_not_mapped(scene):
    assert scene.unchanged(api.paging_map_page, USER, 0, RW) == -api.EINVAL
    assert api.paging_get_physical(USER) == 0


def test_what_is_no_number_is_refused(scene):
    scene.wrong_types(api.paging_unmap_page)
    scene.wrong_types(api.paging_get_physical)
