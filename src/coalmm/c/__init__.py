"""The C face: `coalmm.h` and `libcoalmm.so`, which let C programs use a machine as C programs do.

    libcoalmm.c    the exported functions: a lock, the fast paths, Python's start
    allocators.pyx the compiled allocators as C functions
    calls.py       everything else, one function for each of coalmm.h
    options.py     the words of coalmm_boot
    dump.py        mem_dump of any pointer
    window.pyx     RAM mapped at the machine's kernel addresses
    host.py        the memory of the C program: read and written with the host's check
    sites.py       return addresses as function, file and line
    config.py      the command coalmm-config
"""

import ctypes
import sys
from contextlib import contextmanager
from pathlib import Path

from coalmm import MODE
from coalmm.typed import Iterator

FOLDER = Path(__file__).resolve().parent
LIBRARY_FOLDER = FOLDER / sys.implementation.cache_tag  # a library belongs to one version of Python
LIBRARY = LIBRARY_FOLDER / "libcoalmm.so"
INCLUDE_FOLDER = FOLDER / "include"  # has coalmm.h and nothing else


def connect() -> None:
    """What libcoalmm.so calls first. ImportError without the compiled modules."""
    if MODE != "compiled":
        raise ImportError("libcoalmm.so needs coalmm's compiled modules, and the interpreted ones are loaded")
    from coalmm.c import calls

    calls.connect()


@contextmanager
def lock() -> Iterator[None]:
    """The lock of libcoalmm.so, for Python code that uses a machine which C threads use at the same time."""
    library = ctypes.CDLL(str(LIBRARY))
    library.coalmm_lock()
    try:
        yield
    finally:
        library.coalmm_unlock()
