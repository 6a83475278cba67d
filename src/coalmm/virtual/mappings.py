"""The calls that change the areas of an address space: mmap(2), munmap(2), mprotect(2), brk(2).

Arguments and answers are Linux's: an address or 0, or a negative errno, and where several arguments are
wrong, the errno that Linux finds first (mm/mmap.c, mm/mprotect.c of 6.18). Every argument is an unsigned
64-bit number and may be anything. Pages come later, by faults; these calls only take present pages away,
or change what their entries allow. Room for the areas that a call adds is made before anything changes,
so a call that answers -ENOMEM has changed nothing (`protect` may have done a part, as on Linux).

Present pages of private areas are made writable only by their next write fault, never by `protect`:
the frame may be shared with a child or be a page of a file, and the fault is where that is known.
"""

import cython

from coalmm.errors import EACCES, EAGAIN, EEXIST, EINVAL, ENOMEM, EOPNOTSUPP, EOVERFLOW, EPERM
from coalmm.virtual.address_space import AddressSpaces
from coalmm.virtual.faults import Faults

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES
    from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT, FRAME_SIZE, PAGE_COW
    from coalmm.physical.constants import SB_TOTAL
    from coalmm.virtual.constants import (
        A_END,
        A_FLAGS,
        A_START,
        AREA_GROWS_DOWN,
        AREA_HEAP,
        AREA_LOCK_ON_FAULT,
        AREA_LOCKED,
        AREA_NO_HUGE,
        AREA_NO_RESERVE,
        AREA_SHARED,
        AREAS_LIMIT,
        F_KIND,
        F_WRITABLE,
        FILE_HOST,
        LOWEST,
        MAP_32BIT,
        MAP_ANONYMOUS,
        MAP_FIXED,
        MAP_FIXED_NOREPLACE,
        MAP_GROWSDOWN,
        MAP_LEGACY,
        MAP_LOCKED,
        MAP_NONBLOCK,
        MAP_NORESERVE,
        MAP_POPULATE,
        MAP_PRIVATE,
        MAP_READ_ONLY,
        MAP_SHARED,
        MAP_SHARED_VALIDATE,
        MAP_STACK,
        MAP_TYPE,
        MAY_SHIFT,
        MAY_WRITE,
        PROT_GROWSDOWN,
        PROT_GROWSUP,
        PROT_SEM,
        RIGHT_READ,
        RIGHT_WRITE,
        RIGHTS,
        S_BRK,
        S_BRK_START,
        S_DATA_END,
        S_DATA_LIMIT,
        S_DATA_START,
        S_DEFAULT_FLAGS,
        S_LOCK_LIMIT,
        S_LOCKED,
        S_MMAP_BASE,
        S_SIZE_LIMIT,
        S_VIRTUAL,
    )

    TOP_47 = 0x7FFF_FFFF_F000  # what lies above is only given to who asks for it with a hint
    LOW_FIRST = 0x4000_0000  # where MAP_32BIT looks: from 1 to 2 GiB
    LOW_LAST = 0x8000_0000
    MOST_OFFSET = (1 << 63) - 1


