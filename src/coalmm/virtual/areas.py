"""The areas of an address space: a sorted array of 64-byte records in RAM.

    header (in the address space's record)      array (one kmalloc block)
    +-------+-------+----------+------+         +---------------------------------+
    | array | count | capacity | hint |  -----> | start end flags file offset ... | x capacity
    +-------+-------+----------+------+         +---------------------------------+

An array beats a tree here: a lookup is a binary search over whole cache lines (most end at the hint,
the area of the last hit), a fork is one copy, and a validator is one pass. What it costs is moving the
tail on an insertion, 64 bytes an area.

Invariants, for neighbours a and b:
    a.start < a.end <= b.start, all page aligned, count <= capacity
    a and b differ, or do not touch (equal neighbours are merged)
    a.file holds one reference for each area that names it

A `table` is the paddr of a header. Operations that may need room get it before they change anything,
so -ENOMEM leaves the table as it was.
"""

import cython

from coalmm.errors import EEXIST, ENOMEM, CorruptionError
from coalmm.hardware.ram import Ram
from coalmm.typed import Any, Iterator, NamedTuple

if not cython.compiled:
    from coalmm.hardware.blocks import copy_range
    from coalmm.physical.constants import SB_KERNEL_BASE
    from coalmm.virtual.constants import (
        A_END,
        A_FILE,
        A_FLAGS,
        A_OFFSET,
        A_START,
        AREA_GROWS_DOWN,
        AREA_SHARED,
        AREA_SIZE,
        AREA_WORDS,
        AREAS_LIMIT,
        GUARD_GAP,
        T_ARRAY,
        T_CAPACITY,
        T_COUNT,
        T_HINT,
    )

FIRST_CAPACITY = 16
PAGE_MASK = 4095


class Area(NamedTuple):
    """A copy of one record: bytes [start, end), flags (RIGHT_*, AREA_*), and what of which file it shows."""

    start: int
    end: int
    flags: int
    file: int
    offset: int

    def __repr__(self) -> str:
        letters = "".join(letter if self.flags >> bit & 1 else "-" for bit, letter in enumerate("rwx"))
        letters += "s" if self.flags & AREA_SHARED else "p"
        kind = ("", " text", " data", " heap", " stack")[self.flags >> 32 & 7 if self.flags >> 32 & 7 < 5 else 0]
        what = f"file at {self.file:#x} from {self.offset:#x}" if self.file else "anonymous"
        return f"<area {self.start:08x}-{self.end:08x} {letters} {what}{kind}>"


