"""Allocation tracking: who allocated what is live, and who freed what was last at an address.

A hash table in RAM, by address (open addressing, at most half full), of records of 64 bytes, and
behind it the call sites as text: the file and line of the Python code that called. A record stays after
the free, until the address is handed out again, so that a double free can name both sides.

    age of an allocation = allocations and frees seen since, a clock that is the same in every run
"""

import sys

from coalmm.errors import CorruptionError
from coalmm.hardware.bits import ALL_ONES
from coalmm.hardware.constants import FRAME_SHIFT, FRAME_SIZE
from coalmm.heap.constants import (
    R_ADDRESS,
    R_FREE_SERIAL,
    R_FREE_SITE,
    R_PROCESS,
    R_SERIAL,
    R_SITE,
    R_SIZE,
    R_STATE,
    RECORD_WORDS,
    TRACK_CAPACITY,
    TRACK_LIVE,
    TRACK_MISSED,
    TRACK_SERIAL,
    TRACK_SITES,
    TRACK_SITES_ROOM,
    TRACK_SITES_USED,
    TRACK_TABLE,
    TRACK_USED,
)
from coalmm.physical.constants import HOOK_TRACK, KIND_KERNEL, SB_CURRENT_PROCESS, SB_HOOKS, SB_TRACKING
from coalmm.physical.frames import Frames
from coalmm.typed import Callable, Iterator, NamedTuple

FIRST_CAPACITY = 1024
LIVE = 1
FREED = 2
PACKAGE = __name__.partition(".")[0]


class Allocation(NamedTuple):
    """One live tracked allocation: kernel address, bytes asked for, call site, age in operations."""

    address: int
    size: int
    site: str
    age: int
    process: int


