"""The checker finds a flipped bit in any entry and names the entry."""

import random

import pytest
from paging_machine import MIB, RW, PagingMachine

from coalmm.errors import CorruptionError
from coalmm.hardware.constants import PAGE_HUGE, PAGE_PRESENT
from coalmm.hardware.formats import FORMATS
from coalmm.physical.constants import D_COUNT, D_OWNER

PAGE = 0x40_0000


@pytest.fixture(params=FORMATS)
def machine(request):
    machine = PagingMachine(request.param)
    for vaddr in (0, PAGE, PAGE + 0x1000, 64 * MIB, machine.form.user_top - 4096):
        machine.map(vaddr, machine.frame())
    machine.map(128 * MIB, machine.huge(), RW | PAGE_HUGE)
    machine.map(machine.form.kernel_base + 256 * MIB, machine.frame(), PAGE_PRESENT)
    machine.copy = machine.tables.clone(machine.root)
    machine.validate()
    return machine


def entries(machine, root, vaddr):
    """(where, entry, level) of each entry on the way to an address."""
    steps = machine.mmu.walker.walk(root, vaddr).steps
    return [(step.entry_paddr, step.entry, step.level) for step in steps]


def flip(machine, where, bit):
    machine.ram.bytes[where + bit // 8] ^= 1 << bit % 8


HARMLESS = {3: "PWT", 4: "PCD", 5: "A", 6: "D", 8: "G"}  # what any leaf may have


def test_a_flipped_bit_in_any_entry_is_found_and_named(machine):
    bits = machine.form.entry_size * 8
    for vaddr in (PAGE, PAGE + 0x1000, 128 * MIB):
        for where, entry, level in entries(machine, machine.root, vaddr):
            leaf = machine.form.is_leaf(entry, level)
            for bit in range(bits):
                if leaf and (bit in HARMLESS or bit in (1, 2, 9, 10) or bit == 63):
                    continue  # a right more or less is no contradiction in one entry
                if not leaf and bit == 5:
                    continue
                flip(machine, where, bit)
                with pytest.raises(CorruptionError) as caught:
                    machine.tables.validate()
                flip(machine, where, bit)
                named = f"{where:#x}" in str(caught.value)
                table = machine.form.levels[level].leaf and bit == 7  # a table taken for a huge page, or back
                assert named or table, (hex(where), bit, str(caught.value))
    machine.validate()


def test_writable_and_copy_on_write_contradict_each_other(machine):
    where = entries(machine, machine.root, PAGE)[-1][0]
    flip(machine, where, 1)
    with pytest.raises(CorruptionError, match=f"{where:#x}"):
        machine.tables.validate()


def test_every_bit_of_the_kernel_half_is_compared(machine):
    index = machine.form.kernel_index
    where = machine.root + index * machine.form.entry_size
    for bit in (0, 1, 7, 12, machine.form.entry_size * 8 - 1):
        flip(machine, where, bit)
        with pytest.raises(CorruptionError, match=f"{where:#x}"):
            machine.tables.validate()
        flip(machine, where, bit)
    machine.validate()


def test_a_wrong_count_or_owner_of_a_table_is_found(machine):
    where = entries(machine, machine.root, PAGE)[-1][0]
    for field in (D_COUNT, D_OWNER):
        at = machine.frames.first_half + (where >> 12) * 16 + field
        machine.frames.halves[at] += 1
        with pytest.raises(CorruptionError):
            machine.tables.validate()
        machine.frames.halves[at] -= 1
    machine.validate()


def test_a_mapped_frame_that_the_bitmap_calls_free_is_found(machine):
    frame = machine.physical(PAGE)
    machine.frames.bitmap.clear(frame >> 12)
    with pytest.raises(CorruptionError):
        machine.validate()


def test_a_lost_mapping_is_found(machine):
    frame = machine.physical(PAGE)
    at = machine.frames.first_half + (frame >> 12) * 16 + 1
    machine.frames.halves[at] += 1
    with pytest.raises(CorruptionError, match=f"{frame:#x}"):
        machine.tables.validate()


def test_random_damage_to_tables_never_crashes_the_checker(machine):
    rng = random.Random(machine.form.number)
    tables = [entry & machine.form.address_mask for _, entry, _ in entries(machine, machine.root, PAGE)[:-1]]
    found = 0
    for _ in range(150):
        where = rng.choice([*tables, machine.root]) + rng.randrange(0, 4096, 8)
        before = machine.ram.words[where >> 3]
        machine.ram.words[where >> 3] = (
            rng.getrandbits(64) if rng.random() < 0.5 else before ^ 1 << rng.randrange(64)
        )
        try:
            machine.tables.validate()
        except CorruptionError:
            found += 1
        machine.ram.words[where >> 3] = before
    assert found > (100 if machine.form.entry_size == 8 else 60)
    machine.validate()
