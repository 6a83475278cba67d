"""B095 to B123: buddy_init, buddy_alloc, buddy_free."""

import itertools
import random

import pytest
from scene import FRAME, MIB, SIZE_MAX, Scene, every_mode

import coalmm
from coalmm import api
from coalmm.errors import DoubleFreeError, InUseError, InvalidPointerError

LARGEST = 16 * MIB


# Where only the buddy allocator is meant: kernel.buddy.initialise, since the first buddy_init brings caches too.


def region(scene, frames, align=1):
    """The kernel address of adjacent frames of frame_alloc."""
    paddr = scene.kernel.frames.allocate_run(frames, align)
    assert paddr
    return scene.base + paddr


def statistics():
    stats = api.buddy_stats_t()
    api.buddy_get_stats(stats)
    return stats


def take_all(size):
    blocks = []
    while block := api.buddy_alloc(size):
        blocks.append(block)
    return blocks


# buddy_init


@pytest.mark.parametrize("size", [0, 1, 2048, 4095])
def test_b095_b096_less_than_a_frame_is_no_heap(bare, size):
    start = region(bare, 1)
    bare.reported(api.buddy_init, start, size, error=InvalidPointerError, works=False)
    assert api.buddy_alloc(FRAME) == 0 and statistics().total_bytes == 0


def test_b097_b098_all_whole_frames_of_any_range_are_used_and_none_beside(bare):
    frames = (5 * MIB >> 12) + 3
    start = region(bare, frames)
    bare.kernel.buddy.initialise(start, frames * FRAME)
    first = statistics().total_bytes
    assert first == statistics().free_bytes == frames * FRAME
    bare.exhaust()  # the heap cannot grow
    blocks = take_all(FRAME)
    assert sorted(blocks) == list(range(start, start + frames * FRAME, FRAME))
    for block in blocks:
        api.buddy_free(block)
    for size in (MIB, 64 << 10, 2 * FRAME):
        block = api.buddy_alloc(size)
        assert (block - bare.base) % size == 0 and start <= block <= start + frames * FRAME - size


@pytest.mark.parametrize("offset", [1, 8, 2048, 4095])
def test_b098_a_start_inside_a_frame_is_rounded_up_in_the_range(bare, offset):
    start = region(bare, 4)
    bare.kernel.buddy.initialise(start + offset, 4 * FRAME - offset)
    assert statistics().total_bytes == 3 * FRAME
    bare.exhaust()
    assert sorted(take_all(FRAME)) == [start + FRAME, start + 2 * FRAME, start + 3 * FRAME]


@every_mode
def test_b099_b100_b101_what_is_no_range_of_kernel_memory_is_reported(scene):
    base, size = scene.base, scene.ram.size
    for start, length in (
        (0, FRAME), (0, SIZE_MAX), (1, FRAME), (base - FRAME, 2 * FRAME), (base + size, FRAME), (0x1000, FRAME),
        (base + size - FRAME, 2 * FRAME), (base + MIB, SIZE_MAX), (base + MIB, SIZE_MAX - MIB), (base, 1 << 63),
        (SIZE_MAX, 2), (SIZE_MAX & ~0xFFF, 2 * FRAME), (base + MIB, 1 << 32), (base + MIB, 1 << 63),
    ):  # fmt: skip
        scene.reported(api.buddy_init, start, length, error=InvalidPointerError, works=False)
    scene.works()


def test_b102_a_region_larger_than_the_largest_block_is_served_in_blocks_of_16_mib():
    with coalmm.boot(ram="64M", heap=False) as kernel:
        scene = Scene(kernel, busy=False)
        kernel.buddy.initialise(region(scene, 40 * MIB >> 12, LARGEST >> 12), 40 * MIB)
        assert statistics().largest_free_block == LARGEST
        assert statistics().free_blocks[12] == 2 and statistics().free_bytes == 40 * MIB
        blocks = [api.buddy_alloc(LARGEST), api.buddy_alloc(LARGEST)]
        assert all(blocks) and api.buddy_alloc(LARGEST + 1) == 0
        for block in blocks:
            api.buddy_free(block)
        kernel.validate()


