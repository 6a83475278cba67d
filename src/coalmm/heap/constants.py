"""How the heap's structures are laid out in RAM.

Words of the superblock for the buddy allocator, the record of a slab cache, kmalloc's table.
"""

# The buddy allocator, words from SB_BUDDY.
BUDDY_READY = 0  # 1 once there is a region
BUDDY_TOTAL = 1  # frames that it has, free or not
BUDDY_FREE = 2  # frames in free blocks
BUDDY_ALLOCATIONS = 3
BUDDY_FREES = 4
BUDDY_FAILURES = 5
BUDDY_MASK = 6  # bit k: there are free blocks of order k
BUDDY_HEADS = 8  # first free block (pfn) of each order, 0 for none
BUDDY_COUNTS = 24  # how many free blocks of each order
BUDDY_PEAK = 40  # most frames that were ever in use at once, large memory of kmalloc included

MAX_ORDER = 12  # 16 MiB
ORDERS = 13
BLOCK_FIXED = 1  # flag of frames of a region that was given to buddy_init: never given back
LARGEST_BLOCK = 1 << 24
LARGEST_BLOCK_FRAMES = 1 << 12

# A slab cache: 32 words at a multiple of 256 bytes. The first line of 64 bytes is all that an
# allocation and a free touch.
CACHE_SIZE = 256
C_AT = 0  # word index of the bitmap word that allocations come from, 0 for none
C_BASE = 1  # kernel address of the object that its bit 0 stands for
C_STRIDE = 2  # bytes from one object to the next
C_RECIPROCAL = 3  # ceil(2**32 / stride)
C_SHAPE = 4  # objects in a slab | pages << 16 | CACHE_* flags << 48
C_ALLOCATIONS = 5
C_FREES = 6
C_CURRENT = 7  # pfn of the slab of that word, 0 for none
C_MAGIC = 8
C_OBJECT_SIZE = 9  # bytes that the user may write
C_ALIGN = 10
C_EMPTY = 11  # first slab without live objects (pfn), 0 for none
C_EMPTIES = 12
C_SLABS = 13
C_FAILURES = 14
C_COLOURS = 15  # how many colours there are | next colour << 32, in units of 8 bytes
COLOUR_COUNT = 0xFFFF_FFFF
C_COLOUR_STEP = 16  # bytes
C_NEXT = 17  # word index of the next cache, 0 ends
C_PREVIOUS = 18
C_LEFT = 19  # bytes of red zone before each object
C_PARTIAL = 20  # first slab with free and live objects (pfn), 0 for none
C_NAME_LENGTH = 21
C_NAME = 22  # 80 bytes
C_NAME_BYTES = 80
CACHE_WORDS = 32

CACHE_MAGIC = 0x4548_4341_4342_414C  # "LABCACHE"
SHAPE_OBJECTS = 0xFFFF
SHAPE_PAGES_SHIFT = 16
SHAPE_PAGES = 0xFFFF_FFFF
SHAPE_FLAGS_SHIFT = 48
CACHE_KMALLOC = 1  # one of kmalloc's classes
CACHE_CONSTRUCTED = 2  # has a constructor
CACHE_DESTROYED = 4  # has a destructor
CACHE_DEBUG = 8  # red zones, and poison where there is no constructor
CACHE_BUSY = 16  # its constructor is running

MOST_OBJECTS = 256  # bits in a frame descriptor's four data words,
LAST_DATA = 3  # the last of which is this one
SMALLEST_STRIDE = 16
EMPTIES_KEPT = 1  # empty slabs that a cache keeps beside its current one

# The slab allocator, words from SB_SLAB.
SLAB_CACHES = 0  # word index of the first cache, 0 for none
SLAB_COUNT = 1
SLAB_ROOT = 2  # word index of the cache that caches are allocated from

# kmalloc, words from SB_KMALLOC.
KMALLOC_TABLE = 0  # paddr of a table of halves: (size + 7) / 8 to the class's cache (word index)
KMALLOC_LARGE = 1  # large blocks that are live
KMALLOC_LARGE_FRAMES = 2  # frames that they hold
KMALLOC_LARGE_ALLOCATIONS = 3
KMALLOC_FAILURES = 4

LARGEST_CLASS = 8192
LARGE_ZONE = 16  # least bytes of red zone behind large memory, with debugging on
KMALLOC_TABLE_SIZE = 4 * ((LARGEST_CLASS >> 3) + 1)  # bytes

# Allocation tracking, words from SB_TRACKING.
TRACK_TABLE = 0  # paddr of the hash table, 0 for none
TRACK_CAPACITY = 1  # records that it has room for, a power of two
TRACK_USED = 2  # records that are not empty
TRACK_LIVE = 3  # allocations made since tracking began that are still live
TRACK_SERIAL = 4  # allocations and frees seen since tracking began: the clock of ages
TRACK_MISSED = 5  # allocations for which no record could be had
TRACK_SITES = 6  # paddr of the call sites, 0 for none
TRACK_SITES_ROOM = 7  # bytes
TRACK_SITES_USED = 8  # bytes

# A record of 64 bytes: 8 words.
RECORD_WORDS = 8
R_ADDRESS = 0  # kernel address; 0 is an empty record
R_SIZE = 1  # bytes asked for
R_STATE = 2  # 1 live, 2 freed
R_SITE = 3  # call site of the allocation: offset in the sites, in words, plus 1
R_FREE_SITE = 4
R_SERIAL = 5
R_FREE_SERIAL = 6
R_PROCESS = 7  # current process's record, 0 for none

# Debug patterns, as Linux uses them (include/linux/poison.h).
RED_ZONE = 0xCC
POISON_FREE = 0x6B
POISON_END = 0xA5
POISON_NEW = 0x5A
LEFT_ZONE = 16
RIGHT_ZONE = 24  # the last 8 of them hold the size that was asked for
