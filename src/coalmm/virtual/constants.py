"""How an address space, its areas and its files are laid out in RAM; units are words of 8 bytes.

The numbers that programs pass (rights, MAP_*, MADV_*, MREMAP_*) are Linux's, so that a system call
can hand its arguments on as they are.
"""

# One area: a record of 64 bytes.
AREA_SIZE = 64
AREA_WORDS = 8
A_START = 0  # first byte, page aligned
A_END = 1  # first byte after it, page aligned
A_FLAGS = 2
A_FILE = 3  # paddr of the file's record, 0 for private anonymous memory
A_OFFSET = 4  # byte of the file that A_START shows

# A_FLAGS. The low three bits are the rights, as in PROT_*.
RIGHT_READ = 0x1
RIGHT_WRITE = 0x2
RIGHT_EXECUTE = 0x4
RIGHTS = 0x7
AREA_SHARED = 0x8
MAY_READ = 0x10  # the rights that mprotect may give
MAY_WRITE = 0x20
MAY_EXECUTE = 0x40
MAY_SHIFT = 4
AREA_GROWS_DOWN = 0x100  # from here on the bits are those of Linux's VM_* (include/linux/mm.h)
AREA_LOCKED = 0x2000
AREA_SEQUENTIAL = 0x8000
AREA_RANDOM = 0x10000
AREA_NO_FORK = 0x20000  # the child does not get it
AREA_LOCK_ON_FAULT = 0x80000  # with AREA_LOCKED: pages are not brought before they are touched
AREA_LOCKS = 0x82000
AREA_NO_RESERVE = 0x200000
AREA_WIPE_ON_FORK = 0x2000000  # the child gets it empty
AREA_NO_DUMP = 0x4000000
AREA_HUGE = 0x20000000
AREA_NO_HUGE = 0x40000000
AREA_MERGEABLE = 0x80000000
AREA_KIND_SHIFT = 32
AREA_KIND = 0xFF_0000_0000

AREA_MAPPING = 0x0_0000_0000
AREA_TEXT = 0x1_0000_0000
AREA_DATA = 0x2_0000_0000
AREA_HEAP = 0x3_0000_0000
AREA_STACK = 0x4_0000_0000

# The header of an area table: four words of the address space's record.
T_ARRAY = 0  # paddr of the sorted records
T_COUNT = 1
T_CAPACITY = 2
T_HINT = 3  # index of the last hit
AREAS_LIMIT = 65530  # as vm.max_map_count

GUARD_GAP = 0x100000  # bytes kept free below an area that grows down: 256 pages

# The record of an address space.
SPACE_SIZE = 320
S_ROOT = 0  # paddr of its page directory
S_TABLE = 1  # words 1 to 4: header of its area table
S_BRK_START = 5
S_BRK = 6
S_MMAP_BASE = 7  # maps are placed below it, from the top down
S_STACK_LIMIT = 8  # bytes that a stack may have
S_REFERENCES = 9  # processes that share it
S_VIRTUAL = 10  # pages in areas
S_RSS_ANONYMOUS = 11  # present pages by what their frame is
S_RSS_FILE = 12
S_RSS_SHARED = 13  # of shared anonymous memory
S_PEAK_RSS = 14
S_PEAK_VIRTUAL = 15
S_LOCKED = 16  # pages in locked areas
S_FAULTS_ZERO = 17
S_FAULTS_FILE = 18
S_FAULTS_COPY = 19
S_FAULTS_STACK = 20
S_FAULTS_SPURIOUS = 21
S_FAULTS_READ = 22  # of the file faults, those that had to read the host file
S_FAULTS_REFUSED = 23  # ended as a signal or -ENOMEM
S_SIZE_LIMIT = 24  # bytes, as RLIMIT_AS, RLIMIT_DATA and RLIMIT_MEMLOCK; ALL_ONES: no limit
S_DATA_LIMIT = 25
S_LOCK_LIMIT = 26
S_DEFAULT_FLAGS = 27  # AREA_LOCKS of areas to come: mlockall(MCL_FUTURE)
S_CODE_START = 28  # what the program's image said, for /proc/PID/stat: its first executable segment,
S_CODE_END = 29
S_DATA_START = 30  # its last writable one,
S_DATA_END = 31
S_STACK_START = 32  # the stack pointer at its first instruction,
S_ARG_START = 33  # and the bytes of its arguments and environment
S_ARG_END = 34
S_ENV_START = 35
S_ENV_END = 36
S_BARRIERS = 37  # commands that membarrier(2) has registered
S_TOP = 38  # where user addresses end, for a 32-bit program on 64-bit tables; 0: where the format says

# The record of a file.
FILE_SIZE = 128
F_KIND = 0
F_REFERENCES = 1  # areas and open handles that name it
F_SIZE = 2  # bytes
F_DEVICE = 3  # identity on the host: st_dev, st_ino
F_INODE = 4
F_CHANGED = 5  # st_mtime_ns of the contents that are cached
F_PATH = 6  # kernel address of the NUL-terminated path
F_NEXT = 7
F_PREVIOUS = 8
F_PAGES = 9  # pages in the cache
F_NUMBER = 10  # what D_OWNER of its frames says
F_WRITABLE = 11  # the host file may be written
F_FIRST = 12  # pfn of the first page on the list of its cached pages

