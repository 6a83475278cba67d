"""Every operation with its 1st, 2nd, 3rd ... allocation failing: afterwards the machine is as before."""

import pytest

import coalmm
from machines import Ledger, state_but_failures

OPERATIONS = {
    "kmalloc": (lambda kernel, held: kernel.heap.kmalloc(100), 0),
    "kmalloc of a class of its own slab": (lambda kernel, held: kernel.heap.kmalloc(30_000), 0),
    "kmalloc, large": (lambda kernel, held: kernel.heap.kmalloc(900_000), 0),
    "kzalloc": (lambda kernel, held: kernel.heap.kzalloc(700), 0),
    "kmalloc_aligned": (lambda kernel, held: kernel.heap.kmalloc_aligned(100, 256), 0),
    "kmalloc_aligned to pages": (lambda kernel, held: kernel.heap.kmalloc_aligned(100, 1 << 16), 0),
    "krealloc to a larger class": (lambda kernel, held: kernel.heap.krealloc(held, 5000), 0),
    "krealloc to large": (lambda kernel, held: kernel.heap.krealloc(held, 400_000), 0),
    "buddy_alloc": (lambda kernel, held: kernel.buddy.allocate(1 << 19), 0),
    "frame_alloc": (lambda kernel, held: kernel.frames.allocate(), 0),
    "frames in a run": (lambda kernel, held: kernel.frames.allocate_run(9, 4), 0),
    "slab_alloc": (lambda kernel, held: kernel.slabs.allocate(kernel.test_cache), 0),
    "slab_cache_create": (lambda kernel, held: kernel.slabs.create("new", 100), 0),
    "paging_create_directory": (lambda kernel, held: kernel.page_tables.create(), 0),
    "paging_map_page": (lambda kernel, held: kernel.paging_map_page(0x400000, kernel.test_frame, 7), -12),
}
BULK = {
    "many frames": lambda kernel: list(kernel.frames.allocate_many(20)),
    "many objects": lambda kernel: list(kernel.slabs.allocate_many(kernel.test_cache, 100)),
}


@pytest.fixture(params=["i386", "x86_64"])
def full_kernel(request):
    """A machine whose heap has no free block at hand, so that an operation goes down to the frames."""
    kernel = coalmm.boot("4M", request.param)
    kernel.test_cache = kernel.slabs.create("test", 1000)
    kernel.test_frame = kernel.frames.allocate()
    while kernel.buddy.statistics().free_bytes:
        kernel.buddy.allocate(kernel.buddy.statistics().largest_free_block)
    return kernel


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_failure_leaves_the_machine_as_it_was(full_kernel, name):
    kernel = full_kernel
    operation, failure = OPERATIONS[name]
    if name == "slab_cache_create":  # fill the slab that the records of caches come from
        infos = {info.name: info for info in kernel.slabs.caches()}
        while infos["slab_cache"].active < infos["slab_cache"].objects:
            kernel.slabs.create("filler", 100)
            infos = {info.name: info for info in kernel.slabs.caches()}
    failures = 0
    for nth in range(1, 60):
        held = kernel.heap.kmalloc(64)
        before, statistics = state_but_failures(kernel), kernel.frames.statistics()
        with kernel.failing(nth=nth) as injection:
            result = operation(kernel, held)
            failed = injection.failed
        kernel.validate()
        if not failed:
            break
        if result == failure:  # a heap that cannot grow by as much as it wants tries to grow by less
            failures += 1
            assert kernel.frames.statistics() == statistics
            assert state_but_failures(kernel) == before
    assert failures, "nothing failed"
    assert result != failure


@pytest.mark.parametrize("name", BULK)
def test_a_bulk_call_that_fails_keeps_nothing(full_kernel, name):
    kernel = full_kernel
    ledger = Ledger(kernel)
    for nth in range(1, 300):
        with kernel.failing(nth=nth) as injection:
            result = BULK[name](kernel)
            failed = injection.failed
        kernel.validate()
        if not failed:
            break
        if result:
            kernel.slabs.free_many(kernel.test_cache, result)
        kernel.slabs.shrink()
        kernel.buddy.trim()
        assert ledger.balance() == ledger.start
    assert nth > 20
    assert result


@pytest.mark.parametrize("point", ["frame", "buddy", "slab", "kmalloc"])
def test_only_the_watched_points_fail(kernel, point):
    cache = kernel.slabs.create("c", 5000)
    with kernel.failing(every=1, points=(point,)):
        assert (kernel.frames.allocate() == 0) == (point == "frame")
        assert (kernel.buddy.allocate(4096) == 0) == (point == "buddy")
        assert (kernel.slabs.allocate(cache) == 0) == (point in ("slab", "buddy"))
        assert (kernel.heap.kmalloc(8) == 0) == (point in ("kmalloc", "buddy"))
    assert kernel.heap.kmalloc(8)


def test_only_sizes_of_the_range_fail_and_every_second_one(kernel):
    with kernel.failing(every=2, points=("kmalloc",), smallest=100, largest=200) as injection:
        assert all(kernel.heap.kmalloc(size) for size in (99, 201, 8) for _ in range(4))
        assert [kernel.heap.kmalloc(size) == 0 for size in (100, 200, 150, 101)] == [False, True, False, True]
        assert (injection.seen, injection.failed) == (4, 2)
    assert not injection.armed


@pytest.mark.parametrize("arguments", [{"points": ("disk",)}, {"nth": -1}, {"nth": 1.5}, {"every": None}])
def test_injection_that_cannot_be_armed_changes_nothing(kernel, arguments):
    digest = kernel.digest()
    with pytest.raises((ValueError, TypeError)), kernel.failing(**arguments):
        pass
    assert kernel.digest() == digest
