"""A machine booted without a heap gets one from buddy_init."""

import pytest

import coalmm
from coalmm import api

MODES = ["i386", "pae", "x86_64", "la57"]


@pytest.fixture(params=MODES)
def kernel(request):
    with coalmm.boot("16M", request.param, heap=False) as kernel:
        yield kernel
        kernel.validate()


def region(kernel, pages):
    return kernel.kernel_base + kernel.frames.allocate_run(pages, pages)


def test_before_the_first_region_there_is_no_memory(kernel):
    assert (api.kmalloc(10), api.kzalloc(100_000), api.buddy_alloc(4096)) == (0, 0, 0)
    assert api.slab_cache_create("x", 64, 0, 0, 0) == 0


def test_the_first_region_brings_kmalloc_and_slabs(kernel):
    api.buddy_init(region(kernel, 64), 64 * 4096)
    pointers = [api.kmalloc(size) for size in (1, 64, 5000, 100_000)]
    cache = api.slab_cache_create("x", 64, 0, 0, 0)
    assert all(pointers) and cache and api.slab_alloc(cache) and api.buddy_alloc(8192)
    for pointer in pointers:
        api.kfree(pointer)
    kernel.processes.create("first").exit()


def test_a_second_region_makes_no_second_heap(kernel):
    kernel.buddy_init(region(kernel, 16), 16 * 4096)
    pointer, caches = api.kmalloc(64), len(list(kernel.slabs.caches()))
    kernel.buddy_init(region(kernel, 16), 16 * 4096)
    assert len(list(kernel.slabs.caches())) == caches
    api.kfree(pointer)


def test_a_refused_region_brings_nothing(kernel):
    before = kernel.digest()
    with pytest.raises(coalmm.MisuseError):
        api.buddy_init(kernel.kernel_base, 4096)
    assert kernel.digest() == before and api.kmalloc(10) == 0


def test_failing_allocations_leave_no_half_of_a_heap(kernel):
    at = region(kernel, 16)
    with kernel.failing(every=1):
        kernel.buddy_init(at, 16 * 4096)
    assert api.kmalloc(64)


def test_without_frames_for_its_tables_the_next_region_brings_the_heap(kernel):
    at = region(kernel, 64)
    taken = kernel.frames.allocate_many(kernel.frames.statistics().free)
    kernel.buddy_init(at, 32 * 4096)
    assert api.kmalloc(64) == 0 and api.buddy_alloc(4096)
    kernel.frames.free_many(taken)
    kernel.buddy_init(at + 32 * 4096, 32 * 4096)
    assert api.kmalloc(64)


def test_an_image_without_a_heap_gets_one_too(kernel, tmp_path):
    kernel.save(tmp_path / "image")
    copy = coalmm.attach(tmp_path / "image")
    copy.buddy_init(region(copy, 16), 16 * 4096)
    assert copy.kmalloc(64)
    copy.validate()
