# header only
"""The numbers of constants.py as C constants; written by scripts/write_constants.py."""
from libc.stdint cimport uint64_t as u64

cdef extern from *:
    """
    #define coalmm_process_PROCESS_SIZE 0x40ULL
    #define coalmm_process_P_PID 0x0ULL
    #define coalmm_process_P_PARENT 0x1ULL
    #define coalmm_process_P_STATE 0x2ULL
    #define coalmm_process_P_STATUS 0x3ULL
    #define coalmm_process_P_SPACE 0x4ULL
    #define coalmm_process_P_SERIAL 0x5ULL
    #define coalmm_process_P_NAME 0x6ULL
    #define coalmm_process_PROCESS_LIVE 0x1ULL
    #define coalmm_process_PROCESS_ZOMBIE 0x2ULL
    #define coalmm_process_NAME_SIZE 0x10ULL
    #define coalmm_process_SB_PROCESS_TABLE 0x110ULL
    #define coalmm_process_SB_PROCESS_LIMIT 0x111ULL
    #define coalmm_process_SB_PROCESS_COUNT 0x112ULL
    #define coalmm_process_SB_PROCESS_LAST 0x113ULL
    #define coalmm_process_SB_PROCESS_SLAB 0x114ULL
    #define coalmm_process_SB_PROCESS_SERIAL 0x115ULL
    #define coalmm_process_PIDS_LEAST 0x40ULL
    #define coalmm_process_PIDS_MOST 0x8000ULL
    #define coalmm_process_FRAMES_PER_PID 0x8ULL
    """
    const u64 PROCESS_SIZE "coalmm_process_PROCESS_SIZE"
    const u64 P_PID "coalmm_process_P_PID"
    const u64 P_PARENT "coalmm_process_P_PARENT"
    const u64 P_STATE "coalmm_process_P_STATE"
    const u64 P_STATUS "coalmm_process_P_STATUS"
    const u64 P_SPACE "coalmm_process_P_SPACE"
    const u64 P_SERIAL "coalmm_process_P_SERIAL"
    const u64 P_NAME "coalmm_process_P_NAME"
    const u64 PROCESS_LIVE "coalmm_process_PROCESS_LIVE"
    const u64 PROCESS_ZOMBIE "coalmm_process_PROCESS_ZOMBIE"
    const u64 NAME_SIZE "coalmm_process_NAME_SIZE"
    const u64 SB_PROCESS_TABLE "coalmm_process_SB_PROCESS_TABLE"
    const u64 SB_PROCESS_LIMIT "coalmm_process_SB_PROCESS_LIMIT"
    const u64 SB_PROCESS_COUNT "coalmm_process_SB_PROCESS_COUNT"
    const u64 SB_PROCESS_LAST "coalmm_process_SB_PROCESS_LAST"
    const u64 SB_PROCESS_SLAB "coalmm_process_SB_PROCESS_SLAB"
    const u64 SB_PROCESS_SERIAL "coalmm_process_SB_PROCESS_SERIAL"
    const u64 PIDS_LEAST "coalmm_process_PIDS_LEAST"
    const u64 PIDS_MOST "coalmm_process_PIDS_MOST"
    const u64 FRAMES_PER_PID "coalmm_process_FRAMES_PER_PID"