def test_b103_b104_a_second_region_is_added_and_one_that_is_in_use_is_refused(scene):
    live = next(address for address in scene.live if scene.kernel.frames.kind((address - scene.base) >> 12) != 1)
    for start, size in ((live, 2 * FRAME), (live & ~0xFFF, FRAME), (scene.base, scene.ram.size), (scene.base, FRAME)):
        scene.reported(api.buddy_init, start, size, error=(InUseError, InvalidPointerError), works=False)
    before = statistics().total_bytes
    start = region(scene, 8)
    api.buddy_init(start, 8 * FRAME)
    assert statistics().total_bytes == before + 8 * FRAME
    scene.reported(api.buddy_init, start, 8 * FRAME, error=InUseError)
    scene.reported(api.buddy_init, start + 7 * FRAME, 2 * FRAME, error=InUseError)


def test_b103_what_is_no_number_is_refused(scene):
    scene.wrong_types(api.buddy_init, FRAME)
    scene.wrong_types(api.buddy_init, before=(scene.base,))


# buddy_alloc


@every_mode
def test_b105_0_bytes_are_null(scene):
    scene.null(api.buddy_alloc, 0)
    scene.unchanged(api.buddy_free, 0)


@every_mode
def test_b106_b107_sizes_are_rounded_up_to_powers_of_two_and_blocks_do_not_overlap(scene):
    ranges = []
    for size in (1, 4095, 4096, 4097, 8192, 8193, 70_000):
        whole = max(FRAME, 1 << (size - 1).bit_length())
        before = statistics().free_bytes, statistics().total_bytes
        block = api.buddy_alloc(size)
        assert (block - scene.base) % whole == 0
        now = statistics().free_bytes, statistics().total_bytes
        assert (now[1] - now[0]) - (before[1] - before[0]) == whole
        scene.watch(block, whole)
        ranges.append((block, block + whole))
    ranges.sort()
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(ranges))
    scene.check()


def test_b108_b109_16_mib_is_the_largest_block():
    with coalmm.boot(ram="64M") as kernel:
        scene = Scene(kernel)
        block = api.buddy_alloc(LARGEST)
        assert block and (block - scene.base) % LARGEST == 0
        scene.null(api.buddy_alloc, LARGEST + 1)
        api.buddy_free(block)
        scene.works()


@every_mode
def test_b110_sizes_that_cannot_be_had_are_null_at_once(scene):
    for size in (scene.ram.size + 1, LARGEST + 1, 1 << 31, 1 << 32, 1 << 62, 1 << 63, SIZE_MAX, SIZE_MAX - 4095):
        scene.null(api.buddy_alloc, size, works=False)
    scene.works()


def test_b111_b123_before_buddy_init_there_are_no_blocks(bare):
    for size in (1, FRAME, LARGEST):
        assert api.buddy_alloc(size) == 0
    for pointer in (bare.base + FRAME, bare.base + bare.frame(), 1, SIZE_MAX):
        bare.reported(api.buddy_free, pointer, error=InvalidPointerError, works=False)
    bare.unchanged(api.buddy_free, 0, works=False)
    assert statistics().total_bytes == 0 and statistics().failed_alloc_count == 3


@every_mode
@pytest.mark.parametrize("size", [FRAME, 3 * FRAME, MIB])
def test_b112_exhausted_it_is_null_and_every_block_is_distinct_and_inside(scene, size):
    whole = 1 << (size - 1).bit_length()
    blocks = take_all(size)
    assert blocks
    scene.null(api.buddy_alloc, size, works=False)
    blocks.sort()
    assert all(after - before >= whole for before, after in itertools.pairwise(blocks))
    assert all(scene.base < block <= scene.base + scene.ram.size - whole for block in blocks)
    for block in blocks:
        api.buddy_free(block)
    scene.works()


def test_b113_enough_free_bytes_in_pieces_are_null(scene):
    blocks = take_all(FRAME)
    scene.exhaust()
    kept = [block for block in blocks if (block >> 12) & 1]
    for block in blocks:
        if not (block >> 12) & 1:
            api.buddy_free(block)
    assert statistics().free_bytes >= 2 * FRAME
    assert statistics().largest_free_block == FRAME
    scene.null(api.buddy_alloc, 2 * FRAME, works=False)
    for block in kept:
        api.buddy_free(block)
    scene.works()


def test_b114_what_is_no_number_is_refused(scene):
    scene.wrong_types(api.buddy_alloc)
    scene.wrong_types(api.buddy_free)
    with pytest.raises(ValueError):
        api.buddy_alloc(-1)


# buddy_free


