"""The calls that change the areas of an address space: what mmap(2) and its family do.

Arguments and answers are Linux's: an address or 0, or a negative errno; every argument is an unsigned
64-bit number and may be anything. Pages come later, by faults; these calls only take present pages
away, move them, or change what their entries allow. Room for the areas that a call adds is made before
anything changes, so a call that answers -ENOMEM has changed nothing (`advise` may have done a part, as
on Linux).

Present pages of private areas are made writable only by their next write fault, never by `protect`:
the frame may be shared with a child or be a page of a file, and the fault is where that is known.
"""

import cython

from coalmm.errors import EACCES, EEXIST, EFAULT, EINVAL, ENOMEM, EOVERFLOW, EPERM
from coalmm.virtual.address_space import AddressSpaces
from coalmm.virtual.faults import Faults

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES
    from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT, FRAME_SIZE, PAGE_COW, PAGE_PRESENT
    from coalmm.physical.constants import SB_TOTAL
    from coalmm.virtual.constants import (
        A_END,
        A_FILE,
        A_FLAGS,
        A_OFFSET,
        A_START,
        AREA_GROWS_DOWN,
        AREA_HEAP,
        AREA_LOCKED,
        AREA_NO_FORK,
        AREA_NO_RESERVE,
        AREA_SHARED,
        AREA_WIPE_ON_FORK,
        AREAS_LIMIT,
        ENTRY_ADDRESS,
        F_KIND,
        F_WRITABLE,
        FILE_HOST,
        LOWEST,
        MADV_DODUMP,
        MADV_DOFORK,
        MADV_DONTFORK,
        MADV_DONTNEED,
        MADV_FREE,
        MADV_KEEPONFORK,
        MADV_POPULATE_READ,
        MADV_POPULATE_WRITE,
        MADV_WIPEONFORK,
        MAP_ANONYMOUS,
        MAP_FIXED,
        MAP_FIXED_NOREPLACE,
        MAP_GROWSDOWN,
        MAP_LOCKED,
        MAP_NORESERVE,
        MAP_POPULATE,
        MAP_PRIVATE,
        MAP_SHARED,
        MAP_SHARED_VALIDATE,
        MAP_TYPE,
        MAY_SHIFT,
        MAY_WRITE,
        MREMAP_DONTUNMAP,
        MREMAP_FIXED,
        MREMAP_MAYMOVE,
        RIGHT_READ,
        RIGHT_WRITE,
        RIGHTS,
        S_BRK,
        S_BRK_START,
        S_MMAP_BASE,
        S_VIRTUAL,
    )