FILE_HOST = 1
FILE_MEMORY = 2

# Words of the descriptor of a cache frame and of a directory's root frame.
D_INDEX = 4  # page of the file
D_FILE = 5  # paddr of the file's record
D_STATE = 6  # STATE_* bits
D_BROUGHT = 6  # half: SB_CACHE_CLOCK when the page came into the cache
D_NEWER = 14  # halves, the last word: links (pfn) of the list of host files' pages by age
D_OLDER = 15
STATE_DIRTY = 1  # newer than the host file
YOUNG = 64  # a mapped page stays until so many others have come into the cache
FAULT_AROUND = 16  # pages: a file fault maps what the cache has of a window of so many, aligned by address
READ_AROUND = 32  # pages that one read of a host file brings at most
RECLAIM = 32  # frames that reclaim is asked for at a time
STATE_USED = 2  # found by a fault or a read since reclaim last looked
D_SPACE = 7  # a directory: paddr of its address space, 0 for a plain one

# Words of the superblock: SB_VIRTUAL + 8 on (the words below are the page tables').
SB_CACHE_BUCKETS = 248  # paddr of the buckets, u32 pfn each
SB_CACHE_SHIFT = 249  # 64 - log2 of how many: what a hash is shifted right by
SB_CACHE_PAGES = 250
SB_CACHE_NEWEST = 251  # pfn of the page of a host file that reclaim would take last; the list goes on with D_OLDER
SB_FILES = 252  # first file record
SB_FILE_NUMBER = 253  # last number given
SB_FILE_SLAB = 254
SB_SPACE_SLAB = 255
SB_CACHE_COUNT = 256  # how many buckets; 0: none yet
SB_CACHE_OLDEST = 257  # pfn of the page at the clock's hand
SB_CACHE_LISTED = 258  # pages on that list
SB_CACHE_CLOCK = 259  # pages that ever came into the cache
SB_RECLAIMED = 260  # pages that reclaim took
HASH_FACTOR = 0x9E37_79B9_7F4A_7C15  # 2**64 / golden ratio: neighbouring pages spread over the buckets

LOWEST = 0x10000  # vm.mmap_min_addr: what lies below is never mapped
ENTRY_ADDRESS = 0xF_FFFF_FFFF_F000  # the frame in an entry of any format; the other bits are its flags

MAP_SHARED = 0x01
MAP_PRIVATE = 0x02
MAP_SHARED_VALIDATE = 0x03
MAP_TYPE = 0x0F
MAP_FIXED = 0x10
MAP_ANONYMOUS = 0x20
MAP_GROWSDOWN = 0x100
MAP_LOCKED = 0x2000
MAP_NORESERVE = 0x4000
MAP_POPULATE = 0x8000
MAP_NONBLOCK = 0x10000
MAP_STACK = 0x20000
MAP_HUGETLB = 0x40000
MAP_FIXED_NOREPLACE = 0x100000
MAP_32BIT = 0x40
MAP_LEGACY = 0x7C07F9F3  # what MAP_SHARED_VALIDATE lets pass: the flags of before it (LEGACY_MAP_MASK)
MAP_READ_ONLY = 0x1_0000_0000  # not Linux's: the file is not open for writing

PROT_SEM = 0x8
PROT_GROWSDOWN = 0x1000000
PROT_GROWSUP = 0x2000000

MREMAP_MAYMOVE = 1
MREMAP_FIXED = 2
MREMAP_DONTUNMAP = 4

MADV_NORMAL = 0
MADV_RANDOM = 1
MADV_SEQUENTIAL = 2
MADV_WILLNEED = 3
MADV_DONTNEED = 4
MADV_FREE = 8
MADV_REMOVE = 9
MADV_DONTFORK = 10
MADV_DOFORK = 11
MADV_MERGEABLE = 12
MADV_UNMERGEABLE = 13
MADV_HUGEPAGE = 14
MADV_NOHUGEPAGE = 15
MADV_DONTDUMP = 16
MADV_DODUMP = 17
MADV_WIPEONFORK = 18
MADV_KEEPONFORK = 19
MADV_COLD = 20
MADV_PAGEOUT = 21
MADV_POPULATE_READ = 22
MADV_POPULATE_WRITE = 23
MADV_DONTNEED_LOCKED = 24

MS_ASYNC = 1
MS_INVALIDATE = 2
MS_SYNC = 4

MCL_CURRENT = 1
MCL_FUTURE = 2
MCL_ONFAULT = 4

# Page tables.
SB_DIRECTORIES = 240  # pfn of the first directory on the list of all of them (D_NEXT, D_PREVIOUS)
D_GLOBAL = 4  # a directory: 1 once its user half had a global page, which a load of CR3 does not forget
D_ENTRY = 4  # a page table: paddr of the entry that names it (in the kernel half: the kernel directory's)
DOCUMENT_FLAGS = 0x8000_0000_0000_03FF  # what paging_map_page may be given
LEAF_FLAGS = 0x8000_0000_0000_077F  # what a 4 KiB entry may hold beside its address
RIGHT_FLAGS = 0x8000_0000_0000_0606  # W, U, COW, SHARED, NX: what protect_range sets
LOWMEM_LIMIT = 0x3800_0000  # 896 MiB: what the kernel half of a 32-bit mode maps
FEW_PAGES = 32  # up to so many are invalidated one by one
