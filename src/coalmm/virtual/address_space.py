"""Address spaces: a page directory and a table of areas, as one record in RAM.

    record (slab "mm_struct") --> page directory --> entries --> frames
                              `-> areas --> files

The descriptor of the directory's root frame names the record (D_SPACE), so whoever has a CR3 has the
space. `mappings` has the calls that change areas, `faults` brings the pages.
"""

import cython

from coalmm.errors import CorruptionError
from coalmm.hardware.ram import Ram
from coalmm.physical.frames import Frames
from coalmm.typed import Any, Iterator, NamedTuple
from coalmm.virtual.areas import Area, Areas
from coalmm.virtual.page_tables import PageTables
from coalmm.virtual.records import Records

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES
    from coalmm.hardware.constants import FRAME_SHIFT, FRAME_SIZE, PAGE_NX, PAGE_PRESENT, PAGE_SHARED, PAGE_USER
    from coalmm.physical.constants import D_NEXT, KIND_ANONYMOUS, KIND_CACHE
    from coalmm.virtual.constants import (
        A_END,
        A_FILE,
        A_FLAGS,
        A_OFFSET,
        A_START,
        AREA_GROWS_DOWN,
        AREA_KIND,
        AREA_LOCKED,
        AREA_LOCKS,
        AREA_NO_FORK,
        AREA_SHARED,
        AREA_STACK,
        AREA_TEXT,
        AREA_WIPE_ON_FORK,
        D_SPACE,
        ENTRY_ADDRESS,
        F_KIND,
        FILE_HOST,
        RIGHT_EXECUTE,
        RIGHT_WRITE,
        RIGHTS,
        S_BRK,
        S_BRK_START,
        S_DEFAULT_FLAGS,
        S_FAULTS_ZERO,
        S_LOCKED,
        S_MMAP_BASE,
        S_PEAK_RSS,
        S_PEAK_VIRTUAL,
        S_REFERENCES,
        S_ROOT,
        S_RSS_ANONYMOUS,
        S_RSS_FILE,
        S_RSS_SHARED,
        S_SIZE_LIMIT,
        S_STACK_LIMIT,
        S_TABLE,
        S_TOP,
        S_VIRTUAL,
        SB_DIRECTORIES,
        SB_SPACE_SLAB,
        SPACE_SIZE,
    )

HEAP_START = 0x1000_0000  # where brk begins in a space that no program was loaded into
STACK_LIMIT = 8 << 20
STACK_ROOM = 128 << 20  # addresses kept for the stack above the maps
TOP_47 = (1 << 47) - 4096  # programs put tags above bit 47: by default nothing is placed there
FAULT_KINDS = ("zero", "file", "copy", "stack", "spurious", "read", "refused")


class Usage(NamedTuple):
    """What an address space occupies, in bytes: areas, present pages, those of files and shared memory, by kind."""

    virt: int
    rss: int
    shared: int
    text: int
    data: int
    stack: int


