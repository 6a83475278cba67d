"""Page reclaim: which pages of files leave RAM when frames are short. Loaded when frames are short for the first time.

The replacement is the clock (second chance) algorithm over the pages of host files in the order in which they came
(`PageCache.oldest`). The hand looks at the oldest page:

    held by a call, young, locked, or mapped by hand       stays; the hand goes on
    accessed since the hand came by                        its accessed bits are taken away; the hand goes on
    else                                                   unmapped everywhere, written to its file if it is newer,
                                                           and given up

The next access to such a page is a fault that reads the file: a major fault. Anonymous and shared memory stays, there
is no swap.

A page is young until YOUNG others have come. No instruction needs half as many, so a page that it had to wait for is
still there when the last one comes: a program goes on, however slowly, or is told that there is no memory.
"""

import cython

from coalmm.typed import Any
from coalmm.virtual.reverse_map import ReverseMap

if not cython.compiled:
    from coalmm.virtual.constants import F_PAGES, F_REFERENCES, F_WRITABLE, SB_CACHE_LISTED, SB_RECLAIMED, YOUNG
    from coalmm.virtual.page_cache import PageCache


class Reclaim:
    """Reclaim of one machine's file pages. Without address spaces (None) only of pages that nobody maps."""

    def __init__(self, files: Any, spaces: Any) -> None:
        self.files = files
        self.cache: PageCache = files.cache
        self.frames = files.frames
        self.words = files.words
        self.reverse_map = None if spaces is None else ReverseMap(spaces)

    def shrink(self, count: int) -> int:
        """Free up to `count` frames, of pages that are mapped too; how many it got. The TLB knows when it returns.

        Each page is looked at twice at most: the first look may take its accessed bits away.
        """
        if self.files.policy is not None and self.files.policy.evict is not None:
            return self._shrink_by(self.files.policy, count)
        freed = 0
        left = 2 * self.words[SB_CACHE_LISTED]
        while freed < count and left:
            left -= 1
            pfn = self.cache.oldest()
            if not pfn:
                break
            if self._may_go(pfn) and self._give_up(pfn):
                freed += 1
            else:
                self.cache.rotate(pfn)
        if self.reverse_map is not None:
            self.reverse_map.finish()
        return freed

    def shrink_idle(self, count: int) -> int:
        """`shrink` of pages that nobody maps, used lately or not."""
        freed = 0
        left = self.words[SB_CACHE_LISTED]
        while freed < count and left:
            left -= 1
            pfn = self.cache.oldest()
            if self.frames.references(pfn) == 1 and self._can_be_read_again(pfn) and self._give_up(pfn):
                freed += 1
            else:
                self.cache.rotate(pfn)
        return freed

    def _shrink_by(self, policy: Any, count: int) -> int:
        """`shrink` of pages that a policy chooses."""
        pages = self._candidates()
        if self.reverse_map is not None:
            self.reverse_map.finish()  # accessed bits are gone, whatever the policy does
        freed = 0
        for page in policy.victims(pages, count):
            if self.cache.lookup(page.file, page.number) == page.pfn and self._is_still_free_to_go(page.pfn):
                freed += self._give_up(page.pfn)
        if self.reverse_map is not None:
            self.reverse_map.finish()
        return freed

    def _candidates(self) -> Any:
        """What may be given up, the oldest first; their accessed bits are taken away."""
        from coalmm.virtual.policy import Page

        cache, found = self.cache, []
        pfn = cache.oldest()
        while pfn:
            mappings = self.frames.mappings(pfn)
            if not self._is_held(pfn):
                used = cache.take_used(pfn)
                if mappings == 0 or self._is_free_to_go(pfn):
                    used = used or (self.reverse_map is not None and mappings != 0 and self.reverse_map.is_accessed)
                    name = cache.file(pfn), cache.index(pfn)
                    found.append(Page(pfn, *name, cache.age(pfn), used, cache.is_dirty(pfn), mappings))
            pfn = cache.newer(pfn)
        return found

    def _is_still_free_to_go(self, pfn: int) -> bool:
        """Whether a page that was a candidate is one: the policy may have called anything."""
        return not self._is_held(pfn) and (self.frames.mappings(pfn) == 0 or self._is_free_to_go(pfn))

    def _is_held(self, pfn: int) -> bool:
        """Whether something but mappings holds a page, or nobody else has what it has."""
        return self.frames.references(pfn) != self.frames.mappings(pfn) + 1 or not self._can_be_read_again(pfn)

    def _is_free_to_go(self, pfn: int) -> bool:
        """Whether a mapped page is neither young nor locked, and all its entries found; takes accessed bits."""
        if self.reverse_map is None or self.cache.age(pfn) < YOUNG:
            return False
        self.reverse_map.look(pfn)
        return self.reverse_map.is_whole(pfn) and not self.reverse_map.is_locked

    def _can_be_read_again(self, pfn: int) -> bool:
        """Whether the file has what the page has, or can be told."""
        return not self.cache.is_dirty(pfn) or self.words[(self.cache.file(pfn) >> 3) + F_WRITABLE] != 0

    def _may_go(self, pfn: int) -> bool:
        """Whether a page may be given up now; takes its accessed bits away."""
        if self._is_held(pfn):
            return False
        used = self.cache.take_used(pfn)
        if self.frames.mappings(pfn) == 0:
            return not used
        if not self._is_free_to_go(pfn):
            return False
        return self.reverse_map is not None and not used and not self.reverse_map.is_accessed

    def _give_up(self, pfn: int) -> bool:
        """Unmap a page, write it if it is dirty, and take it out of the cache; False if it cannot be written."""
        file = self.cache.file(pfn)
        if self.reverse_map is not None and self.frames.mappings(pfn):
            self.reverse_map.unmap(pfn)
        if self.cache.is_dirty(pfn) and self.files.write_page(pfn) < 0:
            return False
        self.cache.remove(pfn)
        self.words[SB_RECLAIMED] += 1
        if not self.words[(file >> 3) + F_PAGES] and not self.words[(file >> 3) + F_REFERENCES]:
            self.files.destroy(file)
        return True
