"""map, unmap, protect, remap, brk and advise of a process answer as Linux's calls do."""

import pytest

from coalmm.errors import EACCES, EEXIST, EFAULT, EINVAL, ENOMEM, EPERM, PageFaultError
from coalmm.virtual.constants import (
    MADV_DONTFORK,
    MADV_DONTNEED,
    MADV_POPULATE_WRITE,
    MADV_WIPEONFORK,
    MAP_ANONYMOUS,
    MAP_FIXED,
    MAP_FIXED_NOREPLACE,
    MAP_NORESERVE,
    MAP_POPULATE,
    MAP_PRIVATE,
    MREMAP_DONTUNMAP,
    MREMAP_FIXED,
    MREMAP_MAYMOVE,
    S_LOCKED,
)

PAGE = 4096
PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS
FIXED = PRIVATE | MAP_FIXED
BASE = 0x4000_0000


def fill(process, start, pages):
    for page in range(pages):
        process.write(start + page * PAGE, bytes([page + 1]) * 8)


@pytest.mark.parametrize("call", ["map", "unmap", "protect", "remap"])
def test_an_area_call_without_memory_for_its_areas_changes_nothing(machine, process, call):
    for number in range(16):
        process.map(BASE + number * 16 * PAGE, 8 * PAGE, flags=FIXED)
    for number in range(8, 16):  # splits, until the table is full
        process.protect(BASE + (number * 16 + 3) * PAGE, PAGE, "r")
    process.write(BASE, b"here")
    before = process.usage, process.areas
    calls = {
        "map": lambda: process.map(BASE + 2 * PAGE, PAGE, "r", FIXED),
        "unmap": lambda: process.unmap(BASE + 2 * PAGE, PAGE),
        "protect": lambda: process.protect(BASE + 2 * PAGE, PAGE, "r"),
        "remap": lambda: process.remap(BASE, PAGE, 9 * PAGE),
    }
    with machine.injection.failing(every=1):
        assert calls[call]() == -ENOMEM
    assert (process.usage, process.areas) == before and process.read(BASE, 4) == b"here"
    assert calls[call]() >= 0
    machine.validate()


def test_a_move_takes_its_pages_along_without_copying_a_frame(machine, process):
    start = process.map(BASE, 4 * PAGE)
    fill(process, start, 3)
    process.map(BASE + 4 * PAGE, PAGE, "r", FIXED)
    frames = [machine.tables.physical(process.root, start + page * PAGE) for page in range(4)]
    moved = process.remap(start, 4 * PAGE, 9 * PAGE)
    assert moved not in (start, -ENOMEM) and process.usage.rss == 3 * PAGE
    assert [machine.tables.physical(process.root, moved + page * PAGE) for page in range(4)] == frames
    assert process.read(moved + 2 * PAGE, 8) == b"\3" * 8
    with pytest.raises(PageFaultError):
        process.read(start, 1)


