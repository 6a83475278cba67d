from libc.stdint cimport int64_t as i64, uint64_t as u64

cimport cython

from coalmm.hardware.bits cimport ALL_ONES, as_u64
from coalmm.hardware.constants cimport (
    ACCESS_READ, ACCESS_WRITE, FRAME_MASK, FRAME_SHIFT, FRAME_SIZE, PAGE_COW, PAGE_PRESENT, PAGE_USER, PAGE_WRITABLE,
)
from coalmm.hardware.mmu cimport Mmu
from coalmm.hardware.ram cimport Ram
from coalmm.physical.constants cimport SB_KERNEL_BASE, SB_LOWMEM
from coalmm.virtual.address_space cimport AddressSpaces
from coalmm.virtual.constants cimport (
    A_END, A_FILE, A_FLAGS, A_OFFSET, A_START, F_SIZE, RIGHT_WRITE, RIGHTS, SB_RECLAIMED,
)
from coalmm.virtual.faults cimport Faults
from coalmm.virtual.leaves cimport Leaves

cdef extern from *:
    """
    #define coalmm_user_TRIES 4
    """
    const int TRIES "coalmm_user_TRIES"


@cython.final
cdef class UserAccess:
    cdef readonly Faults handler
    cdef readonly Mmu mmu
    cdef readonly AddressSpaces spaces
    cdef readonly Ram ram
    cdef u64[::1] words
    cdef readonly u64 user_top
    cdef readonly i64 error

    @cython.locals(paddr=u64)
    cpdef u64 reach(self, u64 vaddr, u64 access) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(done=u64)
    cpdef bint reach_all(self, u64 vaddr, u64 size, u64 access) except -1
    @cython.locals(size=u64, reclaimed=u64, done=u64, paddr=u64, part=u64)
    cpdef bint load(self, u64 vaddr, object view) except -1
    @cython.locals(size=u64, reclaimed=u64, done=u64, paddr=u64, part=u64)
    cpdef bint store(self, u64 vaddr, object view) except -1
    @cython.locals(size=u64, paddr=u64, part=u64)
    cdef bint _load_slowly(self, u64 vaddr, object view) except -1
    @cython.locals(leaves=Leaves, done=u64, paddr=u64, part=u64)
    cdef bint _store_slowly(self, u64 vaddr, object view) except -1
    cdef bint _is_user(self, u64 vaddr, u64 size) noexcept
    @cython.locals(start=u64, paddr=u64, limit=u64)
    cpdef object kernel_view(self, object buffer, u64 size, bint write)
    @cython.locals(vaddr=u64, size=u64)
    cpdef i64 copy_from_user(self, object to, object source, object n) except? -1
    @cython.locals(vaddr=u64, size=u64)
    cpdef i64 copy_to_user(self, object to, object source, object n) except? -1
    cdef object _view_or_none(self, object buffer, u64 size, bint write, u64 vaddr)
    @cython.locals(vaddr=u64, size=u64, length=i64, copied=u64)
    cpdef i64 strncpy_from_user(self, object to, object source, object n) except? -1
    @cython.locals(vaddr=u64)
    cpdef i64 strnlen_user(self, object string, object max_len) except? -1
    @cython.locals(limit=u64, done=u64, paddr=u64, part=u64, found=i64)
    cdef i64 _length(self, u64 vaddr, u64 most) except? -1
    @cython.locals(vaddr=u64, length=u64, root=u64, space=u64, end=u64, record=u64, until=u64)
    cpdef bint validate_user_pointer(self, object pointer, object size, object write) except -1
    @cython.locals(flags=u64, start=u64, end=u64, file=u64, pages_end=u64, offset=u64, size=u64)
    cdef u64 _allowed_until(self, u64 area, bint write) except? 0xFFFFFFFFFFFFFFFF
    @cython.locals(entry=u64)
    cdef bint _is_mapped(self, u64 root, u64 vaddr, bint write) except -1
    @cython.locals(vaddr=u64, length=u64)
    cpdef bint validate_user_buffer(self, object pointer, object size, object write) except -1
