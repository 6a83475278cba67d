"""The page-fault handler: brings the page that an access needs, or says which signal the access gets.

    area?  no -> stack above it grows, or a copy-on-write page without an area, or -EFAULT
    right? no -> -EACCES
    entry present   a write to a read-only entry: private -> copy (the last owner keeps the frame)
                                                  shared  -> the page is dirty from now on
                    else spurious: a stale translation, dropped
    entry absent    no file            -> a frame of zeros
                    private file       -> the cache's frame, read-only and copy-on-write; a copy for a write
                    shared file        -> the cache's frame itself
                    past the file's end -> -ENXIO (SIGBUS)

A fault that ends with an error has changed nothing but counters. When few frames are left, pages of files are
reclaimed first, so that the kernel's own structures find some; when there is none, the answer is -ENOMEM.
"""

import cython

from coalmm.errors import EACCES, EFAULT, EINTR, ENOMEM, ENXIO
from coalmm.hardware.mmu import Mmu
from coalmm.typed import Any
from coalmm.virtual.address_space import AddressSpaces

if not cython.compiled:
    from coalmm.hardware.blocks import copy_range, fill_range
    from coalmm.hardware.constants import (
        ACCESS_EXECUTE,
        ACCESS_READ,
        ACCESS_WRITE,
        FRAME_MASK,
        FRAME_SHIFT,
        FRAME_SIZE,
        PAGE_COW,
        PAGE_NX,
        PAGE_PRESENT,
        PAGE_USER,
        PAGE_WRITABLE,
    )
    from coalmm.physical.constants import KIND_ANONYMOUS, KIND_CACHE, SB_FREE
    from coalmm.virtual.constants import (
        A_END,
        A_FILE,
        A_FLAGS,
        A_OFFSET,
        A_START,
        AREA_GROWS_DOWN,
        AREA_RANDOM,
        AREA_SEQUENTIAL,
        AREA_SHARED,
        ENTRY_ADDRESS,
        F_KIND,
        F_SIZE,
        FAULT_AROUND,
        FILE_HOST,
        GUARD_GAP,
        LOWEST,
        READ_AROUND,
        RECLAIM,
        RIGHT_EXECUTE,
        RIGHT_WRITE,
        RIGHTS,
        S_FAULTS_COPY,
        S_FAULTS_FILE,
        S_FAULTS_READ,
        S_FAULTS_REFUSED,
        S_FAULTS_SPURIOUS,
        S_FAULTS_STACK,
        S_FAULTS_ZERO,
        S_PEAK_RSS,
        S_ROOT,
        S_RSS_ANONYMOUS,
        S_RSS_FILE,
        S_RSS_SHARED,
        S_STACK_LIMIT,
        S_TABLE,
        S_VIRTUAL,
    )

    BATCH = 64 * FRAME_SIZE  # of pages that are brought between two looks at the clock


