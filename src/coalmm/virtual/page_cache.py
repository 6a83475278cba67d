"""The page cache: one frame for each page of a file that is in memory, found by (file, page index).

    superblock: buckets -> [pfn][pfn][ 0 ][pfn] ...       u32 each, a power of two of them
                             |
                             v
    frame descriptors:    file, index, dirty -- D_NEXT --> the next page of that bucket
                          D_HEAD, D_PREVIOUS: the list of all cached pages of the file
                          D_NEWER, D_OLDER: the list of all pages of host files by age, for reclaim

The buckets double when there are two pages to each, so their size follows the use and not the RAM, and
they go back when the last page does. The cache holds one reference to each of its frames; each mapping
holds another. There is one frame for a page of a file, which is what makes shared maps coherent.
"""

import cython

from coalmm.errors import CorruptionError
from coalmm.hardware.ram import Ram
from coalmm.physical.frames import Frames
from coalmm.typed import Iterator

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES
    from coalmm.hardware.blocks import fill_range
    from coalmm.hardware.constants import FRAME_SHIFT, FRAME_SIZE
    from coalmm.physical.constants import D_HEAD, D_NEXT, D_PREVIOUS, KIND_CACHE, KIND_KERNEL
    from coalmm.virtual.constants import (
        D_BROUGHT,
        D_FILE,
        D_INDEX,
        D_NEWER,
        D_OLDER,
        D_STATE,
        F_FIRST,
        F_KIND,
        F_NUMBER,
        F_PAGES,
        FILE_HOST,
        HASH_FACTOR,
        SB_CACHE_BUCKETS,
        SB_CACHE_CLOCK,
        SB_CACHE_COUNT,
        SB_CACHE_LISTED,
        SB_CACHE_NEWEST,
        SB_CACHE_OLDEST,
        SB_CACHE_PAGES,
        SB_CACHE_SHIFT,
        STATE_DIRTY,
        STATE_USED,
    )

    LOW_HALF = 0xFFFF_FFFF