class Areas:
    """Operations on area tables. `heap` gives and takes the arrays, `files` counts references."""

    def __init__(self, ram: Ram, heap: Any, files: Any) -> None:
        self.words = ram.words
        self.bytes = ram.bytes
        self.heap = heap
        self.files = files
        self.kernel_base = ram.words[SB_KERNEL_BASE]

    # --- looking ---

    def count(self, table: int) -> int:
        """How many areas the table has."""
        return self.words[(table >> 3) + T_COUNT]

    def record(self, table: int, index: int) -> int:
        """The paddr of area number `index`; it holds until the table changes."""
        return self.words[(table >> 3) + T_ARRAY] + index * AREA_SIZE

    def index_above(self, table: int, vaddr: int) -> int:
        """The first area that ends above `vaddr`; the count if there is none. Changes nothing."""
        header = table >> 3
        array = self.words[header + T_ARRAY] >> 3
        high = self.words[header + T_COUNT]
        hint = self.words[header + T_HINT]
        if hint < high:
            word = array + hint * AREA_WORDS
            if self.words[word + A_START] <= vaddr and vaddr < self.words[word + A_END]:
                return hint
        low = 0
        while low < high:
            middle = (low + high) >> 1
            if self.words[array + middle * AREA_WORDS + A_END] <= vaddr:
                low = middle + 1
            else:
                high = middle
        return low

    def peek(self, table: int, vaddr: int) -> int:
        """The record (paddr) of the area that holds `vaddr`, 0 if none. Changes nothing."""
        index = self.index_above(table, vaddr)
        if index >= self.count(table):
            return 0
        record = self.record(table, index)
        return record if self.words[(record >> 3) + A_START] <= vaddr else 0

    def find(self, table: int, vaddr: int) -> int:
        """As `peek`, and the next search starts with what this one found."""
        header = table >> 3
        index = self.index_above(table, vaddr)
        if index >= self.words[header + T_COUNT]:
            return 0
        record = self.words[header + T_ARRAY] + index * AREA_SIZE
        if self.words[(record >> 3) + A_START] > vaddr:
            return 0
        if self.words[header + T_HINT] != index:
            self.words[header + T_HINT] = index
        return record

    def has_any(self, table: int, start: int, end: int) -> bool:
        """Whether any area touches [start, end)."""
        index = self.index_above(table, start)
        return index < self.count(table) and self.words[(self.record(table, index) >> 3) + A_START] < end

    def covers(self, table: int, start: int, end: int) -> bool:
        """Whether every page of [start, end) is in an area."""
        index = self.index_above(table, start)
        while start < end:
            if index >= self.count(table):
                return False
            word = self.record(table, index) >> 3
            if self.words[word + A_START] > start:
                return False
            start = self.words[word + A_END]
            index += 1
        return True

    def areas(self, table: int) -> Iterator[Area]:
        """Copies of the areas, in order."""
        for index in range(self.count(table)):
            yield self.area(self.record(table, index))

    def area(self, record: int) -> Area:
        """A copy of one record."""
        word = record >> 3
        words = self.words
        return Area(
            words[word + A_START],
            words[word + A_END],
            words[word + A_FLAGS],
            words[word + A_FILE],
            words[word + A_OFFSET],
        )

    def find_gap_below(self, table: int, length: int, low: int, high: int, align: int) -> int:
        """The highest free [start, start + length) in [low, high), start a multiple of `align`; 0 if none.

        As Linux has it (mm/vma.c, unmapped_area_topdown), the guard gap of a stack counts when the space right
        below the stack is large enough; then nothing above the gap is looked at any more.
        """
        index = self.index_above(table, high - 1)
        while True:
            floor = low
            if index > 0:
                floor = max(low, self.words[(self.record(table, index - 1) >> 3) + A_END])
            limit = high
            if index < self.count(table):
                limit = min(high, self.words[(self.record(table, index) >> 3) + A_START])
            if limit >= length:
                start = (limit - length) & ~(align - 1)
                if start >= floor and start != 0:
                    if index >= self.count(table) or self._gap_end(table, index, limit) == limit:
                        return start
                    high = self._gap_end(table, index, limit)
                    continue
            if index == 0 or floor == low:
                return 0
            index -= 1

    def find_gap_above(self, table: int, length: int, low: int, high: int, align: int) -> int:
        """The lowest free [start, start + length) in [low, high), start a multiple of `align`; 0 if none."""
        index = self.index_above(table, low)
        start = low
        while True:
            start = (start + align - 1) & ~(align - 1)
            limit = high
            if index < self.count(table):
                limit = self._gap_end(table, index, high)
            if start <= limit and length <= limit - start and start != 0:
                return start
            if index >= self.count(table):
                return 0
            start = max(start, self.words[(self.record(table, index) >> 3) + A_END])
            index += 1
            if start >= high:
                return 0

    def _gap_end(self, table: int, index: int, high: int) -> int:
        """Where the free space below an area ends: a stack keeps its guard gap."""
        word = self.record(table, index) >> 3
        end = self.words[word + A_START]
        if self.words[word + A_FLAGS] & AREA_GROWS_DOWN:
            end = end - GUARD_GAP if end > GUARD_GAP else 0
        return min(end, high)

    # --- changing ---

    def reserve(self, table: int, extra: int) -> int:
        """Make room for `extra` more areas. 0, or -ENOMEM and the table as it was."""
        header = table >> 3
        count = self.words[header + T_COUNT]
        capacity = self.words[header + T_CAPACITY]
        if extra <= capacity - count:
            return 0
        if count + extra > AREAS_LIMIT + 2:  # splits that merge again may pass it for a moment
            return -ENOMEM
        capacity = max(FIRST_CAPACITY, capacity * 2)
        kaddr = self.heap.kmalloc(capacity * AREA_SIZE)
        if not kaddr:
            return -ENOMEM
        old = self.words[header + T_ARRAY]
        array = kaddr - self.kernel_base
        if old:
            copy_range(self.bytes, array, old, count * AREA_SIZE)
            self.heap.kfree(old + self.kernel_base)
        self.words[header + T_ARRAY] = array
        self.words[header + T_CAPACITY] = capacity
        return 0

    def reserve_splits(self, table: int, start: int, end: int) -> int:
        """Room for the areas that boundaries at `start` and `end` would add: with none to add, it cannot fail."""
        extra = self._is_inside(table, start) + self._is_inside(table, end)
        return self.reserve(table, extra) if extra else 0

    def insert(self, table: int, start: int, end: int, flags: int, file: int, offset: int) -> int:
        """Add an area over free addresses and merge it with equal neighbours. 0, -EEXIST or -ENOMEM."""
        if self.has_any(table, start, end):
            return -EEXIST
        if self.count(table) >= AREAS_LIMIT or self.reserve(table, 1) != 0:
            return -ENOMEM
        index = self.index_above(table, start)
        self._open_slot(table, index)
        word = self.record(table, index) >> 3
        for i in range(AREA_WORDS):
            self.words[word + i] = 0
        self.words[word + A_START] = start
        self.words[word + A_END] = end
        self.words[word + A_FLAGS] = flags
        self.words[word + A_FILE] = file
        self.words[word + A_OFFSET] = offset
        if file:
            self.files.hold(file)
        self._merge(table, index, index)
        return 0

    def remove(self, table: int, start: int, end: int) -> int:
        """Take [start, end) out of the table, splitting areas at its ends. 0 or -ENOMEM."""
        if self.reserve_splits(table, start, end) != 0:
            return -ENOMEM
        first = self._split(table, start)
        last = self._split(table, end)
        for index in range(first, last):
            file = self.words[(self.record(table, index) >> 3) + A_FILE]
            if file:
                self.files.release(file)
        self._close_slots(table, first, last)
        return 0

    def change(self, table: int, start: int, end: int, clear: int, put: int) -> int:
        """Clear and then set flags of what is in [start, end), splitting and merging. 0 or -ENOMEM."""
        if self.reserve_splits(table, start, end) != 0:
            return -ENOMEM
        first = self._split(table, start)
        last = self._split(table, end)
        for index in range(first, last):
            word = (self.record(table, index) >> 3) + A_FLAGS
            self.words[word] = (self.words[word] & ~clear) | put
        self._merge(table, first, last)
        return 0

    def resize(self, table: int, index: int, start: int, end: int) -> int:
        """Move the ends of one area over free addresses (or inward) and merge it. 0."""
        word = self.record(table, index) >> 3
        if self.words[word + A_FILE]:
            self.words[word + A_OFFSET] = self.words[word + A_OFFSET] + start - self.words[word + A_START]
        self.words[word + A_START] = start
        self.words[word + A_END] = end
        self._merge(table, index, index)
        return 0

    def copy(self, table: int, source: int) -> int:
        """Fill an empty table with the areas of another, a reference more for each file. 0 or -ENOMEM."""
        count = self.count(source)
        if count:
            size = max(FIRST_CAPACITY, count)
            kaddr = self.heap.kmalloc(size * AREA_SIZE)
            if not kaddr:
                return -ENOMEM
            self.words[(table >> 3) + T_ARRAY] = kaddr - self.kernel_base
            self.words[(table >> 3) + T_CAPACITY] = size
            copy_range(self.bytes, kaddr - self.kernel_base, self.record(source, 0), count * AREA_SIZE)
        self.words[(table >> 3) + T_COUNT] = count
        for index in range(count):
            file = self.words[(self.record(table, index) >> 3) + A_FILE]
            if file:
                self.files.hold(file)
        return 0

    def clear(self, table: int) -> int:
        """Drop all areas and their references, and give the array back. 0."""
        header = table >> 3
        for index in range(self.count(table)):
            file = self.words[(self.record(table, index) >> 3) + A_FILE]
            if file:
                self.files.release(file)
        if self.words[header + T_ARRAY]:
            self.heap.kfree(self.words[header + T_ARRAY] + self.kernel_base)
        for i in range(4):
            self.words[header + i] = 0
        return 0

    # --- the array ---

    def _open_slot(self, table: int, index: int) -> int:
        """Move the areas from `index` on up by one. The room is there."""
        count = self.count(table)
        record = self.record(table, index)
        copy_range(self.bytes, record + AREA_SIZE, record, (count - index) * AREA_SIZE)
        self.words[(table >> 3) + T_COUNT] = count + 1
        return 0

    def _close_slots(self, table: int, first: int, last: int) -> int:
        """Move the areas from `last` on down to `first`."""
        count = self.count(table)
        copy_range(self.bytes, self.record(table, first), self.record(table, last), (count - last) * AREA_SIZE)
        self.words[(table >> 3) + T_COUNT] = count - (last - first)
        return 0

    def _is_inside(self, table: int, at: int) -> int:
        """1 if `at` lies inside an area and is not its first byte, else 0."""
        record = self.peek(table, at)
        return 1 if record and self.words[(record >> 3) + A_START] < at else 0

    def _split(self, table: int, at: int) -> int:
        """Make `at` a boundary: the index of the first area that starts at or above it. The room is there."""
        index = self.index_above(table, at)
        if index >= self.count(table):
            return index
        word = self.record(table, index) >> 3
        start = self.words[word + A_START]
        if start >= at:
            return index
        self._open_slot(table, index + 1)
        copy_range(self.bytes, (word + AREA_WORDS) << 3, word << 3, AREA_SIZE)
        self.words[word + A_END] = at
        self.words[word + AREA_WORDS + A_START] = at
        if self.words[word + A_FILE]:
            self.words[word + AREA_WORDS + A_OFFSET] = self.words[word + A_OFFSET] + (at - start)
            self.files.hold(self.words[word + A_FILE])
        return index + 1

    def _merge(self, table: int, first: int, last: int) -> int:
        """Join equal neighbours between the area before `first` and the one after `last`."""
        index = first - 1 if first > 0 else 0
        while index <= last and index + 1 < self.count(table):
            word = self.record(table, index) >> 3
            if not self._joins(word, word + AREA_WORDS):
                index += 1
                continue
            self.words[word + A_END] = self.words[word + AREA_WORDS + A_END]
            if self.words[word + A_FILE]:
                self.files.release(self.words[word + A_FILE])
            self._close_slots(table, index + 1, index + 2)
            if last == 0:
                break
            last -= 1
        return 0

    def _joins(self, left: int, right: int) -> bool:
        """Whether two neighbours (word indices) are one area: they touch and say the same."""
        words = self.words
        if words[left + A_END] != words[right + A_START] or words[left + A_FLAGS] != words[right + A_FLAGS]:
            return False
        if words[left + A_FILE] != words[right + A_FILE]:
            return False
        if not words[left + A_FILE]:
            return True
        return words[left + A_OFFSET] + (words[left + A_END] - words[left + A_START]) == words[right + A_OFFSET]

    # --- checking ---

    def validate(self, table: int) -> None:
        """Raise CorruptionError at the first area that breaks an invariant."""
        header = table >> 3
        count = self.words[header + T_COUNT]
        if count > self.words[header + T_CAPACITY]:
            raise CorruptionError(f"area table at {table:#x}: {count} areas in too small an array", table)
        previous = 0
        for index in range(count):
            record = self.record(table, index)
            area = self.area(record)
            if (area.start | area.end | area.offset) & PAGE_MASK or area.start >= area.end:
                raise CorruptionError(f"area {index} at {record:#x}: bad range {area}", record)
            if area.start < previous:
                raise CorruptionError(f"area {index} at {record:#x}: overlaps the one before", record)
            if index and self._joins((record >> 3) - AREA_WORDS, record >> 3):
                raise CorruptionError(f"area {index} at {record:#x}: should be merged with the one before", record)
            previous = area.end
