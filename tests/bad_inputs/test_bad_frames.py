"""B001 to B021: frame_alloc, frame_free, frame_get_stats."""

import pytest
from scene import FRAME, RW, SIZE_MAX, USER, every_mode

import coalmm
from coalmm import api
from coalmm.errors import DoubleFreeError, InvalidPointerError
from coalmm.physical.constants import KIND_FRAME


@every_mode
def test_b001_exhausted_frames_are_0_and_free_memory_reads_0(scene):
    frames = scene.exhaust()
    for _ in range(3):
        assert scene.unchanged(api.frame_alloc, works=False) == 0
    assert api.frame_get_free_memory() == 0
    for paddr in frames:
        api.frame_free(paddr)
    scene.works()


def test_b002_the_only_free_frame_is_handed_out_again(scene):
    frames = scene.exhaust()
    middle = frames[len(frames) // 2]
    api.frame_free(middle)
    assert api.frame_alloc() == middle
    assert api.frame_alloc() == 0


def test_b003_exhausting_thrice_gives_the_same_number_of_frames(scene):
    taken = []
    for _ in range(3):
        frames = scene.exhaust()
        taken.append(len(frames))
        assert len(set(frames)) == len(frames)
        for paddr in frames:
            api.frame_free(paddr)
    assert taken[0] == taken[1] == taken[2]


@every_mode
def test_b004_b005_neither_frame_0_nor_a_frame_in_use_is_handed_out(scene):
    kernel = scene.kernel
    directory = api.paging_create_directory()
    mapped = scene.mapped()
    walk = kernel.mmu.walker.walk(kernel.mmu.cr3, USER)
    used = {directory, mapped, *(step.table & ~0xFFF for step in walk.steps)}
    used |= {(address - scene.base) & ~0xFFF for address in scene.live}
    contents = {paddr: scene.ram.read(paddr, FRAME) for paddr in used}
    structures = {0, kernel.frames.descriptors & ~0xFFF}
    frames = scene.exhaust()
    assert not (used | structures) & set(frames)
    assert not any(0xA0000 <= paddr < 0x100000 for paddr in frames)  # the hole of a PC
    for paddr in frames:
        scene.ram.fill(paddr, FRAME, 0xEE)
    assert contents == {paddr: scene.ram.read(paddr, FRAME) for paddr in used}
    scene.check()


@pytest.mark.parametrize("extra", [1, 2048, 4095])
def test_b006_a_part_of_a_frame_at_the_end_is_never_handed_out(extra):
    with coalmm.boot(ram=(4 << 20) + extra) as kernel:
        frames = []
        while paddr := api.frame_alloc():
            frames.append(paddr)
        assert max(frames) == (4 << 20) - FRAME
        assert kernel.frames.statistics().free == 0
        kernel.validate()


@pytest.mark.parametrize("nth", range(1, 6))
def test_b007_the_nth_allocation_fails_exactly(scene, nth):
    with scene.kernel.failing(nth=nth, points=("frame",)):
        results = [api.frame_alloc() for _ in range(8)]
    assert [index for index, paddr in enumerate(results, 1) if paddr == 0] == [nth]
    for paddr in filter(None, results):
        api.frame_free(paddr)
    scene.works()


def test_b008_contents_are_undefined_but_a_user_never_sees_what_another_left(scene):
    first = scene.kernel.processes.create("first")
    assert first.map(USER, 16 * FRAME, "rw") == USER
    first.write(USER, b"secret" * 2000)
    first.exit()
    second = scene.kernel.processes.create("second")
    assert second.map(USER, 2000 * FRAME, "rw") == USER
    for page in range(0, 2000, 7):
        assert second.read(USER + page * FRAME, FRAME) == bytes(FRAME)
    second.exit()
    dirty = scene.frame(0xAA)
    api.frame_free(dirty)
    zeroed = scene.kernel.frames.allocate_zeroed()
    assert scene.ram.read(zeroed, FRAME) == bytes(FRAME)


def test_b009_double_free_of_a_frame_is_reported_and_changes_nothing(scene):
    paddr = api.frame_alloc()
    before = api.frame_get_free_memory()
    api.frame_free(paddr)
    for _ in range(2):
        error = scene.reported(api.frame_free, paddr, error=DoubleFreeError, works=False)
        assert error.address == paddr and f"{paddr:#x}" in str(error)
    assert api.frame_get_free_memory() == before + FRAME
    assert api.frame_alloc() != api.frame_alloc()


def test_b010_frame_0_is_never_freed(scene):
    scene.reported(api.frame_free, 0, error=InvalidPointerError)
    assert 0 not in scene.exhaust()


@pytest.mark.parametrize("offset", [1, 8, 4095])
def test_b011_an_address_inside_a_frame_is_reported(scene, offset):
    paddr = api.frame_alloc()
    scene.reported(api.frame_free, paddr + offset, error=InvalidPointerError)
    api.frame_free(paddr)


@pytest.mark.parametrize("beyond", [0, FRAME, 1 << 20, 1 << 30])
def test_b012_an_address_past_the_end_of_ram_is_reported(scene, beyond):
    scene.reported(api.frame_free, scene.ram.size + beyond, error=InvalidPointerError)


@pytest.mark.parametrize("paddr", [SIZE_MAX, SIZE_MAX - 4095, 1 << 63, 1 << 52, 1 << 44, 1 << 32])
def test_b013_huge_addresses_are_reported(scene, paddr):
    scene.reported(api.frame_free, paddr, error=InvalidPointerError)


def test_b014_reserved_frames_are_reported(scene):
    kernel = scene.kernel
    for paddr in (0xA0000, 0xFF000, kernel.frames.descriptors & ~0xFFF, kernel.mmu.cr3):
        scene.reported(api.frame_free, paddr, error=InvalidPointerError)
    for address in scene.live:  # heap
        if kernel.frames.kind((address - scene.base) >> 12) != KIND_FRAME:
            scene.reported(api.frame_free, (address - scene.base) & ~0xFFF, error=InvalidPointerError, works=False)


def test_b015_a_frame_that_was_never_allocated_is_reported(scene):
    scene.reported(api.frame_free, scene.ram.size - FRAME, error=DoubleFreeError)


@every_mode
def test_b016_a_frame_freed_while_mapped_is_handed_to_nobody_until_it_is_unmapped(scene):
    paddr = scene.frame(0x5A)
    assert api.paging_map_page(USER, paddr, RW) == 0
    api.frame_free(paddr)
    scene.reported(api.frame_free, paddr, error=DoubleFreeError, works=False)
    others = scene.exhaust()
    assert paddr not in others and api.paging_get_physical(USER) == paddr
    assert scene.ram.read(paddr, FRAME) == b"\x5a" * FRAME
    api.paging_unmap_page(USER)
    assert api.frame_alloc() == paddr


def test_b017_freeing_a_shared_frame_drops_one_reference_only(scene):
    paddr = scene.frame(7)
    assert api.paging_map_page(USER, paddr, RW) == 0
    clone = api.paging_clone_directory(scene.kernel.mmu.cr3)
    assert clone
    api.frame_free(paddr)
    api.paging_unmap_page(USER)
    assert scene.kernel.page_tables.physical(clone, USER) == paddr
    assert paddr not in scene.exhaust() and scene.ram.read(paddr, FRAME) == b"\7" * FRAME
    api.paging_free_directory(clone)
    assert api.frame_alloc()


def test_b018_what_is_no_address_is_a_type_or_value_error(scene):
    scene.wrong_types(api.frame_free)


def test_b019_statistics_into_null_are_nothing(scene):
    for null in (None, api.NULL):
        scene.unchanged(api.frame_get_stats, null)
    for wrong in (1, "x", object(), api.meminfo_t()):
        scene.reported(api.frame_get_stats, wrong, error=TypeError)


def test_b021_the_statistics_add_up_between_every_two_operations(scene):
    stats = api.frame_stats_t()

    def check():
        api.frame_get_stats(stats)
        assert stats.free_frames + stats.reserved_frames + stats.user_frames == stats.total_frames
        assert stats.free_frames * FRAME == api.frame_get_free_memory()
        assert stats.total_frames * FRAME == api.frame_get_total_memory()
        return stats.user_frames

    users = check()
    paddr = api.frame_alloc()
    assert check() == users
    assert api.paging_map_page(USER, paddr, RW) == 0
    assert check() == users + 1
    clone = api.paging_clone_directory(scene.kernel.mmu.cr3)
    assert check() == users + 1
    api.frame_free(paddr)
    assert check() == users + 1
    api.paging_unmap_page(USER)
    assert check() == users + 1
    api.paging_free_directory(clone)
    assert check() == users
    for address in [api.kmalloc(size) for size in (10, 5000, 70000)]:
        check()
        api.kfree(address)
        check()
    scene.exhaust()
    check()