def test_a_move_can_be_fixed_shrink_and_leave_the_old_area(process):
    start = process.map(BASE, 4 * PAGE)
    fill(process, start, 4)
    target = BASE + 64 * PAGE
    process.map(target, 4 * PAGE, flags=FIXED)
    process.write(target, b"gone")
    assert process.remap(start, 4 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target
    assert process.read(target, 3) == b"\1\1\1" and process.usage.virt == 4 * PAGE
    assert process.remap(target, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP) != target
    assert process.read(target, 3) == bytes(3)
    assert process.remap(target, PAGE, PAGE, MREMAP_FIXED, start) == -EINVAL
    assert process.remap(start, PAGE, PAGE) == -EFAULT


def test_an_area_grows_in_place_where_there_is_room(process):
    start = process.map(BASE, 2 * PAGE)
    assert process.remap(start, 2 * PAGE, 5 * PAGE, 0) == start
    process.map(start + 6 * PAGE, PAGE, flags=FIXED)
    assert process.remap(start, 5 * PAGE, 9 * PAGE, 0) == -ENOMEM
    assert process.remap(start, 5 * PAGE, PAGE, 0) == start and process.usage.virt == 2 * PAGE


def test_the_heap_moves_with_brk_and_stops_below_another_area(process):
    process.set_brk_start(BASE + 100)
    assert process.brk(0) == BASE + 100
    assert process.brk(BASE + 3 * PAGE) == BASE + 3 * PAGE
    process.write(BASE + 2 * PAGE, b"heap")
    process.map(BASE + 10 * PAGE, PAGE, flags=FIXED)
    assert process.brk(BASE + 10 * PAGE) == BASE + 3 * PAGE
    assert process.brk(BASE + 9 * PAGE) == BASE + 9 * PAGE
    assert process.brk(BASE + PAGE) == BASE + PAGE
    assert process.brk(BASE + 3 * PAGE) and process.read(BASE + 2 * PAGE, 4) == bytes(4)


def test_a_place_is_the_hint_if_it_is_free_and_fixed_replaces(process):
    assert process.map(BASE + 5, PAGE) == BASE
    assert process.map(BASE, PAGE) != BASE
    assert process.map(BASE, PAGE, flags=PRIVATE | MAP_FIXED_NOREPLACE) == -EEXIST
    process.write(BASE, b"x")
    assert process.map(BASE, PAGE, flags=FIXED) == BASE and process.read(BASE, 1) == b"\0"


@pytest.mark.parametrize(
    "arguments, answer",
    [
        ((0, 0), -EINVAL),
        ((BASE + 1, PAGE, "rw", FIXED), -EINVAL),
        ((0, PAGE, "rw", MAP_ANONYMOUS), -EINVAL),
        ((0, PAGE, "rw", PRIVATE, 0, 5), -EINVAL),
        ((0, PAGE, "rw", MAP_PRIVATE), -EINVAL),
        ((0, 2**64 - 1), -ENOMEM),
        ((0, 2**63), -ENOMEM),
        ((0, 0xC000_0000), -ENOMEM),
        ((0xBFFF_F000, 2 * PAGE, "rw", FIXED), -ENOMEM),
        ((0, 0x8000_0000), -ENOMEM),
    ],
)
def test_wrong_arguments_to_map_get_linuxs_errno(process, arguments, answer):
    assert process.map(*arguments) == answer
    assert process.areas == []


def test_wrong_arguments_to_unmap_and_protect_get_linuxs_errno(process):
    process.map(BASE, 2 * PAGE)
    for vaddr, length in ((BASE + 1, PAGE), (BASE, 0), (0xBFFF_F000, 2 * PAGE), (BASE, 2**64 - 1), (2**63, PAGE)):
        assert process.unmap(vaddr, length) == -EINVAL
    assert process.protect(BASE + 1, PAGE, "r") == -EINVAL
    assert process.protect(BASE, 0, "r") == 0
    assert process.protect(2**63, PAGE, "r") == -ENOMEM
    assert process.protect(BASE + PAGE, 2 * PAGE, "r") == -ENOMEM
    assert [area.flags & 7 for area in process.areas] == [3, 1]
    assert process.protect(BASE, 2**63, "r") == -ENOMEM
    assert [area.flags & 7 for area in process.areas] == [1]


def test_protection_takes_rights_away_at_once_and_gives_them_back(process):
    start = process.map(BASE, 3 * PAGE)
    fill(process, start, 3)
    assert process.protect(start + PAGE, PAGE, "r") == 0
    with pytest.raises(PageFaultError) as caught:
        process.write(start + PAGE, b"x")
    assert caught.value.error == -EACCES
    assert process.protect(start + PAGE, PAGE, 0) == 0
    with pytest.raises(PageFaultError):
        process.read(start + PAGE, 1)
    assert process.protect(start + PAGE, PAGE, "rw") == 0 and len(process.areas) == 1
    process.write(start + PAGE, b"back")
    assert process.read(start + PAGE, 8) == b"back\2\2\2\2"


def test_a_reservation_may_be_larger_than_ram(process):
    start = process.map(0, 0x8000_0000, "rw", PRIVATE | MAP_NORESERVE)
    process.write(start + 0x7FFF_0000, b"x")
    assert process.usage.rss == PAGE


def test_advice_drops_keeps_from_children_and_populates(process):
    start = process.map(BASE, 4 * PAGE)
    fill(process, start, 4)
    assert process.advise(start, PAGE, MADV_DONTNEED) == 0 and process.read(start, 1) == b"\0"
    process.advise(start + PAGE, PAGE, MADV_DONTFORK)
    process.advise(start + 2 * PAGE, PAGE, MADV_WIPEONFORK)
    child = process.fork()
    assert child.read(start + 2 * PAGE, 1) == b"\0" and child.read(start + 3 * PAGE, 1) == b"\4"
    with pytest.raises(PageFaultError):
        child.read(start + PAGE, 1)
    assert process.advise(start, 5 * PAGE, MADV_DONTNEED) == -ENOMEM
    assert process.advise(start, PAGE, 999) == -EINVAL
    assert process.advise(start, 4 * PAGE, MADV_POPULATE_WRITE) == 0 and process.usage.rss == 4 * PAGE
    process.map(0, 6 * PAGE, flags=PRIVATE | MAP_POPULATE)
    assert process.usage.rss == 10 * PAGE


def test_a_fixed_map_below_64_kib_is_not_permitted(process):
    before = process.areas
    for start in (0, PAGE, 15 * PAGE):
        assert process.map(start, PAGE, flags=FIXED) == -EPERM
    assert process.areas == before
    assert process.map(16 * PAGE, PAGE, flags=FIXED) == 16 * PAGE


def test_locked_pages_that_are_unmapped_or_replaced_are_not_counted_any_more(machine, process):
    spaces, locks = machine.processes.spaces, machine.processes.locks
    process.map(BASE, 8 * PAGE, flags=FIXED)
    process.map(BASE + 8 * PAGE, 8 * PAGE, flags=FIXED)
    assert locks.lock(process.space, BASE + 4 * PAGE, 8 * PAGE) == 0
    assert spaces.get(process.space, S_LOCKED) == 8
    process.unmap(BASE + 2 * PAGE, 4 * PAGE)
    assert spaces.get(process.space, S_LOCKED) == 6
    process.map(BASE + 10 * PAGE, 4 * PAGE, flags=FIXED)
    assert spaces.get(process.space, S_LOCKED) == 4
