"""B166 to B212: kmalloc, kzalloc, kmalloc_aligned, krealloc, kfree, kmalloc_size."""

import pytest
from scene import FRAME, MIB, SIZE_MAX, USER, every_mode

import coalmm
from coalmm import api
from coalmm.errors import CorruptionError, DoubleFreeError, InvalidPointerError

IMPOSSIBLE = (SIZE_MAX, 1 << 63, 1 << 62, *(SIZE_MAX - less for less in (4095, 4096, 7, 15)), 1 << 40, 1 << 32)
SIZES = (1, 7, 8, 40, 235, 1000, 4096, 4097, 32768, 32769, 70_000, MIB)
both = pytest.mark.parametrize("allocate", [api.kmalloc, api.kzalloc])


def kept(scene, address, size):
    return scene.kernel.memory.read(address, size)


def foreign(scene):
    """Live memory of the other allocators, and addresses that are nobody's."""
    cache = api.slab_cache_create("foreign", 64, 64, None, None)
    return [
        api.slab_alloc(cache), cache, api.buddy_alloc(FRAME), api.buddy_alloc(FRAME) + 64, scene.base + scene.frame(),
        scene.frame(), scene.base, scene.base + scene.ram.size, scene.base - 16, 1, 8, 16, USER, 0x7FFF_FFFF_F000,
        1 << 63, SIZE_MAX, SIZE_MAX - 15, SIZE_MAX & ~0xFFF, scene.base + scene.kernel.frames.descriptors,
    ]  # fmt: skip


# kmalloc and kzalloc


@both
@every_mode
def test_b166_b173_0_bytes_are_null_which_kfree_takes(scene, allocate):
    scene.null(allocate, 0)
    scene.unchanged(api.kfree, 0)


@both
@every_mode
def test_b167_b174_one_byte_has_room(scene, allocate):
    for _ in range(50):
        address = allocate(1)
        assert address and api.kmalloc_size(address) >= 1
        assert allocate is api.kmalloc or scene.kernel.memory[address] == 0
        scene.watch(address, 1)


def test_b174_zeroed_memory_is_zero_although_it_was_used_before(scene):
    for size in SIZES:
        address = api.kmalloc(size)
        scene.ram.fill(address - scene.base, api.kmalloc_size(address), 0xEE)
        api.kfree(address)
        again = api.kzalloc(size)
        assert kept(scene, again, size) == bytes(size)


@both
@every_mode
def test_b168_b175_sizes_that_cannot_be_had_are_null(scene, allocate):
    for size in IMPOSSIBLE:
        scene.null(allocate, size, works=False)
    scene.works()


@both
@every_mode
def test_b169_b176_more_than_is_free_is_null(scene, allocate):
    for size in (
        scene.ram.size,
        scene.ram.size + 1,
        api.frame_get_free_memory() + scene.kernel.buddy.statistics().free_bytes + 1,
    ):
        scene.null(allocate, size, works=False)
    scene.works()


@both
def test_b170_b177_what_is_no_number_is_refused(scene, allocate):
    scene.wrong_types(allocate)


@both
def test_b171_b178_before_initialisation_it_is_null_or_reported(bare, allocate):
    for size in (0, 1, 64, 4096, 32768, 32769, MIB, SIZE_MAX):
        bare.null(allocate, size, works=False)
    for pointer in (1, 16, bare.base, bare.base + FRAME, bare.base + bare.frame(), SIZE_MAX):
        for call in (api.kfree, api.kmalloc_size):
            bare.reported(call, pointer, error=InvalidPointerError, works=False)
        bare.reported(api.krealloc, pointer, 64, error=InvalidPointerError, works=False)
    bare.unchanged(api.kfree, 0, works=False)


