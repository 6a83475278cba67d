"""The window: the machine's RAM mapped into the C program, where the machine's kernel addresses are.

    kernel address = host address = base + paddr

The base is chosen before the machine boots, since allocators write kernel addresses into RAM: the address of
the paging mode's kernel half where the host has room there (0xC0000000, 32-bit modes), or a fixed place in
the lower half that processes of the host seldom use. Fixed, so that two runs of a program see the same
pointers. Where it is taken the host chooses another.

The bytes are those of the machine's RAM, mapped a second time from the same memfd. A child of fork() does
not get the mapping: two processes over one RAM would destroy it.
"""

import ctypes
import mmap
import os

from coalmm.c.host import libc
from coalmm.hardware.formats import EntryFormat
from coalmm.hardware.ram import Ram

UPPER_HALF_STANDS_AT = 1 << 44  # for modes whose kernel half no process of the host can map
MAP_NORESERVE = 0x4000
MAP_FIXED = 0x10
MAP_FIXED_NOREPLACE = 0x100000
MADV_DONTFORK = 10
FAILED = (1 << 64) - 1

libc.mmap.restype = ctypes.c_uint64
libc.mmap.argtypes = [ctypes.c_uint64, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int64]
libc.madvise.argtypes = [ctypes.c_uint64, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_uint64, ctypes.c_size_t]


class Window:
    """`size` bytes of this process's addresses, reserved; `open` maps RAM there, `close` gives them back.

    Raises OSError if the host has no room.
    """

    def __init__(self, form: EntryFormat, size: int) -> None:
        self.size = size
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE
        wanted = form.kernel_base if form.vaddr_bits == 32 else UPPER_HALF_STANDS_AT
        self.base: int = libc.mmap(wanted, size, 0, flags | MAP_FIXED_NOREPLACE, -1, 0)
        if self.base != wanted:  # taken, or a host before Linux 4.17, which takes the address for a hint
            if self.base != FAILED:
                libc.munmap(self.base, size)
            self.base = libc.mmap(0, size, 0, flags, -1, 0)
        if self.base == FAILED:
            raise OSError(ctypes.get_errno(), f"no room for {size} bytes of RAM in this process")

    def open(self, ram: Ram) -> None:
        """Map RAM. OSError if the host refuses."""
        rights = mmap.PROT_READ | mmap.PROT_WRITE
        flags = mmap.MAP_SHARED | MAP_FIXED | MAP_NORESERVE
        if ram.fd < 0 or libc.mmap(self.base, self.size, rights, flags, ram.fd, 0) != self.base:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        libc.madvise(self.base, self.size, MADV_DONTFORK)

    def close(self) -> None:
        """Give the addresses back; the pointers into them are gone."""
        if self.size:
            libc.munmap(self.base, self.size)
        self.size = 0

    def holds(self, address: int) -> bool:
        """Whether a host address is in it."""
        return 0 <= address - self.base < self.size
