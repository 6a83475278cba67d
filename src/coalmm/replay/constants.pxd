# header only
"""The numbers of constants.py as C constants; written by scripts/write_constants.py."""
from libc.stdint cimport uint64_t as u64

cdef extern from *:
    """
    #define coalmm_replay_NOTHING 0x0ULL
    #define coalmm_replay_HEAP_BLOCK 0x1ULL
    #define coalmm_replay_BUDDY_BLOCK 0x2ULL
    #define coalmm_replay_BUCKETS 0xc0ULL
    #define coalmm_replay_SAMPLES 0x800ULL
    """
    const u64 NOTHING "coalmm_replay_NOTHING"
    const u64 HEAP_BLOCK "coalmm_replay_HEAP_BLOCK"
    const u64 BUDDY_BLOCK "coalmm_replay_BUDDY_BLOCK"
    const u64 BUCKETS "coalmm_replay_BUCKETS"
    const u64 SAMPLES "coalmm_replay_SAMPLES"
