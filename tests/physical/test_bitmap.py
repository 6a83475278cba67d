"""The bitmap with summary levels against a plain set of indices."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from coalmm.errors import CorruptionError
from coalmm.hardware.ram import Ram
from coalmm.physical.bitmap import Bitmap, level_words
from machines import TOP

NONE = TOP
SIZES = [1, 2, 63, 64, 65, 127, 128, 200, 4095, 4096, 4097, 5000, 8192, 8193]


def make_bitmap(bits, sealed=True):
    """A bitmap of its own in RAM, all clear."""
    words = Ram(1 << 20).words
    bases, at = [], 0
    for count in level_words(bits):
        bases.append(at)
        at += count
    bitmap = Bitmap(words, bits, bases)
    if sealed:
        bitmap.seal()
    return bitmap


def free_run(taken, bits, count, align, limit):
    """What `find_run` must return, by trying every start."""
    for start in range(0, limit, align):
        if start + count <= limit and not any(index in taken for index in range(start, start + count)):
            return start
    return NONE


def check(bitmap, taken):
    """Every question about the bitmap, answered as the set of taken indices says."""
    assert all(bitmap.test(index) for index in taken)
    assert bitmap.first_clear() == next((index for index in range(bitmap.bits) if index not in taken), NONE)
    assert bitmap.validate(0, bitmap.level_size(0)) == bitmap.bits - len(taken)


@pytest.mark.parametrize("bits", SIZES)
def test_a_bitmap_fills_from_the_lowest_bit_to_the_last_and_not_past_it(bits):
    bitmap = make_bitmap(bits)
    for index in range(bits):
        assert bitmap.first_clear() == index
        bitmap.set(index)
    assert bitmap.first_clear() == NONE
    assert bitmap.next_clear(0) == NONE
    assert bitmap.validate(0, bitmap.level_size(0)) == 0


@pytest.mark.parametrize("bits", SIZES)
def test_the_only_clear_bit_of_a_full_bitmap_is_found_wherever_it_is(bits):
    bitmap = make_bitmap(bits)
    bitmap.set_range(0, bits)
    for index in {0, 1, 62, 63, 64, 65, 4095, 4096, 4097, bits // 2, bits - 1}:
        if index < bits:
            bitmap.clear(index)
            assert bitmap.first_clear() == index
            assert bitmap.next_clear(0) == index
            assert bitmap.next_clear(index) == index
            assert bitmap.next_clear(index + 1) == NONE
            bitmap.set(index)


@pytest.mark.parametrize(("bits", "levels"), [(1, [1]), (64, [1]), (65, [2, 1]), (4096, [64, 1]), (4097, [65, 2, 1])])
def test_the_levels_shrink_by_64_to_one_word(bits, levels):
    assert level_words(bits) == levels


def test_six_levels_are_refused():
    with pytest.raises(ValueError, match="6 levels"):
        Bitmap(Ram(1 << 20).words, 64, [0] * 6)


@pytest.mark.parametrize("size", [1, 63, 64, 65, 128, 4096, 4097])
@pytest.mark.parametrize("start", [0, 1, 63, 64, 65, 4095, 4096])
def test_setting_and_clearing_a_range_touches_no_bit_beside_it(start, size):
    bits = 9000
    bitmap = make_bitmap(bits)
    bitmap.set_range(start, size)
    check(bitmap, set(range(start, start + size)))
    bitmap.set_range(0, bits)
    bitmap.clear_range(start, size)
    check(bitmap, set(range(bits)) - set(range(start, start + size)))


@given(st.sampled_from(SIZES), st.data())
def test_a_run_is_the_lowest_aligned_stretch_of_clear_bits(bits, data):
    taken = data.draw(st.sets(st.integers(0, bits - 1), max_size=80))
    count = data.draw(st.integers(1, min(bits, 200)))
    align = data.draw(st.sampled_from([1, 2, 3, 4, 7, 64, 100, 4096]))
    limit = data.draw(st.integers(0, bits))
    bitmap = make_bitmap(bits)
    for index in taken:
        bitmap.set(index)
    assert bitmap.find_run(count, align, limit) == free_run(taken, bits, count, align, limit)


@given(st.sets(st.integers(0, 299)), st.integers(0, 300), st.integers(0, 300))
@example(taken=set(), start=300, end=300)
def test_next_set_is_the_lowest_taken_bit_of_a_range(taken, start, end):
    bitmap = make_bitmap(300)
    for index in taken:
        bitmap.set(index)
    inside = [index for index in taken if start <= index < end]
    assert bitmap.next_set(start, end) == (min(inside) if inside else max(end, start if start < end else end))


@pytest.mark.parametrize("align", [1 << 31, 1 << 32, 1 << 63, TOP - 1, TOP])
def test_a_run_at_an_alignment_beyond_every_bit_is_not_found_and_the_search_ends(align):
    bitmap = make_bitmap(200)
    bitmap.set(0)
    assert bitmap.find_run(1, align, 200) == NONE


@pytest.mark.parametrize("level", [1, 2])
def test_a_wrong_summary_bit_is_found_at_its_address(level):
    words = Ram(1 << 20).words
    bases = [0, 1094, 1112, 1113]
    bitmap = Bitmap(words, 70000, bases[: len(level_words(70000))])
    bitmap.seal()
    at = bases[level]
    words[at] ^= 1 << 5
    with pytest.raises(CorruptionError, match=f"level-{level} word at {at * 8:#x}") as caught:
        bitmap.validate(0, bitmap.level_size(0))
    assert caught.value.address == at * 8


class BitmapAgainstSet(RuleBasedStateMachine):
    """Any sequence of changes leaves the bitmap saying what a set says."""

    @initialize(bits=st.sampled_from(SIZES))
    def start(self, bits):
        self.bitmap, self.bits, self.taken = make_bitmap(bits), bits, set()

    @rule(data=st.data())
    def set_one(self, data):
        index = data.draw(st.integers(0, self.bits - 1))
        self.bitmap.set(index)
        self.taken.add(index)

    @rule(data=st.data())
    def clear_one(self, data):
        index = data.draw(st.integers(0, self.bits - 1))
        self.bitmap.clear(index)
        self.taken.discard(index)

    @rule(data=st.data(), fill=st.booleans())
    def change_a_range(self, data, fill):
        start = data.draw(st.integers(0, self.bits - 1))
        count = data.draw(st.integers(0, self.bits - start))
        if fill:
            self.bitmap.set_range(start, count)
            self.taken |= set(range(start, start + count))
        else:
            self.bitmap.clear_range(start, count)
            self.taken -= set(range(start, start + count))

    @rule(data=st.data())
    def look_from(self, data):
        start = data.draw(st.integers(0, self.bits + 100))
        clear = [index for index in range(start, self.bits) if index not in self.taken]
        assert self.bitmap.next_clear(start) == (clear[0] if clear else NONE)

    @invariant()
    def agrees(self):
        if hasattr(self, "bitmap"):
            check(self.bitmap, self.taken)


TestBitmapAgainstSet = BitmapAgainstSet.TestCase