@both
@pytest.mark.parametrize("size", SIZES)
def test_b172_b179_a_failure_at_any_point_is_null_and_leaves_no_trace(scene, allocate, size):
    for nth in range(1, 20):
        counts = scene.counts()
        with scene.kernel.failing(nth=nth) as injection:
            address = allocate(size)
            failed = injection.failed
        if not failed:
            break
        if address == 0:
            assert scene.counts()[3:] == counts[3:]
            scene.check()
        else:  # the heap could do without, as when it asks for less memory after a failure
            api.kfree(address)
    assert 1 < nth < 20 and address
    assert len(kept(scene, address, size)) == size
    api.kfree(address)
    scene.works()


# kmalloc_aligned


@every_mode
def test_b180_align_0_is_the_natural_alignment(scene):
    for size in SIZES:
        address = api.kmalloc_aligned(size, 0)
        assert address % min(size & -size, 8) == 0
        api.kfree(address)


@every_mode
def test_b181_an_alignment_that_is_no_power_of_two_is_null(scene):
    for align in (3, 6, 48, 100, 4095, 4097, SIZE_MAX, (1 << 63) + 8):
        for size in (1, 64, 100_000):
            scene.null(api.kmalloc_aligned, size, align, works=False)
    scene.works()


@every_mode
@pytest.mark.parametrize("align", [1, 2, 4, 8, 16, 64, 256, FRAME, 2 * FRAME, 64 << 10, 2 * MIB])
def test_b182_b183_the_address_is_aligned(scene, align):
    for size in (1, 24, 100, 3000, 5000, 40_000):
        address = api.kmalloc_aligned(size, align)
        assert address or align == 2 * MIB
        assert (address - scene.base) % align == 0 or not address
        if address:
            assert api.kmalloc_size(address) >= size
            scene.watch(address, size)
    for address in list(scene.live)[-5:]:
        api.kfree(scene.unwatch(address))
    scene.works()


@every_mode
def test_b184_b186_huge_alignments_and_sizes_that_wrap_are_null(scene):
    for size, align in (
        (1, 1 << 63), (64, 1 << 62), (1, 1 << 32), (SIZE_MAX - 63, 64), (SIZE_MAX, 64), (SIZE_MAX - 14, 16),
        (SIZE_MAX - 4095, FRAME), (SIZE_MAX, 1 << 63), (1 << 63, 1 << 63), (SIZE_MAX - 4094, 16), (SIZE_MAX, 8),
    ):  # fmt: skip
        scene.null(api.kmalloc_aligned, size, align, works=False)
    scene.works()


@every_mode
def test_b185_0_bytes_are_null_as_with_kmalloc(scene):
    for align in (0, 1, 64, FRAME):
        scene.null(api.kmalloc_aligned, 0, align, works=False)
    scene.works()


@every_mode
@pytest.mark.parametrize("align", [16, 64, 512, FRAME, 64 << 10])
def test_b187_b188_the_family_takes_aligned_memory_and_krealloc_keeps_its_contents(scene, align):
    for size in (10, 500, 10_000):
        address = api.kmalloc_aligned(size, align)
        data = scene.live[scene.watch(address, size)]
        assert api.kmalloc_size(address) >= size
        larger = api.krealloc(scene.unwatch(address), 3 * size + 40_000)
        assert kept(scene, larger, size) == data  # the alignment is kept only in place
        same = api.krealloc(larger, 3 * size + 40_000)
        assert same == larger
        api.kfree(larger)
    scene.works()


def test_b180_what_is_no_number_is_refused(scene):
    scene.wrong_types(api.kmalloc_aligned, 8)
    scene.wrong_types(api.kmalloc_aligned, before=(8,))


# krealloc


@every_mode
def test_b189_null_allocates(scene):
    address = api.krealloc(0, 100)
    assert address and api.kmalloc_size(address) >= 100
    scene.null(api.krealloc, 0, 0)
    scene.null(api.krealloc, 0, SIZE_MAX)
    api.kfree(address)


