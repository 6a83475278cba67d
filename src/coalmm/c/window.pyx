# cython: boundscheck=False
"""The window: RAM mapped where the machine's kernel addresses are, so that C can follow them.

    kernel address = host address = base + paddr

The base is chosen before the machine boots, since allocators write kernel addresses into RAM: the address of
the paging mode's kernel half where the host has room there (0xC0000000, 32-bit modes), or a fixed place in
the lower half that processes of the host seldom use. Fixed, so that two runs of a program see the same
pointers. Where it is taken the host chooses another.

Python's mmap cannot be told an address, hence this type; a .pyx, because only Cython makes a buffer of it.
The memory stays as long as anything in Python looks at it. A child of fork() does not get it: two processes
over one RAM would destroy it.
"""
import os

from cpython.buffer cimport PyBuffer_FillInfo
from libc.errno cimport errno
from libc.stdint cimport uint64_t as u64
from libc.string cimport memchr

cdef extern from *:
    """
    #include <sys/mman.h>
    #ifndef MAP_FIXED_NOREPLACE
    #define MAP_FIXED_NOREPLACE 0x100000
    #endif
    #define COALMM_RESERVE (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)
    #define COALMM_USE(fd) ((fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED) | MAP_FIXED | MAP_NORESERVE)
    """
    void *mmap(void *address, size_t size, int rights, int flags, int fd, long offset)
    int munmap(void *address, size_t size)
    int host_madvise "madvise"(void *address, size_t size, int advice)
    int COALMM_USE(int fd)
    void *MAP_FAILED
    int PROT_NONE, PROT_READ, PROT_WRITE, COALMM_RESERVE, MAP_FIXED_NOREPLACE, MADV_DONTFORK

UPPER_HALF_STANDS_AT = 1 << 44  # for modes whose kernel half no process of the host can map


cdef class Window:
    """`size` bytes of this process's addresses, from `base` on, reserved. OSError if the host has no room."""

    cdef readonly u64 base
    cdef readonly u64 size

    def __init__(self, form, u64 size):
        cdef u64 wanted = form.kernel_base if form.vaddr_bits == 32 else UPPER_HALF_STANDS_AT
        cdef void *place = mmap(<void *>wanted, size, PROT_NONE, COALMM_RESERVE | MAP_FIXED_NOREPLACE, -1, 0)
        if place != MAP_FAILED and <u64>place != wanted:  # a host before Linux 4.17 took it for a hint
            munmap(place, size)
        if <u64>place != wanted:
            place = mmap(NULL, size, PROT_NONE, COALMM_RESERVE, -1, 0)
        if place == MAP_FAILED:
            raise OSError(errno, f"no room for {size} bytes of RAM in this process")
        self.base = <u64>place
        self.size = size

    def __dealloc__(self):
        if self.size:
            munmap(<void *>self.base, self.size)

    def map(self, int fd, u64 size):
        """Put memory there, or a file's if `fd` is not -1; this is what `Ram` uses in place of a mapping of its own."""
        if size > self.size:
            raise OSError(f"{size} bytes of RAM do not fit the window of {self.size}")
        if mmap(<void *>self.base, size, PROT_READ | PROT_WRITE, COALMM_USE(fd), fd, 0) == MAP_FAILED:
            raise OSError(errno, os.strerror(errno))
        self.size = size
        host_madvise(<void *>self.base, size, MADV_DONTFORK)
        return self

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, <void *>self.base, self.size, 0, flags)

    def find(self, bytes what, u64 start, u64 end):
        """Where the one byte `what` is first, -1 if it is not in [start, end)."""
        cdef void *found = NULL
        if start < end <= self.size:
            found = memchr(<char *>self.base + start, what[0], end - start)
        return <u64>found - self.base if found != NULL else -1

    def madvise(self, int advice, u64 start, u64 size):
        """As `mmap.madvise`."""
        if start > self.size or size > self.size - start:
            raise ValueError("madvise outside of the window")
        if host_madvise(<char *>self.base + start, size, advice) != 0:
            raise OSError(errno, os.strerror(errno))

    def holds(self, address):
        """Whether a host address is in it."""
        return 0 <= address - self.base < self.size
