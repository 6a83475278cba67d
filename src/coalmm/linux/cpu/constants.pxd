# header only
"""The numbers of constants.py as C constants; written by scripts/write_constants.py."""
from libc.stdint cimport uint64_t as u64

cdef extern from *:
    """
    #define coalmm_cpu_PROT_READ 0x1ULL
    #define coalmm_cpu_PROT_WRITE 0x2ULL
    #define coalmm_cpu_PROT_EXECUTE 0x4ULL
    #define coalmm_cpu_USER_WRITE 0x10ULL
    #define coalmm_cpu_USER_FETCH 0x20ULL
    #define coalmm_cpu_NOTHING 0x0ULL
    #define coalmm_cpu_FAULT 0x1ULL
    #define coalmm_cpu_FLUSH 0x2ULL
    #define coalmm_cpu_STALE 0x3ULL
    #define coalmm_cpu_FAILED 0x4ULL
    #define coalmm_cpu_TIME 0x0ULL
    #define coalmm_cpu_STOPPED 0x1ULL
    #define coalmm_cpu_MEMORY 0x2ULL
    #define coalmm_cpu_EXCEPTION 0x3ULL
    #define coalmm_cpu_INVALID 0x4ULL
    #define coalmm_cpu_WANDERED 0x5ULL
    #define coalmm_cpu_SEVERAL 0xffffffffffffffffULL
    #define coalmm_cpu_MOST_TURNS 0x40ULL
    #define coalmm_cpu_FIRST_ACCESS 0x10ULL
    #define coalmm_cpu_ERROR_INSTRUCTION 0xaULL
    #define coalmm_cpu_SYSTEM_CALL_VECTOR 0x80ULL
    #define coalmm_cpu_HOOK_MEMORY 0xc00ULL
    #define coalmm_cpu_CODE_FLUSH 0x4000000aULL
    #define coalmm_cpu_TLB_FLUSH 0x4000000bULL
    #define coalmm_cpu_TB_REMOVE_CACHE 0x48000009ULL
    """
    const u64 PROT_READ "coalmm_cpu_PROT_READ"
    const u64 PROT_WRITE "coalmm_cpu_PROT_WRITE"
    const u64 PROT_EXECUTE "coalmm_cpu_PROT_EXECUTE"
    const u64 USER_WRITE "coalmm_cpu_USER_WRITE"
    const u64 USER_FETCH "coalmm_cpu_USER_FETCH"
    const u64 NOTHING "coalmm_cpu_NOTHING"
    const u64 FAULT "coalmm_cpu_FAULT"
    const u64 FLUSH "coalmm_cpu_FLUSH"
    const u64 STALE "coalmm_cpu_STALE"
    const u64 FAILED "coalmm_cpu_FAILED"
    const u64 TIME "coalmm_cpu_TIME"
    const u64 STOPPED "coalmm_cpu_STOPPED"
    const u64 MEMORY "coalmm_cpu_MEMORY"
    const u64 EXCEPTION "coalmm_cpu_EXCEPTION"
    const u64 INVALID "coalmm_cpu_INVALID"
    const u64 WANDERED "coalmm_cpu_WANDERED"
    const u64 SEVERAL "coalmm_cpu_SEVERAL"
    const u64 MOST_TURNS "coalmm_cpu_MOST_TURNS"
    const u64 FIRST_ACCESS "coalmm_cpu_FIRST_ACCESS"
    const u64 ERROR_INSTRUCTION "coalmm_cpu_ERROR_INSTRUCTION"
    const u64 SYSTEM_CALL_VECTOR "coalmm_cpu_SYSTEM_CALL_VECTOR"
    const u64 HOOK_MEMORY "coalmm_cpu_HOOK_MEMORY"
    const u64 CODE_FLUSH "coalmm_cpu_CODE_FLUSH"
    const u64 TLB_FLUSH "coalmm_cpu_TLB_FLUSH"
    const u64 TB_REMOVE_CACHE "coalmm_cpu_TB_REMOVE_CACHE"
