# header only
"""The numbers of constants.py as C constants; written by scripts/write_constants.py."""
from libc.stdint cimport uint64_t as u64

cdef extern from *:
    """
    #define coalmm_heap_BUDDY_READY 0x0ULL
    #define coalmm_heap_BUDDY_TOTAL 0x1ULL
    #define coalmm_heap_BUDDY_FREE 0x2ULL
    #define coalmm_heap_BUDDY_ALLOCATIONS 0x3ULL
    #define coalmm_heap_BUDDY_FREES 0x4ULL
    #define coalmm_heap_BUDDY_FAILURES 0x5ULL
    #define coalmm_heap_BUDDY_MASK 0x6ULL
    #define coalmm_heap_BUDDY_HEADS 0x8ULL
    #define coalmm_heap_BUDDY_COUNTS 0x18ULL
    #define coalmm_heap_BUDDY_PEAK 0x28ULL
    #define coalmm_heap_MAX_ORDER 0xcULL
    #define coalmm_heap_ORDERS 0xdULL
    #define coalmm_heap_BLOCK_FIXED 0x1ULL
    #define coalmm_heap_LARGEST_BLOCK 0x1000000ULL
    #define coalmm_heap_LARGEST_BLOCK_FRAMES 0x1000ULL
    #define coalmm_heap_CACHE_SIZE 0x100ULL
    #define coalmm_heap_C_AT 0x0ULL
    #define coalmm_heap_C_BASE 0x1ULL
    #define coalmm_heap_C_STRIDE 0x2ULL
    #define coalmm_heap_C_RECIPROCAL 0x3ULL
    #define coalmm_heap_C_SHAPE 0x4ULL
    #define coalmm_heap_C_ALLOCATIONS 0x5ULL
    #define coalmm_heap_C_FREES 0x6ULL
    #define coalmm_heap_C_CURRENT 0x7ULL
    #define coalmm_heap_C_MAGIC 0x8ULL
    #define coalmm_heap_C_OBJECT_SIZE 0x9ULL
    #define coalmm_heap_C_ALIGN 0xaULL
    #define coalmm_heap_C_EMPTY 0xbULL
    #define coalmm_heap_C_EMPTIES 0xcULL
    #define coalmm_heap_C_SLABS 0xdULL
    #define coalmm_heap_C_FAILURES 0xeULL
    #define coalmm_heap_C_COLOURS 0xfULL
    #define coalmm_heap_COLOUR_COUNT 0xffffffffULL
    #define coalmm_heap_C_COLOUR_STEP 0x10ULL
    #define coalmm_heap_C_NEXT 0x11ULL
    #define coalmm_heap_C_PREVIOUS 0x12ULL
    #define coalmm_heap_C_LEFT 0x13ULL
    #define coalmm_heap_C_PARTIAL 0x14ULL
    #define coalmm_heap_C_NAME_LENGTH 0x15ULL
    #define coalmm_heap_C_NAME 0x16ULL
    #define coalmm_heap_C_NAME_BYTES 0x50ULL
    #define coalmm_heap_CACHE_WORDS 0x20ULL
    #define coalmm_heap_CACHE_MAGIC 0x454843414342414cULL
    #define coalmm_heap_SHAPE_OBJECTS 0xffffULL
    #define coalmm_heap_SHAPE_PAGES_SHIFT 0x10ULL
    #define coalmm_heap_SHAPE_PAGES 0xffffffffULL
    #define coalmm_heap_SHAPE_FLAGS_SHIFT 0x30ULL
    #define coalmm_heap_CACHE_KMALLOC 0x1ULL
    #define coalmm_heap_CACHE_CONSTRUCTED 0x2ULL
    #define coalmm_heap_CACHE_DESTROYED 0x4ULL
    #define coalmm_heap_CACHE_DEBUG 0x8ULL
    #define coalmm_heap_CACHE_BUSY 0x10ULL
    #define coalmm_heap_MOST_OBJECTS 0x100ULL
    #define coalmm_heap_LAST_DATA 0x3ULL
    #define coalmm_heap_SMALLEST_STRIDE 0x10ULL
    #define coalmm_heap_EMPTIES_KEPT 0x1ULL
    #define coalmm_heap_SLAB_CACHES 0x0ULL
    #define coalmm_heap_SLAB_COUNT 0x1ULL
    #define coalmm_heap_SLAB_ROOT 0x2ULL
    #define coalmm_heap_KMALLOC_TABLE 0x0ULL
    #define coalmm_heap_KMALLOC_LARGE 0x1ULL
    #define coalmm_heap_KMALLOC_LARGE_FRAMES 0x2ULL
    #define coalmm_heap_KMALLOC_LARGE_ALLOCATIONS 0x3ULL
    #define coalmm_heap_KMALLOC_FAILURES 0x4ULL
    #define coalmm_heap_LARGEST_CLASS 0x2000ULL
    #define coalmm_heap_LARGE_ZONE 0x10ULL
    #define coalmm_heap_KMALLOC_TABLE_SIZE 0x1004ULL
    #define coalmm_heap_TRACK_TABLE 0x0ULL
    #define coalmm_heap_TRACK_CAPACITY 0x1ULL
    #define coalmm_heap_TRACK_USED 0x2ULL
    #define coalmm_heap_TRACK_LIVE 0x3ULL
    #define coalmm_heap_TRACK_SERIAL 0x4ULL
    #define coalmm_heap_TRACK_MISSED 0x5ULL
    #define coalmm_heap_TRACK_SITES 0x6ULL
    #define coalmm_heap_TRACK_SITES_ROOM 0x7ULL
    #define coalmm_heap_TRACK_SITES_USED 0x8ULL
    #define coalmm_heap_RECORD_WORDS 0x8ULL
    #define coalmm_heap_R_ADDRESS 0x0ULL
    #define coalmm_heap_R_SIZE 0x1ULL
    #define coalmm_heap_R_STATE 0x2ULL
    #define coalmm_heap_R_SITE 0x3ULL
    #define coalmm_heap_R_FREE_SITE 0x4ULL
    #define coalmm_heap_R_SERIAL 0x5ULL
    #define coalmm_heap_R_FREE_SERIAL 0x6ULL
    #define coalmm_heap_R_PROCESS 0x7ULL
    #define coalmm_heap_RED_ZONE 0xccULL
    #define coalmm_heap_POISON_FREE 0x6bULL
    #define coalmm_heap_POISON_END 0xa5ULL
    #define coalmm_heap_POISON_NEW 0x5aULL
    #define coalmm_heap_LEFT_ZONE 0x10ULL
    #define coalmm_heap_RIGHT_ZONE 0x18ULL
    """
    const u64 BUDDY_READY "coalmm_heap_BUDDY_READY"
    const u64 BUDDY_TOTAL "coalmm_heap_BUDDY_TOTAL"
    const u64 BUDDY_FREE "coalmm_heap_BUDDY_FREE"
    const u64 BUDDY_ALLOCATIONS "coalmm_heap_BUDDY_ALLOCATIONS"
    const u64 BUDDY_FREES "coalmm_heap_BUDDY_FREES"
    const u64 BUDDY_FAILURES "coalmm_heap_BUDDY_FAILURES"
    const u64 BUDDY_MASK "coalmm_heap_BUDDY_MASK"
    const u64 BUDDY_HEADS "coalmm_heap_BUDDY_HEADS"
    const u64 BUDDY_COUNTS "coalmm_heap_BUDDY_COUNTS"
    const u64 BUDDY_PEAK "coalmm_heap_BUDDY_PEAK"
    const u64 MAX_ORDER "coalmm_heap_MAX_ORDER"
    const u64 ORDERS "coalmm_heap_ORDERS"
    const u64 BLOCK_FIXED "coalmm_heap_BLOCK_FIXED"
    const u64 LARGEST_BLOCK "coalmm_heap_LARGEST_BLOCK"
    const u64 LARGEST_BLOCK_FRAMES "coalmm_heap_LARGEST_BLOCK_FRAMES"
    const u64 CACHE_SIZE "coalmm_heap_CACHE_SIZE"
    const u64 C_AT "coalmm_heap_C_AT"
    const u64 C_BASE "coalmm_heap_C_BASE"
    const u64 C_STRIDE "coalmm_heap_C_STRIDE"
    const u64 C_RECIPROCAL "coalmm_heap_C_RECIPROCAL"
    const u64 C_SHAPE "coalmm_heap_C_SHAPE"
    const u64 C_ALLOCATIONS "coalmm_heap_C_ALLOCATIONS"
    const u64 C_FREES "coalmm_heap_C_FREES"
    const u64 C_CURRENT "coalmm_heap_C_CURRENT"
    const u64 C_MAGIC "coalmm_heap_C_MAGIC"
    const u64 C_OBJECT_SIZE "coalmm_heap_C_OBJECT_SIZE"
    const u64 C_ALIGN "coalmm_heap_C_ALIGN"
    const u64 C_EMPTY "coalmm_heap_C_EMPTY"
    const u64 C_EMPTIES "coalmm_heap_C_EMPTIES"
    const u64 C_SLABS "coalmm_heap_C_SLABS"
    const u64 C_FAILURES "coalmm_heap_C_FAILURES"
    const u64 C_COLOURS "coalmm_heap_C_COLOURS"
    const u64 COLOUR_COUNT "coalmm_heap_COLOUR_COUNT"
    const u64 C_COLOUR_STEP "coalmm_heap_C_COLOUR_STEP"
    const u64 C_NEXT "coalmm_heap_C_NEXT"
    const u64 C_PREVIOUS "coalmm_heap_C_PREVIOUS"
    const u64 C_LEFT "coalmm_heap_C_LEFT"
    const u64 C_PARTIAL "coalmm_heap_C_PARTIAL"
    const u64 C_NAME_LENGTH "coalmm_heap_C_NAME_LENGTH"
    const u64 C_NAME "coalmm_heap_C_NAME"
    const u64 C_NAME_BYTES "coalmm_heap_C_NAME_BYTES"
    const u64 CACHE_WORDS "coalmm_heap_CACHE_WORDS"
    const u64 CACHE_MAGIC "coalmm_heap_CACHE_MAGIC"
    const u64 SHAPE_OBJECTS "coalmm_heap_SHAPE_OBJECTS"
    const u64 SHAPE_PAGES_SHIFT "coalmm_heap_SHAPE_PAGES_SHIFT"
    const u64 SHAPE_PAGES "coalmm_heap_SHAPE_PAGES"
    const u64 SHAPE_FLAGS_SHIFT "coalmm_heap_SHAPE_FLAGS_SHIFT"
    const u64 CACHE_KMALLOC "coalmm_heap_CACHE_KMALLOC"
    const u64 CACHE_CONSTRUCTED "coalmm_heap_CACHE_CONSTRUCTED"
    const u64 CACHE_DESTROYED "coalmm_heap_CACHE_DESTROYED"
    const u64 CACHE_DEBUG "coalmm_heap_CACHE_DEBUG"
    const u64 CACHE_BUSY "coalmm_heap_CACHE_BUSY"
    const u64 MOST_OBJECTS "coalmm_heap_MOST_OBJECTS"
    const u64 LAST_DATA "coalmm_heap_LAST_DATA"
    const u64 SMALLEST_STRIDE "coalmm_heap_SMALLEST_STRIDE"
    const u64 EMPTIES_KEPT "coalmm_heap_EMPTIES_KEPT"
    const u64 SLAB_CACHES "coalmm_heap_SLAB_CACHES"
    const u64 SLAB_COUNT "coalmm_heap_SLAB_COUNT"
    const u64 SLAB_ROOT "coalmm_heap_SLAB_ROOT"
    const u64 KMALLOC_TABLE "coalmm_heap_KMALLOC_TABLE"
    const u64 KMALLOC_LARGE "coalmm_heap_KMALLOC_LARGE"
    const u64 KMALLOC_LARGE_FRAMES "coalmm_heap_KMALLOC_LARGE_FRAMES"
    const u64 KMALLOC_LARGE_ALLOCATIONS "coalmm_heap_KMALLOC_LARGE_ALLOCATIONS"
    const u64 KMALLOC_FAILURES "coalmm_heap_KMALLOC_FAILURES"
    const u64 LARGEST_CLASS "coalmm_heap_LARGEST_CLASS"
    const u64 LARGE_ZONE "coalmm_heap_LARGE_ZONE"
    const u64 KMALLOC_TABLE_SIZE "coalmm_heap_KMALLOC_TABLE_SIZE"
    const u64 TRACK_TABLE "coalmm_heap_TRACK_TABLE"
    const u64 TRACK_CAPACITY "coalmm_heap_TRACK_CAPACITY"
    const u64 TRACK_USED "coalmm_heap_TRACK_USED"
    const u64 TRACK_LIVE "coalmm_heap_TRACK_LIVE"
    const u64 TRACK_SERIAL "coalmm_heap_TRACK_SERIAL"
    const u64 TRACK_MISSED "coalmm_heap_TRACK_MISSED"
    const u64 TRACK_SITES "coalmm_heap_TRACK_SITES"
    const u64 TRACK_SITES_ROOM "coalmm_heap_TRACK_SITES_ROOM"
    const u64 TRACK_SITES_USED "coalmm_heap_TRACK_SITES_USED"
    const u64 RECORD_WORDS "coalmm_heap_RECORD_WORDS"
    const u64 R_ADDRESS "coalmm_heap_R_ADDRESS"
    const u64 R_SIZE "coalmm_heap_R_SIZE"
    const u64 R_STATE "coalmm_heap_R_STATE"
    const u64 R_SITE "coalmm_heap_R_SITE"
    const u64 R_FREE_SITE "coalmm_heap_R_FREE_SITE"
    const u64 R_SERIAL "coalmm_heap_R_SERIAL"
    const u64 R_FREE_SERIAL "coalmm_heap_R_FREE_SERIAL"
    const u64 R_PROCESS "coalmm_heap_R_PROCESS"
    const u64 RED_ZONE "coalmm_heap_RED_ZONE"
    const u64 POISON_FREE "coalmm_heap_POISON_FREE"
    const u64 POISON_END "coalmm_heap_POISON_END"
    const u64 POISON_NEW "coalmm_heap_POISON_NEW"
    const u64 LEFT_ZONE "coalmm_heap_LEFT_ZONE"
    const u64 RIGHT_ZONE "coalmm_heap_RIGHT_ZONE"