class Mappings:
    """Map, unmap, protect, remap, brk and advise on the address spaces of one machine."""

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

        Returns its address; -EINVAL, -ENOMEM, -EEXIST (fixed, no replace), -EPERM (fixed below 64 KiB),
        -EACCES (shared and writable over a file that is open read-only), -EOVERFLOW.
        """
        kind_of_map = flags & MAP_TYPE
        if length == 0 or offset & FRAME_MASK or not MAP_SHARED <= kind_of_map <= MAP_SHARED_VALIDATE:
            return -EINVAL
        if length > self.top:
            return -ENOMEM
        length = (length + FRAME_MASK) & ~FRAME_MASK
        if offset > ALL_ONES - length:
            return -EOVERFLOW
        if flags & MAP_ANONYMOUS:
            file = offset = 0
        elif not file:
            return -EINVAL
        if flags & MAP_GROWSDOWN and (kind_of_map != MAP_PRIVATE or file):
            return -EINVAL
        start = self._place(space, vaddr, length, flags)
        if start < 0:
            return start
        wanted = self._area_flags(rights, flags, file, kind)
        if wanted & RIGHT_WRITE and not wanted & MAY_WRITE:
            return -EACCES
        if self._is_too_much(length, wanted):
            return -ENOMEM
        if kind_of_map != MAP_PRIVATE and not file:
            file = self.files.create_memory(length)
            if not file:
                return -ENOMEM
            result = self._add(space, start, length, wanted, file, offset)
            self.files.release(file)
        else:
            result = self._add(space, start, length, wanted, file, offset)
        if flags & MAP_POPULATE and result > 0:
            self.handler.populate(space, start, start + length, rights & RIGHT_WRITE != 0)
        return result

    def _place(self, space: int, vaddr: int, length: int, flags: int) -> int:
        """Where a map goes: at a fixed address, at the hint if it is free there, else as high as it fits."""
        if flags & (MAP_FIXED | MAP_FIXED_NOREPLACE):
            if vaddr & FRAME_MASK:
                return -EINVAL
            if vaddr > self.top - length:
                return -ENOMEM
            if vaddr < LOWEST:
                return -EPERM
            if flags & MAP_FIXED_NOREPLACE and self.areas.has_any(self.spaces.table(space), vaddr, vaddr + length):
                return -EEXIST
            return vaddr
        hint = vaddr & ~FRAME_MASK
        if hint and hint < LOWEST:
            hint = LOWEST
        return self.find_place(space, hint, length)

    def find_place(self, space: int, hint: int, length: int) -> int:
        """A free range of `length` bytes: at `hint` (0: none) if it is free there; its start or -ENOMEM."""
        table = self.spaces.table(space)
        if hint and hint <= self.top - length and self._is_free(table, hint, length):
            return hint
        base = self.spaces.get(space, S_MMAP_BASE)
        start = self.areas.find_gap_below(table, length, LOWEST, base, FRAME_SIZE)
        if not start:
            start = self.areas.find_gap_above(table, length, base, self.top, FRAME_SIZE)
        return start if start else -ENOMEM

    def _is_free(self, table: int, start: int, length: int) -> bool:
        """Whether [start, start + length) touches no area and no stack's guard gap."""
        return self.areas.find_gap_above(table, length, start, start + length, FRAME_SIZE) == start

    def _area_flags(self, rights: int, flags: int, file: int, kind: int) -> int:
        """The flags word of a new area."""
        result = (rights & RIGHTS) | (RIGHTS << MAY_SHIFT) | kind
        if flags & MAP_TYPE != MAP_PRIVATE:
            result |= AREA_SHARED
            if file and self.words[(file >> 3) + F_KIND] == FILE_HOST and not self.words[(file >> 3) + F_WRITABLE]:
                result &= ~MAY_WRITE
        if flags & MAP_GROWSDOWN:
            result |= AREA_GROWS_DOWN
        if flags & MAP_LOCKED:
            result |= AREA_LOCKED
        if flags & MAP_NORESERVE:
            result |= AREA_NO_RESERVE
        return result

    def _is_too_much(self, length: int, flags: int) -> bool:
        """Whether one private writable map asks for more than all of RAM (vm.overcommit_memory 0)."""
        if flags & (AREA_SHARED | AREA_NO_RESERVE) or not flags & RIGHT_WRITE:
            return False
        return length >> FRAME_SHIFT > self.words[SB_TOTAL]

    def _add(self, space: int, start: int, length: int, flags: int, file: int, offset: int) -> int:
        """Put an area in place of whatever is at [start, start + length); its start or -ENOMEM."""
        table = self.spaces.table(space)
        end = start + length
        if self.areas.count(table) >= AREAS_LIMIT or self.areas.reserve(table, 3) != 0:
            return -ENOMEM
        if self.areas.has_any(table, start, end):
            self._take_out(space, start, end)
        self.areas.insert(table, start, end, flags, file, offset)
        self.spaces.add(space, S_VIRTUAL, length >> FRAME_SHIFT)
        if flags & AREA_LOCKED:
            self.handler.populate(space, start, end, flags & RIGHT_WRITE != 0)
        return start

    # --- munmap ---

    def unmap(self, space: int, vaddr: int, length: int) -> int:
        """Take [vaddr, vaddr + length) out of the space, mapped or not: 0, -EINVAL or -ENOMEM."""
        if vaddr & FRAME_MASK or length == 0 or vaddr > self.top or length > self.top - vaddr:
            return -EINVAL
        end = vaddr + ((length + FRAME_MASK) & ~FRAME_MASK)
        if self.areas.reserve_splits(self.spaces.table(space), vaddr, end) != 0:
            return -ENOMEM
        return self._take_out(space, vaddr, end)

    def _take_out(self, space: int, start: int, end: int) -> int:
        """Remove pages, then areas. Room for the splits is there."""
        covered = self.spaces.zap(space, start, end)
        self.areas.remove(self.spaces.table(space), start, end)
        self.spaces.subtract(space, S_VIRTUAL, covered >> FRAME_SHIFT)
        return 0

    # --- mprotect ---

    def protect(self, space: int, vaddr: int, length: int, rights: int) -> int:
        """Change the rights of whole pages: 0, -EINVAL, -ENOMEM (a hole, or no room), -EACCES.

        Up to a hole, or an area that may not have the right, the change is made, as on Linux.
        """
        if vaddr & FRAME_MASK:
            return -EINVAL
        if length == 0:
            return 0
        if vaddr > self.top or length > self.top - vaddr:
            return -ENOMEM
        end = vaddr + ((length + FRAME_MASK) & ~FRAME_MASK)
        table = self.spaces.table(space)
        if self.areas.reserve_splits(table, vaddr, end) != 0:
            return -ENOMEM
        while vaddr < end:
            record = self.areas.peek(table, vaddr)
            if not record:
                return -ENOMEM
            word = record >> 3
            flags = self.words[word + A_FLAGS]
            if rights & RIGHTS & ~(flags >> MAY_SHIFT):
                return -EACCES
            until = min(end, self.words[word + A_END])
            if flags & RIGHTS != rights & RIGHTS:
                self._set_rights(space, vaddr, until, (flags & ~RIGHTS) | (rights & RIGHTS))
            vaddr = until
        return 0

    def _set_rights(self, space: int, start: int, end: int, flags: int) -> int:
        """New flags for a part of one area and for its present pages."""
        self.areas.change(self.spaces.table(space), start, end, RIGHTS, flags & RIGHTS)
        bits = self.spaces.leaf_rights(flags)
        if not flags & AREA_SHARED:
            bits |= PAGE_COW
        self.tables.protect_range(self.spaces.root(space), start, end, bits)
        return 0

    # --- mremap ---

    def remap(self, space: int, old: int, old_length: int, length: int, flags: int, target: int) -> int:
        """Resize or move a part of one area: mremap(2). Its address, -EINVAL, -EFAULT or -ENOMEM.

        Frames are not copied: their entries move.
        """
        known = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP
        if flags & ~known or old & FRAME_MASK or length == 0 or length > self.top or old_length > self.top:
            return -EINVAL
        if flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) and not flags & MREMAP_MAYMOVE:
            return -EINVAL
        old_length = (old_length + FRAME_MASK) & ~FRAME_MASK
        length = (length + FRAME_MASK) & ~FRAME_MASK
        if flags & MREMAP_DONTUNMAP and old_length != length:
            return -EINVAL
        if flags & MREMAP_FIXED:
            if target & FRAME_MASK or target > self.top - length:
                return -EINVAL
            if target < LOWEST:
                return -EPERM
            if target < old + old_length and old < target + length:
                return -EINVAL
        record = self.areas.peek(self.spaces.table(space), old)
        if not record:
            return -EFAULT
        word = record >> 3
        if old_length == 0 and not self.words[word + A_FLAGS] & AREA_SHARED:
            return -EINVAL
        if old_length > self.words[word + A_END] - old:
            return -EFAULT
        if flags & (MREMAP_FIXED | MREMAP_DONTUNMAP):
            return self._move(space, old, old_length, length, flags, target)
        return self._resize(space, old, old_length, length, flags)

    def _resize(self, space: int, old: int, old_length: int, length: int, flags: int) -> int:
        """mremap without a wish for an address: shrink, grow in place, else move."""
        if length <= old_length:
            if length < old_length:
                result = self.unmap(space, old + length, old_length - length)
                if result < 0:
                    return result
            return old
        table = self.spaces.table(space)
        index = self.areas.index_above(table, old)
        word = self.areas.record(table, index) >> 3
        if self._is_too_much(length - old_length, self.words[word + A_FLAGS]):
            return -ENOMEM
        end = old + old_length
        extra = length - old_length
        fits = old_length and end == self.words[word + A_END] and extra <= self.top - end
        if fits and self._is_free(table, end, extra):
            self.areas.resize(table, index, self.words[word + A_START], end + extra)
            self.spaces.add(space, S_VIRTUAL, extra >> FRAME_SHIFT)
            return old
        if not flags & MREMAP_MAYMOVE:
            return -ENOMEM
        return self._move(space, old, old_length, length, flags, 0)

    def _move(self, space: int, old: int, old_length: int, length: int, flags: int, target: int) -> int:
        """Move the entries of [old, old + old_length) to `target` (0: wherever it fits) and the area with them."""
        table = self.spaces.table(space)
        if self.areas.reserve(table, 5) != 0:  # two splits at each range, one new area
            return -ENOMEM
        if flags & MREMAP_FIXED:
            self._take_out(space, target, target + length)
        if old_length > length:
            self._take_out(space, old + length, old + old_length)
            old_length = length
        if not flags & MREMAP_FIXED:
            place = self.find_place(space, target, length)
            if place < 0:
                return place
            target = place
        word = self.areas.peek(table, old) >> 3
        kind, file = self.words[word + A_FLAGS], self.words[word + A_FILE]
        offset = self.words[word + A_OFFSET] + (old - self.words[word + A_START]) if file else 0
        if not self._move_entries(space, old, old_length, target):
            return -ENOMEM
        if file:
            self.files.hold(file)
        if old_length and not flags & MREMAP_DONTUNMAP:
            self.areas.remove(table, old, old + old_length)
            self.spaces.subtract(space, S_VIRTUAL, old_length >> FRAME_SHIFT)
        self.areas.insert(table, target, target + length, kind, file, offset)
        self.spaces.add(space, S_VIRTUAL, length >> FRAME_SHIFT)
        if file:
            self.files.release(file)
        return target

    def _move_entries(self, space: int, old: int, length: int, target: int) -> bool:
        """Move present entries; False, and they are where they were, if a page table cannot be had."""
        root = self.spaces.root(space)
        for at in range(0, length, FRAME_SIZE):
            entry = self.tables.entry(root, old + at)
            if not entry & PAGE_PRESENT:
                continue
            pfn = (entry & ENTRY_ADDRESS) >> FRAME_SHIFT
            if self.tables.set_leaf(root, target + at, pfn, entry & ~ENTRY_ADDRESS) != 0:
                self.tables.unmap_range(root, target, target + length)
                return False
        self.tables.unmap_range(root, old, old + length)
        return True

    # --- brk ---

    def set_brk_start(self, space: int, vaddr: int) -> None:
        """Where the heap begins (the end of the program's data)."""
        self.spaces.put(space, S_BRK_START, vaddr)
        self.spaces.put(space, S_BRK, vaddr)

    def brk(self, space: int, vaddr: int) -> int:
        """Move the end of the heap; returns where it is then, which is the old one if it cannot be had."""
        first = self.spaces.get(space, S_BRK_START)
        now = self.spaces.get(space, S_BRK)
        if vaddr < first or vaddr > self.top:
            return now
        old_end = (now + FRAME_MASK) & ~FRAME_MASK
        end = (vaddr + FRAME_MASK) & ~FRAME_MASK
        if end < old_end:
            if self.unmap(space, end, old_end - end) < 0:
                return now
        elif end > old_end and not self._extend_heap(space, old_end, end):
            return now
        self.spaces.put(space, S_BRK, vaddr)
        return vaddr

    def _extend_heap(self, space: int, start: int, end: int) -> bool:
        """Add [start, end) to the heap if it is free, with a page to spare above it."""
        table = self.spaces.table(space)
        flags = RIGHT_READ | RIGHT_WRITE | (RIGHTS << MAY_SHIFT) | AREA_HEAP
        if end > self.top - FRAME_SIZE or self._is_too_much(end - start, flags):
            return False
        if not self._is_free(table, start, end - start + FRAME_SIZE):
            return False
        return self._add(space, start, end - start, flags, 0, 0) == start

    # --- madvise ---

    def advise(self, space: int, vaddr: int, length: int, advice: int) -> int:
        """madvise(2): 0, -EINVAL, -ENOMEM (a hole; the rest was done), -EFAULT (a page cannot be had)."""
        if vaddr & FRAME_MASK or vaddr > self.top or length > self.top - vaddr:
            return -EINVAL
        if not self._is_advice(advice):
            return -EINVAL
        end = vaddr + ((length + FRAME_MASK) & ~FRAME_MASK)
        table = self.spaces.table(space)
        if advice in (MADV_POPULATE_READ, MADV_POPULATE_WRITE):
            if not self.areas.covers(table, vaddr, end):
                return -ENOMEM
            return -EFAULT if self.handler.populate(space, vaddr, end, advice == MADV_POPULATE_WRITE) else 0
        if self.areas.reserve_splits(table, vaddr, end) != 0:
            return -ENOMEM
        result = 0
        while vaddr < end:
            index = self.areas.index_above(table, vaddr)
            if index >= self.areas.count(table):
                return -ENOMEM
            word = self.areas.record(table, index) >> 3
            if self.words[word + A_START] > vaddr:
                result = -ENOMEM
                vaddr = self.words[word + A_START]
            until = min(end, self.words[word + A_END])
            if vaddr < until:
                done = self._advise_area(space, word, vaddr, until, advice)
                if done < 0:
                    return done
            vaddr = until if until > vaddr else end
        return result

    def _is_advice(self, advice: int) -> bool:
        """Whether Linux knows the advice and a program may give it here."""
        return (
            advice <= MADV_DONTNEED
            or advice == MADV_FREE
            or MADV_DONTFORK <= advice <= MADV_DOFORK
            or MADV_DOFORK < advice <= MADV_DODUMP
            or MADV_WIPEONFORK <= advice <= MADV_POPULATE_WRITE
        )

    def _advise_area(self, space: int, word: int, start: int, end: int, advice: int) -> int:
        """Follow an advice for a part of one area; the ones about speed change nothing."""
        flags = self.words[word + A_FLAGS]
        if advice in (MADV_DONTNEED, MADV_FREE):
            if flags & AREA_LOCKED or (advice == MADV_FREE and self.words[word + A_FILE]):
                return -EINVAL
            self.spaces.drop_pages(space, word, start, end)
        elif advice == MADV_DONTFORK:
            self.areas.change(self.spaces.table(space), start, end, 0, AREA_NO_FORK)
        elif advice == MADV_DOFORK:
            self.areas.change(self.spaces.table(space), start, end, AREA_NO_FORK, 0)
        elif advice == MADV_WIPEONFORK:
            if self.words[word + A_FILE]:
                return -EINVAL
            self.areas.change(self.spaces.table(space), start, end, 0, AREA_WIPE_ON_FORK)
        elif advice == MADV_KEEPONFORK:
            self.areas.change(self.spaces.table(space), start, end, AREA_WIPE_ON_FORK, 0)
        return 0

    # --- msync ---

    def sync(self, space: int, vaddr: int, length: int) -> int:
        """Write the dirty pages of shared file maps in a range to the host: 0, -EINVAL, -ENOMEM (a hole), -EIO."""
        if vaddr & FRAME_MASK or vaddr > self.top or length > self.top - vaddr:
            return -EINVAL
        end = vaddr + ((length + FRAME_MASK) & ~FRAME_MASK)
        table = self.spaces.table(space)
        index = self.areas.index_above(table, vaddr)
        while index < self.areas.count(table):
            word = self.areas.record(table, index) >> 3
            low, high = max(vaddr, self.words[word + A_START]), min(end, self.words[word + A_END])
            if low >= high:
                break
            if self.words[word + A_FILE] and self.words[word + A_FLAGS] & AREA_SHARED:
                first = (self.words[word + A_OFFSET] + (low - self.words[word + A_START])) >> FRAME_SHIFT
                last = first + ((high - low) >> FRAME_SHIFT)
                written = int(self.files.write_back(self.words[word + A_FILE], first, last))
                if written < 0:
                    return written
            index += 1
        return 0 if self.areas.covers(table, vaddr, end) else -ENOMEM
