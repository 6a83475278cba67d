"""System V shared memory segments of one run: files of shared memory that have a key and an id.

A segment holds a reference to its file until IPC_RMID; after that only the areas that show it do, and it is
gone with the last of them. F_NUMBER tells its file from a later one at the same address.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from errno import EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC

from coalmm.linux.ipc import IPC_CREAT, IPC_EXCL, IPC_PRIVATE
from coalmm.typed import TYPE_CHECKING
from coalmm.virtual.constants import F_INODE, F_NUMBER

if TYPE_CHECKING:
    from coalmm.kernel import Kernel

SHM_HUGETLB, SHM_NORESERVE = 0o4000, 0o10000
MOST_SEGMENTS = 4096  # SHMMNI
MOST_SIZE = (1 << 64) - (1 << 24)  # SHMMAX


@dataclass
class Segment:
    """One segment: struct shmid64_ds, but for what can be counted."""

    number: int
    key: int
    size: int
    mode: int
    file: int  # its record, whose F_NUMBER was `file_number`
    file_number: int
    creator: int
    uid: int
    gid: int
    made_by: tuple[int, int]  # the user and group of who made it
    last: int = 0
    attached: int = 0
    detached: int = 0
    changed: int = field(default_factory=lambda: int(time.time()))
    is_removed: bool = False


class Segments:
    """The segments of one machine, by id."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.by_number: dict[int, Segment] = {}
        self.next = 0

    def find(self, number: int) -> Segment:
        """A segment by its id. OSError EINVAL."""
        self.purge()
        if number not in self.by_number:
            raise OSError(EINVAL, "no such segment")
        return self.by_number[number]

    def of_key(self, key: int) -> Segment | None:
        """The segment with a key that was not removed."""
        return next((each for each in self.by_number.values() if each.key == key and not each.is_removed), None)

    def get(self, key: int, size: int, flags: int, creator: int, owner: tuple[int, int]) -> Segment:
        """shmget: the segment with that key, or a new one. OSError as the call has it."""
        self.purge()
        found = self.of_key(key) if key != IPC_PRIVATE else None
        if found is None:
            if key != IPC_PRIVATE and not flags & IPC_CREAT:
                raise OSError(ENOENT, "no segment with that key")
            return self._create(key, size, flags, creator, owner)
        if flags & IPC_CREAT and flags & IPC_EXCL:
            raise OSError(EEXIST, "there is a segment with that key")
        if size > found.size:
            raise OSError(EINVAL, "the segment is smaller")
        return found

    def _create(self, key: int, size: int, flags: int, creator: int, owner: tuple[int, int]) -> Segment:
        """A new segment of zeros."""
        if not 0 < size <= MOST_SIZE:
            raise OSError(EINVAL, "no size for a segment")
        if len(self.by_number) >= MOST_SEGMENTS:
            raise OSError(ENOSPC, "too many segments")
        if flags & SHM_HUGETLB or (not flags & SHM_NORESERVE and size >> 12 > self.kernel.frames.statistics().total):
            raise OSError(ENOMEM, "more than there is")
        files = self.kernel.files
        file = files.create_memory(size, f"/SYSV{key & 0xFFFF_FFFF:08x} (deleted)")
        if not file:
            raise OSError(ENOMEM, "no memory for the segment's record")
        number = self.next
        self.next = (number + 1) & 0x7FFF_FFFF
        files.words[(file >> 3) + F_INODE] = number
        uid, gid = owner
        made = Segment(number, key, size, flags & 0o777, file, files.get(file, F_NUMBER), creator, uid, gid, owner)
        self.by_number[number] = made
        return made

    def remove(self, segment: Segment) -> None:
        """IPC_RMID: no key any more, and gone with the last area that shows it."""
        if not segment.is_removed:
            segment.is_removed = True
            segment.key = IPC_PRIVATE
            self.kernel.files.release(segment.file)
        self.purge()

    def attachments(self, segment: Segment) -> int:
        """How many areas show a segment, in all address spaces."""
        spaces = {process.space for process in self.kernel.processes if process.is_alive}
        areas = (area for space in spaces for area in self.kernel.spaces.all_areas(space))
        count = sum(area.file == segment.file for area in areas)
        return count if count and self.kernel.files.get(segment.file, F_NUMBER) == segment.file_number else 0

    def purge(self) -> None:
        """Forget what was removed and is shown by nobody."""
        for number, segment in list(self.by_number.items()):
            if segment.is_removed and not self.attachments(segment):
                del self.by_number[number]

    def close(self) -> None:
        """The run is over: every segment goes."""
        for segment in list(self.by_number.values()):
            self.remove(segment)
        self.by_number.clear()
