# header only
"""The numbers of constants.py as C constants; written by scripts/write_constants.py."""
from libc.stdint cimport uint64_t as u64

cdef extern from *:
    """
    #define coalmm_virtual_AREA_SIZE 0x40ULL
    #define coalmm_virtual_AREA_WORDS 0x8ULL
    #define coalmm_virtual_A_START 0x0ULL
    #define coalmm_virtual_A_END 0x1ULL
    #define coalmm_virtual_A_FLAGS 0x2ULL
    #define coalmm_virtual_A_FILE 0x3ULL
    #define coalmm_virtual_A_OFFSET 0x4ULL
    #define coalmm_virtual_RIGHT_READ 0x1ULL
    #define coalmm_virtual_RIGHT_WRITE 0x2ULL
    #define coalmm_virtual_RIGHT_EXECUTE 0x4ULL
    #define coalmm_virtual_RIGHTS 0x7ULL
    #define coalmm_virtual_AREA_SHARED 0x8ULL
    #define coalmm_virtual_MAY_READ 0x10ULL
    #define coalmm_virtual_MAY_WRITE 0x20ULL
    #define coalmm_virtual_MAY_EXECUTE 0x40ULL
    #define coalmm_virtual_MAY_SHIFT 0x4ULL
    #define coalmm_virtual_AREA_GROWS_DOWN 0x100ULL
    #define coalmm_virtual_AREA_LOCKED 0x2000ULL
    #define coalmm_virtual_AREA_SEQUENTIAL 0x8000ULL
    #define coalmm_virtual_AREA_RANDOM 0x10000ULL
    #define coalmm_virtual_AREA_NO_FORK 0x20000ULL
    #define coalmm_virtual_AREA_LOCK_ON_FAULT 0x80000ULL
    #define coalmm_virtual_AREA_LOCKS 0x82000ULL
    #define coalmm_virtual_AREA_NO_RESERVE 0x200000ULL
    #define coalmm_virtual_AREA_WIPE_ON_FORK 0x2000000ULL
    #define coalmm_virtual_AREA_NO_DUMP 0x4000000ULL
    #define coalmm_virtual_AREA_HUGE 0x20000000ULL
    #define coalmm_virtual_AREA_NO_HUGE 0x40000000ULL
    #define coalmm_virtual_AREA_MERGEABLE 0x80000000ULL
    #define coalmm_virtual_AREA_KIND_SHIFT 0x20ULL
    #define coalmm_virtual_AREA_KIND 0xff00000000ULL
    #define coalmm_virtual_AREA_MAPPING 0x0ULL
    #define coalmm_virtual_AREA_TEXT 0x100000000ULL
    #define coalmm_virtual_AREA_DATA 0x200000000ULL
    #define coalmm_virtual_AREA_HEAP 0x300000000ULL
    #define coalmm_virtual_AREA_STACK 0x400000000ULL
    #define coalmm_virtual_T_ARRAY 0x0ULL
    #define coalmm_virtual_T_COUNT 0x1ULL
    #define coalmm_virtual_T_CAPACITY 0x2ULL
    #define coalmm_virtual_T_HINT 0x3ULL
    #define coalmm_virtual_AREAS_LIMIT 0xfffaULL
    #define coalmm_virtual_GUARD_GAP 0x100000ULL
    #define coalmm_virtual_SPACE_SIZE 0x140ULL
    #define coalmm_virtual_S_ROOT 0x0ULL
    #define coalmm_virtual_S_TABLE 0x1ULL
    #define coalmm_virtual_S_BRK_START 0x5ULL
    #define coalmm_virtual_S_BRK 0x6ULL
    #define coalmm_virtual_S_MMAP_BASE 0x7ULL
    #define coalmm_virtual_S_STACK_LIMIT 0x8ULL
    #define coalmm_virtual_S_REFERENCES 0x9ULL
    #define coalmm_virtual_S_VIRTUAL 0xaULL
    #define coalmm_virtual_S_RSS_ANONYMOUS 0xbULL
    #define coalmm_virtual_S_RSS_FILE 0xcULL
    #define coalmm_virtual_S_RSS_SHARED 0xdULL
    #define coalmm_virtual_S_PEAK_RSS 0xeULL
    #define coalmm_virtual_S_PEAK_VIRTUAL 0xfULL
    #define coalmm_virtual_S_LOCKED 0x10ULL
    #define coalmm_virtual_S_FAULTS_ZERO 0x11ULL
    #define coalmm_virtual_S_FAULTS_FILE 0x12ULL
    #define coalmm_virtual_S_FAULTS_COPY 0x13ULL
    #define coalmm_virtual_S_FAULTS_STACK 0x14ULL
    #define coalmm_virtual_S_FAULTS_SPURIOUS 0x15ULL
    #define coalmm_virtual_S_FAULTS_READ 0x16ULL
    #define coalmm_virtual_S_FAULTS_REFUSED 0x17ULL
    #define coalmm_virtual_S_SIZE_LIMIT 0x18ULL
    #define coalmm_virtual_S_DATA_LIMIT 0x19ULL
    #define coalmm_virtual_S_LOCK_LIMIT 0x1aULL
    #define coalmm_virtual_S_DEFAULT_FLAGS 0x1bULL
    #define coalmm_virtual_S_CODE_START 0x1cULL
    #define coalmm_virtual_S_CODE_END 0x1dULL
    #define coalmm_virtual_S_DATA_START 0x1eULL
    #define coalmm_virtual_S_DATA_END 0x1fULL
    #define coalmm_virtual_S_STACK_START 0x20ULL
    #define coalmm_virtual_S_ARG_START 0x21ULL
    #define coalmm_virtual_S_ARG_END 0x22ULL
    #define coalmm_virtual_S_ENV_START 0x23ULL
    #define coalmm_virtual_S_ENV_END 0x24ULL
    #define coalmm_virtual_S_BARRIERS 0x25ULL
    #define coalmm_virtual_S_TOP 0x26ULL
    #define coalmm_virtual_FILE_SIZE 0x80ULL
    #define coalmm_virtual_F_KIND 0x0ULL
    #define coalmm_virtual_F_REFERENCES 0x1ULL
    #define coalmm_virtual_F_SIZE 0x2ULL
    #define coalmm_virtual_F_DEVICE 0x3ULL
    #define coalmm_virtual_F_INODE 0x4ULL
    #define coalmm_virtual_F_CHANGED 0x5ULL
    #define coalmm_virtual_F_PATH 0x6ULL
    #define coalmm_virtual_F_NEXT 0x7ULL
    #define coalmm_virtual_F_PREVIOUS 0x8ULL
    #define coalmm_virtual_F_PAGES 0x9ULL
    #define coalmm_virtual_F_NUMBER 0xaULL
    #define coalmm_virtual_F_WRITABLE 0xbULL
    #define coalmm_virtual_F_FIRST 0xcULL
    #define coalmm_virtual_FILE_HOST 0x1ULL
    #define coalmm_virtual_FILE_MEMORY 0x2ULL
    #define coalmm_virtual_D_INDEX 0x4ULL
    #define coalmm_virtual_D_FILE 0x5ULL
    #define coalmm_virtual_D_STATE 0x6ULL
    #define coalmm_virtual_D_BROUGHT 0x6ULL
    #define coalmm_virtual_D_NEWER 0xeULL
    #define coalmm_virtual_D_OLDER 0xfULL
    #define coalmm_virtual_STATE_DIRTY 0x1ULL
    #define coalmm_virtual_YOUNG 0x40ULL
    #define coalmm_virtual_FAULT_AROUND 0x10ULL
    #define coalmm_virtual_READ_AROUND 0x20ULL
    #define coalmm_virtual_RECLAIM 0x20ULL
    #define coalmm_virtual_STATE_USED 0x2ULL
    #define coalmm_virtual_D_SPACE 0x7ULL
    #define coalmm_virtual_SB_CACHE_BUCKETS 0xf8ULL
    #define coalmm_virtual_SB_CACHE_SHIFT 0xf9ULL
    #define coalmm_virtual_SB_CACHE_PAGES 0xfaULL
    #define coalmm_virtual_SB_CACHE_NEWEST 0xfbULL
    #define coalmm_virtual_SB_FILES 0xfcULL
    #define coalmm_virtual_SB_FILE_NUMBER 0xfdULL
    #define coalmm_virtual_SB_FILE_SLAB 0xfeULL
    #define coalmm_virtual_SB_SPACE_SLAB 0xffULL
    #define coalmm_virtual_SB_CACHE_COUNT 0x100ULL
    #define coalmm_virtual_SB_CACHE_OLDEST 0x101ULL
    #define coalmm_virtual_SB_CACHE_LISTED 0x102ULL
    #define coalmm_virtual_SB_CACHE_CLOCK 0x103ULL
    #define coalmm_virtual_SB_RECLAIMED 0x104ULL
    #define coalmm_virtual_HASH_FACTOR 0x9e3779b97f4a7c15ULL
    #define coalmm_virtual_LOWEST 0x10000ULL
    #define coalmm_virtual_ENTRY_ADDRESS 0xffffffffff000ULL
    #define coalmm_virtual_MAP_SHARED 0x1ULL
    #define coalmm_virtual_MAP_PRIVATE 0x2ULL
    #define coalmm_virtual_MAP_SHARED_VALIDATE 0x3ULL
    #define coalmm_virtual_MAP_TYPE 0xfULL
    #define coalmm_virtual_MAP_FIXED 0x10ULL
    #define coalmm_virtual_MAP_ANONYMOUS 0x20ULL
    #define coalmm_virtual_MAP_GROWSDOWN 0x100ULL
    #define coalmm_virtual_MAP_LOCKED 0x2000ULL
    #define coalmm_virtual_MAP_NORESERVE 0x4000ULL
    #define coalmm_virtual_MAP_POPULATE 0x8000ULL
    #define coalmm_virtual_MAP_NONBLOCK 0x10000ULL
    #define coalmm_virtual_MAP_STACK 0x20000ULL
    #define coalmm_virtual_MAP_HUGETLB 0x40000ULL
    #define coalmm_virtual_MAP_FIXED_NOREPLACE 0x100000ULL
    #define coalmm_virtual_MAP_32BIT 0x40ULL
    #define coalmm_virtual_MAP_LEGACY 0x7c07f9f3ULL
    #define coalmm_virtual_MAP_READ_ONLY 0x100000000ULL
    #define coalmm_virtual_PROT_SEM 0x8ULL
    #define coalmm_virtual_PROT_GROWSDOWN 0x1000000ULL
    #define coalmm_virtual_PROT_GROWSUP 0x2000000ULL
    #define coalmm_virtual_MREMAP_MAYMOVE 0x1ULL
    #define coalmm_virtual_MREMAP_FIXED 0x2ULL
    #define coalmm_virtual_MREMAP_DONTUNMAP 0x4ULL
    #define coalmm_virtual_MADV_NORMAL 0x0ULL
    #define coalmm_virtual_MADV_RANDOM 0x1ULL
    #define coalmm_virtual_MADV_SEQUENTIAL 0x2ULL
    #define coalmm_virtual_MADV_WILLNEED 0x3ULL
    #define coalmm_virtual_MADV_DONTNEED 0x4ULL
    #define coalmm_virtual_MADV_FREE 0x8ULL
    #define coalmm_virtual_MADV_REMOVE 0x9ULL
    #define coalmm_virtual_MADV_DONTFORK 0xaULL
    #define coalmm_virtual_MADV_DOFORK 0xbULL
    #define coalmm_virtual_MADV_MERGEABLE 0xcULL
    #define coalmm_virtual_MADV_UNMERGEABLE 0xdULL
    #define coalmm_virtual_MADV_HUGEPAGE 0xeULL
    #define coalmm_virtual_MADV_NOHUGEPAGE 0xfULL
    #define coalmm_virtual_MADV_DONTDUMP 0x10ULL
    #define coalmm_virtual_MADV_DODUMP 0x11ULL
    #define coalmm_virtual_MADV_WIPEONFORK 0x12ULL
    #define coalmm_virtual_MADV_KEEPONFORK 0x13ULL
    #define coalmm_virtual_MADV_COLD 0x14ULL
    #define coalmm_virtual_MADV_PAGEOUT 0x15ULL
    #define coalmm_virtual_MADV_POPULATE_READ 0x16ULL
    #define coalmm_virtual_MADV_POPULATE_WRITE 0x17ULL
    #define coalmm_virtual_MADV_DONTNEED_LOCKED 0x18ULL
    #define coalmm_virtual_MS_ASYNC 0x1ULL
    #define coalmm_virtual_MS_INVALIDATE 0x2ULL
    #define coalmm_virtual_MS_SYNC 0x4ULL
    #define coalmm_virtual_MCL_CURRENT 0x1ULL
    #define coalmm_virtual_MCL_FUTURE 0x2ULL
    #define coalmm_virtual_MCL_ONFAULT 0x4ULL
    #define coalmm_virtual_SB_DIRECTORIES 0xf0ULL
    #define coalmm_virtual_D_GLOBAL 0x4ULL
    #define coalmm_virtual_D_ENTRY 0x4ULL
    #define coalmm_virtual_DOCUMENT_FLAGS 0x80000000000003ffULL
    #define coalmm_virtual_LEAF_FLAGS 0x800000000000077fULL
    #define coalmm_virtual_RIGHT_FLAGS 0x8000000000000606ULL
    #define coalmm_virtual_LOWMEM_LIMIT 0x38000000ULL
    #define coalmm_virtual_FEW_PAGES 0x20ULL
    """
    const u64 AREA_SIZE "coalmm_virtual_AREA_SIZE"
    const u64 AREA_WORDS "coalmm_virtual_AREA_WORDS"
    const u64 A_START "coalmm_virtual_A_START"
    const u64 A_END "coalmm_virtual_A_END"
    const u64 A_FLAGS "coalmm_virtual_A_FLAGS"
    const u64 A_FILE "coalmm_virtual_A_FILE"
    const u64 A_OFFSET "coalmm_virtual_A_OFFSET"
    const u64 RIGHT_READ "coalmm_virtual_RIGHT_READ"
    const u64 RIGHT_WRITE "coalmm_virtual_RIGHT_WRITE"
    const u64 RIGHT_EXECUTE "coalmm_virtual_RIGHT_EXECUTE"
    const u64 RIGHTS "coalmm_virtual_RIGHTS"
    const u64 AREA_SHARED "coalmm_virtual_AREA_SHARED"
    const u64 MAY_READ "coalmm_virtual_MAY_READ"
    const u64 MAY_WRITE "coalmm_virtual_MAY_WRITE"
    const u64 MAY_EXECUTE "coalmm_virtual_MAY_EXECUTE"
    const u64 MAY_SHIFT "coalmm_virtual_MAY_SHIFT"
    const u64 AREA_GROWS_DOWN "coalmm_virtual_AREA_GROWS_DOWN"
    const u64 AREA_LOCKED "coalmm_virtual_AREA_LOCKED"
    const u64 AREA_SEQUENTIAL "coalmm_virtual_AREA_SEQUENTIAL"
    const u64 AREA_RANDOM "coalmm_virtual_AREA_RANDOM"
    const u64 AREA_NO_FORK "coalmm_virtual_AREA_NO_FORK"
    const u64 AREA_LOCK_ON_FAULT "coalmm_virtual_AREA_LOCK_ON_FAULT"
    const u64 AREA_LOCKS "coalmm_virtual_AREA_LOCKS"
    const u64 AREA_NO_RESERVE "coalmm_virtual_AREA_NO_RESERVE"
    const u64 AREA_WIPE_ON_FORK "coalmm_virtual_AREA_WIPE_ON_FORK"
    const u64 AREA_NO_DUMP "coalmm_virtual_AREA_NO_DUMP"
    const u64 AREA_HUGE "coalmm_virtual_AREA_HUGE"
    const u64 AREA_NO_HUGE "coalmm_virtual_AREA_NO_HUGE"
    const u64 AREA_MERGEABLE "coalmm_virtual_AREA_MERGEABLE"
    const u64 AREA_KIND_SHIFT "coalmm_virtual_AREA_KIND_SHIFT"
    const u64 AREA_KIND "coalmm_virtual_AREA_KIND"
    const u64 AREA_MAPPING "coalmm_virtual_AREA_MAPPING"
    const u64 AREA_TEXT "coalmm_virtual_AREA_TEXT"
    const u64 AREA_DATA "coalmm_virtual_AREA_DATA"
    const u64 AREA_HEAP "coalmm_virtual_AREA_HEAP"
    const u64 AREA_STACK "coalmm_virtual_AREA_STACK"
    const u64 T_ARRAY "coalmm_virtual_T_ARRAY"
    const u64 T_COUNT "coalmm_virtual_T_COUNT"
    const u64 T_CAPACITY "coalmm_virtual_T_CAPACITY"
    const u64 T_HINT "coalmm_virtual_T_HINT"
    const u64 AREAS_LIMIT "coalmm_virtual_AREAS_LIMIT"
    const u64 GUARD_GAP "coalmm_virtual_GUARD_GAP"
    const u64 SPACE_SIZE "coalmm_virtual_SPACE_SIZE"
    const u64 S_ROOT "coalmm_virtual_S_ROOT"
    const u64 S_TABLE "coalmm_virtual_S_TABLE"
    const u64 S_BRK_START "coalmm_virtual_S_BRK_START"
    const u64 S_BRK "coalmm_virtual_S_BRK"
    const u64 S_MMAP_BASE "coalmm_virtual_S_MMAP_BASE"
    const u64 S_STACK_LIMIT "coalmm_virtual_S_STACK_LIMIT"
    const u64 S_REFERENCES "coalmm_virtual_S_REFERENCES"
    const u64 S_VIRTUAL "coalmm_virtual_S_VIRTUAL"
    const u64 S_RSS_ANONYMOUS "coalmm_virtual_S_RSS_ANONYMOUS"
    const u64 S_RSS_FILE "coalmm_virtual_S_RSS_FILE"
    const u64 S_RSS_SHARED "coalmm_virtual_S_RSS_SHARED"
    const u64 S_PEAK_RSS "coalmm_virtual_S_PEAK_RSS"
    const u64 S_PEAK_VIRTUAL "coalmm_virtual_S_PEAK_VIRTUAL"
    const u64 S_LOCKED "coalmm_virtual_S_LOCKED"
    const u64 S_FAULTS_ZERO "coalmm_virtual_S_FAULTS_ZERO"
    const u64 S_FAULTS_FILE "coalmm_virtual_S_FAULTS_FILE"
    const u64 S_FAULTS_COPY "coalmm_virtual_S_FAULTS_COPY"
    const u64 S_FAULTS_STACK "coalmm_virtual_S_FAULTS_STACK"
    const u64 S_FAULTS_SPURIOUS "coalmm_virtual_S_FAULTS_SPURIOUS"
    const u64 S_FAULTS_READ "coalmm_virtual_S_FAULTS_READ"
    const u64 S_FAULTS_REFUSED "coalmm_virtual_S_FAULTS_REFUSED"
    const u64 S_SIZE_LIMIT "coalmm_virtual_S_SIZE_LIMIT"
    const u64 S_DATA_LIMIT "coalmm_virtual_S_DATA_LIMIT"
    const u64 S_LOCK_LIMIT "coalmm_virtual_S_LOCK_LIMIT"
    const u64 S_DEFAULT_FLAGS "coalmm_virtual_S_DEFAULT_FLAGS"
    const u64 S_CODE_START "coalmm_virtual_S_CODE_START"
    const u64 S_CODE_END "coalmm_virtual_S_CODE_END"
    const u64 S_DATA_START "coalmm_virtual_S_DATA_START"
    const u64 S_DATA_END "coalmm_virtual_S_DATA_END"
    const u64 S_STACK_START "coalmm_virtual_S_STACK_START"
    const u64 S_ARG_START "coalmm_virtual_S_ARG_START"
    const u64 S_ARG_END "coalmm_virtual_S_ARG_END"
    const u64 S_ENV_START "coalmm_virtual_S_ENV_START"
    const u64 S_ENV_END "coalmm_virtual_S_ENV_END"
    const u64 S_BARRIERS "coalmm_virtual_S_BARRIERS"
    const u64 S_TOP "coalmm_virtual_S_TOP"
    const u64 FILE_SIZE "coalmm_virtual_FILE_SIZE"
    const u64 F_KIND "coalmm_virtual_F_KIND"
    const u64 F_REFERENCES "coalmm_virtual_F_REFERENCES"
    const u64 F_SIZE "coalmm_virtual_F_SIZE"
    const u64 F_DEVICE "coalmm_virtual_F_DEVICE"
    const u64 F_INODE "coalmm_virtual_F_INODE"
    const u64 F_CHANGED "coalmm_virtual_F_CHANGED"
    const u64 F_PATH "coalmm_virtual_F_PATH"
    const u64 F_NEXT "coalmm_virtual_F_NEXT"
    const u64 F_PREVIOUS "coalmm_virtual_F_PREVIOUS"
    const u64 F_PAGES "coalmm_virtual_F_PAGES"
    const u64 F_NUMBER "coalmm_virtual_F_NUMBER"
    const u64 F_WRITABLE "coalmm_virtual_F_WRITABLE"
    const u64 F_FIRST "coalmm_virtual_F_FIRST"
    const u64 FILE_HOST "coalmm_virtual_FILE_HOST"
    const u64 FILE_MEMORY "coalmm_virtual_FILE_MEMORY"
    const u64 D_INDEX "coalmm_virtual_D_INDEX"
    const u64 D_FILE "coalmm_virtual_D_FILE"
    const u64 D_STATE "coalmm_virtual_D_STATE"
    const u64 D_BROUGHT "coalmm_virtual_D_BROUGHT"
    const u64 D_NEWER "coalmm_virtual_D_NEWER"
    const u64 D_OLDER "coalmm_virtual_D_OLDER"
    const u64 STATE_DIRTY "coalmm_virtual_STATE_DIRTY"
    const u64 YOUNG "coalmm_virtual_YOUNG"
    const u64 FAULT_AROUND "coalmm_virtual_FAULT_AROUND"
    const u64 READ_AROUND "coalmm_virtual_READ_AROUND"
    const u64 RECLAIM "coalmm_virtual_RECLAIM"
    const u64 STATE_USED "coalmm_virtual_STATE_USED"
    const u64 D_SPACE "coalmm_virtual_D_SPACE"
    const u64 SB_CACHE_BUCKETS "coalmm_virtual_SB_CACHE_BUCKETS"
    const u64 SB_CACHE_SHIFT "coalmm_virtual_SB_CACHE_SHIFT"
    const u64 SB_CACHE_PAGES "coalmm_virtual_SB_CACHE_PAGES"
    const u64 SB_CACHE_NEWEST "coalmm_virtual_SB_CACHE_NEWEST"
    const u64 SB_FILES "coalmm_virtual_SB_FILES"
    const u64 SB_FILE_NUMBER "coalmm_virtual_SB_FILE_NUMBER"
    const u64 SB_FILE_SLAB "coalmm_virtual_SB_FILE_SLAB"
    const u64 SB_SPACE_SLAB "coalmm_virtual_SB_SPACE_SLAB"
    const u64 SB_CACHE_COUNT "coalmm_virtual_SB_CACHE_COUNT"
    const u64 SB_CACHE_OLDEST "coalmm_virtual_SB_CACHE_OLDEST"
    const u64 SB_CACHE_LISTED "coalmm_virtual_SB_CACHE_LISTED"
    const u64 SB_CACHE_CLOCK "coalmm_virtual_SB_CACHE_CLOCK"
    const u64 SB_RECLAIMED "coalmm_virtual_SB_RECLAIMED"
    const u64 HASH_FACTOR "coalmm_virtual_HASH_FACTOR"
    const u64 LOWEST "coalmm_virtual_LOWEST"
    const u64 ENTRY_ADDRESS "coalmm_virtual_ENTRY_ADDRESS"
    const u64 MAP_SHARED "coalmm_virtual_MAP_SHARED"
    const u64 MAP_PRIVATE "coalmm_virtual_MAP_PRIVATE"
    const u64 MAP_SHARED_VALIDATE "coalmm_virtual_MAP_SHARED_VALIDATE"
    const u64 MAP_TYPE "coalmm_virtual_MAP_TYPE"
    const u64 MAP_FIXED "coalmm_virtual_MAP_FIXED"
    const u64 MAP_ANONYMOUS "coalmm_virtual_MAP_ANONYMOUS"
    const u64 MAP_GROWSDOWN "coalmm_virtual_MAP_GROWSDOWN"
    const u64 MAP_LOCKED "coalmm_virtual_MAP_LOCKED"
    const u64 MAP_NORESERVE "coalmm_virtual_MAP_NORESERVE"
    const u64 MAP_POPULATE "coalmm_virtual_MAP_POPULATE"
    const u64 MAP_NONBLOCK "coalmm_virtual_MAP_NONBLOCK"
    const u64 MAP_STACK "coalmm_virtual_MAP_STACK"
    const u64 MAP_HUGETLB "coalmm_virtual_MAP_HUGETLB"
    const u64 MAP_FIXED_NOREPLACE "coalmm_virtual_MAP_FIXED_NOREPLACE"
    const u64 MAP_32BIT "coalmm_virtual_MAP_32BIT"
    const u64 MAP_LEGACY "coalmm_virtual_MAP_LEGACY"
    const u64 MAP_READ_ONLY "coalmm_virtual_MAP_READ_ONLY"
    const u64 PROT_SEM "coalmm_virtual_PROT_SEM"
    const u64 PROT_GROWSDOWN "coalmm_virtual_PROT_GROWSDOWN"
    const u64 PROT_GROWSUP "coalmm_virtual_PROT_GROWSUP"
    const u64 MREMAP_MAYMOVE "coalmm_virtual_MREMAP_MAYMOVE"
    const u64 MREMAP_FIXED "coalmm_virtual_MREMAP_FIXED"
    const u64 MREMAP_DONTUNMAP "coalmm_virtual_MREMAP_DONTUNMAP"
    const u64 MADV_NORMAL "coalmm_virtual_MADV_NORMAL"
    const u64 MADV_RANDOM "coalmm_virtual_MADV_RANDOM"
    const u64 MADV_SEQUENTIAL "coalmm_virtual_MADV_SEQUENTIAL"
    const u64 MADV_WILLNEED "coalmm_virtual_MADV_WILLNEED"
    const u64 MADV_DONTNEED "coalmm_virtual_MADV_DONTNEED"
    const u64 MADV_FREE "coalmm_virtual_MADV_FREE"
    const u64 MADV_REMOVE "coalmm_virtual_MADV_REMOVE"
    const u64 MADV_DONTFORK "coalmm_virtual_MADV_DONTFORK"
    const u64 MADV_DOFORK "coalmm_virtual_MADV_DOFORK"
    const u64 MADV_MERGEABLE "coalmm_virtual_MADV_MERGEABLE"
    const u64 MADV_UNMERGEABLE "coalmm_virtual_MADV_UNMERGEABLE"
    const u64 MADV_HUGEPAGE "coalmm_virtual_MADV_HUGEPAGE"
    const u64 MADV_NOHUGEPAGE "coalmm_virtual_MADV_NOHUGEPAGE"
    const u64 MADV_DONTDUMP "coalmm_virtual_MADV_DONTDUMP"
    const u64 MADV_DODUMP "coalmm_virtual_MADV_DODUMP"
    const u64 MADV_WIPEONFORK "coalmm_virtual_MADV_WIPEONFORK"
    const u64 MADV_KEEPONFORK "coalmm_virtual_MADV_KEEPONFORK"
    const u64 MADV_COLD "coalmm_virtual_MADV_COLD"
    const u64 MADV_PAGEOUT "coalmm_virtual_MADV_PAGEOUT"
    const u64 MADV_POPULATE_READ "coalmm_virtual_MADV_POPULATE_READ"
    const u64 MADV_POPULATE_WRITE "coalmm_virtual_MADV_POPULATE_WRITE"
    const u64 MADV_DONTNEED_LOCKED "coalmm_virtual_MADV_DONTNEED_LOCKED"
    const u64 MS_ASYNC "coalmm_virtual_MS_ASYNC"
    const u64 MS_INVALIDATE "coalmm_virtual_MS_INVALIDATE"
    const u64 MS_SYNC "coalmm_virtual_MS_SYNC"
    const u64 MCL_CURRENT "coalmm_virtual_MCL_CURRENT"
    const u64 MCL_FUTURE "coalmm_virtual_MCL_FUTURE"
    const u64 MCL_ONFAULT "coalmm_virtual_MCL_ONFAULT"
    const u64 SB_DIRECTORIES "coalmm_virtual_SB_DIRECTORIES"
    const u64 D_GLOBAL "coalmm_virtual_D_GLOBAL"
    const u64 D_ENTRY "coalmm_virtual_D_ENTRY"
    const u64 DOCUMENT_FLAGS "coalmm_virtual_DOCUMENT_FLAGS"
    const u64 LEAF_FLAGS "coalmm_virtual_LEAF_FLAGS"
    const u64 RIGHT_FLAGS "coalmm_virtual_RIGHT_FLAGS"
    const u64 LOWMEM_LIMIT "coalmm_virtual_LOWMEM_LIMIT"
    const u64 FEW_PAGES "coalmm_virtual_FEW_PAGES"