class Mappings:
    """Map, unmap, protect and brk on the address spaces of one machine."""

    def __init__(self, spaces: AddressSpaces, faults: Faults) -> None:
        self.spaces = spaces
        self.handler = faults
        self.areas = spaces.areas
        self.words = spaces.frames.words
        self.files = spaces.files
        self.tables = spaces.tables
        self.top = spaces.top

    # --- mmap ---

    def map(
        self, space: int, vaddr: int, length: int, rights: int, flags: int, file: int, offset: int, kind: int
    ) -> int:
        """Add an area: mmap(2), with `file` a file's record (0 with MAP_ANONYMOUS) and `kind` an AREA_* kind.

        Returns its address; -EINVAL, -ENOMEM, -EEXIST (fixed, no replace), -EPERM (fixed below 64 KiB, or
        locked and no locking allowed), -EAGAIN (more than may be locked), -EOVERFLOW, -EOPNOTSUPP,
        -EACCES (shared and writable over a file that is open read-only: MAP_READ_ONLY, or its record says so).
        """
        if offset & FRAME_MASK:
            return -EINVAL
        start = self.place(space, vaddr, length, flags)
        if start < 0:
            return start
        if flags & MAP_ANONYMOUS:
            file = offset = 0
        elif not file:
            return -EINVAL
        length = (length + FRAME_MASK) & ~FRAME_MASK
        wanted = self._area_flags(space, rights, flags, file, kind)
        error = self._refusal(length, flags, wanted, file, offset)
        if error < 0:
            return error
        if self._exceeds(space, start, length, wanted) or self._is_too_much(length, wanted):
            return -ENOMEM
        return self._map_at(space, start, length, wanted, flags, file, offset)

    def place(self, space: int, vaddr: int, length: int, flags: int) -> int:
        """Where a map would go, or the errno of what mmap looks at before it looks at the file."""
        if length == 0:
            return -EINVAL
        length = (length + FRAME_MASK) & ~FRAME_MASK & ALL_ONES
        if length == 0 or self.areas.count(self.spaces.table(space)) > AREAS_LIMIT:
            return -ENOMEM
        start = self._address(space, vaddr, length, flags)
        if start < 0:
            return start
        if flags & MAP_LOCKED and self.spaces.get(space, S_LOCK_LIMIT) == 0:
            return -EPERM
        if flags & MAP_LOCKED or self.spaces.get(space, S_DEFAULT_FLAGS):
            return start if self.may_lock(space, length) else -EAGAIN
        return start

    def may_lock(self, space: int, length: int) -> bool:
        """Whether `length` bytes more may be locked."""
        limit = self.spaces.get(space, S_LOCK_LIMIT)
        return limit == ALL_ONES or self.spaces.get(space, S_LOCKED) + (length >> FRAME_SHIFT) <= limit >> FRAME_SHIFT

    def _address(self, space: int, vaddr: int, length: int, flags: int) -> int:
        """At a fixed address, at the hint if it is free there, else as high as it fits; or a negative errno."""
        top = self.spaces.top_of(space)
        if length > top:
            return -ENOMEM
        if flags & (MAP_FIXED | MAP_FIXED_NOREPLACE):
            if vaddr > ALL_ONES - FRAME_MASK:  # taken for an errno there, too
                return -(ALL_ONES - vaddr) - 1
            if vaddr > top - length:
                return -ENOMEM
            if vaddr & FRAME_MASK:
                return -EINVAL
            if vaddr < LOWEST:
                return -EPERM
            if flags & MAP_FIXED_NOREPLACE and self.areas.has_any(self.spaces.table(space), vaddr, vaddr + length):
                return -EEXIST
            return vaddr
        hint = vaddr & ~FRAME_MASK
        if hint and hint < LOWEST:
            hint = LOWEST
        if flags & MAP_32BIT and self.top > TOP_47 - FRAME_SIZE:
            return self._low_place(space, hint, length)
        return self.find_place(space, hint, length)

    def _low_place(self, space: int, hint: int, length: int) -> int:
        """A free range for MAP_32BIT: at `hint` or the lowest between 1 and 2 GiB; its start or -ENOMEM."""
        table = self.spaces.table(space)
        if length > LOW_LAST:
            return -ENOMEM
        if hint and hint <= LOW_LAST - length and self._is_free(table, hint, length):
            return hint
        start = self.areas.find_gap_above(table, length, LOW_FIRST, LOW_LAST, FRAME_SIZE)
        return start if start else -ENOMEM

    def find_place(self, space: int, hint: int, length: int) -> int:
        """A free range of `length` bytes: at `hint` (0: none) if it is free there; its start or -ENOMEM."""
        table = self.spaces.table(space)
        end = self.spaces.top_of(space)
        if hint and hint <= end - length and self._is_free(table, hint, length):
            return hint
        base = self.spaces.get(space, S_MMAP_BASE)
        top = end if end < TOP_47 else TOP_47
        if hint > TOP_47 and end > TOP_47:  # 5-level paging: all of it for who asks with a high hint
            base += end - TOP_47
            top = end
        start = self.areas.find_gap_below(table, length, LOWEST, base, FRAME_SIZE)
        if not start:
            start = self.areas.find_gap_above(table, length, base, top, FRAME_SIZE)
        return start if start else -ENOMEM

    def _is_free(self, table: int, start: int, length: int) -> bool:
        """Whether [start, start + length) touches no area and no stack's guard gap."""
        return self.areas.find_gap_above(table, length, start, start + length, FRAME_SIZE) == start

    def _area_flags(self, space: int, rights: int, flags: int, file: int, kind: int) -> int:
        """The flags word of a new area."""
        result = (rights & RIGHTS) | (RIGHTS << MAY_SHIFT) | kind | self.spaces.get(space, S_DEFAULT_FLAGS)
        if flags & MAP_TYPE != MAP_PRIVATE:
            result |= AREA_SHARED
            if file and (
                flags & MAP_READ_ONLY
                or (self.words[(file >> 3) + F_KIND] == FILE_HOST and not self.words[(file >> 3) + F_WRITABLE])
            ):
                result &= ~MAY_WRITE
        if flags & MAP_GROWSDOWN:
            result |= AREA_GROWS_DOWN
        if flags & MAP_LOCKED:
            result |= AREA_LOCKED
        if flags & MAP_NORESERVE:
            result |= AREA_NO_RESERVE
        if flags & MAP_STACK:
            result |= AREA_NO_HUGE
        return result

    def _refusal(self, length: int, flags: int, wanted: int, file: int, offset: int) -> int:
        """The errno of a type of map that does not go with the file, the rights or the other flags; 0 if it does."""
        kind_of_map = flags & MAP_TYPE
        if file:
            if length > MOST_OFFSET or offset > MOST_OFFSET - length:
                return -EOVERFLOW
            if kind_of_map == MAP_SHARED_VALIDATE and flags & ~(MAP_LEGACY | MAP_READ_ONLY):
                return -EOPNOTSUPP
            if not MAP_SHARED <= kind_of_map <= MAP_SHARED_VALIDATE:
                return -EINVAL
            if wanted & RIGHT_WRITE and not wanted & MAY_WRITE:
                return -EACCES
        elif kind_of_map != MAP_SHARED and kind_of_map != MAP_PRIVATE:
            return -EINVAL
        if flags & MAP_GROWSDOWN and (file or kind_of_map == MAP_SHARED):
            return -EINVAL
        return 0

    def _map_at(self, space: int, start: int, length: int, wanted: int, flags: int, file: int, offset: int) -> int:
        """Put the area there and bring its pages if that was asked for."""
        if wanted & AREA_SHARED and not file:
            file = self.files.create_memory(length)
            if not file:
                return -ENOMEM
            result = self._add(space, start, length, wanted, file, offset)
            self.files.release(file)
        else:
            result = self._add(space, start, length, wanted, file, offset)
        if result > 0 and flags & (MAP_POPULATE | MAP_NONBLOCK) == MAP_POPULATE:
            self.populate(space, start, start + length, wanted)
        return result

    def populate(self, space: int, start: int, end: int, flags: int) -> int:
        """Bring the pages of a part of one area with these flags, private writable ones for writing: 0 or an errno."""
        return self.handler.populate(space, start, end, flags & (RIGHT_WRITE | AREA_SHARED) == RIGHT_WRITE)

    def _exceeds(self, space: int, start: int, length: int, flags: int) -> bool:
        """Whether an area of `length` bytes at `start` passes the limit of the address space or of data."""
        limit = self.spaces.get(space, S_SIZE_LIMIT)
        if limit != ALL_ONES:
            covered = self.spaces.covered(space, start, start + length)
            if (self.spaces.get(space, S_VIRTUAL) << FRAME_SHIFT) - covered + length > limit & ~FRAME_MASK:
                return True
        return self.exceeds_data(space, length, flags)

    def exceeds_data(self, space: int, length: int, flags: int) -> bool:
        """Whether `length` bytes more with these flags are data (private, writable) past the limit."""
        limit = self.spaces.get(space, S_DATA_LIMIT)
        if limit == ALL_ONES or flags & (RIGHT_WRITE | AREA_SHARED | AREA_GROWS_DOWN) != RIGHT_WRITE:
            return False
        return self.spaces.data_size(space) + length > limit & ~FRAME_MASK

    def may_grow(self, space: int, length: int, flags: int) -> bool:
        """Whether an area with these flags may become `length` bytes larger: limits, and no more than all of RAM."""
        limit = self.spaces.get(space, S_SIZE_LIMIT)
        if limit != ALL_ONES and (self.spaces.get(space, S_VIRTUAL) << FRAME_SHIFT) + length > limit & ~FRAME_MASK:
            return False
        return not self.exceeds_data(space, length, flags) and not self._is_too_much(length, flags)

    def _is_too_much(self, length: int, flags: int) -> bool:
        """Whether one map asks for more than all of RAM (vm.overcommit_memory 0); files do not count."""
        if flags & AREA_NO_RESERVE or flags & (RIGHT_WRITE | AREA_SHARED) != RIGHT_WRITE:
            return False
        return length >> FRAME_SHIFT > self.words[SB_TOTAL]

    def _add(self, space: int, start: int, length: int, flags: int, file: int, offset: int) -> int:
        """Put an area in place of whatever is at [start, start + length); its start or -ENOMEM."""
        table = self.spaces.table(space)
        end = start + length
        if self.areas.count(table) >= AREAS_LIMIT or self.areas.reserve(table, 3) != 0:
            return -ENOMEM
        if self.areas.has_any(table, start, end):
            self.take_out(space, start, end)
        self.areas.insert(table, start, end, flags, file, offset)
        self.spaces.add(space, S_VIRTUAL, length >> FRAME_SHIFT)
        if flags & AREA_LOCKED:
            self.spaces.add(space, S_LOCKED, length >> FRAME_SHIFT)
            if not flags & AREA_LOCK_ON_FAULT:
                self.populate(space, start, end, flags)
        return start

    # --- munmap ---

    def unmap(self, space: int, vaddr: int, length: int) -> int:
        """Take [vaddr, vaddr + length) out of the space, mapped or not: 0, -EINVAL or -ENOMEM."""
        top = self.spaces.top_of(space)
        if vaddr & FRAME_MASK or length == 0 or vaddr > top or length > top - vaddr:
            return -EINVAL
        end = vaddr + ((length + FRAME_MASK) & ~FRAME_MASK)
        if self.areas.reserve_splits(self.spaces.table(space), vaddr, end) != 0:
            return -ENOMEM
        return self.take_out(space, vaddr, end)

    def take_out(self, space: int, start: int, end: int) -> int:
        """Remove pages, then areas. Room for the splits is there."""
        if self.spaces.get(space, S_LOCKED):
            self.spaces.subtract(space, S_LOCKED, self.spaces.locked(space, start, end) >> FRAME_SHIFT)
        covered = self.spaces.zap(space, start, end)
        self.areas.remove(self.spaces.table(space), start, end)
        self.spaces.subtract(space, S_VIRTUAL, covered >> FRAME_SHIFT)
        return 0

    # --- mprotect ---

    def protect(self, space: int, vaddr: int, length: int, rights: int) -> int:
        """Change the rights of whole pages: 0, -EINVAL, -ENOMEM (a hole, or no room), -EACCES.

        Up to a hole, or an area that may not have the right, the change is made, as on Linux. With
        PROT_GROWSDOWN it starts where the stack at `vaddr` does.
        """
        grows = rights & (PROT_GROWSDOWN | PROT_GROWSUP)
        if grows == PROT_GROWSDOWN | PROT_GROWSUP or vaddr & FRAME_MASK:
            return -EINVAL
        if length == 0:
            return 0
        end = (vaddr + ((length + FRAME_MASK) & ~FRAME_MASK)) & ALL_ONES
        if end <= vaddr:
            return -ENOMEM
        if (rights & ~grows) & ~(RIGHTS | PROT_SEM):
            return -EINVAL
        if grows:
            start = self._grown_from(space, vaddr, end, grows)
            if start < 0:
                return start
            vaddr = start
        return self._protect_areas(space, vaddr, end, rights & RIGHTS)

    def _grown_from(self, space: int, vaddr: int, end: int, grows: int) -> int:
        """Where the stack starts that PROT_GROWSDOWN means, or a negative errno. Nothing grows up here."""
        table = self.spaces.table(space)
        index = self.areas.index_above(table, vaddr)
        if index >= self.areas.count(table):
            return -ENOMEM
        word = self.areas.record(table, index) >> 3
        if self.words[word + A_START] >= end:
            return -ENOMEM
        if grows == PROT_GROWSUP:
            return -EINVAL if self.words[word + A_START] <= vaddr else -ENOMEM
        return self.words[word + A_START] if self.words[word + A_FLAGS] & AREA_GROWS_DOWN else -EINVAL

    def _protect_areas(self, space: int, vaddr: int, end: int, rights: int) -> int:
        """Change area after area, until one is missing or may not have the rights."""
        table = self.spaces.table(space)
        if self.areas.reserve_splits(table, vaddr, end) != 0:
            return -ENOMEM
        while vaddr < end:
            record = self.areas.peek(table, vaddr)
            if not record:
                return -ENOMEM
            word = record >> 3
            flags = self.words[word + A_FLAGS]
            if rights & ~(flags >> MAY_SHIFT):
                return -EACCES
            until = min(end, self.words[word + A_END])
            if flags & RIGHTS != rights:
                if rights & ~flags & RIGHT_WRITE and self._may_not_write(space, until - vaddr, flags):
                    return -ENOMEM
                self._set_rights(space, vaddr, until, (flags & ~RIGHTS) | rights)
            vaddr = until
        return 0

    def _may_not_write(self, space: int, length: int, flags: int) -> bool:
        """Whether memory with these flags, made writable, would be more than a limit."""
        wanted = flags | RIGHT_WRITE
        return self.exceeds_data(space, length, wanted) or self._is_too_much(length, wanted)

    def _set_rights(self, space: int, start: int, end: int, flags: int) -> int:
        """New flags for a part of one area and for its present pages."""
        self.areas.change(self.spaces.table(space), start, end, RIGHTS, flags & RIGHTS)
        bits = self.spaces.leaf_rights(flags)
        if not flags & AREA_SHARED:
            bits |= PAGE_COW
        self.tables.protect_range(self.spaces.root(space), start, end, bits)
        return 0

    # --- brk ---

    def set_brk_start(self, space: int, vaddr: int) -> None:
        """Where the heap begins (the end of the program's data)."""
        self.spaces.put(space, S_BRK_START, vaddr)
        self.spaces.put(space, S_BRK, vaddr)

    def brk(self, space: int, vaddr: int) -> int:
        """Move the end of the heap; returns where it is then, which is the old one if it cannot be had."""
        first = self.spaces.get(space, S_BRK_START)
        now = self.spaces.get(space, S_BRK)
        if vaddr < first or vaddr > self.spaces.top_of(space) or self._is_large_heap(space, vaddr - first):
            return now
        old_end = (now + FRAME_MASK) & ~FRAME_MASK
        end = (vaddr + FRAME_MASK) & ~FRAME_MASK
        if end < old_end:
            if not self.areas.has_any(self.spaces.table(space), end, old_end):
                return now
            if self.unmap(space, end, old_end - end) < 0:
                return now
        elif end > old_end and not self._extend_heap(space, old_end, end):
            return now
        self.spaces.put(space, S_BRK, vaddr)
        return vaddr

    def _is_large_heap(self, space: int, size: int) -> bool:
        """Whether a heap of `size` bytes and the program's data pass RLIMIT_DATA."""
        limit = self.spaces.get(space, S_DATA_LIMIT)
        data = self.spaces.get(space, S_DATA_END) - self.spaces.get(space, S_DATA_START)
        return limit != ALL_ONES and size + data > limit

    def _extend_heap(self, space: int, start: int, end: int) -> bool:
        """Add [start, end) to the heap if it is free, with a page to spare above it."""
        table = self.spaces.table(space)
        flags = RIGHT_READ | RIGHT_WRITE | (RIGHTS << MAY_SHIFT) | AREA_HEAP | self.spaces.get(space, S_DEFAULT_FLAGS)
        if end > self.spaces.top_of(space) or not self._is_free(table, start, end - start + FRAME_SIZE):
            return False
        if flags & AREA_LOCKED and not self.may_lock(space, end - start):
            return False
        if not self.may_grow(space, end - start, flags):
            return False
        return self._add(space, start, end - start, flags, 0, 0) == start
