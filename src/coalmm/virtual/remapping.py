"""mremap(2): resize or move areas. Frames are not copied: their page-table entries move.

The rules and their order are those of Linux 6.18 (mm/mremap.c): a move to a fixed address without a new
size may take several areas and the holes between them; everything else is about one area.
"""

from coalmm.errors import EAGAIN, EFAULT, EINVAL, ENOMEM, EPERM
from coalmm.hardware.bits import ALL_ONES
from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT
from coalmm.virtual.areas import Area
from coalmm.virtual.constants import (
    AREA_HEAP,
    AREA_KIND,
    AREA_LOCK_ON_FAULT,
    AREA_LOCKED,
    AREA_LOCKS,
    AREA_SHARED,
    AREAS_LIMIT,
    LOWEST,
    MREMAP_DONTUNMAP,
    MREMAP_FIXED,
    MREMAP_MAYMOVE,
    S_LOCKED,
    S_VIRTUAL,
)
from coalmm.virtual.mappings import Mappings

KNOWN = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP


class Remapping:
    """mremap on the address spaces of one machine."""

    def __init__(self, mappings: Mappings) -> None:
        self.mappings = mappings
        self.spaces = mappings.spaces
        self.areas = mappings.areas
        self.files = mappings.files

    def remap(self, space: int, old: int, old_length: int, length: int, flags: int, target: int) -> int:
        """Resize or move: the address, -EINVAL, -EFAULT (not one area), -ENOMEM, -EAGAIN (locking limit), -EPERM."""
        old_length = (old_length + FRAME_MASK) & ~FRAME_MASK & ALL_ONES
        length = (length + FRAME_MASK) & ~FRAME_MASK & ALL_ONES
        error = self._refusal(space, old, old_length, length, flags, target)
        if error:
            return error
        if flags & MREMAP_FIXED and old_length == length:
            return self._move_all(space, old, length, flags, target)
        area = self._area_at(space, old)
        error = self._wrong_area(space, area, old, old_length, length, flags)
        if error or area is None:
            return error
        if flags & (MREMAP_FIXED | MREMAP_DONTUNMAP):
            return self._move_to(space, old, old_length, length, flags, target)
        return self._resize(space, area, old, old_length, length, flags)

    def _refusal(self, space: int, old: int, old_length: int, length: int, flags: int, target: int) -> int:
        """-EINVAL or -ENOMEM for arguments that are wrong whatever is mapped, else 0."""
        if flags & ~KNOWN or old & FRAME_MASK or length == 0 or length > self.spaces.top_of(space):
            return -EINVAL
        if flags & (MREMAP_FIXED | MREMAP_DONTUNMAP):
            if target > self.spaces.top_of(space) - length or target & FRAME_MASK or not flags & MREMAP_MAYMOVE:
                return -EINVAL
            if flags & MREMAP_DONTUNMAP and old_length != length:
                return -EINVAL
            if old + old_length > target and target + length > old:
                return -EINVAL
            if self.areas.count(self.spaces.table(space)) + 2 >= AREAS_LIMIT - 3:
                return -ENOMEM
        return 0

    def _area_at(self, space: int, vaddr: int) -> Area | None:
        """The area that holds an address."""
        record = self.areas.peek(self.spaces.table(space), vaddr)
        return self.areas.area(record) if record else None

    def _wrong_area(self, space: int, area: Area | None, old: int, old_length: int, length: int, flags: int) -> int:
        """The errno of what cannot be done to this area, 0 if it can."""
        if area is None:
            return -EFAULT
        if length <= old_length and not flags & (MREMAP_FIXED | MREMAP_DONTUNMAP):
            return 0
        if old_length == 0 and not area.flags & AREA_SHARED:
            return -EINVAL
        if min(old_length, length) > area.end - old:
            return -EFAULT
        if length <= old_length:
            return 0
        extra = length - old_length
        if area.flags & AREA_LOCKED and not self.mappings.may_lock(space, extra):
            return -EAGAIN
        return 0 if self.mappings.may_grow(space, extra, area.flags) else -ENOMEM

    # --- in place ---

    def _resize(self, space: int, area: Area, old: int, old_length: int, length: int, flags: int) -> int:
        """Without a wish for an address: shrink, grow in place, else move."""
        if length < old_length:
            return self.mappings.unmap(space, old + length, old_length - length) or old
        if length == old_length:
            return old
        extra = length - old_length
        if old + old_length == area.end and self._is_free(space, area.end, extra):
            table = self.spaces.table(space)
            index = self.areas.index_above(table, old)
            self.areas.resize(table, index, area.start, area.end + extra)
            self.spaces.add(space, S_VIRTUAL, extra >> FRAME_SHIFT)
            self._lock_growth(space, area.flags, area.end, area.end + extra)
            return old
        if not flags & MREMAP_MAYMOVE:
            return -ENOMEM
        place = self.mappings.find_place(space, 0, length)
        return self._move(space, old, old_length, length, flags, place) if place > 0 else place

    def _is_free(self, space: int, start: int, length: int) -> bool:
        """Whether an area may grow over [start, start + length)."""
        room = self.spaces.top_of(space) - start
        return length <= room and not self.areas.has_any(self.spaces.table(space), start, start + length)

    def _lock_growth(self, space: int, flags: int, start: int, end: int) -> None:
        """What a locked area has grown by is locked too, and its pages are brought."""
        if flags & AREA_LOCKED:
            self.spaces.add(space, S_LOCKED, (end - start) >> FRAME_SHIFT)
            if not flags & AREA_LOCK_ON_FAULT:
                self.mappings.populate(space, start, end, flags)

    # --- to another address ---

    def _move_all(self, space: int, old: int, length: int, flags: int, target: int) -> int:
        """Move all areas of [old, old + length), with the holes between them. The first must start at or below."""
        if self._area_at(space, old) is None:
            return -EFAULT
        table = self.spaces.table(space)
        at, end = old, old + length
        while at < end:
            index = self.areas.index_above(table, at)
            area = self.areas.area(self.areas.record(table, index)) if index < self.areas.count(table) else None
            if area is None or area.start >= end:
                break
            start, stop = max(area.start, at), min(area.end, end)
            result = self._move_to(space, start, stop - start, stop - start, flags, target + (start - old))
            if result < 0:
                return result
            at = stop
        return target

    def _move_to(self, space: int, old: int, old_length: int, length: int, flags: int, target: int) -> int:
        """Move a part of one area to `target`, which is a hint without MREMAP_FIXED."""
        if self.areas.reserve(self.spaces.table(space), 5) != 0:  # two splits at each range, one new area
            return -ENOMEM
        if flags & MREMAP_FIXED:
            if target < LOWEST:
                return -EPERM
            self.mappings.take_out(space, target, target + length)
        if old_length > length:
            error = self.mappings.unmap(space, old + length, old_length - length)
            if error:
                return error
            old_length = length
        area = self._area_at(space, old)
        if area is None:
            return -EFAULT
        if flags & MREMAP_DONTUNMAP and not self.mappings.may_grow(space, length, area.flags):
            return -ENOMEM
        if not flags & MREMAP_FIXED:
            target = self.mappings.find_place(space, target, length)
        return self._move(space, old, old_length, length, flags, target) if target > 0 else target

    def _move(self, space: int, old: int, old_length: int, length: int, flags: int, target: int) -> int:
        """Move the entries of [old, old + old_length) to `target`, which is free, and the area with them."""
        table = self.spaces.table(space)
        area = self._area_at(space, old)
        if area is None or self.areas.reserve(table, 5) != 0:
            return -ENOMEM
        kind = area.flags & ~AREA_KIND if area.flags & AREA_KIND == AREA_HEAP else area.flags
        offset = area.offset + (old - area.start) if area.file else 0
        if not self.spaces.move_pages(space, old, old_length, target):
            return -ENOMEM
        if area.file:
            self.files.hold(area.file)
        self._leave(space, area, old, old_length, flags)
        self.areas.insert(table, target, target + length, kind, area.file, offset)
        self.spaces.add(space, S_VIRTUAL, length >> FRAME_SHIFT)
        if area.file:
            self.files.release(area.file)
        if area.flags & AREA_LOCKED:
            self.spaces.add(space, S_LOCKED, old_length >> FRAME_SHIFT)
        self._lock_growth(space, area.flags, target + old_length, target + length)
        return target

    def _leave(self, space: int, area: Area, old: int, length: int, flags: int) -> None:
        """What a move leaves behind: nothing, or with MREMAP_DONTUNMAP the area, all of it unlocked as on Linux."""
        if not length:
            return
        table = self.spaces.table(space)
        if area.flags & AREA_LOCKED:
            unlocked = area.end - area.start if flags & MREMAP_DONTUNMAP else length
            self.spaces.subtract(space, S_LOCKED, unlocked >> FRAME_SHIFT)
        if flags & MREMAP_DONTUNMAP:
            self.areas.change(table, area.start, area.end, AREA_LOCKS, 0)
        else:
            self.areas.remove(table, old, old + length)
            self.spaces.subtract(space, S_VIRTUAL, length >> FRAME_SHIFT)
