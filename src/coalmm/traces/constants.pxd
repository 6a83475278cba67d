# header only
"""The numbers of constants.py as C constants; written by scripts/write_constants.py."""
from libc.stdint cimport uint64_t as u64

cdef extern from *:
    """
    #define coalmm_traces_ALLOCATE 0x1ULL
    #define coalmm_traces_ALLOCATE_ZEROED 0x2ULL
    #define coalmm_traces_FREE 0x3ULL
    #define coalmm_traces_REALLOCATE 0x4ULL
    #define coalmm_traces_PAGE_ALLOCATE 0x5ULL
    #define coalmm_traces_PAGE_FREE 0x6ULL
    #define coalmm_traces_PAGE_SIZE 0x1000ULL
    #define coalmm_traces_CHUNK_EVENTS 0x4000ULL
    #define coalmm_traces_SPARE 0x4ULL
    #define coalmm_traces_NO_SLOT 0xffffffffULL
    #define coalmm_traces_MOST_NAMES 0x100000ULL
    #define coalmm_traces_ALL_ONES 0xffffffffffffffffULL
    #define coalmm_traces_LARGEST_U32 0xffffffffULL
    #define coalmm_traces_HASH_MULTIPLIER 0x9e3779b97f4a7c15ULL
    #define coalmm_traces_SMALLEST_TABLE 0x400ULL
    """
    const u64 ALLOCATE "coalmm_traces_ALLOCATE"
    const u64 ALLOCATE_ZEROED "coalmm_traces_ALLOCATE_ZEROED"
    const u64 FREE "coalmm_traces_FREE"
    const u64 REALLOCATE "coalmm_traces_REALLOCATE"
    const u64 PAGE_ALLOCATE "coalmm_traces_PAGE_ALLOCATE"
    const u64 PAGE_FREE "coalmm_traces_PAGE_FREE"
    const u64 PAGE_SIZE "coalmm_traces_PAGE_SIZE"
    const u64 CHUNK_EVENTS "coalmm_traces_CHUNK_EVENTS"
    const u64 SPARE "coalmm_traces_SPARE"
    const u64 NO_SLOT "coalmm_traces_NO_SLOT"
    const u64 MOST_NAMES "coalmm_traces_MOST_NAMES"
    const u64 ALL_ONES "coalmm_traces_ALL_ONES"
    const u64 LARGEST_U32 "coalmm_traces_LARGEST_U32"
    const u64 HASH_MULTIPLIER "coalmm_traces_HASH_MULTIPLIER"
    const u64 SMALLEST_TABLE "coalmm_traces_SMALLEST_TABLE"
