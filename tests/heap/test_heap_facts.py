"""Facts about the heap that a random walk reaches seldom: callbacks that misbehave, places, sizes, regions."""

from random import Random

import pytest

import coalmm
from coalmm.errors import DoubleFreeError, InUseError, InvalidPointerError
from coalmm.heap.constants import BUDDY_PEAK
from coalmm.physical.constants import SB_BUDDY
from machines import PAGING, TOP, Unchanged, assert_refused

MIB = 1 << 20


def test_without_a_heap_everything_is_null_and_nothing_is_read_from_the_superblock():
    kernel = coalmm.boot("4M", heap=False)
    for size in (1, 8, 64, 5000, 100_000, 1 << 40, TOP):
        assert kernel.heap.kmalloc(size) == kernel.heap.kzalloc(size) == kernel.heap.krealloc(0, size) == 0
        assert kernel.heap.kmalloc_aligned(size, 64) == 0
        assert kernel.slabs.create("none", size) == 0
        assert kernel.buddy.allocate(size) == 0
    for call in (kernel.heap.kfree, kernel.buddy.free, kernel.slabs.destroy, kernel.slabs.allocate):
        for wrong in (kernel.kernel_base, kernel.kernel_base + 4096, 8):
            assert_refused(kernel, InvalidPointerError, call, wrong)
    assert kernel.slabs.shrink() == kernel.buddy.trim() == kernel.heap.statistics().live == 0
    kernel.make_heap()
    assert kernel.heap.kmalloc(64)
    kernel.validate()


