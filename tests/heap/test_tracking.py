"""Tracking: call sites, ages, histories, what is missed; it can be turned on, off and forgotten at any time."""

import inspect

import pytest

import coalmm
from coalmm.errors import CorruptionError, DoubleFreeError
from coalmm.heap.constants import TRACK_CAPACITY, TRACK_LIVE, TRACK_MISSED, TRACK_TABLE
from coalmm.physical.constants import SB_TRACKING
from machines import assert_refused


def here(back=0):
    """ "file:line" of the caller's line, `back` lines before."""
    frame = inspect.currentframe().f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno - back}"


@pytest.fixture
def tracked(kernel):
    kernel.tracking.enable()
    return kernel


def sites(kernel):
    return {allocation.address: allocation.site for allocation in kernel.tracking.live()}


def test_a_site_is_the_file_and_line_of_the_caller_of_every_allocator(tracked):
    heap, expected = tracked.heap, {}
    cache = tracked.slabs.create("tracked", 48)
    for call in (
        lambda: (heap.kmalloc(10), here()),
        lambda: (heap.kzalloc(10), here()),
        lambda: (heap.kmalloc_aligned(10, 64), here()),
        lambda: (heap.krealloc(0, 10), here()),
        lambda: (heap.kmalloc(100_000), here()),
        lambda: (tracked.buddy.allocate(4096), here()),
        lambda: (tracked.slabs.allocate(cache), here()),
        lambda: (tracked.slabs.allocate_many(cache, 1)[0], here()),
        lambda: (tracked.kmalloc(10), here()),
    ):
        address, site = call()
        expected[address] = site
    assert sites(tracked) == expected
    tracked.validate()


def test_the_age_is_the_number_of_allocations_and_frees_since(tracked):
    first = tracked.heap.kmalloc(1)
    tracked.heap.kfree(tracked.heap.kmalloc(2))
    second = tracked.heap.kmalloc(3)
    ages = {allocation.address: (allocation.age, allocation.size) for allocation in tracked.tracking.live()}
    assert ages == {first: (3, 1), second: (0, 3)}


@pytest.mark.parametrize("size", [40, 100_000])
def test_a_double_free_names_who_allocated_and_who_freed(tracked, size):
    address = tracked.heap.kmalloc(size)
    allocated = here(1)
    tracked.heap.kfree(address)
    freed = here(1)
    message = str(assert_refused(tracked, DoubleFreeError, tracked.heap.kfree, address))
    assert f"{size} bytes allocated at {allocated}, freed at {freed}" in message
    assert tracked.tracking.live_count() == 0


def test_what_was_allocated_before_is_not_counted_and_its_free_takes_nothing_off(kernel):
    before = kernel.heap.kmalloc(10)
    kernel.tracking.enable()
    kernel.tracking.enable()
    assert kernel.tracking.live_count() == 0
    held = kernel.heap.kmalloc(10)
    kernel.heap.kfree(before)
    assert kernel.tracking.live_count() == 1
    kernel.heap.kfree(held)
    assert kernel.tracking.live_count() == 0
    kernel.validate()


def test_reallocation_moves_the_record_or_renews_it(tracked):
    address = tracked.heap.kmalloc(100)
    moved = tracked.heap.krealloc(address, 5000)
    assert [(each.address, each.size) for each in tracked.tracking.live()] == [(moved, 5000)]
    assert tracked.heap.krealloc(moved, 5001) == moved
    assert [(each.address, each.size) for each in tracked.tracking.live()] == [(moved, 5001)]
    assert tracked.heap.krealloc(moved, 0) == 0
    assert tracked.tracking.live_count() == 0


def test_the_table_grows_and_keeps_every_live_record(tracked):
    cache = tracked.slabs.create("many", 16)
    addresses = list(tracked.slabs.allocate_many(cache, 3000))
    for address in addresses[::3]:
        tracked.slabs.free(cache, address)
    tracked.validate()
    assert tracked.ram.words[SB_TRACKING + TRACK_CAPACITY] > 4096
    assert set(sites(tracked)) == set(addresses) - set(addresses[::3])
    tracked.slabs.free_many(cache, sorted(sites(tracked)))
    assert tracked.tracking.live_count() == 0


def test_without_memory_for_a_record_the_allocation_is_counted_as_missed(kernel):
    kernel.tracking.enable()
    while kernel.frames.allocate():
        pass
    address = kernel.heap.kmalloc(100)
    assert address
    assert kernel.ram.words[SB_TRACKING + TRACK_MISSED] == 1
    assert kernel.tracking.live_count() == 0
    kernel.heap.kfree(address)
    assert kernel.tracking.live_count() == 0
    kernel.validate()


def test_reset_gives_every_frame_back_and_tracking_can_begin_again(kernel):
    frames = kernel.frames.statistics()
    for _ in range(3):
        kernel.tracking.enable()
        held = kernel.heap.kmalloc(100)
        assert kernel.tracking.live_count() == 1
        kernel.tracking.reset()
        assert kernel.frames.statistics() == frames
        assert kernel.tracking.live_count() == 0
        assert not kernel.tracking.enabled
        kernel.heap.kfree(held)
        kernel.validate()


def test_the_records_are_in_the_image(tracked, tmp_path):
    address = tracked.heap.kmalloc(123)
    site = here(1)
    tracked.save(tmp_path / "x")
    copy = coalmm.attach(tmp_path / "x")
    assert sites(copy) == {address: site}
    copy.heap.kfree(address)
    assert site in str(assert_refused(copy, DoubleFreeError, copy.heap.kfree, address))


@pytest.mark.parametrize(
    ("word", "value"), [(TRACK_CAPACITY, 3), (TRACK_CAPACITY, 1 << 63), (TRACK_TABLE, 8), (TRACK_LIVE, 9)]
)
def test_a_damaged_table_is_found_and_ends_no_call_in_an_endless_search(kernel, word, value):
    kernel.tracking.enable()
    held = kernel.heap.kmalloc(10)
    kept = kernel.ram.words[SB_TRACKING + word]
    kernel.ram.words[SB_TRACKING + word] = value
    with pytest.raises(CorruptionError):
        kernel.validate()
    if word != TRACK_LIVE:
        with pytest.raises(CorruptionError):
            kernel.heap.kfree(held)
    kernel.ram.words[SB_TRACKING + word] = kept


def test_a_site_is_found_under_a_name_that_is_no_text(tracked):
    space = {"__name__": None, "heap": tracked.heap}
    exec(compile("address = heap.kmalloc(7)", "strange.py", "exec"), space)
    assert sites(tracked) == {space["address"]: "strange.py:1"}
