"""The page cache: one frame for each page of a file that is in memory, found by (file, page index).

    superblock: buckets -> [pfn][pfn][ 0 ][pfn] ...       u32 each, a power of two of them
                             |
                             v
    frame descriptors:    file, index, dirty -- D_NEXT --> the next page of that bucket
                          D_HEAD, D_PREVIOUS: the list of all cached pages of the file

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
        D_DIRTY,
        D_FILE,
        D_INDEX,
        F_FIRST,
        F_KIND,
        F_NUMBER,
        F_PAGES,
        FILE_HOST,
        HASH_FACTOR,
        SB_CACHE_BUCKETS,
        SB_CACHE_COUNT,
        SB_CACHE_HAND,
        SB_CACHE_PAGES,
        SB_CACHE_SHIFT,
    )


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
        elif not self.words[SB_CACHE_PAGES]:
            self._give_buckets()
        return pfn

    def remove(self, pfn: int) -> None:
        """Take a page out of the cache; the frame is freed if nothing maps it."""
        word = self.first_word + (pfn << 3)
        file = self.words[word + D_FILE]
        self._unlink(pfn, self.bucket(file, self.words[word + D_INDEX]))
        self._leave(file, pfn)
        self.words[word + D_FILE] = 0
        self.words[word + D_DIRTY] = 0
        self.frames.drop(pfn)
        if not self.words[SB_CACHE_PAGES]:
            self._give_buckets()

    def mark_dirty(self, pfn: int) -> None:
        """The page is newer than the host file."""
        self.words[self.first_word + (pfn << 3) + D_DIRTY] = 1

    def clean(self, pfn: int) -> None:
        """The host file has what the page has."""
        self.words[self.first_word + (pfn << 3) + D_DIRTY] = 0

    def is_dirty(self, pfn: int) -> bool:
        """Whether the page is newer than the host file."""
        return self.words[self.first_word + (pfn << 3) + D_DIRTY] != 0

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

    def find_clean(self) -> int:
        """A page that nothing maps and that the host file has too, from where the last search ended; 0 if none.

        `kind` of its file is for the caller to check: shared memory has no host file.
        """
        count = self.words[SB_CACHE_COUNT]
        for _ in range(count):
            slot = self.words[SB_CACHE_HAND] & (count - 1)
            pfn = self.halves[(self.words[SB_CACHE_BUCKETS] >> 2) + slot]
            while pfn:
                if self._is_idle(pfn):
                    return pfn
                pfn = self.halves[self.first_half + (pfn << 4) + D_NEXT]
            self.words[SB_CACHE_HAND] = slot + 1
        return 0

    def _is_idle(self, pfn: int) -> bool:
        """Whether only the cache holds a page, and its file can give it again."""
        word = self.first_word + (pfn << 3)
        if self.frames.references(pfn) != 1 or self.words[word + D_DIRTY]:
            return False
        return self.words[(self.words[word + D_FILE] >> 3) + F_KIND] == FILE_HOST

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
        self.words[SB_CACHE_HAND] = 0

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
