"""The memory of the C program in this process: what its pointers reach, read and written so that a bad one is found.

The host's kernel does the copying (process_vm_readv and process_vm_writev on this very process): where a C
program would get SIGSEGV, it says EFAULT. Where the host does not allow those calls, the bytes are moved
without that check.
"""

import ctypes
import os

from coalmm.errors import InvalidPointerError

PAGE = 4096
CHUNK = 64  # bytes of a string that are looked at first
libc = ctypes.CDLL(None, use_errno=True)


class _Range(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_uint64), ("size", ctypes.c_uint64))


for _name in ("process_vm_readv", "process_vm_writev"):
    getattr(libc, _name).restype = ctypes.c_ssize_t
    getattr(libc, _name).argtypes = [
        ctypes.c_int, ctypes.POINTER(_Range), ctypes.c_ulong, ctypes.POINTER(_Range), ctypes.c_ulong, ctypes.c_ulong
    ]  # fmt: skip


def _move(name: str, local: int, remote: int, size: int) -> int:
    """Move bytes between a buffer of ours and the program's memory; how many could be, -1 if the host refuses."""
    ours, theirs = _Range(local, size), _Range(remote, size)
    moved: int = getattr(libc, name)(os.getpid(), ours, 1, theirs, 1, 0)
    if moved < 0:
        return 0 if ctypes.get_errno() == 14 else -1  # EFAULT; else ENOSYS or EPERM
    return moved


def read(address: int, size: int) -> bytes:
    """`size` bytes of the program's memory. InvalidPointerError if they are not all there."""
    buffer = bytearray(size)
    if size:
        local = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
        moved = _move("process_vm_readv", local, address, size)
        if moved < 0:
            ctypes.memmove(local, address, size)
        elif moved != size:
            raise InvalidPointerError(f"{size} bytes at {address:#x} cannot be read", address)
    return bytes(buffer)


def write(address: int, data: bytes | bytearray) -> None:
    """Write to the program's memory. InvalidPointerError if it cannot all be written; a part may have been."""
    if not data:
        return
    buffer = bytearray(data)
    local = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    moved = _move("process_vm_writev", local, address, len(buffer))
    if moved < 0:
        ctypes.memmove(address, local, len(buffer))
    elif moved != len(buffer):
        raise InvalidPointerError(f"{len(buffer)} bytes at {address:#x} cannot be written", address)


def is_readable(address: int) -> bool:
    """Whether the byte at an address can be read."""
    try:
        return len(read(address, 1)) == 1
    except InvalidPointerError:
        return False


def read_string(address: int, most: int = PAGE) -> bytes:
    """The bytes before the NUL of a C string, at most `most`. InvalidPointerError if the memory ends before."""
    text = b""
    while len(text) < most:
        at = address + len(text)
        piece = read(at, min(CHUNK - at % CHUNK, most - len(text)))  # within a page, so that none is missed
        end = piece.find(b"\0")
        if end >= 0:
            return text + piece[:end]
        text += piece
    return text