@every_mode
def test_b115_null_is_nothing(scene):
    scene.unchanged(api.buddy_free, 0)


@every_mode
@pytest.mark.parametrize("size", [FRAME, 2 * FRAME, MIB])
def test_b116_a_double_free_is_reported_and_free_bytes_rise_once(scene, size):
    block, other = api.buddy_alloc(size), api.buddy_alloc(size)
    in_use = statistics().total_bytes - statistics().free_bytes
    api.buddy_free(block)
    for _ in range(2):
        scene.reported(api.buddy_free, block, error=InvalidPointerError, works=False)
    assert statistics().total_bytes - statistics().free_bytes == in_use - size
    api.buddy_free(other)
    scene.works()


@every_mode
@pytest.mark.parametrize("offset", [1, 8, FRAME - 1, FRAME, 2 * FRAME, 3 * FRAME])
def test_b117_a_pointer_into_a_block_is_reported(scene, offset):
    block = scene.watch(api.buddy_alloc(4 * FRAME), 4 * FRAME)
    scene.reported(api.buddy_free, block + offset, error=InvalidPointerError)
    api.buddy_free(scene.unwatch(block))


def buddies(scene, size):
    """The addresses of two allocated blocks, each the other's buddy, the left one first."""
    blocks = {api.buddy_alloc(size) for _ in range(4)}
    left = min(block for block in blocks if scene.base + ((block - scene.base) ^ size) in blocks)
    return left, left + size


@every_mode
@pytest.mark.parametrize("size", [FRAME, 64 << 10])
def test_b118_the_free_buddy_of_a_live_block_is_reported(scene, size):
    left, right = buddies(scene, size)
    scene.watch(right, size)
    api.buddy_free(left)
    scene.reported(api.buddy_free, left, error=DoubleFreeError)
    api.buddy_free(scene.unwatch(right))


@every_mode
def test_b119_addresses_outside_of_the_heap_are_reported(scene):
    for pointer in (
        1, FRAME, 1 << 63, SIZE_MAX, SIZE_MAX & ~0xFFF, scene.base - FRAME, scene.base, scene.base + FRAME,
        scene.base + scene.ram.size, scene.base + scene.ram.size - FRAME, 0x4000_0000,
    ):  # fmt: skip
        scene.reported(api.buddy_free, pointer, error=InvalidPointerError, works=False)
    scene.works()


@every_mode
def test_b120_memory_of_the_other_allocators_is_reported(scene):
    cache = api.slab_cache_create("other", 4096, 4096, None, None)
    for pointer in (
        api.kmalloc(4096), api.kmalloc(100), api.kmalloc(65536), api.kmalloc(MIB), api.kmalloc_aligned(100, 4096),
        api.slab_alloc(cache), cache, scene.base + scene.frame(),
    ):  # fmt: skip
        scene.reported(api.buddy_free, pointer, error=InvalidPointerError, works=False)
        scene.reported(api.buddy_free, pointer & ~0xFFF, error=InvalidPointerError, works=False)
    scene.works()


@every_mode
def test_b121_left_right_left_again_is_reported_although_the_block_has_merged(scene):
    left, right = buddies(scene, FRAME)
    api.buddy_free(left)
    api.buddy_free(right)
    for pointer in (left, right):
        scene.reported(api.buddy_free, pointer, error=InvalidPointerError, works=False)
    scene.works()


@pytest.mark.parametrize("seed", range(4))
def test_b122_freed_in_any_order_all_blocks_are_one_again(bare, seed):
    start = region(bare, MIB >> 12, MIB >> 12)
    bare.kernel.buddy.initialise(start, MIB)
    bare.exhaust()
    blocks = [api.buddy_alloc(size) for size in (FRAME, 8 * FRAME, 3 * FRAME, 32 * FRAME, FRAME)]
    blocks += take_all(FRAME)
    random.Random(seed).shuffle(blocks)
    for block in blocks:
        api.buddy_free(block)
        bare.kernel.buddy.validate()
    assert statistics().free_blocks == (0,) * 8 + (1,) + (0,) * 4
    assert api.buddy_alloc(MIB) == start


def test_statistics_into_null_are_nothing(scene):
    for null in (None, 0):
        scene.unchanged(api.buddy_get_stats, null)
    for wrong in (1, "x", api.frame_stats_t()):
        scene.reported(api.buddy_get_stats, wrong, error=TypeError)