class AddressSpaces:
    """The address spaces of one machine. A space is named by the paddr of its record."""

    def __init__(
        self, ram: Ram, form: Any, frames: Frames, areas: Areas, files: Any, tables: PageTables, slabs: Any
    ) -> None:
        self.words = ram.words
        self.frames = frames
        self.areas = areas
        self.files = files
        self.tables = tables
        self.records = Records(ram, slabs, "mm_struct", SPACE_SIZE, SB_SPACE_SLAB)
        self.top = form.user_top if form.vaddr_bits == 32 else form.user_top - FRAME_SIZE
        self.no_execute = PAGE_NX if form.has_nx else 0
        self.first_word = frames.first_word
        files.unmap_pages = self.unmap_file
        files.is_late = tables.mmu.is_late
        files.spaces = self

    def top_of(self, space: int) -> int:
        """Where the user addresses of a space end."""
        top = self.words[(space >> 3) + S_TOP]
        return top if top else self.top

    # --- life ---

    def create(self) -> int:
        """An empty address space with one reference; its paddr, 0 if there is no memory."""
        root = self.tables.create()
        if not root:
            return 0
        space = self.records.allocate()
        if not space:
            self.tables.free(root)
            return 0
        word = space >> 3
        self.words[word + S_ROOT] = root
        self.words[word + S_BRK_START] = self.words[word + S_BRK] = HEAP_START
        self.words[word + S_MMAP_BASE] = min(self.top, TOP_47) - STACK_ROOM
        self.words[word + S_STACK_LIMIT] = STACK_LIMIT
        for limit in range(S_SIZE_LIMIT, S_DEFAULT_FLAGS):
            self.words[word + limit] = ALL_ONES
        self.words[word + S_REFERENCES] = 1
        self.words[self.first_word + ((root >> FRAME_SHIFT) << 3) + D_SPACE] = space
        return space

    def clone(self, space: int) -> int:
        """A copy-on-write copy with one reference and nothing locked; its paddr, or 0 and nothing changed."""
        copy = self.records.allocate()
        if not copy:
            return 0
        if self.areas.copy(self.table(copy), self.table(space)) != 0:
            self.records.free(copy)
            return 0
        root = self.tables.clone(self.words[(space >> 3) + S_ROOT])
        if not root:
            self.areas.clear(self.table(copy))
            self.records.free(copy)
            return 0
        word = copy >> 3
        for field in range(S_BRK_START, SPACE_SIZE >> 3):
            self.words[word + field] = self.words[(space >> 3) + field]
        for field in range(S_FAULTS_ZERO, S_SIZE_LIMIT):
            self.words[word + field] = 0
        if self.words[word + S_LOCKED]:
            self.areas.change(self.table(copy), 0, ALL_ONES, AREA_LOCKS, 0)
        self.words[word + S_DEFAULT_FLAGS] = self.words[word + S_LOCKED] = 0
        self.words[word + S_ROOT] = root
        self.words[word + S_REFERENCES] = 1
        self.words[word + S_PEAK_RSS] = self.rss(copy)
        self.words[word + S_PEAK_VIRTUAL] = self.words[word + S_VIRTUAL]
        self.words[self.first_word + ((root >> FRAME_SHIFT) << 3) + D_SPACE] = copy
        self._leave_out(copy)
        return copy

    def hold(self, space: int) -> None:
        """One more process shares the space."""
        self.words[(space >> 3) + S_REFERENCES] += 1

    def release(self, space: int) -> None:
        """One process less; the last one gives every frame back. The directory must not be the current one."""
        word = space >> 3
        self.words[word + S_REFERENCES] -= 1
        if self.words[word + S_REFERENCES]:
            return
        root = self.words[word + S_ROOT]
        self.words[self.first_word + ((root >> FRAME_SHIFT) << 3) + D_SPACE] = 0
        self.tables.free(root)
        self.areas.clear(self.table(space))
        self.records.free(space)

    def _leave_out(self, space: int) -> None:
        """What madvise said a child does not get, or gets empty."""
        index = 0
        while index < self.areas.count(self.table(space)):
            word = self.areas.record(self.table(space), index) >> 3
            start, end, flags = self.words[word + A_START], self.words[word + A_END], self.words[word + A_FLAGS]
            if flags & (AREA_NO_FORK | AREA_WIPE_ON_FORK):
                self.drop_pages(space, word, start, end)
            if flags & AREA_NO_FORK:
                self.areas.remove(self.table(space), start, end)
                self.subtract(space, S_VIRTUAL, (end - start) >> FRAME_SHIFT)
            else:
                index += 1

    # --- looking ---

    def table(self, space: int) -> int:
        """The header of the area table."""
        return space + (S_TABLE << 3)

    def root(self, space: int) -> int:
        """The paddr of the page directory."""
        return self.words[(space >> 3) + S_ROOT]

    def space_of(self, root: int) -> int:
        """The space of a directory, 0 for a plain one."""
        return self.words[self.first_word + ((root >> FRAME_SHIFT) << 3) + D_SPACE]

    def get(self, space: int, field: int) -> int:
        """One word (S_*) of the record."""
        return self.words[(space >> 3) + field]

    def put(self, space: int, field: int, value: int) -> None:
        """Set one word (S_*) of the record."""
        self.words[(space >> 3) + field] = value

    def rss(self, space: int) -> int:
        """Present pages."""
        word = space >> 3
        return self.words[word + S_RSS_ANONYMOUS] + self.words[word + S_RSS_FILE] + self.words[word + S_RSS_SHARED]

    def all_areas(self, space: int) -> Iterator[Area]:
        """Copies of the areas, in order."""
        yield from self.areas.areas(self.table(space))

    def faults(self, space: int) -> dict[str, int]:
        """How many faults there were, by kind; "read" are those of "file" that went to the host."""
        return {name: self.get(space, S_FAULTS_ZERO + number) for number, name in enumerate(FAULT_KINDS)}

    def usage(self, space: int) -> Usage:
        """Sizes in bytes. Text is what is executable or was mapped as text, data what is private and writable."""
        text = data = stack = 0
        for area in self.all_areas(space):
            size = area.end - area.start
            if area.flags & AREA_KIND == AREA_STACK:
                stack += size
            elif area.flags & AREA_KIND == AREA_TEXT or area.flags & (RIGHT_EXECUTE | RIGHT_WRITE) == RIGHT_EXECUTE:
                text += size
            elif area.flags & AREA_KIND or area.flags & (RIGHT_WRITE | AREA_SHARED) == RIGHT_WRITE:
                data += size
        shared = self.get(space, S_RSS_FILE) + self.get(space, S_RSS_SHARED)
        virtual = self.get(space, S_VIRTUAL) << FRAME_SHIFT
        return Usage(virtual, self.rss(space) << FRAME_SHIFT, shared << FRAME_SHIFT, text, data, stack)

    # --- pages ---

    def leaf_rights(self, flags: int) -> int:
        """The bits of an entry in an area with these flags, as long as nobody may write through it."""
        bits = PAGE_PRESENT
        if flags & RIGHTS:
            bits |= PAGE_USER
        if not flags & RIGHT_EXECUTE:
            bits |= self.no_execute
        if flags & AREA_SHARED:
            bits |= PAGE_SHARED
        return bits

    def zap(self, space: int, start: int, end: int) -> int:
        """Take away the present pages of [start, end) and return how many bytes of it areas cover."""
        table = self.table(space)
        index = self.areas.index_above(table, start)
        count = self.areas.count(table)
        covered = 0
        while index < count:
            word = self.areas.record(table, index) >> 3
            low = max(start, self.words[word + A_START])
            high = min(end, self.words[word + A_END])
            if low >= high:
                break
            self.drop_pages(space, word, low, high)
            covered += high - low
            index += 1
        return covered

    def covered(self, space: int, start: int, end: int) -> int:
        """How many bytes of [start, end) are in areas."""
        return self._sum(space, start, end, 0)

    def locked(self, space: int, start: int, end: int) -> int:
        """How many bytes of [start, end) are in locked areas."""
        return self._sum(space, start, end, AREA_LOCKED)

    def _sum(self, space: int, start: int, end: int, flag: int) -> int:
        """The bytes of [start, end) in areas that have `flag`."""
        table = self.table(space)
        index = self.areas.index_above(table, start)
        count = self.areas.count(table)
        total = 0
        while index < count:
            word = self.areas.record(table, index) >> 3
            low = max(start, self.words[word + A_START])
            high = min(end, self.words[word + A_END])
            if low >= high:
                break
            if self.words[word + A_FLAGS] & flag == flag:
                total += high - low
            index += 1
        return total

    def data_size(self, space: int) -> int:
        """Bytes of areas that are data as RLIMIT_DATA has it: private, writable, not a stack."""
        table = self.table(space)
        total = 0
        for index in range(self.areas.count(table)):
            word = self.areas.record(table, index) >> 3
            if self.words[word + A_FLAGS] & (RIGHT_WRITE | AREA_SHARED | AREA_GROWS_DOWN) == RIGHT_WRITE:
                total += self.words[word + A_END] - self.words[word + A_START]
        return total

    def move_pages(self, space: int, old: int, length: int, target: int) -> bool:
        """Move the present entries of [old, old + length) to `target`, where nothing is; frames are not copied.

        False, and they are where they were, if a page table cannot be had.
        """
        root = self.words[(space >> 3) + S_ROOT]
        ranges = self.tables.ranges
        vaddr = old
        while vaddr < old + length and ranges.next_leaf(root, vaddr, old + length):
            vaddr = max(vaddr, ranges.found_vaddr)
            entry = self.tables.entry(root, vaddr)
            pfn = (entry & ENTRY_ADDRESS) >> FRAME_SHIFT
            if self.tables.set_leaf(root, target + (vaddr - old), pfn, entry & ~ENTRY_ADDRESS) != 0:
                self.tables.unmap_range(root, target, target + length)
                return False
            vaddr += FRAME_SIZE
        self.tables.unmap_range(root, old, old + length)
        return True

    def drop_pages(self, space: int, area: int, start: int, end: int) -> int:
        """Take away present pages [start, end) of one area (word index of its record), and count them off."""
        root = self.words[(space >> 3) + S_ROOT]
        file = self.words[area + A_FILE]
        own = 0
        if file and not self.words[area + A_FLAGS] & AREA_SHARED and self.words[(space >> 3) + S_RSS_ANONYMOUS]:
            own = self.count_own(root, start, end)
        pages = self.tables.unmap_range(root, start, end)
        if pages < 0:  # part of a huge page that paging calls put here, and no frame to split it
            return 0
        if not file:
            self.subtract(space, S_RSS_ANONYMOUS, pages)
        elif self.words[area + A_FLAGS] & AREA_SHARED and self.words[(file >> 3) + F_KIND] != FILE_HOST:
            self.subtract(space, S_RSS_SHARED, pages)
        else:
            self.subtract(space, S_RSS_ANONYMOUS, own)
            self.subtract(space, S_RSS_FILE, pages - own)
        return 0

    def count_own(self, root: int, start: int, end: int) -> int:
        """How many present pages of [start, end) are private copies."""
        own = 0
        ranges = self.tables.ranges
        while start < end and ranges.next_leaf(root, start, end):
            start = max(start, ranges.found_vaddr)
            if self.frames.kind((self.tables.entry(root, start) & ENTRY_ADDRESS) >> FRAME_SHIFT) == KIND_ANONYMOUS:
                own += 1
            start += FRAME_SIZE
        return own

    def unmap_file(self, file: int, first: int, last: int, copies: bool) -> int:
        """Take pages [first, last) of a file out of every address space, private copies too with `copies`. 0."""
        pfn = self.words[SB_DIRECTORIES]
        while pfn:
            space = self.space_of(pfn << FRAME_SHIFT)
            if space:
                self._unmap_file_here(space, file, first, last, copies)
            pfn = self.frames.halves[self.frames.first_half + (pfn << 4) + D_NEXT]
        return 0

    def _unmap_file_here(self, space: int, file: int, first: int, last: int, copies: bool) -> int:
        """`unmap_file` in one address space. 0."""
        table = self.table(space)
        for index in range(self.areas.count(table)):
            word = self.areas.record(table, index) >> 3
            begin = self.words[word + A_OFFSET] >> FRAME_SHIFT
            end = begin + ((self.words[word + A_END] - self.words[word + A_START]) >> FRAME_SHIFT)
            if self.words[word + A_FILE] != file or begin >= last or first >= end:
                continue
            start = self.words[word + A_START] + ((max(first, begin) - begin) << FRAME_SHIFT)
            stop = self.words[word + A_START] + ((min(last, end) - begin) << FRAME_SHIFT)
            if copies:
                self.drop_pages(space, word, start, stop)
            else:
                self._drop_cached(space, word, start, stop)
        return 0

    def _drop_cached(self, space: int, area: int, start: int, end: int) -> int:
        """Take away the present pages of one area that are the file's own, not private copies. 0."""
        root = self.words[(space >> 3) + S_ROOT]
        ranges = self.tables.ranges
        while start < end and ranges.next_leaf(root, start, end):
            start = max(start, ranges.found_vaddr)
            if self.frames.kind((self.tables.entry(root, start) & ENTRY_ADDRESS) >> FRAME_SHIFT) == KIND_CACHE:
                self.drop_pages(space, area, start, start + FRAME_SIZE)
            start += FRAME_SIZE
        return 0

    def subtract(self, space: int, field: int, amount: int) -> int:
        """Lower a counter, to 0 at the lowest: plain paging calls may have taken pages away behind its back."""
        word = (space >> 3) + field
        have = self.words[word]
        self.words[word] = have - amount if amount < have else 0
        return 0

    def add(self, space: int, field: int, amount: int) -> int:
        """Raise a counter, and the peaks with it."""
        word = space >> 3
        self.words[word + field] += amount
        if field == S_VIRTUAL:
            if self.words[word + S_VIRTUAL] > self.words[word + S_PEAK_VIRTUAL]:
                self.words[word + S_PEAK_VIRTUAL] = self.words[word + S_VIRTUAL]
            return 0
        resident = self.rss(space)
        if resident > self.words[word + S_PEAK_RSS]:
            self.words[word + S_PEAK_RSS] = resident
        return 0

    # --- checking ---

    def validate(self, space: int) -> None:
        """Check the areas and the counters of a space; raises CorruptionError."""
        self.areas.validate(self.table(space))
        if self.space_of(self.root(space)) != space:
            raise CorruptionError(f"address space at {space:#x}: its directory names another", space)
        pages = sum(area.end - area.start for area in self.all_areas(space)) >> FRAME_SHIFT
        if pages != self.get(space, S_VIRTUAL):
            raise CorruptionError(
                f"address space at {space:#x}: says {self.get(space, S_VIRTUAL)} pages, has {pages}", space
            )
        for area in self.all_areas(space):
            if area.end > self.top_of(space):
                raise CorruptionError(f"address space at {space:#x}: {area} is not in user space", space)
        if self.get(space, S_BRK) < self.get(space, S_BRK_START):
            raise CorruptionError(f"address space at {space:#x}: the break is below its start", space)