@every_mode
@pytest.mark.parametrize("size", SIZES)
def test_b190_0_bytes_free_and_are_null(scene, size):
    counts = scene.counts()[1]
    address = api.kmalloc(size)
    assert api.krealloc(address, 0) == 0
    scene.reported(api.kfree, address, error=InvalidPointerError)
    api.slab_shrink_caches()
    assert counts["a large kmalloc block"] == scene.counts()[1]["a large kmalloc block"]


@every_mode
@pytest.mark.parametrize("size", SIZES)
def test_b191_the_same_size_keeps_address_and_contents(scene, size):
    address = scene.watch(api.kmalloc(size), size)
    assert api.krealloc(address, size) == address
    scene.check()


@every_mode
@pytest.mark.parametrize("size", SIZES)
def test_b192_a_size_that_cannot_be_had_is_null_and_the_memory_stays(scene, size):
    address = scene.watch(api.kmalloc(size), size)
    for huge in IMPOSSIBLE:
        scene.null(api.krealloc, address, huge, works=False)
    assert api.kmalloc_size(address) >= size
    api.kfree(scene.unwatch(address))
    scene.works()


@pytest.mark.parametrize("size", SIZES)
def test_b193_growing_under_fault_injection_is_null_and_the_memory_stays(scene, size):
    address = api.kmalloc(size)
    data = scene.live[scene.watch(address, size)]
    for nth in range(1, 20):
        with scene.kernel.failing(nth=nth) as injection:
            larger = api.krealloc(address, 5 * size + 50_000)
            failed = injection.failed
        if larger:
            break
        assert failed == 1
        scene.check()
    assert larger and kept(scene, larger, size) == data
    scene.unwatch(address)
    scene.works()


@every_mode
@pytest.mark.parametrize("size", SIZES)
def test_b194_freed_memory_is_reported(scene, size):
    address = api.kmalloc(size)
    api.kfree(address)
    for wanted in (0, 1, size, 2 * size, MIB, SIZE_MAX):
        scene.reported(api.krealloc, address, wanted, error=InvalidPointerError, works=False)
    scene.works()


