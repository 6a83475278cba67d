"""The loop of a replay: events of a chunk -> calls of kmalloc and the buddy allocator.

The first byte of each block is written, as the recorded program would have. A request for 0 bytes is
made for 1: a C library gives a block for it, and kmalloc does not. Failures are counted, and the slot
stays empty.

Footprint: frames that were free before the replay and are neither free nor in a free buddy block now.
Live bytes: what the program asked for. Block bytes: what it got (classes, whole frames).
    live <= blocks <= footprint
"""

from array import array

import cython

from coalmm.replay.samples import Samples
from coalmm.traces.chunk import Chunk
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.kernel import Kernel

if not cython.compiled:
    from coalmm.hardware.bits import clz
    from coalmm.hardware.blocks import copy_range, fill_range
    from coalmm.hardware.constants import FRAME_SHIFT
    from coalmm.heap.constants import (
        BUDDY_FREE,
        C_ALLOCATIONS,
        C_FREES,
        C_OBJECT_SIZE,
        KMALLOC_LARGE_FRAMES,
        LARGEST_CLASS,
    )
    from coalmm.physical.constants import SB_BUDDY, SB_FREE, SB_KMALLOC
    from coalmm.replay.constants import BUCKETS, BUDDY_BLOCK, HEAP_BLOCK, NOTHING
    from coalmm.traces.constants import ALLOCATE_ZEROED, FREE, PAGE_ALLOCATE, PAGE_FREE, REALLOCATE


