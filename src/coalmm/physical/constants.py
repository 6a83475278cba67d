"""Where the physical layer keeps its structures, and how a frame descriptor is laid out.

RAM starts with the superblock in frame 0, which is never handed out. One descriptor of 64 bytes a
frame, as 8 words or 16 halves:

    half 0   references     how many hold the frame; 0 is free
    half 1   mappings       how many user page-table entries hold it (part of `references`)
    half 2   kind | order << 8 | flags << 16
    half 3   head           first frame (pfn) of the slab or large allocation it belongs to
    half 4   next           links of the list it stands on (pfn, 0 ends)
    half 5   previous
    half 6   count          references of whoever called frame_alloc (part of `references`); objects in
                            use in a slab; present entries in a page table; pages in a large block
    half 7   owner          what it belongs to: a cache, a directory, a file, a process
    words 4 to 7            a slab's free bitmap; a file page's index; free for other kinds

Zero bits and zero descriptors mean free, so that booting touches almost nothing.
"""

SUPERBLOCK_MAGIC = 0x4D4D_4C41_4F43_A9A9  # "..COALMM", read as a little-endian word
SUPERBLOCK_VERSION = 1

# Words of the superblock (frame 0).
SB_MAGIC = 0
SB_VERSION = 1
SB_RAM_SIZE = 2
SB_PAGING = 3  # 1 i386, 2 pae, 3 x86_64, 4 la57
SB_KERNEL_BASE = 4
SB_LOWMEM = 5  # frames below this pfn are mapped in the kernel half
SB_FRAMES = 6  # frames of the address range, holes included
SB_TOTAL = 7  # usable frames
SB_FREE = 8
SB_USER = 9  # frames that a user mapping holds
SB_DESCRIPTORS = 10  # paddr of the descriptor array
SB_BITMAP = 11  # paddr of the lowest bitmap level; levels follow in words 12 to 15
SB_LEVELS = 16  # how many levels
SB_MAP = 17  # paddr of the memory map: pairs (start, end) of usable ranges
SB_MAP_COUNT = 18
SB_KERNEL_DIRECTORY = 19
SB_CURRENT_DIRECTORY = 20  # CR3
SB_CURRENT_PROCESS = 21
SB_HOOKS = 22  # HOOK_* bits: what the fast paths must not skip
SB_KERNEL_END = 23  # first byte after the structures placed at boot, which start at SB_MAP
SB_INJECT = 24  # words 24 to 31: fault injection
SB_BUDDY = 32  # words 32 to 79: buddy statistics and free lists
SB_SLAB = 80  # words 80 to 95: the slab allocator
SB_KMALLOC = 96  # words 96 to 223: kmalloc classes
SB_TRACKING = 224  # words 224 to 239: allocation tracking
SB_VIRTUAL = 240  # words 240 to 271: directories, page cache, files
SB_PROCESS = 272  # words 272 to 303: process table
SB_KINDS = 304  # words 304 to 318: frames of each kind
SB_CACHE_MAPPED = 319  # frames of KIND_CACHE that a user mapping holds

# Words of fault injection, from SB_INJECT.
INJECT_POINTS = 0  # POINT_* bits: which allocators it watches
INJECT_NTH = 1  # fail the Nth allocation seen; 0 is off
INJECT_EVERY = 2  # fail every Nth; 0 is off
INJECT_LOW = 3  # only sizes from LOW bytes
INJECT_HIGH = 4  # to HIGH bytes
INJECT_SEEN = 5
INJECT_FAILED = 6

POINT_FRAME = 1
POINT_BUDDY = 2
POINT_SLAB = 4
POINT_KMALLOC = 8

HOOK_INJECT = 1  # fault injection is armed
HOOK_TRACK = 2  # allocation tracking is on
HOOK_DEBUG = 4  # red zones and poison
HOOK_NO_HEAP = 8  # kmalloc has no caches yet

DESCRIPTOR_SIZE = 64
DESCRIPTOR_WORDS = 8
DESCRIPTOR_HALVES = 16
D_REFERENCES = 0
D_MAPPINGS = 1
D_KIND = 2
D_HEAD = 3
D_NEXT = 4
D_PREVIOUS = 5
D_COUNT = 6
D_OWNER = 7
D_DATA = 4  # first of the four free words

KIND_MASK = 0xFF
ORDER_SHIFT = 8
FLAGS_SHIFT = 16
FLAGS_KIND_MASK = 0xFFFF_00FF  # kind and flags, but not the order

KIND_FREE = 0
KIND_FRAME = 1  # handed out by frame_alloc
KIND_KERNEL = 2  # placed at boot: superblock, bitmap, descriptors
KIND_TABLE = 3  # a page table
KIND_DIRECTORY = 4  # the root of a tree of page tables
KIND_HEAP = 5  # belongs to the buddy heap, inside a larger block
KIND_BUDDY_FREE = 6  # first frame of a free block
KIND_BUDDY = 7  # first frame of an allocated block
KIND_SLAB = 8  # a frame of a slab
KIND_LARGE = 9  # a frame of a large kmalloc block
KIND_ANONYMOUS = 10  # a process's private page
KIND_CACHE = 11  # a page of a file (or of shared anonymous memory)
KINDS = 12
KIND_KEYS = (
    "free", "frame_alloc", "kernel", "page_table", "page_directory", "buddy_inside", "buddy_free", "buddy",
    "slab", "kmalloc_large", "anonymous", "file",
)  # fmt: skip

REFERENCES_LIMIT = 0x7FFF_FFFF
