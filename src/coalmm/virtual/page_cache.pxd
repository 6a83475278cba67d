from libc.stdint cimport int64_t as i64, uint8_t as u8, uint32_t as u32, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport ALL_ONES
from coalmm.hardware.blocks cimport fill_range
from coalmm.hardware.constants cimport FRAME_SHIFT, FRAME_SIZE
from coalmm.physical.constants cimport D_HEAD, D_NEXT, D_PREVIOUS, KIND_CACHE, KIND_KERNEL
from coalmm.physical.frames cimport Frames
from coalmm.virtual.constants cimport (
    D_BROUGHT, D_FILE, D_INDEX, D_NEWER, D_OLDER, D_STATE, F_FIRST, F_KIND, F_NUMBER, F_PAGES, FILE_HOST, HASH_FACTOR,
    SB_CACHE_BUCKETS, SB_CACHE_CLOCK, SB_CACHE_COUNT, SB_CACHE_LISTED, SB_CACHE_NEWEST, SB_CACHE_OLDEST, SB_CACHE_PAGES,
    SB_CACHE_SHIFT, STATE_DIRTY, STATE_USED,
)

cdef extern from *:
    """
    #define coalmm_page_cache_LOW_HALF 0xFFFFFFFFULL
    """
    const u64 LOW_HALF "coalmm_page_cache_LOW_HALF"


@cython.final
cdef class PageCache:
    cdef u64[::1] words
    cdef u32[::1] halves
    cdef u8[::1] bytes
    cdef readonly Frames frames
    cdef u64 first_word, first_half

    @cython.locals(key=u64, slot=u64)
    cpdef u64 bucket(self, u64 file, u64 index) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(pfn=u64, word=u64)
    cpdef u64 lookup(self, u64 file, u64 index) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(pfn=u64, word=u64)
    cpdef u64 take(self, u64 file, u64 index) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(word=u64, file=u64)
    cpdef int remove(self, u64 pfn) except -1
    cpdef int mark_dirty(self, u64 pfn) except -1
    cpdef int clean(self, u64 pfn) except -1
    cpdef bint is_dirty(self, u64 pfn) except -1
    cpdef u64 index(self, u64 pfn) except? 0xFFFFFFFFFFFFFFFF
    cpdef u64 file(self, u64 pfn) except? 0xFFFFFFFFFFFFFFFF
    cpdef u64 first(self, u64 file) except? 0xFFFFFFFFFFFFFFFF
    cpdef u64 next(self, u64 pfn) except? 0xFFFFFFFFFFFFFFFF
    cpdef int mark_used(self, u64 pfn) except -1
    @cython.locals(word=u64, used=bint)
    cpdef bint take_used(self, u64 pfn) except -1
    cpdef bint is_listed(self, u64 file) except -1
    cpdef u64 oldest(self) except? 0xFFFFFFFFFFFFFFFF
    cpdef u64 newer(self, u64 pfn) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(brought=u64)
    cpdef u64 age(self, u64 pfn) except? 0xFFFFFFFFFFFFFFFF
    cpdef int rotate(self, u64 pfn) except -1
    @cython.locals(first=u64, at=u64)
    cdef int _put_first(self, u64 pfn) except -1
    @cython.locals(at=u64, newer=u64, older=u64)
    cdef int _take_off(self, u64 pfn) except -1
    cdef int _link(self, u64 pfn, u64 bucket) except -1
    @cython.locals(after=u64)
    cdef int _unlink(self, u64 pfn, u64 bucket) except -1
    @cython.locals(first=u64, at=u64)
    cdef int _join(self, u64 file, u64 pfn) except -1
    @cython.locals(at=u64, following=u64, previous=u64)
    cdef int _leave(self, u64 file, u64 pfn) except -1
    @cython.locals(count=u64, wanted=u64, run=u64, old=u64, old_run=u64, slot=u64, pfn=u64, word=u64, following=u64)
    cdef bint _grow(self) except -1
    @cython.locals(count=u64)
    cdef int _give_buckets(self) except -1