class Engine:
    """Runs events on one kernel. `only_buddy`: every block comes from the buddy allocator.

    Counts: events, failures, live_bytes, live_blocks, peak_live_bytes, peak_live_blocks, peak_frames (the
    footprint's, exact), zero_sizes. `counts` and `asked` are requests and bytes by bucket of sizes.
    """

    def __init__(self, kernel: "Kernel", only_buddy: bool) -> None:
        self.heap = kernel.heap
        self.buddy = kernel.buddy
        self.only_buddy = only_buddy
        self.bytes = kernel.ram.bytes
        self.words = kernel.ram.words
        self.kernel_base = self.heap.kernel_base
        self.blocks = array("Q")
        self.sizes = array("Q")
        self.sites = array("I")
        self.kinds = array("B")
        self.room = 0
        self.events = self.failures = self.zero_sizes = 0
        self.live_bytes = self.live_blocks = self.buddy_bytes = 0
        self.peak_live_bytes = self.peak_live_blocks = self.peak_frames = 0
        self.counts = array("Q", bytes(8 * BUCKETS))
        self.asked = array("Q", bytes(8 * BUCKETS))
        self.count_column, self.asked_column = self.counts, self.asked
        self.samples = Samples()
        self.find_classes()
        self.free_at_start = self.words[SB_FREE] + self.words[SB_BUDDY + BUDDY_FREE]
        self.blocks_at_start = 0
        self.blocks_at_start = self.block_bytes()

    def find_classes(self) -> None:
        """Where the caches of kmalloc's classes are, and which class a size has."""
        classes = self.heap.classes()
        self.classes = len(classes)
        self.class_words = array("Q", [(info.address - self.kernel_base) >> 3 for info in classes])
        self.most_active = array("Q", bytes(8 * len(classes)))
        self.active_column = self.most_active
        class_of = array("Q")
        for number, info in enumerate(classes):
            while len(class_of) << 3 <= min(info.object_size, LARGEST_CLASS):
                class_of.append(number)
        self.class_of = class_of

    def reserve(self, slots: int) -> None:
        """Make room for slots 0 .. slots - 1."""
        if slots > self.room:
            more = max(slots, 2 * self.room, 1024) - self.room
            self.blocks = array("Q", bytes(self.blocks) + bytes(8 * more))
            self.sizes = array("Q", bytes(self.sizes) + bytes(8 * more))
            self.sites = array("I", bytes(self.sites) + bytes(4 * more))
            self.kinds = array("B", bytes(self.kinds) + bytes(more))
            self.room += more

    def run(self, chunk: Chunk, start: int, stop: int) -> int:
        """Events start .. stop - 1 of `chunk`, whose slots have been reserved."""
        ops, slots, sizes = chunk.ops, chunk.slots, chunk.sizes
        aligns, sites = chunk.aligns, chunk.sites
        for at in range(start, stop):
            op = ops[at]
            slot = slots[at]
            if op in (FREE, PAGE_FREE):
                self.free(slot)
            else:
                size = sizes[at]
                if size == 0:
                    self.zero_sizes += 1
                    size = 1
                if op == REALLOCATE:
                    self.reallocate(slot, size, sites[at])
                elif op == PAGE_ALLOCATE or self.only_buddy:
                    self.begin_in_buddy(slot, size, aligns[at], sites[at], op == ALLOCATE_ZEROED)
                else:
                    self.begin(slot, size, aligns[at], sites[at], op == ALLOCATE_ZEROED)
            self.events += 1
            if self.events == self.samples.due:
                self.sample()
        return stop - start

    def begin(self, slot: int, size: int, align: int, site: int, zeroed: bool) -> None:
        """A block of kmalloc begins in `slot`."""
        if align > 8:
            address = self.heap.kmalloc_aligned(size, align)
        elif zeroed:
            address = self.heap.kzalloc(size)
        else:
            address = self.heap.allocate(size)
        self.note(slot, address, size, site, HEAP_BLOCK)

    def begin_in_buddy(self, slot: int, size: int, align: int, site: int, zeroed: bool) -> None:
        """A block of the buddy allocator begins in `slot`; it is aligned to its size."""
        address = self.buddy.allocate(size if size > align else align)
        if address:
            self.buddy_bytes += self.buddy.size_of(address)
            if zeroed:
                fill_range(self.bytes, address - self.kernel_base, size, 0)
        self.note(slot, address, size, site, BUDDY_BLOCK)

    def note(self, slot: int, address: int, size: int, site: int, kind: int) -> None:
        """Keep a new block in `slot`, or count a failure and leave the slot empty."""
        self.blocks[slot] = address
        self.count_request(size)
        if address == 0:
            self.failures += 1
            self.kinds[slot] = NOTHING
        else:
            self.bytes[address - self.kernel_base] = 1
            self.kinds[slot] = kind
            self.sizes[slot] = size
            self.sites[slot] = site
            self.live_blocks += 1
            self.live_bytes += size
            self.note_peaks()

    def count_request(self, size: int) -> None:
        """Put a request into the histogram."""
        if size <= LARGEST_CLASS:
            bucket = self.class_of[(size + 7) >> 3]
        else:
            bucket = self.classes + clz(LARGEST_CLASS) - clz(size - 1)  # the first one: up to twice the largest class
        self.count_column[bucket] += 1
        self.asked_column[bucket] += size

    def note_peaks(self) -> None:
        """Remember the most of what is live and of what it takes."""
        if self.live_bytes > self.peak_live_bytes:
            self.peak_live_bytes = self.live_bytes
        if self.live_blocks > self.peak_live_blocks:
            self.peak_live_blocks = self.live_blocks
        frames = self.frames_used()
        if frames > self.peak_frames:
            self.peak_frames = frames

    def free(self, slot: int) -> None:
        """The block in `slot` ends; a slot whose allocation failed is empty."""
        kind = self.kinds[slot]
        if kind != NOTHING:
            self.kinds[slot] = NOTHING
            self.live_blocks -= 1
            self.live_bytes -= self.sizes[slot]
            if kind == HEAP_BLOCK:
                self.heap.release(self.blocks[slot])
            else:
                self.buddy_bytes -= self.buddy.size_of(self.blocks[slot])
                self.buddy.free(self.blocks[slot])

    def reallocate(self, slot: int, size: int, site: int) -> None:
        """The block in `slot` gets another size; if that fails it stays as it is."""
        kind = self.kinds[slot]
        if kind == HEAP_BLOCK:
            self.note_moved(slot, self.heap.krealloc(self.blocks[slot], size), size, site)
        elif kind == BUDDY_BLOCK:
            self.note_moved(slot, self.move_in_buddy(slot, size), size, site)
        elif self.only_buddy:
            self.begin_in_buddy(slot, size, 0, site, False)
        else:
            self.begin(slot, size, 0, site, False)

    def note_moved(self, slot: int, address: int, size: int, site: int) -> None:
        """The block of `slot` is at `address` now, or where it was if that is 0."""
        self.count_request(size)
        if address == 0:
            self.failures += 1
        else:
            self.bytes[address - self.kernel_base] = 1
            self.live_bytes += size - self.sizes[slot]
            self.blocks[slot] = address
            self.sizes[slot] = size
            self.sites[slot] = site
            self.note_peaks()

    def move_in_buddy(self, slot: int, size: int) -> int:
        """A buddy block of `size` bytes with the contents of the one in `slot`, which is freed; or 0."""
        old = self.blocks[slot]
        room = self.buddy.size_of(old)
        if size <= room and (size > room >> 1 or room == 4096):
            return old
        address = self.buddy.allocate(size)
        if address:
            kept = self.sizes[slot] if self.sizes[slot] < size else size
            copy_range(self.bytes, address - self.kernel_base, old - self.kernel_base, kept)
            self.buddy_bytes += self.buddy.size_of(address) - room
            self.buddy.free(old)
        return address

    def frames_used(self) -> int:
        """Frames that were free at the start and hold blocks, or parts of slabs, now."""
        free = self.words[SB_FREE] + self.words[SB_BUDDY + BUDDY_FREE]
        return self.free_at_start - free if free < self.free_at_start else 0

    def block_bytes(self) -> int:
        """Bytes of all live blocks as the allocators gave them: classes, whole frames, powers of two."""
        total = (self.words[SB_KMALLOC + KMALLOC_LARGE_FRAMES] << FRAME_SHIFT) + self.buddy_bytes
        for number in range(self.classes):
            cache = self.class_words[number]
            active = self.words[cache + C_ALLOCATIONS] - self.words[cache + C_FREES]
            if active > self.active_column[number]:
                self.active_column[number] = active
            total += active * self.words[cache + C_OBJECT_SIZE]
        return total - self.blocks_at_start

    def sample(self) -> None:
        """Write down the state of this moment."""
        footprint = self.frames_used() << FRAME_SHIFT
        spare = self.words[SB_BUDDY + BUDDY_FREE] << FRAME_SHIFT
        self.samples.add(self.events, self.live_bytes, self.block_bytes(), footprint, spare)

    def live_by_site(self) -> dict[int, tuple[int, int]]:
        """Site number -> (blocks, bytes) of what is live."""
        found: dict[int, tuple[int, int]] = {}
        for slot in range(self.room):
            if self.kinds[slot] != NOTHING:
                blocks, size = found.get(self.sites[slot], (0, 0))
                found[self.sites[slot]] = (blocks + 1, size + self.sizes[slot])
        return found
