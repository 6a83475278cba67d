# header only
"""The numbers of constants.py as C constants; written by scripts/write_constants.py."""
from libc.stdint cimport uint64_t as u64

cdef extern from *:
    """
    #define coalmm_hardware_FRAME_SHIFT 0xcULL
    #define coalmm_hardware_FRAME_SIZE 0x1000ULL
    #define coalmm_hardware_FRAME_MASK 0xfffULL
    #define coalmm_hardware_PAGE_PRESENT 0x1ULL
    #define coalmm_hardware_PAGE_WRITABLE 0x2ULL
    #define coalmm_hardware_PAGE_USER 0x4ULL
    #define coalmm_hardware_PAGE_WRITE_THROUGH 0x8ULL
    #define coalmm_hardware_PAGE_CACHE_DISABLE 0x10ULL
    #define coalmm_hardware_PAGE_ACCESSED 0x20ULL
    #define coalmm_hardware_PAGE_DIRTY 0x40ULL
    #define coalmm_hardware_PAGE_HUGE 0x80ULL
    #define coalmm_hardware_PAGE_GLOBAL 0x100ULL
    #define coalmm_hardware_PAGE_COW 0x200ULL
    #define coalmm_hardware_PAGE_SHARED 0x400ULL
    #define coalmm_hardware_PAGE_NX 0x8000000000000000ULL
    #define coalmm_hardware_ACCESS_READ 0x0ULL
    #define coalmm_hardware_ACCESS_WRITE 0x1ULL
    #define coalmm_hardware_ACCESS_EXECUTE 0x2ULL
    #define coalmm_hardware_FAULT_PRESENT 0x1ULL
    #define coalmm_hardware_FAULT_WRITE 0x2ULL
    #define coalmm_hardware_FAULT_USER 0x4ULL
    #define coalmm_hardware_FAULT_RESERVED 0x8ULL
    #define coalmm_hardware_FAULT_FETCH 0x10ULL
    #define coalmm_hardware_FAULT_NON_CANONICAL 0x80000000ULL
    """
    const u64 FRAME_SHIFT "coalmm_hardware_FRAME_SHIFT"
    const u64 FRAME_SIZE "coalmm_hardware_FRAME_SIZE"
    const u64 FRAME_MASK "coalmm_hardware_FRAME_MASK"
    const u64 PAGE_PRESENT "coalmm_hardware_PAGE_PRESENT"
    const u64 PAGE_WRITABLE "coalmm_hardware_PAGE_WRITABLE"
    const u64 PAGE_USER "coalmm_hardware_PAGE_USER"
    const u64 PAGE_WRITE_THROUGH "coalmm_hardware_PAGE_WRITE_THROUGH"
    const u64 PAGE_CACHE_DISABLE "coalmm_hardware_PAGE_CACHE_DISABLE"
    const u64 PAGE_ACCESSED "coalmm_hardware_PAGE_ACCESSED"
    const u64 PAGE_DIRTY "coalmm_hardware_PAGE_DIRTY"
    const u64 PAGE_HUGE "coalmm_hardware_PAGE_HUGE"
    const u64 PAGE_GLOBAL "coalmm_hardware_PAGE_GLOBAL"
    const u64 PAGE_COW "coalmm_hardware_PAGE_COW"
    const u64 PAGE_SHARED "coalmm_hardware_PAGE_SHARED"
    const u64 PAGE_NX "coalmm_hardware_PAGE_NX"
    const u64 ACCESS_READ "coalmm_hardware_ACCESS_READ"
    const u64 ACCESS_WRITE "coalmm_hardware_ACCESS_WRITE"
    const u64 ACCESS_EXECUTE "coalmm_hardware_ACCESS_EXECUTE"
    const u64 FAULT_PRESENT "coalmm_hardware_FAULT_PRESENT"
    const u64 FAULT_WRITE "coalmm_hardware_FAULT_WRITE"
    const u64 FAULT_USER "coalmm_hardware_FAULT_USER"
    const u64 FAULT_RESERVED "coalmm_hardware_FAULT_RESERVED"
    const u64 FAULT_FETCH "coalmm_hardware_FAULT_FETCH"
    const u64 FAULT_NON_CANONICAL "coalmm_hardware_FAULT_NON_CANONICAL"
