"""Takes what a reader finds in a file and packs it into chunks; what does not add up is counted here.

A reader says what the recorded program did, with the program's own addresses. The recorder knows
which blocks live, so it alone decides what is an event, an unknown free or a lost one.
"""

from array import array

import cython

from coalmm.traces.chunk import Chunk
from coalmm.traces.slots import Slots

if not cython.compiled:
    from coalmm.traces.constants import (
        ALLOCATE,
        ALLOCATE_ZEROED,
        CHUNK_EVENTS,
        FREE,
        LARGEST_U32,
        MOST_NAMES,
        NO_SLOT,
        PAGE_ALLOCATE,
        PAGE_FREE,
        PAGE_SIZE,
        REALLOCATE,
        SPARE,
    )


class Recorder:
    """The chunk being filled, and the counts of the whole file so far.

    lines, other_lines (not of the format), events (packed), unknown_frees (of blocks from before the
    trace), null_frees, lost_frees (an address handed out again while live: the free between was not
    recorded), failed (allocations and reallocations that failed in the recorded program).
    """

    def __init__(self) -> None:
        self.slots = Slots()
        self.sites: list[str] = [""]
        self.caches: list[str] = [""]
        self.site_numbers: dict[object, int] = {}
        self.cache_numbers: dict[object, int] = {}
        self.lines = 0
        self.other_lines = 0
        self.events = 0
        self.unknown_frees = 0
        self.null_frees = 0
        self.lost_frees = 0
        self.failed = 0
        self.now = 0.0
        self.new_chunk()

    def new_chunk(self) -> None:
        """Fresh, empty columns; a chunk that was taken stays as it is."""
        self.chunk = Chunk(
            array("B", bytes(CHUNK_EVENTS)),
            array("I", bytes(4 * CHUNK_EVENTS)),
            array("Q", bytes(8 * CHUNK_EVENTS)),
            array("I", bytes(4 * CHUNK_EVENTS)),
            array("I", bytes(4 * CHUNK_EVENTS)),
            array("I", bytes(4 * CHUNK_EVENTS)),
            array("d", bytes(8 * CHUNK_EVENTS)),
        )
        self.bind(self.chunk)
        self.count = 0

    def bind(self, chunk: Chunk) -> None:
        """Write to the columns of `chunk` from now on."""
        self.ops = chunk.ops
        self.slot_column = chunk.slots
        self.sizes = chunk.sizes
        self.aligns = chunk.aligns
        self.labels = chunk.labels
        self.site_column = chunk.sites
        self.times = chunk.times

    def is_full(self) -> bool:
        """Whether the chunk must be taken before the next line."""
        return self.count > CHUNK_EVENTS - SPARE

    def take(self) -> Chunk:
        """The chunk as filled so far, cut to its length; the recorder goes on with a new one."""
        chunk = self.chunk
        count = self.count
        self.events += count
        self.new_chunk()
        for name in Chunk.__slots__:
            del getattr(chunk, name)[count:]
        return chunk

    def recognised(self) -> bool:
        """Whether anything in the file was an event of its format."""
        return self.events + self.count + self.unknown_frees + self.null_frees + self.failed > 0

    @property
    def slots_live(self) -> int:
        """Blocks that live at this point of the trace."""
        return self.slots.live

    @property
    def slots_peak(self) -> int:
        """The most blocks that lived at once; every slot is below it."""
        return self.slots.next_slot

    def site(self, name: str) -> int:
        """The number of a call site."""
        return number_of(name, name, self.sites, self.site_numbers)

    def cache(self, name: str) -> int:
        """The number of a cache."""
        return number_of(name, name, self.caches, self.cache_numbers)

    def raw_site(self, name: bytes) -> int:
        """The number of a call site given as bytes of the file."""
        known = self.site_numbers.get(name)
        if known is not None:
            return known
        return number_of(name, name.decode("utf-8", "replace"), self.sites, self.site_numbers)

    def emit(self, op: int, slot: int, size: int, align: int, label: int, site: int) -> None:
        """Append one event. The caller has seen to it that the chunk is not full."""
        at = self.count
        self.ops[at] = op
        self.slot_column[at] = slot
        self.sizes[at] = size
        self.aligns[at] = align
        self.labels[at] = label
        self.site_column[at] = site
        self.times[at] = self.now
        self.count = at + 1

    def begin(self, address: int, op: int, size: int, align: int, label: int, site: int) -> None:
        """A block begins to live at `address`; if one lives there already, its free was lost."""
        if address == 0:
            self.failed += 1
        else:
            self.end_lost(address)
            slot = self.slots.fresh()
            self.slots.put(address, slot)
            self.emit(op, slot, size, align, label, site)

    def end_lost(self, address: int) -> None:
        """Free what still lives at `address`, which the program is getting again."""
        slot = self.slots.take(address)
        if slot != NO_SLOT:
            self.lost_frees += 1
            self.emit(FREE, slot, 0, 0, 0, 0)
            self.slots.release(slot)

    def allocate(self, address: int, size: int, align: int, label: int, site: int) -> None:
        """malloc and its like returned `address`; 0 is a failure."""
        self.begin(address, ALLOCATE, size, align if align < LARGEST_U32 else LARGEST_U32, label, site)

    def allocate_zeroed(self, address: int, size: int, label: int, site: int) -> None:
        """calloc and its like returned `address`; 0 is a failure."""
        self.begin(address, ALLOCATE_ZEROED, size, 0, label, site)

    def free(self, address: int) -> None:
        """free(address); of NULL and of unknown blocks it is only counted."""
        self.end(address, FREE)

    def end(self, address: int, op: int) -> None:
        """The block at `address` ends."""
        slot = self.slots.take(address) if address != 0 else NO_SLOT
        if slot != NO_SLOT:
            self.emit(op, slot, 0, 0, 0, 0)
            self.slots.release(slot)
        elif address == 0:
            self.null_frees += 1
        else:
            self.unknown_frees += 1

    def reallocate(self, old: int, address: int, size: int, site: int) -> None:
        """realloc(old, size) returned `address`. An unknown `old` is counted and a new block begins."""
        slot = self.slots.take(old) if old != 0 and address != 0 else NO_SLOT
        if slot != NO_SLOT:
            self.end_lost(address)
            self.slots.put(address, slot)
            self.emit(REALLOCATE, slot, size, 0, 0, site)
        else:
            if old != 0 and address != 0:
                self.unknown_frees += 1
            self.begin(address, ALLOCATE, size, 0, 0, site)

    def allocate_pages(self, address: int, order: int, site: int) -> None:
        """The page allocator returned 4096 << order bytes (order below 52) at physical `address`.

        Physical addresses stand beside the heap's virtual ones in one table: an odd number is a page.
        """
        self.begin(address | 1, PAGE_ALLOCATE, PAGE_SIZE << order, 0, order, site)

    def free_pages(self, address: int) -> None:
        """The pages at physical `address` go back."""
        self.end(address | 1, PAGE_FREE)


def number_of(key: object, name: str, names: list[str], numbers: dict[object, int]) -> int:
    """The index of `name` in `names`, where it is put if it is new and there is room; 0 is "not known"."""
    number = numbers.get(key)
    if number is None:
        number = 0
        if name and len(names) < MOST_NAMES:
            number = len(names)
            names.append(name)
            numbers[key] = number
    return number
