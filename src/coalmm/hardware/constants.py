"""Numbers of the x86 paging hardware (Intel SDM 3A 4) that every layer shares.

constants.pxd gives the compiled modules the same names as C constants; a test compares the two.
"""

FRAME_SHIFT = 12
FRAME_SIZE = 1 << FRAME_SHIFT
FRAME_MASK = FRAME_SIZE - 1

PAGE_PRESENT = 0x001
PAGE_WRITABLE = 0x002
PAGE_USER = 0x004
PAGE_WRITE_THROUGH = 0x008
PAGE_CACHE_DISABLE = 0x010
PAGE_ACCESSED = 0x020
PAGE_DIRTY = 0x040
PAGE_HUGE = 0x080
PAGE_GLOBAL = 0x100
PAGE_COW = 0x200  # software: ignored by the hardware
PAGE_SHARED = 0x400  # software, beyond the document: stays shared when the directory is cloned
PAGE_NX = 0x8000_0000_0000_0000

ACCESS_READ = 0
ACCESS_WRITE = 1
ACCESS_EXECUTE = 2

FAULT_PRESENT = 0x01  # P: the page was there, the right was missing
FAULT_WRITE = 0x02  # W/R: it was a write
FAULT_USER = 0x04  # U/S: in user mode
FAULT_RESERVED = 0x08  # RSVD: a reserved bit is set in an entry
FAULT_FETCH = 0x10  # I/D: an instruction fetch
FAULT_NON_CANONICAL = 0x8000_0000  # no page fault but #GP(0): the address is not canonical (SDM 1 3.3.7.1)
