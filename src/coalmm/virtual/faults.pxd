from libc.stdint cimport int64_t as i64, uint8_t as u8, uint64_t as u64

cimport cython

from coalmm.hardware.blocks cimport copy_range, fill_range
from coalmm.hardware.constants cimport (
    ACCESS_EXECUTE, ACCESS_READ, ACCESS_WRITE, FRAME_MASK, FRAME_SHIFT, FRAME_SIZE, PAGE_COW, PAGE_NX, PAGE_PRESENT, PAGE_USER,
    PAGE_WRITABLE,
)
from coalmm.hardware.mmu cimport Mmu
from coalmm.physical.constants cimport KIND_ANONYMOUS, KIND_CACHE, SB_FREE
from coalmm.physical.frames cimport Frames
from coalmm.virtual.address_space cimport AddressSpaces
from coalmm.virtual.areas cimport Areas
from coalmm.virtual.constants cimport (
    A_END, A_FILE, A_FLAGS, A_OFFSET, A_START, AREA_GROWS_DOWN, AREA_RANDOM, AREA_SEQUENTIAL, AREA_SHARED,
    ENTRY_ADDRESS, F_KIND, F_SIZE, FAULT_AROUND, FILE_HOST, GUARD_GAP, LOWEST, READ_AROUND, RECLAIM, RIGHT_EXECUTE,
    RIGHT_WRITE, RIGHTS, S_FAULTS_COPY, S_FAULTS_FILE, S_FAULTS_READ,
    S_FAULTS_REFUSED, S_FAULTS_SPURIOUS, S_FAULTS_STACK, S_FAULTS_ZERO, S_PEAK_RSS, S_ROOT, S_RSS_ANONYMOUS,
    S_RSS_FILE, S_RSS_SHARED, S_STACK_LIMIT, S_TABLE, S_VIRTUAL,
)
from coalmm.virtual.page_cache cimport PageCache
from coalmm.virtual.page_tables cimport PageTables

cdef extern from *:
    """
    #define coalmm_faults_BATCH 0x40000ULL
    """
    const u64 BATCH "coalmm_faults_BATCH"


@cython.final
cdef class Faults:
    cdef readonly AddressSpaces spaces
    cdef Areas areas
    cdef readonly Frames frames
    cdef object files
    cdef PageCache cache
    cdef PageTables tables
    cdef Mmu mmu
    cdef u64[::1] words
    cdef u8[::1] bytes
    cdef u64 no_execute, low
    cdef public object policy
    cdef object failure

    @cython.locals(space=u64)
    cpdef i64 resolve(self, u64 root, u64 vaddr, u64 access, bint user) except? -1
    @cython.locals(record=u64, pages=u64, area=u64, flags=u64, allowed=u64, root=u64, entry=u64, result=i64)
    cpdef i64 handle(self, u64 space, u64 vaddr, u64 access, bint user) except? -1
    @cython.locals(root=u64, access=u64, vaddr=u64, entry=u64, result=i64)
    cpdef i64 populate(self, u64 space, u64 start, u64 end, bint write) except? -1
    cdef i64 _refuse(self, u64 space, i64 error) except? -1
    @cython.locals(entry=u64, result=i64)
    cdef i64 _without_area(self, u64 root, u64 vaddr, u64 access, bint user) except? -1
    @cython.locals(pfn=u64, bits=u64, result=i64)
    cdef i64 _zero_fault(self, u64 space, u64 root, u64 vaddr, u64 flags) except? -1
    @cython.locals(file=u64, offset=u64, index=u64, pfn=u64, is_new=bint, found=i64, flags=u64, result=i64)
    cdef i64 _file_fault(self, u64 space, u64 root, u64 vaddr, u64 area, u64 access) except? -1
    @cython.locals(half=u64, first=u64, last=u64, pfn=i64)
    cdef i64 _read_page(self, u64 file, u64 index, u64 page, u64 flags) except? -1
    @cython.locals(file=u64, memory=bint, bits=u64, result=i64)
    cdef i64 _map_shared(self, u64 space, u64 root, u64 vaddr, u64 pfn, u64 flags, u64 access) except? -1
    @cython.locals(own=u64, result=i64)
    cdef i64 _map_copy(self, u64 space, u64 root, u64 vaddr, u64 pfn, u64 flags) except? -1
    @cython.locals(result=i64)
    cdef i64 _map_cached(self, u64 space, u64 root, u64 vaddr, u64 pfn, u64 flags) except? -1
    @cython.locals(flags=u64, file=u64, around=u64, window=u64, start=u64, end=u64, bits=u64, field=u64, first=u64, last=u64,
                   number=u64, at=u64, pfn=u64)
    cdef i64 _map_around(self, u64 space, u64 root, u64 vaddr, u64 area) except? -1
    cdef i64 _present(self, u64 space, u64 root, u64 vaddr, u64 entry, u64 flags, u64 access) except? -1
    @cython.locals(pfn=u64, result=i64)
    cdef i64 _make_dirty(self, u64 space, u64 root, u64 vaddr, u64 entry) except? -1
    @cython.locals(cached=bint, result=i64)
    cdef i64 _copy_counted(self, u64 space, u64 root, u64 vaddr, u64 entry) except? -1
    @cython.locals(pfn=u64, bits=u64, own=u64, result=i64)
    cdef i64 _copy(self, u64 root, u64 vaddr, u64 entry) except? -1
    @cython.locals(table=u64, index=u64, area=u64, start=u64, pages=u64)
    cdef u64 _grow_stack(self, u64 space, u64 vaddr) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(start=u64)
    cdef i64 _shrink_stack(self, u64 space, u64 vaddr, u64 pages) except? -1
    cdef bint _keeps_gap(self, u64 below, u64 start) except -1
    @cython.locals(pfn=u64)
    cdef u64 _take(self, u64 root) except? 0xFFFFFFFFFFFFFFFF
    cdef bint _keep_some(self) except -1
    cdef u64 _reclaim(self) except? 0xFFFFFFFFFFFFFFFF
    cdef i64 _raise_failure(self) except? -1
    @cython.locals(result=i64)
    cdef i64 _put(self, u64 root, u64 vaddr, u64 pfn, u64 bits) except? -1
    @cython.locals(word=u64, total=u64)
    cdef i64 _count(self, u64 space, u64 resident, u64 kind) except? -1
