# header only
"""The numbers of constants.py as C constants; written by scripts/write_constants.py."""
from libc.stdint cimport uint64_t as u64

cdef extern from *:
    """
    #define coalmm_physical_SUPERBLOCK_MAGIC 0x4d4d4c414f43a9a9ULL
    #define coalmm_physical_SUPERBLOCK_VERSION 0x1ULL
    #define coalmm_physical_SB_MAGIC 0x0ULL
    #define coalmm_physical_SB_VERSION 0x1ULL
    #define coalmm_physical_SB_RAM_SIZE 0x2ULL
    #define coalmm_physical_SB_PAGING 0x3ULL
    #define coalmm_physical_SB_KERNEL_BASE 0x4ULL
    #define coalmm_physical_SB_LOWMEM 0x5ULL
    #define coalmm_physical_SB_FRAMES 0x6ULL
    #define coalmm_physical_SB_TOTAL 0x7ULL
    #define coalmm_physical_SB_FREE 0x8ULL
    #define coalmm_physical_SB_USER 0x9ULL
    #define coalmm_physical_SB_DESCRIPTORS 0xaULL
    #define coalmm_physical_SB_BITMAP 0xbULL
    #define coalmm_physical_SB_LEVELS 0x10ULL
    #define coalmm_physical_SB_MAP 0x11ULL
    #define coalmm_physical_SB_MAP_COUNT 0x12ULL
    #define coalmm_physical_SB_KERNEL_DIRECTORY 0x13ULL
    #define coalmm_physical_SB_CURRENT_DIRECTORY 0x14ULL
    #define coalmm_physical_SB_CURRENT_PROCESS 0x15ULL
    #define coalmm_physical_SB_HOOKS 0x16ULL
    #define coalmm_physical_SB_KERNEL_END 0x17ULL
    #define coalmm_physical_SB_INJECT 0x18ULL
    #define coalmm_physical_SB_BUDDY 0x20ULL
    #define coalmm_physical_SB_SLAB 0x50ULL
    #define coalmm_physical_SB_KMALLOC 0x60ULL
    #define coalmm_physical_SB_TRACKING 0xe0ULL
    #define coalmm_physical_SB_VIRTUAL 0xf0ULL
    #define coalmm_physical_SB_PROCESS 0x110ULL
    #define coalmm_physical_SB_KINDS 0x130ULL
    #define coalmm_physical_SB_CACHE_MAPPED 0x13fULL
    #define coalmm_physical_INJECT_POINTS 0x0ULL
    #define coalmm_physical_INJECT_NTH 0x1ULL
    #define coalmm_physical_INJECT_EVERY 0x2ULL
    #define coalmm_physical_INJECT_LOW 0x3ULL
    #define coalmm_physical_INJECT_HIGH 0x4ULL
    #define coalmm_physical_INJECT_SEEN 0x5ULL
    #define coalmm_physical_INJECT_FAILED 0x6ULL
    #define coalmm_physical_POINT_FRAME 0x1ULL
    #define coalmm_physical_POINT_BUDDY 0x2ULL
    #define coalmm_physical_POINT_SLAB 0x4ULL
    #define coalmm_physical_POINT_KMALLOC 0x8ULL
    #define coalmm_physical_HOOK_INJECT 0x1ULL
    #define coalmm_physical_HOOK_TRACK 0x2ULL
    #define coalmm_physical_HOOK_DEBUG 0x4ULL
    #define coalmm_physical_HOOK_NO_HEAP 0x8ULL
    #define coalmm_physical_DESCRIPTOR_SIZE 0x40ULL
    #define coalmm_physical_DESCRIPTOR_WORDS 0x8ULL
    #define coalmm_physical_DESCRIPTOR_HALVES 0x10ULL
    #define coalmm_physical_D_REFERENCES 0x0ULL
    #define coalmm_physical_D_MAPPINGS 0x1ULL
    #define coalmm_physical_D_KIND 0x2ULL
    #define coalmm_physical_D_HEAD 0x3ULL
    #define coalmm_physical_D_NEXT 0x4ULL
    #define coalmm_physical_D_PREVIOUS 0x5ULL
    #define coalmm_physical_D_COUNT 0x6ULL
    #define coalmm_physical_D_OWNER 0x7ULL
    #define coalmm_physical_D_DATA 0x4ULL
    #define coalmm_physical_KIND_MASK 0xffULL
    #define coalmm_physical_ORDER_SHIFT 0x8ULL
    #define coalmm_physical_FLAGS_SHIFT 0x10ULL
    #define coalmm_physical_FLAGS_KIND_MASK 0xffff00ffULL
    #define coalmm_physical_KIND_FREE 0x0ULL
    #define coalmm_physical_KIND_FRAME 0x1ULL
    #define coalmm_physical_KIND_KERNEL 0x2ULL
    #define coalmm_physical_KIND_TABLE 0x3ULL
    #define coalmm_physical_KIND_DIRECTORY 0x4ULL
    #define coalmm_physical_KIND_HEAP 0x5ULL
    #define coalmm_physical_KIND_BUDDY_FREE 0x6ULL
    #define coalmm_physical_KIND_BUDDY 0x7ULL
    #define coalmm_physical_KIND_SLAB 0x8ULL
    #define coalmm_physical_KIND_LARGE 0x9ULL
    #define coalmm_physical_KIND_ANONYMOUS 0xaULL
    #define coalmm_physical_KIND_CACHE 0xbULL
    #define coalmm_physical_KINDS 0xcULL
    #define coalmm_physical_REFERENCES_LIMIT 0x7fffffffULL
    """
    const u64 SUPERBLOCK_MAGIC "coalmm_physical_SUPERBLOCK_MAGIC"
    const u64 SUPERBLOCK_VERSION "coalmm_physical_SUPERBLOCK_VERSION"
    const u64 SB_MAGIC "coalmm_physical_SB_MAGIC"
    const u64 SB_VERSION "coalmm_physical_SB_VERSION"
    const u64 SB_RAM_SIZE "coalmm_physical_SB_RAM_SIZE"
    const u64 SB_PAGING "coalmm_physical_SB_PAGING"
    const u64 SB_KERNEL_BASE "coalmm_physical_SB_KERNEL_BASE"
    const u64 SB_LOWMEM "coalmm_physical_SB_LOWMEM"
    const u64 SB_FRAMES "coalmm_physical_SB_FRAMES"
    const u64 SB_TOTAL "coalmm_physical_SB_TOTAL"
    const u64 SB_FREE "coalmm_physical_SB_FREE"
    const u64 SB_USER "coalmm_physical_SB_USER"
    const u64 SB_DESCRIPTORS "coalmm_physical_SB_DESCRIPTORS"
    const u64 SB_BITMAP "coalmm_physical_SB_BITMAP"
    const u64 SB_LEVELS "coalmm_physical_SB_LEVELS"
    const u64 SB_MAP "coalmm_physical_SB_MAP"
    const u64 SB_MAP_COUNT "coalmm_physical_SB_MAP_COUNT"
    const u64 SB_KERNEL_DIRECTORY "coalmm_physical_SB_KERNEL_DIRECTORY"
    const u64 SB_CURRENT_DIRECTORY "coalmm_physical_SB_CURRENT_DIRECTORY"
    const u64 SB_CURRENT_PROCESS "coalmm_physical_SB_CURRENT_PROCESS"
    const u64 SB_HOOKS "coalmm_physical_SB_HOOKS"
    const u64 SB_KERNEL_END "coalmm_physical_SB_KERNEL_END"
    const u64 SB_INJECT "coalmm_physical_SB_INJECT"
    const u64 SB_BUDDY "coalmm_physical_SB_BUDDY"
    const u64 SB_SLAB "coalmm_physical_SB_SLAB"
    const u64 SB_KMALLOC "coalmm_physical_SB_KMALLOC"
    const u64 SB_TRACKING "coalmm_physical_SB_TRACKING"
    const u64 SB_VIRTUAL "coalmm_physical_SB_VIRTUAL"
    const u64 SB_PROCESS "coalmm_physical_SB_PROCESS"
    const u64 SB_KINDS "coalmm_physical_SB_KINDS"
    const u64 SB_CACHE_MAPPED "coalmm_physical_SB_CACHE_MAPPED"
    const u64 INJECT_POINTS "coalmm_physical_INJECT_POINTS"
    const u64 INJECT_NTH "coalmm_physical_INJECT_NTH"
    const u64 INJECT_EVERY "coalmm_physical_INJECT_EVERY"
    const u64 INJECT_LOW "coalmm_physical_INJECT_LOW"
    const u64 INJECT_HIGH "coalmm_physical_INJECT_HIGH"
    const u64 INJECT_SEEN "coalmm_physical_INJECT_SEEN"
    const u64 INJECT_FAILED "coalmm_physical_INJECT_FAILED"
    const u64 POINT_FRAME "coalmm_physical_POINT_FRAME"
    const u64 POINT_BUDDY "coalmm_physical_POINT_BUDDY"
    const u64 POINT_SLAB "coalmm_physical_POINT_SLAB"
    const u64 POINT_KMALLOC "coalmm_physical_POINT_KMALLOC"
    const u64 HOOK_INJECT "coalmm_physical_HOOK_INJECT"
    const u64 HOOK_TRACK "coalmm_physical_HOOK_TRACK"
    const u64 HOOK_DEBUG "coalmm_physical_HOOK_DEBUG"
    const u64 HOOK_NO_HEAP "coalmm_physical_HOOK_NO_HEAP"
    const u64 DESCRIPTOR_SIZE "coalmm_physical_DESCRIPTOR_SIZE"
    const u64 DESCRIPTOR_WORDS "coalmm_physical_DESCRIPTOR_WORDS"
    const u64 DESCRIPTOR_HALVES "coalmm_physical_DESCRIPTOR_HALVES"
    const u64 D_REFERENCES "coalmm_physical_D_REFERENCES"
    const u64 D_MAPPINGS "coalmm_physical_D_MAPPINGS"
    const u64 D_KIND "coalmm_physical_D_KIND"
    const u64 D_HEAD "coalmm_physical_D_HEAD"
    const u64 D_NEXT "coalmm_physical_D_NEXT"
    const u64 D_PREVIOUS "coalmm_physical_D_PREVIOUS"
    const u64 D_COUNT "coalmm_physical_D_COUNT"
    const u64 D_OWNER "coalmm_physical_D_OWNER"
    const u64 D_DATA "coalmm_physical_D_DATA"
    const u64 KIND_MASK "coalmm_physical_KIND_MASK"
    const u64 ORDER_SHIFT "coalmm_physical_ORDER_SHIFT"
    const u64 FLAGS_SHIFT "coalmm_physical_FLAGS_SHIFT"
    const u64 FLAGS_KIND_MASK "coalmm_physical_FLAGS_KIND_MASK"
    const u64 KIND_FREE "coalmm_physical_KIND_FREE"
    const u64 KIND_FRAME "coalmm_physical_KIND_FRAME"
    const u64 KIND_KERNEL "coalmm_physical_KIND_KERNEL"
    const u64 KIND_TABLE "coalmm_physical_KIND_TABLE"
    const u64 KIND_DIRECTORY "coalmm_physical_KIND_DIRECTORY"
    const u64 KIND_HEAP "coalmm_physical_KIND_HEAP"
    const u64 KIND_BUDDY_FREE "coalmm_physical_KIND_BUDDY_FREE"
    const u64 KIND_BUDDY "coalmm_physical_KIND_BUDDY"
    const u64 KIND_SLAB "coalmm_physical_KIND_SLAB"
    const u64 KIND_LARGE "coalmm_physical_KIND_LARGE"
    const u64 KIND_ANONYMOUS "coalmm_physical_KIND_ANONYMOUS"
    const u64 KIND_CACHE "coalmm_physical_KIND_CACHE"
    const u64 KINDS "coalmm_physical_KINDS"
    const u64 REFERENCES_LIMIT "coalmm_physical_REFERENCES_LIMIT"
