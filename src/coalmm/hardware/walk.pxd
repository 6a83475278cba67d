from libc.stdint cimport uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport as_u64
from coalmm.hardware.constants cimport (
    ACCESS_EXECUTE, ACCESS_WRITE, FAULT_FETCH, FAULT_NON_CANONICAL, FAULT_PRESENT, FAULT_RESERVED, FAULT_USER,
    FAULT_WRITE, PAGE_ACCESSED, PAGE_DIRTY, PAGE_HUGE, PAGE_NX, PAGE_PRESENT,
)
from coalmm.hardware.ram cimport Ram

cdef extern from *:
    """
    #define coalmm_walk_ALL_ONES 0xFFFFFFFFFFFFFFFFULL
    #define coalmm_walk_LOW_HALF 0xFFFFFFFFULL
    #define coalmm_walk_CACHED_TABLES 512ULL
    #define coalmm_walk_PREFIX_BITS 43ULL
    """
    const u64 ALL_ONES "coalmm_walk_ALL_ONES"
    const u64 LOW_HALF "coalmm_walk_LOW_HALF"
    const u64 CACHED_TABLES "coalmm_walk_CACHED_TABLES"
    const u64 PREFIX_BITS "coalmm_walk_PREFIX_BITS"


@cython.final
cdef class Walker:
    cdef readonly Ram ram
    cdef readonly object form
    cdef readonly bint nx
    # What the format's table of levels says, by level from the root down.
    cdef u64[5] shifts, index_shifts, index_masks, leaf_bits, table_forbidden, leaf_forbidden, rights_ignored, accessed
    cdef u64 last, root_mask, address_mask, hole_first, hole_last
    cdef bint narrow
    cdef u64[512] cached_keys
    cdef u64[512] cached_tables
    cdef u64 generation, prefix_shift
    # What the last access met.
    cdef readonly u64 fault_code, entry, entry_paddr, allowed, page_shift
    cdef readonly bint outside_ram

    cpdef object set_nx(self, bint nx)
    @cython.locals(view=u64[::1], level=u64, where=u64, entry=u64, mask=u64)
    cpdef u64 translate(self, u64 root, u64 vaddr) except? 0
    @cython.locals(view=u64[::1], pages=u64[::1], found=u64[::1], n=u64, count=u64, vaddr=u64,
                   level=u64, where=u64, entry=u64, mask=u64, table=u64, limit=u64,
                   generation=u64, slot=u64, key=u64)
    cpdef object translate_many(self, object root, object vaddrs)
    @cython.locals(slot=u64)
    cdef u64 _new_generation(self) noexcept
    @cython.locals(level=u64, where=u64, entry=u64, rights=u64, mask=u64, marks=u64)
    cpdef u64 access(self, u64 root, u64 vaddr, u64 access, bint user, bint wp) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(writable=u64, user=u64, fetch=u64)
    cdef u64 _allowed(self, u64 rights, bint wp) noexcept
    cdef u64 _fault(self, u64 code, u64 access, bint user) noexcept
    @cython.locals(mask=u64, bits=u64)
    cdef u64 _mark(self, u64 where, u64 entry, u64 bits) except? 0
