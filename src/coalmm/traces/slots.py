"""Addresses of a recorded program -> small numbers, so that the replay can keep blocks in an array.

A hash table with open addressing: pairs (address, slot) in one array of words, address 0 = empty,
linear probing, at most half full. A deletion moves later entries of the run back (Knuth 6.4,
algorithm R), so there are no tombstones and a lookup of an absent address ends at the first hole.

Invariant: every entry lies at or after its home place, with no hole in between.
A freed slot goes on a stack and is the next one given out: the highest slot is peak live - 1.
"""

from array import array

import cython

if not cython.compiled:
    from coalmm.traces.constants import ALL_ONES, HASH_MULTIPLIER, NO_SLOT, SMALLEST_TABLE


class Slots:
    """The live blocks of a trace. Addresses are 64-bit and not 0."""

    def __init__(self) -> None:
        self.live = 0
        self.next_slot = 0
        self.released = array("I", bytes(4 * SMALLEST_TABLE))
        self.released_room = SMALLEST_TABLE
        self.released_count = 0
        self.new_table(SMALLEST_TABLE)

    def new_table(self, entries: int) -> None:
        """An empty table; `entries` is a power of two."""
        self.table = array("Q", bytes(16 * entries))
        self.mask = entries - 1
        self.shift = 65 - entries.bit_length()

    def home(self, address: int) -> int:
        """Where the entry of `address` would be if nothing else were there."""
        return (address * HASH_MULTIPLIER & ALL_ONES) >> self.shift

    def place(self, address: int) -> int:
        """Index of the entry of `address`, or of the hole where it belongs."""
        index = self.home(address)
        while self.table[2 * index] != address and self.table[2 * index] != 0:
            index = (index + 1) & self.mask
        return index

    def find(self, address: int) -> int:
        """The slot of a live block, or NO_SLOT."""
        index = self.place(address)
        if self.table[2 * index] == 0:
            return NO_SLOT
        return self.table[2 * index + 1]

    def fresh(self) -> int:
        """A slot that no live block has."""
        if self.released_count > 0:
            self.released_count -= 1
            return self.released[self.released_count]
        self.next_slot += 1
        if self.next_slot > self.released_room:
            self.grow_released()
        return self.next_slot - 1

    def grow_released(self) -> None:
        """Room to release every slot that exists."""
        grown = array("I", bytes(self.released))
        grown.extend(grown)
        self.released = grown
        self.released_room = len(grown)

    def release(self, slot: int) -> None:
        """`slot` belongs to nobody; the next fresh() gives it."""
        self.released[self.released_count] = slot
        self.released_count += 1

    def put(self, address: int, slot: int) -> None:
        """Note that `slot` is at `address`, where nothing was."""
        if 2 * (self.live + 1) > self.mask:
            self.grow()
        index = self.place(address)
        self.table[2 * index] = address
        self.table[2 * index + 1] = slot
        self.live += 1

    def grow(self) -> None:
        """Twice the table, with the same entries."""
        old = self.table
        entries = self.mask + 1
        self.new_table(2 * entries)
        for index in range(entries):
            if old[2 * index] != 0:
                place = self.place(old[2 * index])
                self.table[2 * place] = old[2 * index]
                self.table[2 * place + 1] = old[2 * index + 1]

    def take(self, address: int) -> int:
        """Forget `address`; its slot, which the caller now owns, or NO_SLOT if nothing was there."""
        index = self.place(address)
        if self.table[2 * index] == 0:
            return NO_SLOT
        slot = self.table[2 * index + 1]
        self.live -= 1
        self.close_hole(index)
        return slot

    def close_hole(self, hole: int) -> None:
        """Empty entry `hole` and move back what was pushed past it."""
        index = (hole + 1) & self.mask
        while self.table[2 * index] != 0:
            home = self.home(self.table[2 * index])
            if ((index - home) & self.mask) >= ((index - hole) & self.mask):
                self.table[2 * hole] = self.table[2 * index]
                self.table[2 * hole + 1] = self.table[2 * index + 1]
                hole = index
            index = (index + 1) & self.mask
        self.table[2 * hole] = 0
