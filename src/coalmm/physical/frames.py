"""The frame allocator: which frames of RAM are taken, by what, and how many hold each.

    bitmap        0 = free; found through summary levels, so the cost does not grow with RAM or fill
    descriptors   64 bytes a frame: references, mappings, kind, owner (see constants.py)

Invariants, checked by `validate`:
    total == free + reserved + user
    references >= mappings + the caller's own (D_COUNT of a KIND_FRAME frame)
    references == 0  <=>  the bit is clear (frames that were placed at boot have no descriptor)

Every holder has a reference: whoever called `allocate` (given back by `free`), every page-table entry.
A frame goes back to the bitmap when the last reference does, so a frame freed while it is mapped is
handed to nobody until it is unmapped.
"""

from array import array

import cython

from coalmm.errors import CorruptionError, DoubleFreeError, InvalidPointerError
from coalmm.hardware.ram import Ram
from coalmm.physical.injection import Injection
from coalmm.physical.superblock import frame_bitmap
from coalmm.typed import Callable, NamedTuple

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES, as_u64
    from coalmm.hardware.blocks import fill_range
    from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT, FRAME_SIZE
    from coalmm.physical.constants import (
        D_COUNT,
        D_KIND,
        D_MAPPINGS,
        D_OWNER,
        D_REFERENCES,
        HOOK_INJECT,
        KIND_CACHE,
        KIND_FRAME,
        KIND_MASK,
        KINDS,
        POINT_FRAME,
        REFERENCES_LIMIT,
        SB_CACHE_MAPPED,
        SB_DESCRIPTORS,
        SB_FRAMES,
        SB_FREE,
        SB_HOOKS,
        SB_KERNEL_END,
        SB_KINDS,
        SB_LOWMEM,
        SB_MAP,
        SB_TOTAL,
        SB_USER,
    )

KIND_NAMES = (
    "free",
    "a frame of frame_alloc",
    "the kernel's",
    "a page table",
    "a page directory",
    "inside a buddy block",
    "a free buddy block",
    "a buddy block",
    "a slab",
    "a large kmalloc block",
    "a process's page",
    "a file's page",
)


class FrameStatistics(NamedTuple):
    """Frames by use; total == free + reserved + user."""

    total: int
    free: int
    reserved: int
    user: int