@pytest.mark.parametrize("align", [16, 64, 256, 4096])
def test_an_aligned_size_that_wraps_is_null(kernel, align):
    for size in range(TOP - 2 * align, TOP + 1, max(align // 8, 1)):
        assert kernel.heap.kmalloc_aligned(size, align) == 0
    assert kernel.heap.statistics().live == 0


def test_large_memory_grows_and_shrinks_where_it_is(keep_frames):
    kernel = keep_frames(coalmm.boot("64M"))
    heap = kernel.heap
    address = heap.kmalloc(40_000)
    assert heap.krealloc(address, 200_000) == address
    assert heap.kmalloc_size(address) >= 200_000
    behind = heap.kmalloc(40_000)
    assert heap.krealloc(address, 33_000) == address
    kernel.validate()
    moved = heap.krealloc(address, 9_000_000)
    assert moved not in (0, behind)
    assert heap.krealloc(moved, TOP) == heap.krealloc(moved, 1 << 40) == 0
    assert heap.krealloc(moved, 100) != moved
    kernel.validate()


def test_memory_beyond_the_largest_block_comes_from_the_frames_and_goes_back(keep_frames):
    kernel = keep_frames(coalmm.boot("64M", "x86_64"))
    free = kernel.frames.statistics().free
    address = kernel.heap.kmalloc(17 * MIB + 1)
    assert kernel.frames.statistics().free == free - 17 * 256 - 1
    kernel.validate()
    for wrong in (address + 1, address + 4096, address + 16 * MIB):
        assert_refused(kernel, InvalidPointerError, kernel.heap.kfree, wrong)
    assert kernel.heap.krealloc(address, 5 * MIB) == address
    assert kernel.frames.statistics().free == free - 5 * 256
    moved = kernel.heap.krealloc(address, 20 * MIB)
    kernel.validate()
    kernel.heap.kfree(moved)
    assert kernel.frames.statistics().free == free


@pytest.mark.parametrize("size", [60, 3000, 60_000])
def test_exhaustion_is_null_and_everything_works_again_after_a_free(kernel, size):
    heap = kernel.heap
    taken = list(iter(lambda: heap.kmalloc(size), 0))
    assert len(taken) * size > 2 * MIB
    assert heap.kmalloc(size) == 0
    kernel.validate()
    heap.kfree(taken[len(taken) // 2])
    assert heap.kmalloc(size) == taken[len(taken) // 2]
    for address in taken:
        heap.kfree(address)
    again = list(iter(lambda: heap.kmalloc(size), 0))
    assert len(again) >= len(taken) * 0.98


def test_the_heap_grows_into_the_frames_and_gives_whole_regions_back(kernel):
    start, frames = kernel.buddy.statistics(), kernel.frames.statistics()
    taken = list(iter(lambda: kernel.buddy.allocate(1 << 16), 0))
    assert kernel.buddy.statistics().total_bytes > start.total_bytes + MIB
    for address in taken:
        kernel.buddy.free(address)
    kept = kernel.buddy.statistics().total_bytes
    assert kept < start.total_bytes + MIB
    kernel.buddy.trim()
    assert kernel.frames.statistics() == frames


def test_what_the_heap_keeps_for_later_does_not_stand_in_the_way_of_a_large_block():
    for seed in (1, 3, 4, 29):
        kernel = coalmm.boot("8M", "x86_64")
        random = Random(seed)
        blocks = [kernel.buddy.allocate(4096 << random.randrange(11)) for _ in range(60)]
        random.shuffle(blocks)
        for block in blocks:
            kernel.buddy.free(block)
        large = kernel.buddy.allocate(4 * MIB)
        assert large, seed
        kernel.buddy.free(large)
        kernel.validate()


@pytest.mark.parametrize("paging", PAGING)
def test_a_region_is_used_to_its_last_whole_frame_and_not_past_it(paging):
    kernel = coalmm.boot("4M", paging, heap=False)
    start = kernel.kernel_base + 2 * MIB
    kernel.buddy.initialise(start + 100, 5 * 4096 + 50)
    kernel.validate()
    before = kernel.buddy.statistics()
    assert before.total_bytes == before.free_bytes == 4 * 4096
    assert kernel.buddy.allocate(4096) in range(start + 4096, start + 5 * 4096, 4096)


def test_regions_that_cannot_be_are_refused(kernel):
    base, taken = kernel.kernel_base, kernel.frames.allocate()
    kernel.frames.get(taken)
    for start, size, error in (
        (0, MIB, InvalidPointerError), (base, 0, InvalidPointerError), (base + 2 * MIB, 4095, InvalidPointerError),
        (base + 2 * MIB + 1, 8190, InvalidPointerError), (base, TOP, InvalidPointerError),
        (TOP, TOP, InvalidPointerError), (base + 2 * MIB, 1 << 63, InvalidPointerError),
        (base + 3 * MIB, 2 * MIB, InvalidPointerError),
        (base - 4096, 8192, InvalidPointerError), (base, 8192, InUseError), (base + 0xA0000, 8192, InUseError),
        (base + taken, 4096, InUseError), (kernel.heap.kmalloc(100_000), 4096, InUseError),
        (-1, 4096, ValueError), (base, -1, ValueError), (1.5, 4096, TypeError), (None, 4096, TypeError),
    ):  # fmt: skip
        assert_refused(kernel, error, kernel.buddy.initialise, start, size)


def test_colouring_shifts_the_objects_of_each_new_slab_within_the_waste(kernel):
    cache = kernel.slabs.create("coloured", 1000)
    info = kernel.slabs.info(cache - kernel.kernel_base >> 3)
    each = info.objects_per_slab
    slabs = [list(kernel.slabs.allocate_many(cache, each)) for _ in range(4)]
    firsts = {min(objects) % 4096 for objects in slabs}
    spare = info.pages_per_slab * 4096 - each * info.stride
    assert len(firsts) == min(4, spare // 64 + 1) > 1
    assert max(firsts) <= spare


def test_a_constructor_that_raises_leaves_no_slab(kernel):
    def build(address):
        built.append(address)
        if len(built) == 3:
            raise RuntimeError("enough")

    built = []
    cache = kernel.slabs.create("raises", 64, 0, build)
    with pytest.raises(RuntimeError):
        kernel.slabs.allocate(cache)
    kernel.validate()
    assert kernel.slabs.info(cache - kernel.kernel_base >> 3).slabs == 0
    assert kernel.slabs.allocate(cache)


def test_a_destructor_that_raises_keeps_no_memory_of_a_destroyed_cache(kernel):
    def fail(address):
        raise RuntimeError("no")

    cache = kernel.slabs.create("raises", 2000, 0, None, fail)
    objects = kernel.slabs.allocate_many(cache, 5)
    try:
        kernel.slabs.free_many(cache, objects)
    except RuntimeError:
        for address in objects:
            try:
                kernel.slabs.free(cache, address)
            except (RuntimeError, DoubleFreeError, InvalidPointerError):
                continue
    kernel.validate()
    with pytest.raises(RuntimeError):
        kernel.slabs.destroy(cache)
    kernel.validate()
    assert_refused(kernel, DoubleFreeError, kernel.slabs.destroy, cache)


def misbehave(kernel, held, refused):
    """What a callback should not do, and does."""
    cache = held["cache"]
    for call, *arguments in (
        (kernel.slabs.destroy, cache), (kernel.slabs.allocate_many, cache, 500),
        (kernel.slabs.shrink,), (kernel.buddy.trim,),
        (kernel.heap.kfree, held.pop("pointer", 0)), (kernel.slabs.free, cache, held.pop("object", 0)),
    ):  # fmt: skip
        try:
            call(*arguments)
        except InUseError:
            refused.append(call.__name__)


@pytest.mark.parametrize("which", ["constructor", "destructor"])
def test_callbacks_that_use_their_own_cache_damage_nothing(kernel, which):
    held, refused = {"pointer": kernel.heap.kmalloc(9)}, []

    def callback(address):
        if held.get("armed"):
            misbehave(kernel, held, refused)

    hooks = (callback, None) if which == "constructor" else (None, callback)
    cache = held["cache"] = kernel.slabs.create("wild", 500, 0, *hooks)
    info = kernel.slabs.info(cache - kernel.kernel_base >> 3)
    objects = list(kernel.slabs.allocate_many(cache, info.objects_per_slab))
    held["object"], held["armed"] = objects[0], True
    more = [kernel.slabs.allocate(cache)]
    kernel.validate()
    kernel.slabs.free_many(cache, objects[1:] + more)
    kernel.slabs.shrink()
    held["armed"] = False
    kernel.validate()
    assert "destroy" in refused


def test_a_callback_that_destroys_its_cache_is_refused_in_the_destruction_too(kernel):
    refused = []

    def destruct(address):
        try:
            kernel.slabs.destroy(cache)
        except InUseError:
            refused.append(address)

    cache = kernel.slabs.create("again", 900, 0, None, destruct)
    kernel.slabs.free(cache, kernel.slabs.allocate(cache))
    kernel.slabs.destroy(cache)
    assert len(refused) == len(set(refused)) > 1
    kernel.validate()


def test_names_of_every_kind_are_copied(kernel):
    names = ["", "plain", "naïve", b"\xff\xfe", b"x" * 10_000, "é" * 100, "line\nbreak", None, 0, "plain"]
    caches = [kernel.slabs.create(name, 32) for name in names]
    assert all(caches)
    shown = {info.address: info.name for info in kernel.slabs.caches()}
    assert shown[caches[1]] == "plain"
    assert len(shown[caches[4]]) == 80
    kernel.validate()
    for wrong in (1.5, 7, [], object()):
        assert_refused(kernel, TypeError, kernel.slabs.create, wrong, 32)
        assert_refused(kernel, TypeError, kernel.slabs.create, "x", 32, 0, wrong)


def test_the_smallest_machine_and_odd_maps_boot_a_heap(keep_frames):
    for paging in PAGING:
        kernel = keep_frames(coalmm.boot("1M", paging))
        assert kernel.heap.kmalloc(100)
    few = coalmm.MemoryMap([(0, 44 << 10, "usable"), (1 << 20, (1 << 20) + 8192, "usable")])
    with pytest.raises((ValueError, MemoryError)):
        coalmm.boot(memory_map=few)


def test_a_misuse_inside_a_block_that_raises_nothing_is_seen_by_the_helper(kernel):
    with pytest.raises(AssertionError), Unchanged(kernel):
        kernel.heap.kmalloc(8)


def test_the_peak_is_what_was_in_use_at_once_large_memory_included(kernel):
    def peak():
        return kernel.ram.words[SB_BUDDY + BUDDY_PEAK]

    start = peak()
    held = [kernel.heap.kmalloc(40 * 4096), kernel.heap.kmalloc(60 * 4096)]
    assert peak() == start + 100  # frames
    for address in held:
        kernel.heap.kfree(address)
    kernel.heap.kfree(kernel.heap.kmalloc(40 * 4096))
    assert peak() == start + 100
