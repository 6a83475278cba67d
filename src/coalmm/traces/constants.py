"""Numbers of the event stream. constants.pxd has the same for compiled code (scripts/write_constants.py)."""

# What an event does (column `ops` of a chunk).
ALLOCATE = 1
ALLOCATE_ZEROED = 2
FREE = 3
REALLOCATE = 4
PAGE_ALLOCATE = 5  # 4096 << label bytes from the page allocator
PAGE_FREE = 6
PAGE_SIZE = 4096

CHUNK_EVENTS = 16384  # events in a full chunk: about 0.6 MB, which a second-level cache holds
SPARE = 4  # room kept in a chunk: one line of a trace makes at most this many events
NO_SLOT = 0xFFFF_FFFF
MOST_NAMES = 1 << 20  # different call sites or caches kept; later ones are "not known"

ALL_ONES = 0xFFFF_FFFF_FFFF_FFFF
LARGEST_U32 = 0xFFFF_FFFF
HASH_MULTIPLIER = 0x9E37_79B9_7F4A_7C15  # 2**64 / golden ratio (Knuth, TAOCP 3, 6.4)
SMALLEST_TABLE = 1024  # entries
