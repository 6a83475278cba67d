"""B066 to B094: page directories: create, clone, free, switch."""

import pytest
from scene import FRAME, RW, SIZE_MAX, USER, every_mode

from coalmm import MODE, api
from coalmm.api import PAGE_ACCESSED, PAGE_COW, PAGE_DIRTY, PAGE_GLOBAL, PAGE_HUGE, PAGE_PRESENT, PAGE_USER
from coalmm.errors import CorruptionError, InUseError, InvalidPointerError
from coalmm.hardware.constants import ACCESS_READ, ACCESS_WRITE
from coalmm.physical.constants import REFERENCES_LIMIT, SB_KERNEL_DIRECTORY
from coalmm.virtual.constants import MAP_ANONYMOUS, MAP_FIXED, MAP_SHARED

ALL_ONES = SIZE_MAX


def garbage(scene):
    """Addresses that are no directory: the heap, a table, a frame, a hole, past RAM, inside a directory."""
    frame = scene.frame(0xFF)
    current = scene.kernel.mmu.cr3
    pointers = [1, 8, FRAME, frame, 0xA0000, scene.ram.size, 1 << 63, SIZE_MAX, SIZE_MAX & ~0xFFF]
    return pointers + [current + 8, current + 32, current + 2048, scene.base + current, *list(scene.live)[:3]]


def freed(scene):
    """A directory that was freed."""
    directory = api.paging_create_directory()
    api.paging_free_directory(directory)
    return directory


def entry(scene, vaddr=USER, directory=0):
    return scene.kernel.page_tables.entry(directory or scene.kernel.mmu.cr3, vaddr)


# paging_create_directory


@every_mode
def test_b066_without_a_free_frame_it_is_0(scene):
    scene.exhaust()
    assert scene.unchanged(api.paging_create_directory, works=False) == 0


@every_mode
@pytest.mark.parametrize("spare", [1, 2, 3, 4])
def test_b067_with_few_frames_it_is_whole_or_0(scene, spare):
    frames = scene.exhaust()
    for _ in range(spare):
        api.frame_free(frames.pop())
    directory = api.paging_create_directory()
    assert directory and api.frame_get_free_memory() == (spare - 1) * FRAME
    api.paging_switch_directory(directory)
    scene.check()
    api.paging_switch_directory(scene.ram.words[SB_KERNEL_DIRECTORY])
    api.paging_free_directory(directory)
    assert api.frame_get_free_memory() == spare * FRAME


def test_b068_ten_thousand_pairs_leave_the_free_frames_as_they_were(scene):
    free = api.frame_get_free_memory()
    for _ in range(10_000 if MODE == "compiled" else 1000):
        api.paging_free_directory(api.paging_create_directory())
    assert api.frame_get_free_memory() == free
    scene.check()


@every_mode
def test_b069_a_directory_is_the_physical_address_that_cr3_holds(scene):
    directory = api.paging_create_directory()
    assert directory % FRAME == 0 and directory < scene.ram.size
    api.paging_switch_directory(directory)
    assert scene.kernel.mmu.cr3 == directory
    table = scene.kernel.memory.read(scene.base + directory, FRAME)  # and as a pointer, kernel base + it
    assert table == scene.ram.read(directory, FRAME) and any(table)


# paging_clone_directory


@every_mode
def test_b070_a_clone_of_null_is_null(scene):
    assert scene.unchanged(api.paging_clone_directory, 0) == 0


@every_mode
def test_b071_b072_what_is_no_directory_is_not_cloned(scene):
    for pointer in (freed(scene), *garbage(scene)):
        scene.reported(api.paging_clone_directory, pointer, error=InvalidPointerError, works=False)
    scene.wrong_types(api.paging_clone_directory)


@every_mode
def test_b073_a_clone_that_fails_at_any_frame_leaves_the_parent_as_it_was(scene):
    for vaddr in (USER, USER + FRAME, 2 * USER, scene.kernel.format.user_top - FRAME):
        scene.mapped(vaddr, fill=5)
    before = [entry(scene, vaddr) for vaddr in (USER, USER + FRAME, 2 * USER)]
    for nth in range(1, 30):
        counts = scene.counts()
        with scene.kernel.failing(nth=nth):
            clone = api.paging_clone_directory(scene.kernel.mmu.cr3)
        if clone:
            break
        assert scene.counts() == counts
        assert [entry(scene, vaddr) for vaddr in (USER, USER + FRAME, 2 * USER)] == before
        assert scene.kernel.mmu.translate(USER, ACCESS_WRITE, True) != ALL_ONES  # not copy-on-write
        before = [entry(scene, vaddr) for vaddr in (USER, USER + FRAME, 2 * USER)]
        scene.check()
    assert 2 < nth < 30
    api.paging_free_directory(clone)
    scene.works()