class Faults:
    """The fault handler of one machine."""

    def __init__(self, spaces: AddressSpaces, mmu: Mmu) -> None:
        self.spaces = spaces
        self.areas = spaces.areas
        self.frames = spaces.frames
        self.files = spaces.files
        self.cache = spaces.files.cache
        self.tables = spaces.tables
        self.mmu = mmu
        self.words = spaces.frames.words
        self.bytes = spaces.frames.ram.bytes
        self.no_execute = spaces.no_execute
        self.low = spaces.files.low
        self.policy: Any = None  # a `virtual.policy.Policy`, if there is one
        self.failure: BaseException | None = None  # what it raised in a fault that is being undone

    def resolve(self, root: int, vaddr: int, access: int, user: bool) -> int:
        """Handle a fault of the directory `root`, of a process or not: as `handle`."""
        space = self.spaces.space_of(root)
        if space:
            return self.handle(space, vaddr, access, user)
        return self._without_area(root, vaddr, access, user)

    def handle(self, space: int, vaddr: int, access: int, user: bool) -> int:
        """Make an access (ACCESS_*) to `vaddr` possible: 0, and the access is to be tried again.

        -EFAULT: nothing is mapped there; -EACCES: the right is missing; -ENXIO: past the end of the file,
        or its host file cannot be read; -ENOMEM: no frame.
        """
        record = self.areas.find(space + (S_TABLE << 3), vaddr)
        pages = self.words[(space >> 3) + S_VIRTUAL]
        if not record:
            if self._without_area(self.words[(space >> 3) + S_ROOT], vaddr, access, user) == 0:
                return 0
            record = self._grow_stack(space, vaddr)
            if not record:
                return self._refuse(space, -EFAULT)
        area = record >> 3
        flags = self.words[area + A_FLAGS]
        if access == ACCESS_EXECUTE and self.no_execute:
            allowed = flags & RIGHT_EXECUTE
        else:
            allowed = flags & (RIGHT_WRITE if access == ACCESS_WRITE else RIGHTS)
        if not allowed:
            return self._refuse(space, -EACCES)
        root = self.words[(space >> 3) + S_ROOT]
        entry = self.tables.entry(root, vaddr)
        if entry & PAGE_PRESENT:
            result = self._present(space, root, vaddr, entry, flags, access)
        elif self.words[area + A_FILE]:
            result = self._file_fault(space, root, vaddr, area, access)
        else:
            result = self._zero_fault(space, root, vaddr, flags)
        if result != 0:
            self._shrink_stack(space, vaddr, self.words[(space >> 3) + S_VIRTUAL] - pages)
            self._raise_failure()
            return self._refuse(space, result)
        return 0

    def populate(self, space: int, start: int, end: int, write: bool) -> int:
        """Bring the pages of [start, end) before they are touched; stops with the first error and returns it.

        -EINTR: the machine's deadline has passed on the way.
        """
        root = self.words[(space >> 3) + S_ROOT]
        access = ACCESS_WRITE if write else ACCESS_READ
        for vaddr in range(start, end, FRAME_SIZE):
            if not vaddr & BATCH - 1 and self.mmu.is_late():
                return -EINTR
            entry = self.tables.entry(root, vaddr)
            if not entry & PAGE_PRESENT or (write and not entry & PAGE_WRITABLE):
                result = self.handle(space, vaddr, access, True)
                if result != 0:
                    return result
        return 0

    def _refuse(self, space: int, error: int) -> int:
        """Count a fault that the handler could not resolve."""
        self.words[(space >> 3) + S_FAULTS_REFUSED] += 1
        return error

    def _without_area(self, root: int, vaddr: int, access: int, user: bool) -> int:
        """A fault of a page that paging calls mapped: only copy-on-write can be resolved."""
        entry = self.tables.entry(root, vaddr)
        if not entry & PAGE_PRESENT:
            return -EFAULT
        if user and not entry & PAGE_USER:
            return -EACCES
        if access == ACCESS_WRITE and not entry & PAGE_WRITABLE:
            result = self._copy(root, vaddr, entry) if entry & PAGE_COW else -EACCES
            self._raise_failure()
            return result
        if access == ACCESS_EXECUTE and entry & PAGE_NX:
            return -EACCES
        self.mmu.invlpg(vaddr)
        return 0

    # --- no page yet ---

    def _zero_fault(self, space: int, root: int, vaddr: int, flags: int) -> int:
        """The first touch of private anonymous memory: a frame of zeros."""
        pfn = self._take(root)
        if not pfn:
            return -ENOMEM
        fill_range(self.bytes, pfn << FRAME_SHIFT, FRAME_SIZE, 0)
        bits = PAGE_PRESENT | PAGE_USER
        if flags & RIGHT_WRITE:
            bits |= PAGE_WRITABLE
        if not flags & RIGHT_EXECUTE:
            bits |= self.no_execute
        result = self._put(root, vaddr, pfn, bits)
        self.frames.drop(pfn)
        if result == 0:
            self._count(space, S_RSS_ANONYMOUS, S_FAULTS_ZERO)
        return result

    def _file_fault(self, space: int, root: int, vaddr: int, area: int, access: int) -> int:
        """The first touch of a page of a file."""
        file = self.words[area + A_FILE]
        offset = self.words[area + A_OFFSET] + (vaddr - self.words[area + A_START])
        if (offset | FRAME_MASK) - FRAME_MASK >= self.words[(file >> 3) + F_SIZE]:
            return -ENXIO
        index = offset >> FRAME_SHIFT
        pfn = self.cache.lookup(file, index)
        is_new = pfn == 0
        if is_new:
            found = self._read_page(file, index, vaddr >> FRAME_SHIFT, self.words[area + A_FLAGS])
            if found < 0:
                return found
            pfn = found
        else:
            self.cache.mark_used(pfn)
        self.frames.hold(pfn)  # so that no reclaim on the way takes it
        flags = self.words[area + A_FLAGS]
        if flags & AREA_SHARED:
            result = self._map_shared(space, root, vaddr, pfn, flags, access)
        elif access == ACCESS_WRITE:
            result = self._map_copy(space, root, vaddr, pfn, flags)
        else:
            result = self._map_cached(space, root, vaddr, pfn, flags)
        if is_new and result == 0:
            self.words[(space >> 3) + S_FAULTS_READ] += 1
        elif is_new:
            self.cache.remove(pfn)
        self.frames.drop(pfn)
        if result == 0 and access != ACCESS_WRITE:
            self._map_around(space, root, vaddr, area)
        return result

    def _read_page(self, file: int, index: int, page: int, flags: int) -> int:
        """Bring a page of a file, shown at page number `page`, into the cache: its pfn, -ENOMEM, -ENXIO (the host).

        Others come with it, as madvise has it for the area: those around it, none (MADV_RANDOM), those after it
        (MADV_SEQUENTIAL). As in Linux (mm/filemap.c, do_sync_mmap_readahead). What Linux reads on in the background
        comes at once here: the windows of `_map_around` that the pages begin are read to their ends.
        """
        if not self._keep_some():
            return -ENOMEM
        half = READ_AROUND // 2
        first, last = (index - half if index > half else 0), index + half
        if flags & AREA_RANDOM:
            first, last = index, index + 1
        elif flags & AREA_SEQUENTIAL:
            first, last = index, index + READ_AROUND
        else:
            last += -(page - index + last) & (FAULT_AROUND - 1)
        if self.policy is not None:
            first, last = self.policy.window(index, (self.words[(file >> 3) + F_SIZE] + FRAME_MASK) >> FRAME_SHIFT)
        pfn = self.files.page(file, index, first, last)
        if pfn == 0 and self._reclaim():
            pfn = self.files.page(file, index, first, last)
        if pfn == 0:
            return -ENOMEM
        return pfn if pfn > 0 else -ENXIO

    def _map_shared(self, space: int, root: int, vaddr: int, pfn: int, flags: int, access: int) -> int:
        """The cache's frame itself. A host file's page becomes writable, and dirty, with its first write."""
        file = self.cache.file(pfn)
        memory = self.words[(file >> 3) + F_KIND] != FILE_HOST
        bits = self.spaces.leaf_rights(flags)
        if flags & RIGHT_WRITE and (memory or access == ACCESS_WRITE):
            bits |= PAGE_WRITABLE
        result = self._put(root, vaddr, pfn, bits)
        if result == 0:
            if access == ACCESS_WRITE and not memory:
                self.cache.mark_dirty(pfn)
            self._count(space, S_RSS_SHARED if memory else S_RSS_FILE, S_FAULTS_FILE)
        return result

    def _map_copy(self, space: int, root: int, vaddr: int, pfn: int, flags: int) -> int:
        """A private copy of the cache's frame, for a write."""
        own = self._take(root)
        if not own:
            return -ENOMEM
        copy_range(self.bytes, own << FRAME_SHIFT, pfn << FRAME_SHIFT, FRAME_SIZE)
        result = self._put(root, vaddr, own, self.spaces.leaf_rights(flags) | PAGE_WRITABLE)
        self.frames.drop(own)
        if result == 0:
            self._count(space, S_RSS_ANONYMOUS, S_FAULTS_FILE)
        return result

    def _map_cached(self, space: int, root: int, vaddr: int, pfn: int, flags: int) -> int:
        """The cache's frame, read-only and copy-on-write."""
        result = self._put(root, vaddr, pfn, self.spaces.leaf_rights(flags) | PAGE_COW)
        if result == 0:
            self._count(space, S_RSS_FILE, S_FAULTS_FILE)
        return result

    def _map_around(self, space: int, root: int, vaddr: int, area: int) -> int:
        """Map what the cache has of the pages beside a fault: each saves a fault of its own. Never allocates."""
        flags = self.words[area + A_FLAGS]
        file = self.words[area + A_FILE]
        around = FAULT_AROUND if self.policy is None else self.policy.around()
        window = vaddr & ~(around * FRAME_SIZE - 1)
        start = max(window, self.words[area + A_START])
        end = min(window + around * FRAME_SIZE, self.words[area + A_END])
        bits = self.spaces.leaf_rights(flags)
        field = S_RSS_FILE
        if not flags & AREA_SHARED:
            bits |= PAGE_COW
        elif self.words[(file >> 3) + F_KIND] != FILE_HOST:
            field = S_RSS_SHARED
        first = (self.words[area + A_OFFSET] + (start - self.words[area + A_START])) >> FRAME_SHIFT
        last = (self.words[(file >> 3) + F_SIZE] + FRAME_MASK) >> FRAME_SHIFT
        number = 0
        while start + (number << FRAME_SHIFT) < end and first + number < last:
            at = start + (number << FRAME_SHIFT)
            pfn = self.cache.lookup(file, first + number)
            if pfn and not self.tables.entry(root, at):
                if self.tables.set_leaf(root, at, pfn, bits) != 0:
                    break
                self.spaces.add(space, field, 1)
            number += 1
        return 0

    # --- a page is there ---

    def _present(self, space: int, root: int, vaddr: int, entry: int, flags: int, access: int) -> int:
        """A fault of a present page of an area that has the right."""
        if not entry & PAGE_USER:
            return -EACCES
        if access == ACCESS_WRITE and not entry & PAGE_WRITABLE:
            if flags & AREA_SHARED:
                return self._make_dirty(space, root, vaddr, entry)
            return self._copy_counted(space, root, vaddr, entry)
        if access == ACCESS_EXECUTE and entry & PAGE_NX:
            return -EACCES
        self.words[(space >> 3) + S_FAULTS_SPURIOUS] += 1
        self.mmu.invlpg(vaddr)
        return 0

    def _make_dirty(self, space: int, root: int, vaddr: int, entry: int) -> int:
        """The first write to a page of a shared map."""
        pfn = (entry & ENTRY_ADDRESS) >> FRAME_SHIFT
        self.frames.hold(pfn)
        result = self._put(root, vaddr, pfn, (entry & ~ENTRY_ADDRESS) | PAGE_WRITABLE)
        self.frames.drop(pfn)
        if result == 0:
            if self.frames.kind(pfn) == KIND_CACHE:
                self.cache.mark_dirty(pfn)
            self.words[(space >> 3) + S_FAULTS_FILE] += 1
        return result

    def _copy_counted(self, space: int, root: int, vaddr: int, entry: int) -> int:
        """`_copy` in an area: a page of a file becomes the process's own."""
        cached = self.frames.kind((entry & ENTRY_ADDRESS) >> FRAME_SHIFT) == KIND_CACHE
        result = self._copy(root, vaddr, entry)
        if result == 0:
            self.words[(space >> 3) + S_FAULTS_COPY] += 1
            if cached:
                self.spaces.subtract(space, S_RSS_FILE, 1)
                self.spaces.add(space, S_RSS_ANONYMOUS, 1)
        return result

    def _copy(self, root: int, vaddr: int, entry: int) -> int:
        """Give the entry a frame of its own that may be written: the one it has, if nobody else maps it."""
        pfn = (entry & ENTRY_ADDRESS) >> FRAME_SHIFT
        bits = ((entry & ~ENTRY_ADDRESS) | PAGE_WRITABLE) & ~PAGE_COW
        if self.frames.mappings(pfn) == 1 and self.frames.kind(pfn) != KIND_CACHE:
            return self._put(root, vaddr, pfn, bits)
        self.frames.hold(pfn)
        own = self._take(root)
        result = -ENOMEM
        if own:
            copy_range(self.bytes, own << FRAME_SHIFT, pfn << FRAME_SHIFT, FRAME_SIZE)
            result = self._put(root, vaddr, own, bits)
            self.frames.drop(own)
        self.frames.drop(pfn)
        return result

    # --- stacks ---

    def _grow_stack(self, space: int, vaddr: int) -> int:
        """Extend the stack above `vaddr` down to its page: the area's record, 0 if there is none or it may not."""
        table = space + (S_TABLE << 3)
        index = self.areas.index_above(table, vaddr)
        if index >= self.areas.count(table):
            return 0
        area = self.areas.record(table, index) >> 3
        start = vaddr & ~FRAME_MASK
        if not self.words[area + A_FLAGS] & AREA_GROWS_DOWN or start < LOWEST:
            return 0
        if self.words[area + A_END] - start > self.words[(space >> 3) + S_STACK_LIMIT]:
            return 0
        if index and not self._keeps_gap(self.areas.record(table, index - 1) >> 3, start):
            return 0
        pages = (self.words[area + A_START] - start) >> FRAME_SHIFT
        self.areas.resize(table, index, start, self.words[area + A_END])
        self.spaces.add(space, S_VIRTUAL, pages)
        self.words[(space >> 3) + S_FAULTS_STACK] += 1
        return self.areas.peek(table, vaddr)

    def _shrink_stack(self, space: int, vaddr: int, pages: int) -> int:
        """Take back the growth of a stack whose fault could not be resolved."""
        if pages:
            start = vaddr & ~FRAME_MASK
            self.areas.remove(space + (S_TABLE << 3), start, start + (pages << FRAME_SHIFT))
            self.spaces.subtract(space, S_VIRTUAL, pages)
            self.words[(space >> 3) + S_FAULTS_STACK] -= 1
        return 0

    def _keeps_gap(self, below: int, start: int) -> bool:
        """Whether a stack may start at `start` above an area: the gap is for what can be written into."""
        if self.words[below + A_FLAGS] & AREA_GROWS_DOWN or not self.words[below + A_FLAGS] & RIGHTS:
            return True
        return start - self.words[below + A_END] >= GUARD_GAP

    # --- frames ---

    def _take(self, root: int) -> int:
        """A frame for a process's page, contents undefined; 0 if even the page cache has none to give."""
        if not self._keep_some():
            return 0
        pfn = self.frames.take(KIND_ANONYMOUS, root >> FRAME_SHIFT)
        if not pfn and self.cache.pages and self._reclaim():
            pfn = self.frames.take(KIND_ANONYMOUS, root >> FRAME_SHIFT)
        return pfn

    def _keep_some(self) -> bool:
        """Reclaim pages of files when few frames are left, before there is none. False if a policy raised."""
        if self.words[SB_FREE] < self.low and self.cache.pages:
            self._reclaim()
        return self.failure is None

    def _reclaim(self) -> int:
        """Reclaim some frames: how many. What a policy raises waits until the fault is undone."""
        try:
            return int(self.files.reclaim(RECLAIM))
        except BaseException as error:
            self.failure = error
            return 0

    def _raise_failure(self) -> int:
        """Raise what waits; 0 if nothing does."""
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        return 0

    def _put(self, root: int, vaddr: int, pfn: int, bits: int) -> int:
        """Set the entry of a page, with a second try when the page cache can give a frame for a table."""
        vaddr = vaddr & ~FRAME_MASK
        result = self.tables.set_leaf(root, vaddr, pfn, bits)
        if result != 0 and self.cache.pages and self._reclaim():
            result = self.tables.set_leaf(root, vaddr, pfn, bits)
        return result

    def _count(self, space: int, resident: int, kind: int) -> int:
        """One page more of a kind, by one fault more of a kind."""
        word = space >> 3
        self.words[word + resident] += 1
        self.words[word + kind] += 1
        total = self.words[word + S_RSS_ANONYMOUS] + self.words[word + S_RSS_FILE] + self.words[word + S_RSS_SHARED]
        if total > self.words[word + S_PEAK_RSS]:
            self.words[word + S_PEAK_RSS] = total
        return 0