class PageCache:
    """The page cache of one machine."""

    def __init__(self, ram: Ram, frames: Frames) -> None:
        self.words = ram.words
        self.halves = ram.halves
        self.bytes = ram.bytes
        self.frames = frames
        self.first_word = frames.first_word
        self.first_half = frames.first_half

    @property
    def pages(self) -> int:
        """Frames in the cache."""
        return int(self.words[SB_CACHE_PAGES])

    def bucket(self, file: int, index: int) -> int:
        """The half (index into RAM's halves) at which the chain of a page starts. There are buckets."""
        key = ((file >> 6) * 31 + index) & ALL_ONES
        slot = ((key * HASH_FACTOR) & ALL_ONES) >> self.words[SB_CACHE_SHIFT]
        return (self.words[SB_CACHE_BUCKETS] >> 2) + slot

    def lookup(self, file: int, index: int) -> int:
        """The pfn of a file's page, 0 if it is not in memory."""
        if not self.words[SB_CACHE_COUNT]:
            return 0
        pfn = self.halves[self.bucket(file, index)]
        while pfn:
            word = self.first_word + (pfn << 3)
            if self.words[word + D_INDEX] == index and self.words[word + D_FILE] == file:
                return pfn
            pfn = self.halves[self.first_half + (pfn << 4) + D_NEXT]
        return 0

    def take(self, file: int, index: int) -> int:
        """A new frame, contents undefined, as page `index` of a file; its pfn, 0 if there is none."""
        if self.words[SB_CACHE_PAGES] >= 2 * self.words[SB_CACHE_COUNT] and not self._grow():
            return 0
        pfn = self.frames.take(KIND_CACHE, self.words[(file >> 3) + F_NUMBER])
        if pfn:
            word = self.first_word + (pfn << 3)
            self.words[word + D_INDEX] = index
            self.words[word + D_FILE] = file
            self._link(pfn, self.bucket(file, index))
            self._join(file, pfn)
            self.words[SB_CACHE_CLOCK] += 1
            if self.is_listed(file):
                self.halves[self.first_half + (pfn << 4) + D_BROUGHT] = self.words[SB_CACHE_CLOCK] & LOW_HALF
                self._put_first(pfn)
        elif not self.words[SB_CACHE_PAGES]:
            self._give_buckets()
        return pfn

    def remove(self, pfn: int) -> None:
        """Take a page out of the cache; the frame is freed if nothing maps it."""
        word = self.first_word + (pfn << 3)
        file = self.words[word + D_FILE]
        self._unlink(pfn, self.bucket(file, self.words[word + D_INDEX]))
        self._leave(file, pfn)
        if self.is_listed(file):
            self._take_off(pfn)
        self.words[word + D_FILE] = 0
        self.words[word + D_STATE] = 0
        self.frames.drop(pfn)
        if not self.words[SB_CACHE_PAGES]:
            self._give_buckets()

    def mark_dirty(self, pfn: int) -> None:
        """The page is newer than the host file."""
        self.words[self.first_word + (pfn << 3) + D_STATE] |= STATE_DIRTY

    def clean(self, pfn: int) -> None:
        """The host file has what the page has."""
        self.words[self.first_word + (pfn << 3) + D_STATE] &= ~STATE_DIRTY

    def is_dirty(self, pfn: int) -> bool:
        """Whether the page is newer than the host file."""
        return self.words[self.first_word + (pfn << 3) + D_STATE] & STATE_DIRTY != 0

    def mark_used(self, pfn: int) -> None:
        """Somebody looked for the page: reclaim passes over it once."""
        self.words[self.first_word + (pfn << 3) + D_STATE] |= STATE_USED

    def take_used(self, pfn: int) -> bool:
        """Whether the page was used since the last time that this was asked."""
        word = self.first_word + (pfn << 3) + D_STATE
        used = self.words[word] & STATE_USED != 0
        self.words[word] &= ~STATE_USED
        return used

    def index(self, pfn: int) -> int:
        """Which page of its file a cached frame is."""
        return self.words[self.first_word + (pfn << 3) + D_INDEX]

    def file(self, pfn: int) -> int:
        """The file (paddr) of a cached frame."""
        return self.words[self.first_word + (pfn << 3) + D_FILE]

    def first(self, file: int) -> int:
        """The first cached page (pfn) of a file, 0 if none."""
        return self.words[(file >> 3) + F_FIRST]

    def next(self, pfn: int) -> int:
        """The cached page after `pfn` of the same file, 0 at the end."""
        return self.halves[self.first_half + (pfn << 4) + D_HEAD]

    def pages_of(self, file: int) -> Iterator[int]:
        """The cached pages (pfn) of a file; the one that was yielded may be removed."""
        pfn = self.first(file)
        while pfn:
            following = self.next(pfn)
            yield pfn
            pfn = following

    # --- by age: pages of host files. Shared memory has no file that could give its pages again. ---

    def is_listed(self, file: int) -> bool:
        """Whether the pages of a file are on the list by age."""
        return self.words[(file >> 3) + F_KIND] == FILE_HOST

    def oldest(self) -> int:
        """The page (pfn) at the end of the list, where reclaim looks first; 0 if there is none."""
        return self.words[SB_CACHE_OLDEST]

    def newer(self, pfn: int) -> int:
        """The page before `pfn` on the list, 0 at its start."""
        return self.halves[self.first_half + (pfn << 4) + D_NEWER]

    def age(self, pfn: int) -> int:
        """How many pages came into the cache after this one."""
        brought = self.halves[self.first_half + (pfn << 4) + D_BROUGHT]
        return (self.words[SB_CACHE_CLOCK] - brought) & LOW_HALF

    def rotate(self, pfn: int) -> None:
        """Move a page to the start of the list: its second chance."""
        self._take_off(pfn)
        self._put_first(pfn)

    def _put_first(self, pfn: int) -> None:
        """Put a page at the start of the list."""
        first = self.words[SB_CACHE_NEWEST]
        at = self.first_half + (pfn << 4)
        self.halves[at + D_NEWER] = 0
        self.halves[at + D_OLDER] = first
        if first:
            self.halves[self.first_half + (first << 4) + D_NEWER] = pfn
        else:
            self.words[SB_CACHE_OLDEST] = pfn
        self.words[SB_CACHE_NEWEST] = pfn
        self.words[SB_CACHE_LISTED] += 1

    def _take_off(self, pfn: int) -> None:
        """Take a page off the list."""
        at = self.first_half + (pfn << 4)
        newer, older = self.halves[at + D_NEWER], self.halves[at + D_OLDER]
        if older:
            self.halves[self.first_half + (older << 4) + D_NEWER] = newer
        else:
            self.words[SB_CACHE_OLDEST] = newer
        if newer:
            self.halves[self.first_half + (newer << 4) + D_OLDER] = older
        else:
            self.words[SB_CACHE_NEWEST] = older
        self.halves[at + D_NEWER] = self.halves[at + D_OLDER] = 0
        self.words[SB_CACHE_LISTED] -= 1

    # --- the chains ---

    def _link(self, pfn: int, bucket: int) -> None:
        """Put a page at the head of a chain."""
        self.halves[self.first_half + (pfn << 4) + D_NEXT] = self.halves[bucket]
        self.halves[bucket] = pfn

    def _unlink(self, pfn: int, bucket: int) -> None:
        """Take a page off the chain that starts at `bucket`."""
        after = self.halves[self.first_half + (pfn << 4) + D_NEXT]
        while self.halves[bucket] != pfn:
            if not self.halves[bucket]:
                raise CorruptionError(
                    f"page cache: frame {pfn << FRAME_SHIFT:#x} is not on its chain", pfn << FRAME_SHIFT
                )
            bucket = self.first_half + (self.halves[bucket] << 4) + D_NEXT
        self.halves[bucket] = after

    def _join(self, file: int, pfn: int) -> None:
        """Put a page at the head of its file's list."""
        first = self.words[(file >> 3) + F_FIRST]
        at = self.first_half + (pfn << 4)
        self.halves[at + D_HEAD] = first
        self.halves[at + D_PREVIOUS] = 0
        if first:
            self.halves[self.first_half + (first << 4) + D_PREVIOUS] = pfn
        self.words[(file >> 3) + F_FIRST] = pfn
        self.words[(file >> 3) + F_PAGES] += 1
        self.words[SB_CACHE_PAGES] += 1

    def _leave(self, file: int, pfn: int) -> None:
        """Take a page off its file's list."""
        at = self.first_half + (pfn << 4)
        following = self.halves[at + D_HEAD]
        previous = self.halves[at + D_PREVIOUS]
        if following:
            self.halves[self.first_half + (following << 4) + D_PREVIOUS] = previous
        if previous:
            self.halves[self.first_half + (previous << 4) + D_HEAD] = following
        else:
            self.words[(file >> 3) + F_FIRST] = following
        self.words[(file >> 3) + F_PAGES] -= 1
        self.words[SB_CACHE_PAGES] -= 1

    # --- the buckets ---

    def _grow(self) -> bool:
        """Twice the buckets, or the first frame of them. Without memory the old ones serve on."""
        count = self.words[SB_CACHE_COUNT]
        wanted = 2 * count if count else FRAME_SIZE >> 2
        run = self.frames.take_run((wanted << 2) >> FRAME_SHIFT, 1, KIND_KERNEL, 0, False)
        if not run:
            return count != 0
        fill_range(self.bytes, run << FRAME_SHIFT, wanted << 2, 0)
        old = self.words[SB_CACHE_BUCKETS] >> 2
        old_run = self.words[SB_CACHE_BUCKETS] >> FRAME_SHIFT
        self.words[SB_CACHE_SHIFT] = self.words[SB_CACHE_SHIFT] - 1 if count else 64 - 10
        self.words[SB_CACHE_BUCKETS] = run << FRAME_SHIFT
        self.words[SB_CACHE_COUNT] = wanted
        for slot in range(count):
            pfn = self.halves[old + slot]
            while pfn:
                word = self.first_word + (pfn << 3)
                following = self.halves[self.first_half + (pfn << 4) + D_NEXT]
                self._link(pfn, self.bucket(self.words[word + D_FILE], self.words[word + D_INDEX]))
                pfn = following
        if count:
            self.frames.give_run(old_run, (count << 2) >> FRAME_SHIFT)
        return True

    def _give_buckets(self) -> None:
        """Give the buckets back: the cache is empty."""
        count = self.words[SB_CACHE_COUNT]
        self.frames.give_run(self.words[SB_CACHE_BUCKETS] >> FRAME_SHIFT, (count << 2) >> FRAME_SHIFT)
        self.words[SB_CACHE_COUNT] = 0
        self.words[SB_CACHE_BUCKETS] = 0
        self.words[SB_CACHE_SHIFT] = 0

    # --- checking ---

    def validate(self) -> None:
        """Check every chain; raises CorruptionError that names the frame."""
        counted = 0
        for slot in range(self.words[SB_CACHE_COUNT]):
            bucket = (self.words[SB_CACHE_BUCKETS] >> 2) + slot
            pfn = self.halves[bucket]
            while pfn:
                if self.frames.kind(pfn) != KIND_CACHE or self.bucket(self.file(pfn), self.index(pfn)) != bucket:
                    raise CorruptionError(
                        f"page cache: frame {pfn << FRAME_SHIFT:#x} is on the wrong chain", pfn << FRAME_SHIFT
                    )
                counted += 1
                if counted > self.pages:
                    raise CorruptionError("page cache: a chain is longer than the cache", bucket << 2)
                pfn = self.halves[self.first_half + (pfn << 4) + D_NEXT]
        if counted != self.pages:
            raise CorruptionError(f"page cache: says {self.pages} pages, counted {counted}")
        self._validate_ages()

    def count_pages(self, file: int) -> int:
        """Check the list of a file's pages: how many there are."""
        counted = previous = 0
        pfn = self.first(file)
        while pfn:
            counted += 1
            is_right = self.frames.kind(pfn) == KIND_CACHE and self.file(pfn) == file and counted <= self.pages
            if not is_right or self.halves[self.first_half + (pfn << 4) + D_PREVIOUS] != previous:
                raise CorruptionError(
                    f"page cache: frame {pfn << FRAME_SHIFT:#x} is wrong on its file's list", pfn << FRAME_SHIFT
                )
            previous, pfn = pfn, self.next(pfn)
        return counted

    def _validate_ages(self) -> None:
        """Check the list by age."""
        listed = newer = 0
        pfn = self.words[SB_CACHE_NEWEST]
        while pfn:
            at = self.first_half + (pfn << 4)
            listed += 1
            is_right = self.frames.kind(pfn) == KIND_CACHE and self.is_listed(self.file(pfn))
            if not is_right or self.halves[at + D_NEWER] != newer or listed > self.words[SB_CACHE_LISTED]:
                raise CorruptionError(
                    f"page cache: frame {pfn << FRAME_SHIFT:#x} is wrong on the list by age", pfn << FRAME_SHIFT
                )
            newer, pfn = pfn, self.halves[at + D_OLDER]
        if listed != self.words[SB_CACHE_LISTED] or newer != self.words[SB_CACHE_OLDEST]:
            raise CorruptionError(f"page cache: {self.words[SB_CACHE_LISTED]} pages by age, counted {listed}")
