"""The memory map of a PC, and maps given by hand."""

import pytest

from coalmm.hardware.memory_map import MemoryMap, pc_map

MIB = 1 << 20
GIB = 1 << 30


def test_a_pc_has_a_hole_below_one_mebibyte():
    assert list(pc_map(64 * MIB).usable()) == [(0, 640 << 10), (MIB, 64 * MIB)]
    assert pc_map(64 * MIB).top == 64 * MIB


def test_what_lies_above_three_gibibytes_continues_at_four():
    found = pc_map(5 * GIB)
    assert list(found.usable()) == [(0, 640 << 10), (MIB, 3 * GIB), (4 * GIB, 6 * GIB)]
    assert found.top == 6 * GIB
    assert found.kind(3 * GIB) == "reserved" and found.kind(4 * GIB) == "usable"


def test_three_gibibytes_need_no_second_range():
    assert pc_map(3 * GIB).top == 3 * GIB


def test_partial_frames_are_never_usable():
    found = MemoryMap([(1, 8192, "usable"), (0x10800, 0x11800, "usable")])
    assert list(found.usable()) == [(4096, 8192)]
    assert found.top == 0x12000


def test_touching_usable_ranges_join():
    assert list(MemoryMap([(0, 0x1800, "usable"), (0x1800, 0x3000, "usable")]).usable()) == [(0, 0x3000)]


def test_ranges_may_come_in_any_order():
    assert MemoryMap([(8192, 12288, "reserved"), (0, 8192, "usable")]).usable_bytes() == 8192


def test_an_empty_map_has_nothing():
    assert MemoryMap([]).top == 0 and list(MemoryMap([]).usable()) == []


@pytest.mark.parametrize("ranges", [
    [(0, 8192, "usable"), (4096, 12288, "usable")],
    [(4096, 4096, "usable")],
    [(8192, 4096, "usable")],
    [(-4096, 4096, "usable")],
    [(0, 4096, "free")],
])  # fmt: skip
def test_overlaps_empty_ranges_and_unknown_kinds_are_refused(ranges):
    with pytest.raises(ValueError):
        MemoryMap(ranges)
