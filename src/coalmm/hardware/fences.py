"""The fence instructions for the interpreted mode: machine code in an executable page, called by ctypes.

On a host that is not x86, or that allows no executable page, a lock is taken and released instead,
which is a full fence by POSIX (4.12, memory synchronization).
"""

import ctypes
import mmap
import platform
import threading

from coalmm.typed import Callable

MFENCE = bytes((0x0F, 0xAE, 0xF0))
LFENCE = bytes((0x0F, 0xAE, 0xE8))
SFENCE = bytes((0x0F, 0xAE, 0xF8))
RETURN = bytes((0xC3,))
SLOT = 16  # bytes between one function and the next

_lock = threading.Lock()


def lock_fence() -> None:
    """A full fence for any host: a lock is taken and released."""
    with _lock:
        pass


def machine_code_fences() -> list[Callable[[], None]]:
    """Functions that execute mfence, lfence and sfence. OSError where no page may be executable."""
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))  # which also keeps the page mapped
    functions: list[Callable[[], None]] = []
    for slot, code in enumerate((MFENCE, LFENCE, SFENCE)):
        page[slot * SLOT : slot * SLOT + len(code) + 1] = code + RETURN
        functions.append(ctypes.CFUNCTYPE(None)(address + slot * SLOT))
    _pages.append(page)
    return functions


_pages: list[mmap.mmap] = []


def choose_fences() -> list[Callable[[], None]]:
    """The three fences that this host allows."""
    if platform.machine() in ("x86_64", "AMD64", "i686", "i386"):
        try:
            return machine_code_fences()
        except (OSError, ValueError):
            pass
    return [lock_fence] * 3


mfence, lfence, sfence = choose_fences()
