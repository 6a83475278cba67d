"""The sorted area table against a dict of pages."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from virtual_fakes import FakeHeap

from coalmm.errors import EEXIST, ENOMEM, CorruptionError
from coalmm.hardware.ram import Ram
from coalmm.physical.constants import SB_FRAMES, SB_KERNEL_BASE, SB_LOWMEM
from coalmm.physical.frames import Frames
from coalmm.physical.superblock import format_ram
from coalmm.virtual.areas import Areas
from coalmm.virtual.constants import AREA_GROWS_DOWN, GUARD_GAP, T_CAPACITY

PAGE = 4096
TABLE = 0xF00  # unused words at the end of the superblock's frame
OTHER = 0xF80


class FakeFiles:
    def __init__(self):
        self.counts = {}

    def hold(self, file):
        self.counts[file] = self.counts.get(file, 0) + 1

    def release(self, file):
        self.counts[file] -= 1


def make_areas():
    ram = Ram(4 << 20)
    format_ram(ram, [(0, 4 << 20)], 4 << 20)
    ram.words[SB_KERNEL_BASE] = 0xC0000000
    ram.words[SB_LOWMEM] = ram.words[SB_FRAMES]
    frames = Frames(ram)
    return Areas(ram, FakeHeap(frames), FakeFiles()), frames


@pytest.fixture
def areas():
    return make_areas()[0]


def listed(areas, table=TABLE):
    return [(area.start // PAGE, area.end // PAGE, area.flags) for area in areas.areas(table)]


def put(areas, start, end, flags=3, file=0, offset=0):
    return areas.insert(TABLE, start * PAGE, end * PAGE, flags, file, offset)


def test_equal_neighbours_are_merged_and_different_ones_are_not(areas):
    put(areas, 10, 20)
    put(areas, 30, 40)
    put(areas, 20, 30)
    put(areas, 40, 50, 1)
    assert listed(areas) == [(10, 40, 3), (40, 50, 1)]


def test_file_areas_merge_only_where_the_offsets_continue(areas):
    put(areas, 10, 12, 3, 0x1000, 0)
    put(areas, 12, 14, 3, 0x1000, 2 * PAGE)
    put(areas, 14, 16, 3, 0x1000, 9 * PAGE)
    assert listed(areas) == [(10, 14, 3), (14, 16, 3)]
    assert areas.files.counts == {0x1000: 2}


def test_a_hole_splits_an_area_and_its_file_offset(areas):
    put(areas, 10, 20, 3, 0x1000, 5 * PAGE)
    assert areas.remove(TABLE, 13 * PAGE, 15 * PAGE) == 0
    left = [(area.start // PAGE, area.end // PAGE, area.offset // PAGE) for area in areas.areas(TABLE)]
    assert left == [(10, 13, 5), (15, 20, 10)]
    assert areas.files.counts == {0x1000: 2}


def test_a_change_splits_and_its_reverse_merges_again(areas):
    put(areas, 10, 20)
    areas.change(TABLE, 12 * PAGE, 15 * PAGE, 7, 1)
    assert listed(areas) == [(10, 12, 3), (12, 15, 1), (15, 20, 3)]
    areas.change(TABLE, 12 * PAGE, 15 * PAGE, 7, 3)
    assert listed(areas) == [(10, 20, 3)]


def test_an_overlapping_insertion_is_refused(areas):
    put(areas, 10, 20)
    assert put(areas, 19, 21) == -EEXIST
    assert put(areas, 5, 11) == -EEXIST
    assert put(areas, 0, 100) == -EEXIST


def test_gaps_are_found_from_the_top_and_from_the_bottom_with_alignment(areas):
    put(areas, 10, 20)
    put(areas, 30, 40)
    assert areas.find_gap_below(TABLE, 5 * PAGE, PAGE, 50 * PAGE, PAGE) == 45 * PAGE
    assert areas.find_gap_below(TABLE, 10 * PAGE, PAGE, 45 * PAGE, PAGE) == 20 * PAGE
    assert areas.find_gap_below(TABLE, 9 * PAGE, PAGE, 35 * PAGE, 8 * PAGE) == PAGE * 0
    assert areas.find_gap_below(TABLE, 4 * PAGE, PAGE, 40 * PAGE, 8 * PAGE) == 24 * PAGE
    assert areas.find_gap_above(TABLE, 5 * PAGE, PAGE, 50 * PAGE, PAGE) == PAGE
    assert areas.find_gap_above(TABLE, 10 * PAGE, PAGE, 50 * PAGE, PAGE) == 20 * PAGE
    assert areas.find_gap_above(TABLE, 11 * PAGE, PAGE, 50 * PAGE, PAGE) == 0
    assert areas.find_gap_below(TABLE, 1 << 63, PAGE, 50 * PAGE, PAGE) == 0


def test_a_gap_keeps_the_guard_below_a_stack(areas):
    put(areas, 1000, 1010, 3 | AREA_GROWS_DOWN)
    assert areas.find_gap_below(TABLE, PAGE, PAGE, 1005 * PAGE, PAGE) == 1000 * PAGE - GUARD_GAP - PAGE


def test_a_table_without_memory_to_grow_stays_as_it_was(areas):
    for start in range(16):
        put(areas, 10 * start + 10, 10 * start + 15)
    before = listed(areas)
    areas.heap.kmalloc = lambda size: 0
    assert put(areas, 1, 2) == -ENOMEM
    assert areas.remove(TABLE, 12 * PAGE, 13 * PAGE) == -ENOMEM
    assert areas.change(TABLE, 12 * PAGE, 13 * PAGE, 7, 1) == -ENOMEM
    assert listed(areas) == before
    assert areas.remove(TABLE, 10 * PAGE, 15 * PAGE) == 0
    assert listed(areas) == before[1:]


def test_a_copy_is_equal_and_holds_the_files_too(areas):
    put(areas, 10, 20, 3, 0x1000, 0)
    put(areas, 30, 40)
    assert areas.copy(OTHER, TABLE) == 0
    assert listed(areas, OTHER) == listed(areas)
    areas.clear(TABLE)
    assert listed(areas, OTHER) == [(10, 20, 3), (30, 40, 3)]
    assert areas.files.counts == {0x1000: 1}


def test_a_peek_changes_no_byte_of_ram(areas):
    put(areas, 10, 20)
    put(areas, 30, 40)
    areas.find(TABLE, 12 * PAGE)
    before = bytes(areas.heap.frames.ram.read(TABLE, 64))
    assert areas.area(areas.peek(TABLE, 31 * PAGE)).start == 30 * PAGE
    assert bytes(areas.heap.frames.ram.read(TABLE, 64)) == before


@pytest.mark.parametrize("word,value", [(0, 21 * PAGE), (0, 5), (1, 10 * PAGE), (1, 35 * PAGE)])
def test_validate_names_a_damaged_record(areas, word, value):
    put(areas, 10, 20)
    put(areas, 30, 40)
    frames = areas.heap.frames
    frames.words[(areas.record(TABLE, 0) >> 3) + word] = value
    with pytest.raises(CorruptionError):
        areas.validate(TABLE)


SPAN = 40
pages = st.integers(1, SPAN)


class AreaMachine(RuleBasedStateMachine):
    """The model is a dict from page to (flags, file, offset in pages)."""

    def __init__(self):
        super().__init__()
        self.areas, self.frames = make_areas()
        self.model = {}

    @rule(start=pages, length=st.integers(1, 8), flags=st.sampled_from([1, 3]), file=st.sampled_from([0, 0x40]))
    def insert(self, start, length, flags, file):
        wanted = range(start, start + length)
        offset = start * PAGE if file else 0
        result = put(self.areas, start, start + length, flags, file, offset)
        if any(page in self.model for page in wanted):
            assert result == -EEXIST
        else:
            assert result == 0
            self.model.update({page: (flags, file, page if file else 0) for page in wanted})

    @rule(start=pages, length=st.integers(1, 12))
    def remove(self, start, length):
        assert self.areas.remove(TABLE, start * PAGE, (start + length) * PAGE) == 0
        for page in range(start, start + length):
            self.model.pop(page, None)

    @rule(start=pages, length=st.integers(1, 12), flags=st.sampled_from([1, 3]))
    def change(self, start, length, flags):
        assert self.areas.change(TABLE, start * PAGE, (start + length) * PAGE, 7, flags) == 0
        for page in range(start, start + length):
            if page in self.model:
                self.model[page] = (flags, *self.model[page][1:])

    @rule(length=st.integers(1, 20), low=pages, high=pages)
    def gaps(self, length, low, high):
        fits = [
            start for start in range(low, high - length + 1)
            if not any(page in self.model for page in range(start, start + length))
        ]  # fmt: skip
        found = self.areas.find_gap_below(TABLE, length * PAGE, low * PAGE, high * PAGE, PAGE)
        assert found == (fits[-1] if fits else 0) * PAGE
        found = self.areas.find_gap_above(TABLE, length * PAGE, low * PAGE, high * PAGE, PAGE)
        assert found == (fits[0] if fits else 0) * PAGE

    @rule(start=pages, end=pages)
    def ask(self, start, end):
        wanted = range(start, end)
        assert self.areas.covers(TABLE, start * PAGE, end * PAGE) == all(page in self.model for page in wanted)
        record = self.areas.find(TABLE, start * PAGE + 5)
        assert bool(record) == (start in self.model)

    @invariant()
    def same(self):
        self.areas.validate(TABLE)
        shown = {}
        names = 0
        for area in self.areas.areas(TABLE):
            names += area.file != 0
            for page in range(area.start // PAGE, area.end // PAGE):
                offset = (area.offset + page * PAGE - area.start) // PAGE if area.file else 0
                shown[page] = (area.flags, area.file, offset)
        assert shown == self.model
        assert self.areas.files.counts.get(0x40, 0) == names

    def teardown(self):
        self.areas.clear(TABLE)
        assert not self.areas.heap.sizes
        assert self.frames.words[(TABLE >> 3) + T_CAPACITY] == 0


TestAreaMachine = AreaMachine.TestCase
TestAreaMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
