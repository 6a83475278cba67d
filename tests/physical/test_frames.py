"""Frames: what is handed out, what comes back, and what is refused."""

import pytest

import coalmm
from coalmm.errors import CorruptionError, DoubleFreeError, InUseError, InvalidPointerError
from coalmm.hardware.memory_map import MemoryMap
from coalmm.physical.constants import (
    D_HEAD,
    D_KIND,
    D_REFERENCES,
    KIND_ANONYMOUS,
    KIND_CACHE,
    REFERENCES_LIMIT,
    SB_FREE,
)
from machines import PAGING, TOP, assert_refused, descriptor_half, descriptor_word

GIB = 1 << 30


def take_all(frames):
    """Every frame that can be had."""
    return list(iter(frames.allocate, 0))


def identity(frames):
    """Whether the statistics add up."""
    stats = frames.statistics()
    return stats.total == stats.free + stats.reserved + stats.user


@pytest.mark.parametrize("paging", PAGING)
def test_every_free_frame_is_handed_out_once_and_comes_back(paging, keep_frames):
    kernel = keep_frames(coalmm.boot("2M", paging, heap=False))
    before = kernel.frames.statistics()
    for _ in range(3):
        taken = take_all(kernel.frames)
        assert len(taken) == len(set(taken)) == before.free
        assert kernel.frames.statistics().free == 0
        assert 0 not in taken
        assert all(paddr % 4096 == 0 for paddr in taken)
        kernel.validate()
        for paddr in taken:
            kernel.frames.free(paddr)
        assert kernel.frames.statistics() == before


def test_frames_are_of_the_memory_map_and_no_structure_of_the_kernel(kernel):
    taken = take_all(kernel.frames)
    reserved = [(0, 4096), (640 << 10, 1 << 20), (kernel.ram.words[17], kernel.ram.words[23])]
    assert not [paddr for paddr in taken for start, end in reserved if start <= paddr < end]
    assert max(taken) < kernel.ram.size


