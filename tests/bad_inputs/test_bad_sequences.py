"""Bad sequences over several allocators, and the structures that a flipped bit breaks."""

import contextlib
import itertools
import random

import pytest
from scene import FRAME, SIZE_MAX, USER, every_mode

import coalmm
from coalmm import api
from coalmm.errors import CoalError, CorruptionError, MisuseError

FUNCTIONS = [getattr(api, name) for name in api.__all__ if callable(getattr(api, name)) and name.islower()]
FUNCTIONS = [function for function in FUNCTIONS if not isinstance(function, type)]


def fill(process):
    """Make 40 pages of a process present."""
    start = process.map(0, 40 * FRAME, "rw")
    for page in range(40):
        process.write(start + page * FRAME, bytes([page]))
    return start


@every_mode
def test_b318_clones_without_memory_then_parent_then_child_give_every_frame_back(kernel):
    free = kernel.frames.statistics().free + kernel.buddy.statistics().free_bytes // FRAME
    parent = kernel.processes.create("parent")
    start = fill(parent)
    children = []
    for nth in range(1, 100):
        with kernel.failing(nth=nth), contextlib.suppress(OSError):
            children.append(parent.fork())
        kernel.validate()
        if children:
            break
    assert children and parent.read(start, 1) == b"\0"
    parent.exit()
    for child in children:
        assert child.read(start + FRAME, 1) == b"\1"
        child.exit()
    kernel.slabs.shrink()
    kernel.buddy.trim()
    kernel.validate()
    assert kernel.frames.statistics().user == 0
    assert free - 40 < kernel.frames.statistics().free + kernel.buddy.statistics().free_bytes // FRAME


@every_mode
def test_b319_random_allocations_keep_their_bytes_and_all_memory_comes_back(scene):
    kernel, rng = scene.kernel, random.Random(319)
    before, held = scene.free_memory(), {}
    for step in range(20_000 if coalmm.MODE == "compiled" else 3000):
        if held and rng.random() < 0.5:
            address, (size, mark) = held.popitem() if rng.random() < 0.5 else next(iter(held.items()))
            held.pop(address, None)
            assert kernel.memory.read(address, size) == bytes([mark]) * size
            api.kfree(address)
        else:
            size = int(rng.expovariate(1 / rng.choice((30, 300, 5000)))) + 1
            address = api.kmalloc(size)
            assert address and address not in held
            kernel.memory.write(address, bytes([step & 255]) * size)
            held[address] = size, step & 255
    for address, (size, mark) in held.items():
        assert kernel.memory.read(address, size) == bytes([mark]) * size
        api.kfree(address)
    assert scene.free_memory() == before
    scene.works()


@every_mode
@pytest.mark.parametrize("bit", [0, 1, 2, 13, 31])
def test_b320_a_flipped_bit_of_a_page_table_entry_is_found(scene, bit):
    scene.mapped()
    entry = scene.kernel.mmu.walker.walk(scene.kernel.mmu.cr3, USER).steps[-1].entry_paddr
    half = scene.ram.halves[entry >> 2]
    scene.ram.halves[entry >> 2] = half ^ 1 << bit
    if bit in (1, 2):  # other rights, which an entry may have: no structure is broken
        scene.kernel.validate()
    else:
        with pytest.raises(CorruptionError):
            scene.kernel.validate()
    scene.ram.halves[entry >> 2] = half
    scene.kernel.validate()


@every_mode
def test_b321_a_flipped_bit_of_the_frame_bitmap_is_found(scene):
    taken, free = scene.mapped(), scene.frame()
    api.frame_free(free)
    bitmap = scene.kernel.frames.bitmap.bases[0]
    for paddr in (taken, free):
        scene.ram.words[bitmap + (paddr >> 18)] ^= 1 << (paddr >> 12 & 63)
        with pytest.raises(CorruptionError):
            scene.kernel.validate()
        scene.ram.words[bitmap + (paddr >> 18)] ^= 1 << (paddr >> 12 & 63)
    scene.kernel.validate()


def test_b322_every_function_works_or_fails_as_stated_before_there_is_a_heap(bare):
    for function, count in itertools.product(FUNCTIONS, range(6)):
        try:
            function(*[0] * count)
        except (CoalError, TypeError):
            continue
    bare.kernel.validate()


@every_mode
@pytest.mark.parametrize("wrong", [1, 1 << 63, SIZE_MAX])
def test_b323_wrong_pointers_are_reported_or_refused_and_change_nothing(scene, wrong):
    for call in (api.kfree, api.kmalloc_size, api.frame_free, api.buddy_free, api.slab_cache_destroy, api.slab_alloc):
        scene.reported(call, wrong, works=False)
    scene.reported(api.krealloc, wrong, 10, works=False)
    scene.reported(api.slab_free, scene.cache, wrong, works=False)
    scene.reported(api.slab_free, wrong, wrong, works=False)
    scene.reported(api.buddy_init, wrong, FRAME, works=False)
    for call in (api.paging_switch_directory, api.paging_free_directory):
        scene.reported(call, wrong, works=False)
    assert scene.unchanged(api.copy_from_user, bytearray(8), wrong, 8, works=False) == -api.EFAULT
    assert scene.unchanged(api.copy_to_user, wrong, bytes(8), 8, works=False) == -api.EFAULT
    scene.works()


@every_mode
def test_b324_a_scenario_whose_nth_allocation_fails_ends_the_same_when_it_is_tried_again(kernel):
    def scenario():
        made = [api.kmalloc(100), api.kmalloc(9000), api.buddy_alloc(8192), api.frame_alloc()]
        directory = api.paging_create_directory() if all(made) else 0
        done = bool(directory)
        for free, address in zip((api.kfree, api.kfree, api.buddy_free, api.frame_free), made, strict=True):
            if address:
                free(address)
        if directory:
            api.paging_free_directory(directory)
        return done

    assert scenario()
    kernel.slabs.shrink()
    free = kernel.frames.statistics(), kernel.buddy.statistics().free_bytes
    for nth in range(1, 100):
        kernel.slabs.shrink()
        with kernel.failing(nth=nth) as injection:
            done = scenario()
            failed = injection.failed
        kernel.validate()
        kernel.slabs.shrink()
        assert (kernel.frames.statistics(), kernel.buddy.statistics().free_bytes) == free
        if failed == 0:
            assert done and nth > 4
            break
    else:
        raise AssertionError("it never came to an end")


def test_b326_forks_until_there_is_no_frame_end_with_an_error_and_give_every_frame_back(kernel):
    first = kernel.processes.create("bomb")
    fill(first)
    everybody = [first]
    with pytest.raises((OSError, CoalError)):
        while True:
            child = everybody[-1].fork()
            everybody.append(child)
            start = next(iter(child.areas)).start
            for page in range(40):
                child.write(start + page * FRAME, b"mine")
    kernel.validate()
    for process in everybody:
        process.exit()
    kernel.validate()
    assert kernel.frames.statistics().user == 0
    with pytest.raises((MisuseError, CoalError)):
        everybody[-1].write(USER, b"x")
