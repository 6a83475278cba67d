"""Bad inputs of memory information and debugging."""

import random

import pytest
from scene import every_mode

from coalmm import api
from coalmm.errors import MisuseError


@every_mode
def test_b294_get_meminfo_into_null_changes_nothing(scene):
    for null in (None, 0):
        assert scene.unchanged(api.get_meminfo, null) is None


def sums_hold():
    info = api.meminfo_t()
    api.get_meminfo(info)
    parts = (info.free_memory, info.kernel_memory, info.user_memory, info.cache_memory, info.buffer_memory)
    assert info.free_memory == api.frame_get_free_memory()
    assert sum(parts) == info.total_memory == api.frame_get_total_memory()


@every_mode
def test_b295_b296_the_sums_hold_after_every_operation_of_a_random_run_and_with_no_memory(scene):
    rng, held = random.Random(296), []
    for _ in range(150):
        if held and rng.random() < 0.4:
            free, address = held.pop(rng.randrange(len(held)))
            free(address)
        else:
            allocate, free = rng.choice(
                (
                    (lambda: api.kmalloc(rng.randrange(1, 60_000)), api.kfree),
                    (api.frame_alloc, api.frame_free),
                    (lambda: api.buddy_alloc(rng.randrange(1, 60_000)), api.buddy_free),
                    (lambda: api.slab_alloc(scene.cache), lambda address: api.slab_free(scene.cache, address)),
                )
            )
            address = allocate()
            held += [(free, address)] if address else []
        sums_hold()
    give_back = scene.exhaust_heap()
    assert api.frame_get_free_memory() == 0
    sums_hold()
    give_back()
    sums_hold()
    for free, address in held:
        free(address)


@every_mode
def test_b298_get_proc_meminfo_into_null_is_negative_and_changes_nothing(scene):
    process = scene.kernel.processes.create("one")
    for null in (None, 0):
        assert scene.unchanged(api.get_proc_meminfo, process.pid, null) in (-api.EINVAL, -api.EFAULT)
    process.exit()


@every_mode
def test_b301_the_parts_of_a_process_are_no_more_than_the_whole(scene):
    rng, process = random.Random(301), scene.kernel.processes.create("one")
    process.set_brk_start(0x3000_0000)
    info = api.proc_meminfo_t()
    for _ in range(60):
        start = 0x1000_0000 + rng.randrange(64) * 4096
        length = rng.randrange(1, 20) * 4096
        what = rng.randrange(4)
        if what == 0:
            process.map(start, length, rng.choice(("r", "rw", "rx")))
        elif what == 1:
            process.unmap(start, length)
        elif what == 2:
            process.brk(0x3000_0000 + rng.randrange(20) * 4096)
        else:
            for area in process.areas:
                process.read(area.start, 1)
        assert api.get_proc_meminfo(process.pid, info) == 0
        assert info.rss <= info.virt_size
        assert info.text + info.data + info.stack <= info.virt_size
    process.exit()


@every_mode
def test_b309_b310_what_was_allocated_before_tracking_began_is_not_counted_nor_underflows(scene):
    before = [api.kmalloc(size) for size in (10, 5000, 100_000)]
    api.mem_enable_tracking()
    assert api.mem_check_leaks() == 0
    for pointer in before:
        api.kfree(pointer)
        assert api.mem_check_leaks() == 0
    kept = api.kmalloc(10)
    assert api.mem_check_leaks() == 1
    api.kfree(kept)
    assert api.mem_check_leaks() == 0


@every_mode
def test_b311_a_refused_double_free_leaves_the_count(scene):
    api.mem_enable_tracking()
    kept, freed = api.kmalloc(10), api.kmalloc(10)
    api.kfree(freed)
    assert api.mem_check_leaks() == 1
    scene.reported(api.kfree, freed, works=False)
    assert api.mem_check_leaks() == 1
    api.kfree(kept)


@every_mode
def test_b312_b313_tracking_can_begin_twice_and_with_live_allocations(scene):
    api.mem_enable_tracking()
    kept = api.kmalloc(10)
    scene.unchanged(api.mem_enable_tracking, works=False)
    assert api.mem_check_leaks() == 1
    api.kfree(kept)
    scene.works()


def test_b314_without_memory_for_its_record_an_allocation_is_made_and_not_tracked(scene):
    give_back = scene.exhaust_heap()
    api.mem_enable_tracking()
    assert api.mem_check_leaks() == 0
    give_back()
    scene.works()


def test_b315_everything_about_tracking_before_there_is_a_heap(bare):
    api.mem_enable_tracking()
    assert api.kmalloc(10) == 0
    assert api.mem_check_leaks() == 0
    with pytest.raises(MisuseError):
        api.kfree(bare.base + 4096)
    api.mem_print_stats()
