"""debug=True: writes past, before and after the life of an object are found, with offset and history."""

import pytest

import coalmm
from coalmm.errors import CorruptionError, DoubleFreeError
from machines import Unchanged

PAGING = ["i386", "x86_64"]


@pytest.fixture(params=PAGING)
def machine(request):
    """A debug machine with tracking; damage is left in it, so no ledger."""
    kernel = coalmm.boot("4M", request.param, debug=True)
    kernel.tracking.enable()
    return kernel


def poke(kernel, address, value=0x41):
    kernel.ram.bytes[address - kernel.kernel_base] = value


def damage(kernel, call, *arguments):
    """The CorruptionError that a call raises."""
    with pytest.raises(CorruptionError) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize("size", [1, 7, 8, 100, 235, 4096, 32768, 32769, 40_960, 100_000])
def test_b207_one_byte_past_the_size_asked_for_is_found_at_the_free(machine, size):
    address = machine.heap.kmalloc(size)
    assert machine.heap.kmalloc_size(address) == size
    machine.ram.fill(address - machine.kernel_base, size, 0xEE)
    machine.validate()
    poke(machine, address + size)
    error = damage(machine, machine.heap.kfree, address)
    assert error.address == address + size
    for part in (f"{address:#x}", f"offset {size} holds 0x41, not 0xcc", f"{size} bytes allocated at {__file__}:"):
        assert part in str(error)


@pytest.mark.parametrize("size", [8, 100, 3000])
def test_b160_the_byte_before_an_object_is_found(machine, size):
    address = machine.heap.kmalloc(size)
    poke(machine, address - 1)
    error = damage(machine, machine.heap.kfree, address)
    assert error.address == address - 1
    assert "left red zone" in str(error)
    assert "offset -1" in str(error)


@pytest.mark.parametrize(("size", "align"), [(24, 0), (100, 64), (1, 1), (5000, 4096)])
def test_b159_an_object_of_a_cache_is_checked_at_its_free(machine, size, align):
    cache = machine.slabs.create("red", size, align)
    address = machine.slabs.allocate(cache)
    poke(machine, address + size)
    error = damage(machine, machine.slabs.free, cache, address)
    assert f"offset {size} holds 0x41, not 0xcc" in str(error)
    poke(machine, address + size, 0xCC)
    machine.slabs.free(cache, address)


@pytest.mark.parametrize("offset", [0, 1, 50, 98])
def test_b149_a_write_after_the_free_is_found_when_the_object_is_handed_out(machine, offset):
    cache = machine.slabs.create("poisoned", 100)
    address = machine.slabs.allocate(cache)
    machine.slabs.free(cache, address)
    poke(machine, address + offset)
    error = damage(machine, machine.slabs.allocate, cache)
    assert error.address == address + offset
    for part in ("use after free", f"offset {offset} holds 0x41, not 0x6b", "freed at"):
        assert part in str(error)


def test_b149_the_last_byte_of_a_free_object_has_a_mark_of_its_own(machine):
    address = machine.heap.kmalloc(64)
    machine.heap.kfree(address)
    assert machine.ram.bytes[address - machine.kernel_base + 63] == 0xA5
    poke(machine, address + 63, 0x6B)
    assert "holds 0x6b, not 0xa5" in str(damage(machine, machine.heap.kmalloc, 64))


def test_the_checker_finds_damage_before_any_call_does(machine):
    live, free = machine.heap.kmalloc(50), machine.heap.kmalloc(50)
    machine.heap.kfree(free)
    for at in (live - 1, live + 50, free + 3):
        kept = machine.ram.bytes[at - machine.kernel_base]
        poke(machine, at)
        assert damage(machine, machine.validate).address == at
        poke(machine, at, kept)
    machine.validate()


def test_b197_shrinking_draws_the_red_zone_closer(machine):
    for large, small in ((235, 201), (240, 233), (60_000, 50_000)):
        address = machine.heap.krealloc(machine.heap.kmalloc(large), small)
        assert machine.heap.kmalloc_size(address) == small
        poke(machine, address + small)
        assert f"offset {small} " in str(damage(machine, machine.heap.kfree, address))


@pytest.mark.parametrize(("size", "new"), [(100, 101), (100, 5000), (100, 90_000), (90_000, 100), (90_000, 80_000)])
def test_a_reallocation_finds_damage_before_it_changes_anything(machine, size, new):
    address = machine.heap.kmalloc(size)
    poke(machine, address + size)
    with Unchanged.bytes_only(machine):
        damage(machine, machine.heap.krealloc, address, new)
    poke(machine, address + size, 0xCC)
    machine.heap.kfree(address)
    machine.validate()


def test_a_damaged_free_changes_nothing(machine):
    address = machine.heap.kmalloc(100)
    poke(machine, address + 100)
    with Unchanged.bytes_only(machine):
        damage(machine, machine.heap.kfree, address)


def test_freeing_many_with_one_damaged_frees_none(machine):
    cache = machine.slabs.create("many", 100)
    objects = list(machine.slabs.allocate_many(cache, 5))
    poke(machine, objects[3] + 100)
    with Unchanged.bytes_only(machine):
        damage(machine, machine.slabs.free_many, cache, objects)


def test_sizes_near_the_top_are_null_with_debugging_too(machine):
    for size in ((1 << 64) - 1, (1 << 64) - 16, (1 << 64) - 4096, 1 << 63):
        assert machine.heap.kmalloc(size) == 0
        assert machine.heap.kmalloc_aligned(size, 64) == 0
    held = machine.heap.kmalloc(50_000)
    assert machine.heap.krealloc(held, (1 << 64) - 1) == 0
    assert machine.heap.kmalloc_size(held) == 50_000
    machine.validate()


def test_a_constructed_object_keeps_its_state_through_a_free(machine):
    cache = machine.slabs.create("built", 64, 0, lambda address: poke(machine, address + 5, 99))
    address = machine.slabs.allocate(cache)
    machine.slabs.free(cache, address)
    assert machine.slabs.allocate(cache) == address
    assert machine.ram.bytes[address - machine.kernel_base + 5] == 99
    with pytest.raises(DoubleFreeError):
        machine.slabs.free(cache, address)
        machine.slabs.free(cache, address)