@every_mode
def test_b074_after_a_clone_a_write_in_the_parent_faults_and_copies(scene):
    paddr = scene.mapped(fill=1)
    mmu = scene.kernel.mmu
    assert mmu.translate(USER, ACCESS_WRITE, True) == paddr  # now in the TLB, writable
    clone = api.paging_clone_directory(mmu.cr3)
    assert mmu.translate(USER, ACCESS_WRITE, True) == ALL_ONES
    assert api.copy_to_user(USER, b"parent", 6) == 0
    assert api.paging_get_physical(USER) != paddr
    api.paging_switch_directory(clone)
    buffer = bytearray(6)
    assert api.copy_from_user(buffer, USER, 6) == 0 and buffer == b"\1" * 6
    scene.works()


def test_b075_64_generations_each_see_their_own_data(scene):
    paddr = scene.mapped(fill=0)
    generations = [scene.kernel.mmu.cr3]
    for _ in range(63):
        generations.append(api.paging_clone_directory(generations[-1]))
    assert scene.kernel.frames.references(paddr >> 12) == scene.kernel.frames.mappings(paddr >> 12) == 64
    for number, directory in enumerate(generations):
        api.paging_switch_directory(directory)
        assert api.copy_to_user(USER, bytes((number,)) * 8, 8) == 0
    seen = bytearray(8)
    for number, directory in enumerate(generations):
        api.paging_switch_directory(directory)
        assert api.copy_from_user(seen, USER, 8) == 0 and seen == bytes((number,)) * 8
    assert len({scene.kernel.page_tables.physical(directory, USER) for directory in generations}) == 64
    api.paging_switch_directory(generations[0])
    for directory in generations[1:]:
        api.paging_free_directory(directory)
    api.paging_unmap_page(USER)
    assert scene.kernel.frames.statistics().user == 0
    scene.works()


@every_mode
def test_b076_a_read_only_page_stays_so_in_both(scene):
    scene.mapped(flags=PAGE_PRESENT | PAGE_USER)
    parent, clone = scene.kernel.mmu.cr3, api.paging_clone_directory(scene.kernel.mmu.cr3)
    for directory in (parent, clone):
        api.paging_switch_directory(directory)
        assert not entry(scene) & PAGE_COW
        assert api.copy_to_user(USER, b"x", 1) == -api.EFAULT


@every_mode
def test_b077_a_shared_mapping_stays_shared(scene):
    process = scene.kernel.processes.create("shares")
    assert process.map(USER, FRAME, "rw", MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED) == USER
    process.write(USER, b"before")
    child = process.fork()
    child.write(USER, b"after!")
    assert process.read(USER, 6) == b"after!"
    assert not entry(scene, USER, process.root) & PAGE_COW
    child.exit()
    process.exit()
    scene.works()


@every_mode
def test_b078_a_huge_page_is_shared_and_a_write_in_the_clone_leaves_the_parent(scene):
    size = scene.kernel.format.huge_sizes[0]
    paddr = scene.kernel.frames.allocate_run(size >> 12, size >> 12)
    scene.ram.fill(paddr, size, 0x11)
    assert api.paging_map_page(USER, paddr, RW | PAGE_HUGE) == 0
    clone = api.paging_clone_directory(scene.kernel.mmu.cr3)
    parent = scene.kernel.mmu.cr3
    api.paging_switch_directory(clone)
    assert api.copy_to_user(USER + FRAME, b"child", 5) == 0
    assert scene.kernel.memory.read(USER + FRAME, 5) == b"child"
    assert scene.ram.read(paddr, size) == b"\x11" * size
    api.paging_switch_directory(parent)
    assert scene.kernel.memory.read(USER + FRAME, 5) == b"\x11" * 5
    api.paging_free_directory(clone)
    scene.works()


@every_mode
def test_b079_a_full_reference_counter_refuses_the_clone(scene):
    scene.mapped(USER)
    paddr = scene.frame()
    assert api.paging_map_page(2 * USER, paddr, RW) == 0
    frames = scene.kernel.frames
    at = frames.first_half + (paddr >> 12 << 4)
    references = frames.halves[at]
    frames.halves[at] = REFERENCES_LIMIT
    free = api.frame_get_free_memory()
    assert api.paging_clone_directory(scene.kernel.mmu.cr3) == 0
    with pytest.raises(InvalidPointerError):
        frames.get(paddr)
    assert frames.halves[at] == REFERENCES_LIMIT
    frames.halves[at] = references
    assert api.frame_get_free_memory() == free and not entry(scene) & PAGE_COW
    scene.works()