class Tracking:
    """The allocation tracking of one machine; off until `enable`."""

    def __init__(self, frames: Frames) -> None:
        self.frames = frames
        self.ram = frames.ram
        self.words = frames.words
        self.known: dict[str, int] = {}
        # For calls from outside of Python: what names the call site ("" if there is none), and what makes text of it.
        self.caller: Callable[[], str] | None = None
        self.describe: Callable[[str], str] | None = None

    def __repr__(self) -> str:
        return f"<Tracking: {'on' if self.enabled else 'off'}, {self.live_count():,} live allocations>"

    @property
    def enabled(self) -> bool:
        """Whether allocations are being recorded."""
        return (self.words[SB_HOOKS] & HOOK_TRACK) != 0

    def enable(self) -> None:
        """Record allocations from now on; what was allocated before is not counted. Idempotent."""
        self.words[SB_HOOKS] |= HOOK_TRACK

    def disable(self) -> None:
        """Stop recording; what was recorded is kept until `enable` and `reset`."""
        self.words[SB_HOOKS] &= ALL_ONES ^ HOOK_TRACK

    def reset(self) -> None:
        """Stop recording, forget everything and give its frames back."""
        self.disable()
        self.give_back(self.get(TRACK_TABLE), self.get(TRACK_CAPACITY) * RECORD_WORDS * 8)
        self.give_back(self.get(TRACK_SITES), self.get(TRACK_SITES_ROOM))
        for word in range(TRACK_SITES_USED + 1):
            self.put(word, 0)
        self.known.clear()

    def get(self, word: int) -> int:
        """One of tracking's words of the superblock."""
        return int(self.words[SB_TRACKING + word])

    def put(self, word: int, value: int) -> None:
        """Set one of them."""
        self.words[SB_TRACKING + word] = value

    # What the allocators call.

    def allocated(self, address: int, size: int) -> None:
        """Record an allocation; without memory for the record it is counted as missed."""
        self.put(TRACK_SERIAL, self.get(TRACK_SERIAL) + 1)
        if 2 * (self.get(TRACK_USED) + 1) <= self.get(TRACK_CAPACITY) or self.grow():
            self.record(address, size)
        else:
            self.put(TRACK_MISSED, self.get(TRACK_MISSED) + 1)

    def record(self, address: int, size: int) -> None:
        """Write the record of an allocation; there is room for it."""
        at = self.find(address)
        if self.words[at + R_ADDRESS] == 0:
            self.put(TRACK_USED, self.get(TRACK_USED) + 1)
        if self.words[at + R_STATE] != LIVE:
            self.put(TRACK_LIVE, self.get(TRACK_LIVE) + 1)
        record = {
            R_ADDRESS: address,
            R_SIZE: size,
            R_STATE: LIVE,
            R_SITE: self.site(),
            R_FREE_SITE: 0,
            R_SERIAL: self.get(TRACK_SERIAL),
            R_FREE_SERIAL: 0,
            R_PROCESS: self.words[SB_CURRENT_PROCESS],
        }
        for word, value in record.items():
            self.words[at + word] = value

    def freed(self, address: int) -> None:
        """Record a free; one of an allocation made before tracking began changes nothing."""
        self.put(TRACK_SERIAL, self.get(TRACK_SERIAL) + 1)
        at = self.find(address)
        if at and self.words[at + R_ADDRESS] and self.words[at + R_STATE] == LIVE:
            self.words[at + R_STATE] = FREED
            self.words[at + R_FREE_SITE] = self.site()
            self.words[at + R_FREE_SERIAL] = self.get(TRACK_SERIAL)
            self.put(TRACK_LIVE, self.get(TRACK_LIVE) - 1)

    def history(self, address: int) -> str:
        """What is known of an address, as the end of a sentence: "; allocated at f.py:3, freed at f.py:9"."""
        at = self.find(address)
        if at == 0 or self.words[at + R_ADDRESS] == 0:
            return ""
        text = f"; {self.words[at + R_SIZE]} bytes allocated at {self.site_text(self.words[at + R_SITE])}"
        if self.words[at + R_STATE] == FREED:
            text += f", freed at {self.site_text(self.words[at + R_FREE_SITE])}"
        return text

    # The table.

    def find(self, address: int) -> int:
        """The word index of the record of an address, or of the empty one where it would go; 0 without a table."""
        capacity = self.capacity()
        if capacity == 0:
            return 0
        first = self.get(TRACK_TABLE) >> 3
        slot = (address >> 3) * 0x9E3779B97F4A7C15 >> 20 & (capacity - 1)
        for _ in range(capacity):
            at = first + slot * RECORD_WORDS
            if self.words[at + R_ADDRESS] in (0, address):
                return int(at)
            slot = slot + 1 & (capacity - 1)
        return 0

    def capacity(self) -> int:
        """Records that the table has room for; CorruptionError if there cannot be such a table in RAM."""
        capacity, table = self.get(TRACK_CAPACITY), self.get(TRACK_TABLE)
        if capacity & (capacity - 1) or table & (FRAME_SIZE - 1) or (capacity == 0) != (table == 0):
            raise CorruptionError("superblock: the table of tracked allocations is wrong")
        if capacity * RECORD_WORDS * 8 > self.ram.size - table:
            raise CorruptionError("superblock: the table of tracked allocations does not lie in RAM")
        return capacity

    def grow(self) -> bool:
        """Move the live records to a larger table; freed ones are forgotten. False if there is no memory."""
        old, capacity = self.get(TRACK_TABLE), self.get(TRACK_CAPACITY)
        wanted = max(FIRST_CAPACITY, capacity if 4 * self.get(TRACK_LIVE) < capacity else 2 * capacity)
        table = self.take_zeroed(wanted * RECORD_WORDS * 8)
        if table == 0:
            return False
        self.put(TRACK_TABLE, table)
        self.put(TRACK_CAPACITY, wanted)
        self.put(TRACK_USED, self.get(TRACK_LIVE))
        for index in range(capacity):
            source = (old >> 3) + index * RECORD_WORDS
            if self.words[source + R_STATE] == LIVE:
                self.ram.copy(self.find(self.words[source + R_ADDRESS]) << 3, source << 3, RECORD_WORDS * 8)
        self.give_back(old, capacity * RECORD_WORDS * 8)
        return True

    def take_zeroed(self, size: int) -> int:
        """Adjacent frames for `size` bytes of zeros; the physical address, 0 if there are none."""
        pages = (size + FRAME_SIZE - 1) >> FRAME_SHIFT
        paddr = int(self.frames.take_run(pages, 1, KIND_KERNEL, 0, False)) << FRAME_SHIFT
        if paddr:
            self.ram.fill(paddr, size, 0)
        return paddr

    def give_back(self, paddr: int, size: int) -> None:
        """Give frames of `take_zeroed` back."""
        if paddr:
            self.frames.give_run(paddr >> FRAME_SHIFT, (size + FRAME_SIZE - 1) >> FRAME_SHIFT)

    # Call sites.

    def site(self) -> int:
        """The call site's number: `caller`'s, or the innermost Python line outside of this package; 0 if unknown."""
        called = self.caller() if self.caller else ""
        if called:
            return self.intern(called)
        frame = sys._getframe()
        while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == PACKAGE:
            frame = frame.f_back  # type: ignore[assignment]
        if frame is None:
            return 0
        return self.intern(f"{frame.f_code.co_filename}:{frame.f_lineno}")

    def intern(self, text: str) -> int:
        """The number of a call site's text, which is stored once; 0 if there is no memory for it."""
        if not self.known:
            self.known = {self.stored_site(number): number for number, _ in self.sites()}
        number = self.known.get(text)
        if number is None:
            number = self.store(text.encode("utf-8", "replace"))
            if number:
                self.known[text] = number
        return number

    def store(self, text: bytes) -> int:
        """Append a text to the sites; its number, 0 if there is no memory."""
        used, room = self.get(TRACK_SITES_USED), self.get(TRACK_SITES_ROOM)
        size = 8 + (len(text) + 7 & -8)
        if used + size > room:
            larger = max(FRAME_SIZE, 2 * room, used + size + FRAME_SIZE - 1 & -FRAME_SIZE)
            moved = self.take_zeroed(larger)
            if moved == 0:
                return 0
            self.ram.copy(moved, self.get(TRACK_SITES), used)
            self.give_back(self.get(TRACK_SITES), room)
            self.put(TRACK_SITES, moved)
            self.put(TRACK_SITES_ROOM, larger)
        at = self.get(TRACK_SITES) + used
        self.words[at >> 3] = len(text)
        self.ram.write(at + 8, text)
        self.put(TRACK_SITES_USED, used + size)
        return (used >> 3) + 1

    def sites(self) -> Iterator[tuple[int, str]]:
        """Every call site: its number and text."""
        offset = 0
        if not self.get(TRACK_SITES_USED) <= self.get(TRACK_SITES_ROOM) <= self.ram.size - self.get(TRACK_SITES):
            raise CorruptionError("superblock: the call sites of tracked allocations do not lie in RAM")
        while offset < self.get(TRACK_SITES_USED):
            number = (offset >> 3) + 1
            yield number, self.site_text(number)
            offset += 8 + (int(self.words[(self.get(TRACK_SITES) + offset) >> 3]) + 7 & -8)

    def site_text(self, number: int) -> str:
        """ "file:line" of a call site's number."""
        if number == 0:
            return "an unknown place"
        text = self.stored_site(number)
        return self.describe(text) if self.describe else text

    def stored_site(self, number: int) -> str:
        """The text of a call site as it stands in RAM."""
        at = self.get(TRACK_SITES) + ((number - 1) << 3)
        return self.ram.read(at + 8, self.words[at >> 3]).decode("utf-8", "replace")

    def live(self) -> Iterator[Allocation]:
        """Every live allocation made since tracking began, in no order."""
        first = self.get(TRACK_TABLE) >> 3
        for index in range(self.capacity()):
            at = first + index * RECORD_WORDS
            if self.words[at + R_STATE] == LIVE:
                yield Allocation(
                    self.words[at + R_ADDRESS],
                    self.words[at + R_SIZE],
                    self.site_text(self.words[at + R_SITE]),
                    self.get(TRACK_SERIAL) - self.words[at + R_SERIAL],
                    self.words[at + R_PROCESS],
                )

    def live_count(self) -> int:
        """How many allocations made since tracking began are live."""
        return self.get(TRACK_LIVE)

    def validate(self) -> None:
        """Check the table, its counters and the call sites; CorruptionError names the record."""
        sites = {0, *(number for number, _ in self.sites())}
        first, used, live = self.get(TRACK_TABLE) >> 3, 0, 0
        for index in range(self.capacity()):
            at = first + index * RECORD_WORDS
            address, state = self.words[at + R_ADDRESS], self.words[at + R_STATE]
            used += address != 0
            live += state == LIVE
            known = self.words[at + R_SITE] in sites and self.words[at + R_FREE_SITE] in sites
            if (address == 0) != (state == 0) or state > FREED or not known or (address and self.find(address) != at):
                raise CorruptionError(f"tracking: the record at {at << 3:#x} is damaged", at << 3)
        if used != self.get(TRACK_USED) or live != self.get(TRACK_LIVE):
            raise CorruptionError(f"tracking: {used} records and {live} live allocations are not what is counted")