@every_mode
@pytest.mark.parametrize("size", [64, 235, 5000, 70_000, MIB])
def test_b195_a_pointer_into_memory_is_reported(scene, size):
    address = scene.watch(api.kmalloc(size), size)
    for offset in (1, 8, 16, size // 2, size - 1):
        scene.reported(api.krealloc, address + offset, 100, error=InvalidPointerError, works=False)
    scene.works()


@every_mode
def test_b196_foreign_pointers_are_reported(scene):
    for pointer in foreign(scene):
        for size in (0, 8, MIB):
            scene.reported(api.krealloc, pointer, size, error=InvalidPointerError, works=False)
    scene.works()


def test_b197_a_write_past_the_shrunk_size_is_reported(debug):
    address = api.kmalloc(235)
    address = api.krealloc(address, 201)
    assert api.kmalloc_size(address) == 201
    debug.kernel.memory[address + 201] = 0x41
    error = debug.reported(api.kfree, address, error=CorruptionError, whole=False)
    assert error.address == address + 201
    debug.reported(api.krealloc, address, 235, error=CorruptionError, whole=False)
    debug.kernel.memory[address + 201] = 0xCC
    api.kfree(address)


def test_b196_what_is_no_number_is_refused(scene):
    scene.wrong_types(api.krealloc, 8)
    scene.wrong_types(api.krealloc, before=(next(iter(scene.live)),))


# kfree


def test_b198_null_is_nothing(scene):
    scene.unchanged(api.kfree, 0)


@every_mode
@pytest.mark.parametrize("size", SIZES)
def test_b199_a_double_free_is_reported(scene, size):
    address = api.kmalloc(size)
    api.kfree(address)
    for _ in range(2):
        error = scene.reported(api.kfree, address, error=InvalidPointerError, works=False)
        assert f"{address:#x}" in str(error)
    first, second = api.kmalloc(size), api.kmalloc(size)
    assert first != second


@pytest.mark.parametrize("size", SIZES)
def test_b199_with_tracking_the_message_says_who_allocated_and_who_freed(scene, size):
    api.mem_enable_tracking()
    address = api.kmalloc(size)
    api.kfree(address)
    error = scene.reported(api.kfree, address, error=DoubleFreeError)
    assert str(error).count("test_bad_kmalloc.py:") == 2
    assert "allocated at" in str(error) and "freed at" in str(error)


def test_b200_an_address_that_was_handed_out_again_is_valid_for_whoever_has_it(scene):
    address = api.kmalloc(64)
    api.kfree(address)
    assert api.kmalloc(64) == address  # without quarantine or tags the old pointer is the new one
    api.kfree(address)
    scene.reported(api.kfree, address, error=DoubleFreeError)


@every_mode
@pytest.mark.parametrize("size", SIZES)
def test_b201_b202_a_pointer_into_memory_is_reported(scene, size):
    address = api.kmalloc(size)
    scene.watch(address, size)
    for offset in (1, 8, 4096, size // 2, size - 1, size, api.kmalloc_size(address) - 1):
        if 0 < offset < api.kmalloc_size(address):
            scene.reported(api.kfree, address + offset, error=InvalidPointerError, works=False)
    api.kfree(scene.unwatch(address))
    scene.works()


@every_mode
def test_b203_b204_b205_b206_foreign_pointers_are_reported(scene):
    for pointer in foreign(scene):
        scene.reported(api.kfree, pointer, error=InvalidPointerError, works=False)
    scene.works()


def test_b203_what_is_no_number_is_refused(scene):
    scene.wrong_types(api.kfree)
    scene.wrong_types(api.kmalloc_size)


@pytest.mark.parametrize("size", [1, 8, 100, 235, 4096, 5000, 32768, 32769, 100_000])
def test_b207_one_byte_past_the_requested_size_is_reported_with_address_and_owner(debug, size):
    api.mem_enable_tracking()
    address = api.kmalloc(size)
    assert api.kmalloc_size(address) == size
    debug.kernel.memory[address + size] = 0x41
    error = debug.reported(api.kfree, address, error=CorruptionError, whole=False)
    assert error.address == address + size
    text = str(error)
    assert f"{address:#x}" in text and f"{size} bytes" in text and "test_bad_kmalloc.py:" in text
    debug.kernel.memory[address + size] = 0xCC
    api.kfree(address)
    debug.works()


# kmalloc_size


@every_mode
def test_b208_null_has_no_size(scene):
    assert scene.unchanged(api.kmalloc_size, 0) == 0


@every_mode
@pytest.mark.parametrize("size", SIZES)
def test_b209_b210_freed_memory_and_pointers_into_memory_are_reported(scene, size):
    address = scene.watch(api.kmalloc(size), size)
    for offset in (1, 8, 4096):
        if offset < api.kmalloc_size(address):
            scene.reported(api.kmalloc_size, address + offset, error=InvalidPointerError, works=False)
    api.kfree(scene.unwatch(address))
    scene.reported(api.kmalloc_size, address, error=InvalidPointerError, works=False)
    scene.works()


@every_mode
def test_b211_foreign_pointers_are_reported(scene):
    for pointer in foreign(scene):
        scene.reported(api.kmalloc_size, pointer, error=InvalidPointerError, works=False)
    scene.works()


@every_mode
def test_b212_all_that_it_says_may_be_written(scene):
    for size in SIZES:
        address = api.kmalloc(size)
        room = api.kmalloc_size(address)
        assert room >= size and room == api.kmalloc_size(address)
        scene.watch(address, room)
    scene.works()


@pytest.mark.parametrize("ram", ["1M", "2M", "4M"])
def test_b169_small_machines_run_out_cleanly(ram):
    with coalmm.boot(ram=ram) as kernel:
        taken = []
        for size in (70_000, 5000, 100, 8):
            while address := api.kmalloc(size):
                taken.append(address)
        for address in taken:
            api.kfree(address)
        kernel.validate()
        assert api.kmalloc(70_000)