@every_mode
def test_b080_accessed_and_dirty_bits_are_copied(scene):
    scene.mapped(flags=RW | PAGE_ACCESSED | PAGE_DIRTY, fill=9)
    scene.mapped(USER + FRAME)
    clone = api.paging_clone_directory(scene.kernel.mmu.cr3)
    assert entry(scene, USER, clone) & (PAGE_ACCESSED | PAGE_DIRTY) == PAGE_ACCESSED | PAGE_DIRTY
    assert entry(scene, USER + FRAME, clone) & (PAGE_ACCESSED | PAGE_DIRTY) == 0
    assert scene.ram.read(scene.kernel.page_tables.physical(clone, USER), FRAME) == b"\x09" * FRAME


# paging_free_directory


def test_b081_null_is_nothing(scene):
    scene.unchanged(api.paging_free_directory, 0)


@every_mode
def test_b082_b087_what_is_no_directory_any_more_or_never_was_is_reported(scene):
    for pointer in (freed(scene), *garbage(scene)):
        scene.reported(api.paging_free_directory, pointer, error=InvalidPointerError, works=False)
    scene.wrong_types(api.paging_free_directory)


@every_mode
def test_b083_b084_the_current_and_the_kernels_directory_are_refused(scene):
    kernels = scene.ram.words[SB_KERNEL_DIRECTORY]
    scene.reported(api.paging_free_directory, kernels, error=InUseError)
    current = api.paging_create_directory()
    api.paging_switch_directory(current)
    scene.reported(api.paging_free_directory, kernels, error=InUseError)
    scene.reported(api.paging_free_directory, current, error=InUseError)
    api.paging_switch_directory(kernels)
    api.paging_free_directory(current)


@every_mode
def test_b085_tables_of_the_kernel_half_survive(scene):
    directory = api.paging_create_directory()
    api.paging_free_directory(directory)
    for address, data in scene.live.items():
        assert api.paging_get_physical(address) == address - scene.base
        assert scene.kernel.memory.read(address, len(data)) == data
    scene.works()


@every_mode
def test_b086_freeing_one_owner_leaves_the_others_data_and_no_need_to_copy(scene):
    paddr = scene.mapped(fill=6)
    clone = api.paging_clone_directory(scene.kernel.mmu.cr3)
    api.paging_free_directory(clone)
    assert scene.ram.read(paddr, FRAME) == b"\6" * FRAME
    free = api.frame_get_free_memory()
    assert api.copy_to_user(USER, b"mine", 4) == 0
    assert api.paging_get_physical(USER) == paddr and api.frame_get_free_memory() == free
    scene.works()


# paging_switch_directory


@every_mode
def test_b088_b089_b092_what_is_no_directory_is_not_switched_to(scene):
    for pointer in (0, freed(scene), *garbage(scene)):
        scene.reported(api.paging_switch_directory, pointer, error=InvalidPointerError, works=False)
    scene.wrong_types(api.paging_switch_directory)


@every_mode
def test_b090_switching_to_the_current_one_changes_nothing(scene):
    paddr = scene.mapped()
    scene.unchanged(api.paging_switch_directory, scene.kernel.mmu.cr3)
    assert api.paging_get_physical(USER) == paddr


@every_mode
def test_b091_every_directory_has_the_kernel_half_and_one_without_is_found(scene):
    directory = api.paging_create_directory()
    form = scene.kernel.format
    at = directory + form.kernel_index * form.entry_size
    content = scene.ram.read(at, form.entry_size)
    assert any(content)
    scene.ram.write(at, bytes(form.entry_size))
    with pytest.raises(CorruptionError):
        scene.kernel.validate()
    scene.ram.write(at, content)


@every_mode
def test_b093_switching_there_and_back_shows_each_its_own_frame(scene):
    first, second = scene.kernel.mmu.cr3, api.paging_create_directory()
    frames = {first: scene.mapped(fill=1)}
    api.paging_switch_directory(second)
    frames[second] = scene.mapped(fill=2)
    for directory in (first, second, first, second):
        api.paging_switch_directory(directory)
        for access in (ACCESS_READ, ACCESS_WRITE):
            assert scene.kernel.mmu.translate(USER, access, True) == frames[directory]


@every_mode
def test_b094_a_global_page_never_shows_in_another_directory(scene):
    first, second = scene.kernel.mmu.cr3, api.paging_create_directory()
    mine = scene.mapped(flags=RW | PAGE_GLOBAL, fill=1)
    assert scene.kernel.mmu.translate(USER, ACCESS_READ, True) == mine
    api.paging_switch_directory(second)
    assert scene.kernel.mmu.translate(USER, ACCESS_READ, True) == ALL_ONES
    other = scene.mapped(flags=RW | PAGE_GLOBAL, fill=2)
    assert scene.kernel.mmu.translate(USER, ACCESS_READ, True) == other
    api.paging_switch_directory(first)
    assert scene.kernel.mmu.translate(USER, ACCESS_READ, True) == mine