def test_the_one_frame_that_was_freed_is_the_one_that_is_handed_out(kernel):
    taken = take_all(kernel.frames)
    for paddr in (taken[0], taken[len(taken) // 2], taken[-1]):
        kernel.frames.free(paddr)
        assert kernel.frames.allocate() == paddr
        assert kernel.frames.allocate() == 0


@pytest.mark.parametrize("beyond", [1, 100, 4095])
def test_a_partial_last_frame_is_never_handed_out(beyond):
    whole = coalmm.boot(2 << 20, heap=False)
    kernel = coalmm.boot((2 << 20) + beyond, heap=False)
    assert max(take_all(kernel.frames)) == max(take_all(whole.frames)) == (2 << 20) - 4096
    assert_refused(kernel, InvalidPointerError, kernel.frames.free, 2 << 20)


@pytest.mark.parametrize(
    ("paddr", "error"),
    [
        (0, InvalidPointerError),
        (TOP, InvalidPointerError),
        (0xFFFF_FFFF_FFFF_F000, InvalidPointerError),
        (1 << 63, InvalidPointerError),
        (4 << 20, InvalidPointerError),
        (0xA0000, InvalidPointerError),
        (0x1000, InvalidPointerError),
        (0x3FF000, DoubleFreeError),
        (-1, ValueError),
        (-4096, ValueError),
        (1 << 64, ValueError),
        (1 << 200, ValueError),
        (1.0, TypeError),
        (None, TypeError),
        ("0x5000", TypeError),
        (b"", TypeError),
        ([], TypeError),
    ],
)
def test_what_is_no_frame_of_the_caller_is_refused_and_nothing_changes(kernel, paddr, error):
    assert_refused(kernel, error, kernel.frames.free, paddr)
    assert_refused(kernel, error, kernel.frames.get, paddr)
    assert_refused(kernel, error, kernel.frames.free_many, [paddr])


@pytest.mark.parametrize("offset", [1, 8, 2048, 4095])
def test_an_address_inside_a_frame_does_not_free_it(kernel, offset):
    paddr = kernel.frames.allocate()
    error = assert_refused(kernel, InvalidPointerError, kernel.frames.free, paddr + offset)
    assert error.address == paddr + offset


def test_the_second_free_of_a_frame_names_it_and_the_frame_is_handed_out_once(kernel):
    paddr = kernel.frames.allocate()
    kernel.frames.free(paddr)
    error = assert_refused(kernel, DoubleFreeError, kernel.frames.free, paddr)
    assert error.address == paddr
    assert f"frame {paddr:#x} is free" in str(error)
    assert kernel.frames.allocate() != kernel.frames.allocate()


def test_each_reference_needs_a_free_of_its_own(kernel):
    paddr = kernel.frames.allocate()
    kernel.frames.get(paddr)
    assert kernel.frames.references(paddr >> 12) == 2
    free = kernel.frames.statistics().free
    kernel.frames.free(paddr)
    assert kernel.frames.statistics().free == free
    kernel.frames.free(paddr)
    assert kernel.frames.statistics().free == free + 1
    assert_refused(kernel, DoubleFreeError, kernel.frames.free, paddr)


def test_a_frame_freed_while_it_is_mapped_goes_to_nobody_until_it_is_unmapped(kernel):
    frames = kernel.frames
    kernel.check = frames.validate  # no page table maps it
    paddr = frames.allocate()
    assert frames.map_user(paddr >> 12)
    assert frames.statistics().user == 1
    frames.free(paddr)
    assert_refused(kernel, DoubleFreeError, frames.free, paddr)
    taken = take_all(frames)
    assert paddr not in taken
    frames.free_many(taken)
    assert frames.unmap_user(paddr >> 12) == 0
    assert frames.statistics().user == 0
    assert frames.allocate() == paddr


def test_a_full_reference_counter_refuses_one_more(kernel):
    paddr = kernel.frames.allocate()
    at = descriptor_half(kernel, paddr >> 12, D_REFERENCES)
    kernel.ram.halves[at] = REFERENCES_LIMIT
    assert not kernel.frames.hold(paddr >> 12)
    assert not kernel.frames.map_user(paddr >> 12)
    assert_refused(kernel, InvalidPointerError, kernel.frames.get, paddr)
    kernel.ram.halves[at] = 1


def test_dropping_what_nobody_holds_is_corruption(kernel):
    with pytest.raises(CorruptionError, match="no reference"):
        kernel.frames.drop(900)
    with pytest.raises(CorruptionError, match="no mapping"):
        kernel.frames.unmap_user(900)


def test_mapped_file_frames_are_counted_while_a_user_maps_them(kernel):
    frames = kernel.frames
    pfn = frames.take(KIND_CACHE, 0)
    for _ in range(2):
        frames.map_user(pfn)
    frames.validate()
    assert frames.statistics().user == 1
    for _ in range(2):
        frames.unmap_user(pfn)
    assert frames.statistics().user == 0
    frames.set_kind(pfn, KIND_ANONYMOUS)
    frames.validate()
    assert frames.drop(pfn) == 0


@pytest.mark.parametrize("align", [1, 2, 3, 16, 100])
@pytest.mark.parametrize("count", [1, 2, 5, 64, 65])
def test_a_run_is_adjacent_aligned_and_freed_frame_by_frame(kernel, count, align):
    first = kernel.frames.allocate_run(count, align)
    assert first
    assert (first >> 12) % align == 0
    kernel.validate()
    again = kernel.frames.allocate_run(count, align)
    assert again >= first + count * 4096 or again + count * 4096 <= first
    for index in range(count):
        kernel.frames.free(first + index * 4096)
    kernel.frames.free_many([again + index * 4096 for index in range(count)])


@pytest.mark.parametrize("count_and_align", [(0, 1), (1, 0), (10**6, 1), (TOP, 1), (1, TOP), (2, 1 << 63)])
def test_a_run_that_cannot_be_is_not_found_and_nothing_changes(kernel, count_and_align):
    digest = kernel.digest()
    assert kernel.frames.allocate_run(*count_and_align) == 0
    assert kernel.digest() == digest


def test_many_frames_are_all_or_none(kernel):
    free = kernel.frames.statistics().free
    assert len(kernel.frames.allocate_many(free + 1)) == 0
    assert len(kernel.frames.allocate_many(1 << 60)) == 0
    assert len(kernel.frames.allocate_many(0)) == 0
    with kernel.failing(nth=free // 2, points=("frame",)):
        assert len(kernel.frames.allocate_many(free)) == 0
    assert kernel.frames.statistics().free == free
    frames = kernel.frames.allocate_many(free)
    assert len(set(frames)) == free
    kernel.frames.free_many(frames)


def test_freeing_many_with_one_wrong_frees_none(kernel):
    frames = list(kernel.frames.allocate_many(5))
    for wrong in (frames[0], 0x3FF000, frames[0] + 1):
        error = InvalidPointerError if wrong & 4095 else DoubleFreeError
        assert_refused(kernel, error, kernel.frames.free_many, [*frames, wrong])
    for wrong in (5, None, [None], ["x"], [1.5]):
        assert_refused(kernel, TypeError, kernel.frames.free_many, wrong)


def test_a_zeroed_frame_is_zero_whatever_was_in_it(kernel):
    paddr = kernel.frames.allocate()
    kernel.ram.fill(paddr, 4096, 0xAA)
    kernel.frames.free(paddr)
    assert kernel.frames.allocate_zeroed() == paddr
    assert kernel.ram.read(paddr, 4096) == bytes(4096)


@pytest.mark.parametrize("count", [-1, 1.0, None, "1", 1 << 64])
def test_counts_that_are_no_counts_are_refused(kernel, count):
    error = TypeError if not isinstance(count, int) else ValueError
    assert_refused(kernel, error, kernel.frames.allocate_run, count)
    assert_refused(kernel, error, kernel.frames.allocate_many, count)
    assert_refused(kernel, error, kernel.frames.allocate_run, 1, count)


def test_a_map_with_holes_hands_out_its_whole_frames_and_nothing_else(keep_frames):
    holes = MemoryMap(
        [
            (0x1800, 0x40900, "usable"),
            (0x50000, 0x51FFF, "usable"),
            (0x60000, 0x80000, "reserved"),
            (0x80000, 0x90000, "usable"),
            (0x90000, 0xA0000, "usable"),
            (0x1FF000, 0x200000, "usable"),
        ]
    )
    kernel = keep_frames(coalmm.boot(memory_map=holes, heap=False))
    expected = {*range(0x2000, 0x40000, 4096), 0x50000, *range(0x80000, 0xA0000, 4096), 0x1FF000}
    expected -= set(range(kernel.ram.words[17], kernel.ram.words[23], 4096))
    expected -= {paddr for paddr in expected if kernel.frames.kind(paddr >> 12)}  # the kernel's page tables
    assert set(take_all(kernel.frames)) == expected
    assert identity(kernel.frames)
    for hole in (0x1000, 0x40000, 0x51000, 0x60000, 0x1FE000):
        assert "reserved by the memory map" in str(
            assert_refused(kernel, InvalidPointerError, kernel.frames.free, hole)
        )
    assert kernel.frames.allocate_run(2) == 0


def test_a_run_does_not_cross_a_hole(keep_frames):
    split = MemoryMap([(0, 0x80000, "usable"), (0x81000, 0x100000, "usable")])
    kernel = keep_frames(coalmm.boot(memory_map=split, heap=False))
    first = kernel.frames.allocate_run(0x7F)
    assert first == 0x81000
    assert kernel.frames.allocate_run(0x80) == 0


@pytest.mark.parametrize("usable", [[(0, 8192, "reserved")], [(0, 4096, "usable"), (1 << 20, (1 << 20) + 8, "usable")]])
def test_a_map_without_room_for_the_descriptors_is_refused(usable):
    with pytest.raises(ValueError, match="no usable range"):
        coalmm.boot(memory_map=MemoryMap([*usable, (3 << 20, 4 << 20, "reserved")]))


@pytest.mark.parametrize("paging", ["x86_64", "la57"])
def test_64_gib_boots_on_little_memory_and_finds_its_last_frame(paging):
    kernel = coalmm.boot(64 * GIB, paging)
    assert kernel.ram.touched() < 8 << 20
    stats = kernel.frames.statistics()
    assert stats.total > 16_000_000
    last = kernel.frames.pfn_limit - 1
    kernel.frames.bitmap.set_range(0, last)
    assert kernel.frames.allocate() == last << 12
    assert kernel.frames.allocate() == 0
    kernel.frames.free(last << 12)
    assert kernel.frames.allocate() == last << 12


def test_a_machine_that_is_999_per_mille_full_works_as_an_empty_one(keep_frames):
    kernel = keep_frames(coalmm.boot("32M", "x86_64", heap=False))
    frames = kernel.frames
    taken = frames.allocate_many(frames.statistics().free * 999 // 1000)
    left = take_all(frames)
    for paddr in left:
        frames.free(paddr)
    assert take_all(frames) == sorted(left)
    for victim in taken[::500]:
        frames.free(victim)
        assert frames.allocate() == victim
    kernel.validate()


def test_a_32_bit_machine_keeps_the_memory_that_its_kernel_maps_for_the_kernel():
    kernel = coalmm.boot("1G", heap=False)
    low = 896 << 20
    first = kernel.frames.allocate()
    assert first >= low
    assert kernel.frames.take_low(2, 0) << 12 < low
    kernel.validate()
    high = kernel.frames.allocate_many((1 << 30) - low >> 12)
    assert min(high) < low < max(high)  # the last one had to come from below
    assert sum(paddr < low for paddr in high) == 1
    assert kernel.frames.take_run(4, 1, 2, 0, True) << 12 < low
    assert identity(kernel.frames)


def test_kernel_memory_runs_out_while_high_frames_are_left():
    kernel = coalmm.boot("904M", heap=False)
    while kernel.frames.take_run(4096, 1, 2, 0, True):
        pass
    while kernel.frames.take_low(2, 0):
        pass
    assert kernel.frames.take_run(1, 1, 2, 0, True) == 0
    assert kernel.frames.allocate() >= 896 << 20
    kernel.validate()


@pytest.mark.parametrize(
    ("break_it", "names"),
    [
        (lambda kernel, pfn: kernel.frames.bitmap.clear(pfn), "free in the bitmap"),
        (lambda kernel, pfn: kernel.frames.bitmap.set(pfn + 1), "nothing holds it"),
        (lambda kernel, pfn: kernel.frames.bitmap.clear(0xB0), "free in the bitmap"),
        (lambda kernel, pfn: set_half(kernel, pfn, D_REFERENCES, 0), "frame descriptor at"),
        (lambda kernel, pfn: set_half(kernel, pfn, D_REFERENCES, 0xFFFFFFFF), "frame descriptor at"),
        (lambda kernel, pfn: set_half(kernel, pfn, 1, 7), "mappings 7"),
        (lambda kernel, pfn: set_half(kernel, pfn, D_KIND, 77), "unknown kind 77"),
        (lambda kernel, pfn: set_half(kernel, pfn + 1, 7, 1), "stray bits"),
        (lambda kernel, pfn: set_half(kernel, pfn + 1, D_HEAD, 1), "free in the bitmap"),
        (lambda kernel, pfn: set_word(kernel, SB_FREE, 1), "free frames"),
        (lambda kernel, pfn: set_word(kernel, kernel.frames.bitmap.bases[1], 1), "frame bitmap"),
    ],
)
def test_the_checker_names_what_is_broken(break_it, names):
    kernel = coalmm.boot("4M", heap=False)
    frame = kernel.frames.allocate()
    kernel.validate()
    break_it(kernel, frame >> 12)
    with pytest.raises(CorruptionError, match=names):
        kernel.validate()


def set_half(kernel, pfn, field, value):
    kernel.ram.halves[descriptor_half(kernel, pfn, field)] = value


def set_word(kernel, at, flip):
    kernel.ram.words[at] ^= flip


def test_a_wrong_descriptor_is_named_with_the_address_of_its_frame():
    kernel = coalmm.boot("4M", heap=False)
    kernel.ram.words[descriptor_word(kernel, 800)] = 5
    with pytest.raises(CorruptionError) as caught:
        kernel.validate()
    assert caught.value.address == 800 << 12


def test_the_buddy_heap_takes_no_frame_that_is_mapped(kernel):
    kernel.check = kernel.frames.validate
    paddr = kernel.frames.allocate()
    kernel.frames.map_user(paddr >> 12)
    assert_refused(kernel, InUseError, kernel.buddy.initialise, kernel.kernel_base + paddr, 4096)
    kernel.frames.unmap_user(paddr >> 12)
