"""A bitmap with summary levels, in RAM: one bit a frame, 0 is free.

    level 2   [1 word ]                        bit i is set when word i of level 1 is all ones
    level 1   [64 words                  ]     bit i is set when word i of level 0 is all ones
    level 0   [4096 words ...            ]     bit i is set when frame i is taken

The lowest free bit is found by one walk from the top: as many steps as there are levels (4 at 64 GiB),
however full it is. Setting or clearing a bit changes the levels above only when a word becomes full or
stops being full.
"""

import cython

from coalmm.errors import CorruptionError

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES, bit, ctz, popcount

MOST_LEVELS = 5


def level_words(bits: int) -> list[int]:
    """How many words each level needs for `bits` bits, lowest level first; the last is 1."""
    size = (bits + 63) >> 6
    sizes = [size]
    while size > 1:
        size = (size + 63) >> 6
        sizes.append(size)
    return sizes


class Bitmap:
    """A view of the bitmap of `bits` bits whose level k starts at word `bases[k]` of RAM."""

    def __init__(self, words: memoryview, bits: int, bases: list[int]) -> None:
        if not 1 <= len(bases) <= MOST_LEVELS:
            raise ValueError(f"{len(bases)} levels; at most {MOST_LEVELS}")
        self.words = words
        self.bits = bits
        self.levels = len(bases)
        self.bases = memoryview(bytearray(8 * MOST_LEVELS)).cast("Q")
        for level, base in enumerate(bases):
            self.bases[level] = base

    def __repr__(self) -> str:
        return f"<Bitmap: {self.bits:,} bits, {self.levels} levels>"

    def test(self, index: int) -> bool:
        """Whether bit `index` is set."""
        return (self.words[self.bases[0] + (index >> 6)] & bit(index)) != 0

    def first_clear(self) -> int:
        """The lowest clear bit, or ALL_ONES if there is none."""
        return self.descend(self.levels - 1, 0)

    def descend(self, level: int, index: int) -> int:
        """The lowest clear bit below word `index` of `level`, or ALL_ONES."""
        while True:
            word = self.words[self.bases[level] + index]
            if word == ALL_ONES:
                return ALL_ONES
            index = (index << 6) + ctz(word ^ ALL_ONES)
            if level == 0:
                return index
            level -= 1

    def next_clear(self, start: int) -> int:
        """The lowest clear bit at or after `start`, or ALL_ONES."""
        index = start
        for level in range(self.levels):
            if index >> 6 >= self.level_size(level):
                return ALL_ONES
            word = self.words[self.bases[level] + (index >> 6)] | (bit(index) - 1)
            if word != ALL_ONES:
                index = (index & ~63) + ctz(word ^ ALL_ONES)
                return self.descend(level - 1, index) if level else index
            index = (index >> 6) + 1
        return ALL_ONES

    def next_set(self, start: int, end: int) -> int:
        """The lowest set bit in [start, end), or `end`."""
        index = start
        while index < end:
            word = self.words[self.bases[0] + (index >> 6)] >> (index & 63)
            if word:
                index += ctz(word)
                return index if index < end else end
            index = (index | 63) + 1
        return end

    def find_run(self, count: int, align: int, limit: int) -> int:
        """The lowest start, a multiple of `align`, of `count` clear bits below `limit`, or ALL_ONES."""
        start = 0
        while True:
            start = self.next_clear(start)
            if start >= limit:
                return ALL_ONES
            if start % align:
                if align >= limit:  # and no sum below can wrap
                    return ALL_ONES
                start += align - start % align
            if start >= limit or count > limit - start:
                return ALL_ONES
            conflict = self.next_set(start, start + count)
            if conflict == start + count:
                return start
            start = conflict + 1

    def set(self, index: int) -> None:
        """Set one bit, and the summaries above a word that it fills."""
        self.set_bits(index, bit(index))

    def clear(self, index: int) -> None:
        """Clear one bit, and the summaries above a word that was full."""
        self.clear_bits(index, bit(index))

    def set_range(self, start: int, count: int) -> None:
        """Set `count` bits from `start`, a word at a time."""
        end = start + count
        while start < end:
            size = min(64 - (start & 63), end - start)
            self.set_bits(start, ALL_ONES >> (64 - size) << (start & 63))
            start += size

    def clear_range(self, start: int, count: int) -> None:
        """Clear `count` bits from `start`, a word at a time."""
        end = start + count
        while start < end:
            size = min(64 - (start & 63), end - start)
            self.clear_bits(start, ALL_ONES >> (64 - size) << (start & 63))
            start += size

    def set_bits(self, index: int, bits: int) -> None:
        """Set the bits `bits` of the word that has bit `index`, and the summaries above if that fills it."""
        for level in range(self.levels):
            at = self.bases[level] + (index >> 6)
            self.words[at] |= bits
            if self.words[at] != ALL_ONES:
                break
            index >>= 6
            bits = bit(index)

    def clear_bits(self, index: int, bits: int) -> None:
        """Clear the bits `bits` of the word that has bit `index`, and the summaries above if it was full."""
        for level in range(self.levels):
            at = self.bases[level] + (index >> 6)
            full = self.words[at] == ALL_ONES
            self.words[at] &= ALL_ONES ^ bits
            if not full:
                break
            index >>= 6
            bits = bit(index)

    def seal(self) -> None:
        """Set the bits past the end of each level, which stand for nothing: done once, on zeroed RAM."""
        size = self.bits
        for level in range(self.levels):
            if size & 63:
                self.words[self.bases[level] + (size >> 6)] |= ALL_ONES ^ (bit(size) - 1)
            size = (size + 63) >> 6

    def level_size(self, level: int) -> int:
        """How many words `level` has."""
        size = self.bits
        for _ in range(level + 1):
            size = (size + 63) >> 6
        return size

    def validate(self, start: int, end: int) -> int:
        """Check the level-0 words [start, end) against their summaries; returns their clear bits.

        Raises CorruptionError with the address of the summary that is wrong.
        """
        clear = 0
        for index in range(start, end):
            word = self.words[self.bases[0] + index]
            clear += popcount(word ^ ALL_ONES)
            self.validate_above(index, word)
        return clear

    def validate_above(self, index: int, word: int) -> None:
        """Check that the summary bits over level-0 word `index` say whether it is full."""
        for level in range(1, self.levels):
            at = self.bases[level] + (index >> 6)
            summary = self.words[at]
            if ((summary & bit(index)) != 0) != (word == ALL_ONES):
                raise CorruptionError(
                    f"frame bitmap: bit {index & 63} of the level-{level} word at {at * 8:#x} is wrong", at * 8
                )
            word = summary
            index >>= 6