class Frames:
    """The frames of one machine's RAM, which `format_ram` has formatted."""

    def __init__(self, ram: Ram) -> None:
        self.ram = ram
        self.bytes = ram.bytes
        self.halves = ram.halves
        self.words = ram.words
        self.bitmap = frame_bitmap(ram)
        self.injection = Injection(ram.words)
        self.on_failure: Callable[..., object] | None = None  # called with the name and arguments of a call
        self.descriptors = self.words[SB_DESCRIPTORS]
        self.pfn_limit = self.words[SB_FRAMES]
        self.first_word = self.descriptors >> 3
        self.first_half = self.descriptors >> 2

    def __repr__(self) -> str:
        now = self.statistics()
        return f"<Frames: {now.total:,} of 4 KiB, {now.free:,} free, {now.reserved:,} kernel, {now.user:,} user>"

    # What the other layers use: typed, unchecked.

    def take(self, kind: int, owner: int) -> int:
        """Take one frame, contents undefined, with one reference; returns its pfn, 0 if there is none.

        Where the kernel half does not map all of RAM, frames that it does not map are preferred.
        """
        low = self.words[SB_LOWMEM]
        pfn = self.bitmap.first_clear() if low == self.pfn_limit else self.bitmap.next_clear(low)
        if pfn == ALL_ONES and low != self.pfn_limit:
            pfn = self.bitmap.first_clear()
        return self.claim(pfn, kind, owner)

    def take_low(self, kind: int, owner: int) -> int:
        """Like `take`, but a frame that the kernel half maps."""
        pfn = self.bitmap.first_clear()
        if pfn >= self.words[SB_LOWMEM]:
            return 0
        return self.claim(pfn, kind, owner)

    def claim(self, pfn: int, kind: int, owner: int) -> int:
        """Mark the free frame `pfn` taken, unless it is ALL_ONES or fault injection says no."""
        if pfn == ALL_ONES:
            return 0
        if self.words[SB_HOOKS] & HOOK_INJECT and self.injection.should_fail(POINT_FRAME, FRAME_SIZE):
            return 0
        self.claim_at(pfn, kind, owner)
        return pfn

    def claim_at(self, pfn: int, kind: int, owner: int) -> None:
        """Mark the free frame `pfn` taken, with one reference."""
        self.take_range(pfn, 1, kind, owner)

    def take_run(self, count: int, align: int, kind: int, owner: int, low: bool) -> int:
        """Take `count` adjacent frames, the first a multiple of `align`; its pfn, 0 if there is no such run.

        `low` asks for frames that the kernel half maps.
        """
        limit = self.words[SB_LOWMEM] if low else self.pfn_limit
        if count == 0 or align == 0 or count > self.words[SB_FREE]:
            return 0
        if self.words[SB_HOOKS] & HOOK_INJECT and self.injection.should_fail(POINT_FRAME, count << FRAME_SHIFT):
            return 0
        first = self.bitmap.find_run(count, align, limit)
        if first == ALL_ONES:
            return 0
        self.take_range(first, count, kind, owner)
        return first

    def extend_run(self, first: int, count: int, kind: int) -> bool:
        """Take the `count` frames from `first` on, if all are free and the kernel half maps them."""
        low = self.words[SB_LOWMEM]
        if first > low or count > low - first or self.bitmap.next_set(first, first + count) != first + count:
            return False
        if self.words[SB_HOOKS] & HOOK_INJECT and self.injection.should_fail(POINT_FRAME, count << FRAME_SHIFT):
            return False
        self.take_range(first, count, kind, 0)
        return True

    def take_range(self, first: int, count: int, kind: int, owner: int) -> None:
        """Mark adjacent free frames taken, with one reference each."""
        self.bitmap.set_range(first, count)
        self.words[SB_FREE] -= count
        self.words[SB_KINDS + kind] += count
        for pfn in range(first, first + count):
            at = self.first_half + (pfn << 4)
            self.halves[at + D_REFERENCES] = 1
            self.halves[at + D_KIND] = kind
            self.halves[at + D_OWNER] = owner

    def give_run(self, first: int, count: int) -> None:
        """Give back `count` adjacent frames that have one reference each, in one go."""
        for pfn in range(first, first + count):
            self.words[SB_KINDS + (self.halves[self.first_half + (pfn << 4) + D_KIND] & KIND_MASK)] -= 1
        fill_range(self.bytes, self.descriptors + (first << 6), count << 6, 0)
        self.bitmap.clear_range(first, count)
        self.words[SB_FREE] += count

    def hold(self, pfn: int) -> bool:
        """One more reference; False, and nothing changed, if the counter is full."""
        at = self.first_half + (pfn << 4)
        references = self.halves[at + D_REFERENCES]
        if references >= REFERENCES_LIMIT:
            return False
        self.halves[at + D_REFERENCES] = references + 1
        return True

    def drop(self, pfn: int) -> int:
        """One reference less; the last one frees the frame. Returns how many are left."""
        at = self.first_half + (pfn << 4)
        references = self.halves[at + D_REFERENCES]
        if references == 0:
            raise CorruptionError(f"frame {pfn << FRAME_SHIFT:#x} has no reference to drop", pfn << FRAME_SHIFT)
        if references == 1:
            self.give_run(pfn, 1)
            return 0
        self.halves[at + D_REFERENCES] = references - 1
        return references - 1

    def map_user(self, pfn: int) -> bool:
        """A user page-table entry takes a reference; False, and nothing changed, if the counter is full."""
        at = self.first_half + (pfn << 4)
        references = self.halves[at + D_REFERENCES]
        if references >= REFERENCES_LIMIT:
            return False
        self.halves[at + D_REFERENCES] = references + 1
        mappings = self.halves[at + D_MAPPINGS]
        self.halves[at + D_MAPPINGS] = mappings + 1
        if mappings == 0:
            self.words[SB_USER] += 1
            if self.halves[at + D_KIND] & KIND_MASK == KIND_CACHE:
                self.words[SB_CACHE_MAPPED] += 1
        return True

    def unmap_user(self, pfn: int) -> int:
        """The reverse of `map_user`; the last reference frees the frame. Returns references left."""
        at = self.first_half + (pfn << 4)
        mappings = self.halves[at + D_MAPPINGS]
        if mappings == 0:
            raise CorruptionError(f"frame {pfn << FRAME_SHIFT:#x} has no mapping to drop", pfn << FRAME_SHIFT)
        self.halves[at + D_MAPPINGS] = mappings - 1
        if mappings == 1:
            self.words[SB_USER] -= 1
            if self.halves[at + D_KIND] & KIND_MASK == KIND_CACHE:
                self.words[SB_CACHE_MAPPED] -= 1
        return self.drop(pfn)

    def kind(self, pfn: int) -> int:
        """The KIND_* of a frame; KIND_FREE also for holes and for what was placed at boot."""
        return self.halves[self.first_half + (pfn << 4) + D_KIND] & KIND_MASK

    def set_kind(self, pfn: int, kind: int) -> None:
        """Change the kind of a taken frame; its order and flags become 0."""
        at = self.first_half + (pfn << 4) + D_KIND
        self.words[SB_KINDS + (self.halves[at] & KIND_MASK)] -= 1
        self.words[SB_KINDS + kind] += 1
        self.halves[at] = kind

    def references(self, pfn: int) -> int:
        """How many hold a frame."""
        return self.halves[self.first_half + (pfn << 4) + D_REFERENCES]

    def mappings(self, pfn: int) -> int:
        """How many user page-table entries hold a frame."""
        return self.halves[self.first_half + (pfn << 4) + D_MAPPINGS]

    def is_allocated(self, pfn: int) -> bool:
        """Whether a frame is taken; holes and frames placed at boot are."""
        return pfn < self.pfn_limit and self.bitmap.test(pfn)

    def zero(self, pfn: int) -> None:
        """Fill a frame with zero bytes."""
        fill_range(self.bytes, pfn << FRAME_SHIFT, FRAME_SIZE, 0)

    # What callers use: every argument checked.

    def allocate(self) -> int:
        """Allocate one frame; returns its physical address, or 0 if there is none. Contents undefined."""
        pfn = self.take(KIND_FRAME, 0)
        if pfn:
            self.halves[self.first_half + (pfn << 4) + D_COUNT] = 1
        else:
            self.ran_out()
        return pfn << FRAME_SHIFT

    def ran_out(self) -> int:
        """Tell that `allocate` fails; 0."""
        self.failed("frame_alloc")
        return 0

    def failed(self, call: str, *arguments: object) -> None:
        """A call of the document is about to answer 0: tell who wants to know why (`on_failure`)."""
        if self.on_failure is not None:
            self.on_failure(call, *arguments)

    def allocate_zeroed(self) -> int:
        """Allocate one frame filled with zero bytes; its physical address or 0."""
        paddr = self.allocate()
        if paddr:
            self.zero(paddr >> FRAME_SHIFT)
        return paddr

    def allocate_run(self, count: int, align: int = 1) -> int:
        """Allocate `count` adjacent frames whose first is a multiple of `align` frames; its address or 0.

        Each is an allocation of its own: give them back one by one, or with `free_many`.
        """
        wanted = as_u64(count)
        first = self.take_run(wanted, as_u64(align), KIND_FRAME, 0, False)
        if first:
            for pfn in range(first, first + wanted):
                self.halves[self.first_half + (pfn << 4) + D_COUNT] = 1
        return first << FRAME_SHIFT

    def allocate_many(self, count: int) -> "array[int]":
        """Allocate `count` frames anywhere: an array of their physical addresses, empty if there are too few."""
        wanted = as_u64(count)
        frames = array("Q")
        if wanted > self.words[SB_FREE]:
            return frames
        for _ in range(wanted):
            paddr = self.allocate()
            if paddr == 0:  # fault injection
                self.free_many(frames)
                return array("Q")
            frames.append(paddr)
        return frames

    def free(self, paddr: int) -> None:
        """Give back a frame of `allocate`; mappings that still hold it keep it from being handed out.

        Raises InvalidPointerError, or DoubleFreeError for one that was already given back.
        """
        self.give(as_u64(paddr))

    def give(self, paddr: int) -> None:
        """`free` of a checked address."""
        pfn = self.own(paddr)
        self.halves[self.first_half + (pfn << 4) + D_COUNT] -= 1
        self.drop(pfn)

    def free_many(self, paddrs: "array[int] | list[int]") -> None:
        """Give back frames; all are checked before the first is freed."""
        if len(set(paddrs)) != len(paddrs):
            raise DoubleFreeError("a frame stands twice in the list")
        for paddr in paddrs:
            self.own(as_u64(paddr))
        for paddr in paddrs:
            self.free(paddr)

    def get(self, paddr: int) -> None:
        """Take one more reference to a frame of `allocate`; each needs a `free` of its own."""
        pfn = self.own(as_u64(paddr))
        if not self.hold(pfn):
            raise InvalidPointerError(f"{self.describe(paddr)}; its reference counter is full", paddr)
        self.halves[self.first_half + (pfn << 4) + D_COUNT] += 1

    def own(self, paddr: int) -> int:
        """The pfn of a frame that its caller may free; raises InvalidPointerError or DoubleFreeError."""
        pfn = paddr >> FRAME_SHIFT
        if paddr & FRAME_MASK:
            raise InvalidPointerError(f"{paddr:#x} is not the address of a frame: {self.describe(paddr)}", paddr)
        if pfn == 0 or pfn >= self.pfn_limit or self.kind(pfn) not in (0, KIND_FRAME):
            raise InvalidPointerError(f"no frame to give back: {self.describe(paddr)}", paddr)
        if not self.bitmap.test(pfn) or (
            self.kind(pfn) == KIND_FRAME and self.halves[self.first_half + (pfn << 4) + D_COUNT] == 0
        ):
            raise DoubleFreeError(f"already given back or never handed out: {self.describe(paddr)}", paddr)
        if self.kind(pfn) != KIND_FRAME:
            raise InvalidPointerError(f"no frame to give back: {self.describe(paddr)}", paddr)
        return pfn

    def describe(self, paddr: int) -> str:
        """What is at a physical address now, in one line."""
        address = as_u64(paddr)
        pfn = address >> FRAME_SHIFT
        where = f"frame {pfn << FRAME_SHIFT:#x}"
        if pfn >= self.pfn_limit:
            return f"{address:#x} is past the end of RAM ({self.pfn_limit << FRAME_SHIFT:#x})"
        if pfn == 0:
            return f"{where} is the superblock"
        kind = self.kind(pfn)
        if kind:
            return (
                f"{where} is {KIND_NAMES[kind] if kind < KINDS else f'of unknown kind {kind}'}, "
                f"references {self.references(pfn)}, mappings {self.mappings(pfn)}"
            )
        if not self.bitmap.test(pfn):
            return f"{where} is free"
        if self.words[SB_MAP] <= address < self.words[SB_KERNEL_END]:
            return f"{where} holds the frame bitmap and descriptors"
        return f"{where} is reserved by the memory map"

    def statistics(self) -> FrameStatistics:
        """Frames by use, now."""
        total, free, user = self.words[SB_TOTAL], self.words[SB_FREE], self.words[SB_USER]
        return FrameStatistics(total, free, total - free - user, user)

    def kinds(self) -> dict[str, int]:
        """How many frames there are of each kind that was taken since boot."""
        return {KIND_NAMES[kind]: self.words[SB_KINDS + kind] for kind in range(1, KINDS)}

    # The checker.

    def validate(self) -> None:
        """Check bitmap, descriptors and counters against each other; CorruptionError says where."""
        from coalmm.physical.frame_check import FrameCheck

        FrameCheck(self).run()

    def backed(self, start: int, count: int, size: int) -> list[tuple[int, int]]:
        """The index ranges of an array of `count` elements of `size` bytes that the host has memory behind."""
        ranges: list[tuple[int, int]] = []
        end = 0  # of the range before
        for low, high in self.ram.extents():
            first = max(max(low - start, 0) // size, end)
            last = min((max(high - start, 0) + size - 1) // size, count)
            if first < last:
                ranges.append((first, last))
                end = last
        return ranges
