"""Unicorn's C functions, called by address, and what little of C comes with that. The compiled modules use library.pxd.

Addresses are numbers. Where a function returns an address or an error, errors are below `LOWEST_ADDRESS`.
"""

import ctypes
import os

from coalmm.typed import Any

_pointer, _u64, _u32, _int = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_int
_host: Any = ctypes.CDLL(None)
_host.dlopen.restype = _host.dlsym.restype = _pointer
_host.dlerror.restype = ctypes.c_char_p


def open_shared(path: bytes) -> int:
    """A shared library whose functions are looked up when they are called first; 0 if it cannot be had."""
    return _host.dlopen(path, os.RTLD_LAZY) or 0


def why_not() -> bytes:
    """Why `open_shared` returned 0."""
    return _host.dlerror() or b"no reason given"


def symbol(library: int, name: bytes) -> int:
    """The address of a function; 0 if there is none."""
    return _host.dlsym(_pointer(library), name) or 0


def address_of(buffer: Any) -> int:
    """Where a writable buffer is in memory. The caller keeps it there."""
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer))


def read_memory(address: int, size: int) -> bytes:
    """Bytes of this process."""
    return ctypes.string_at(address, size)


def write_memory(address: int, content: bytes) -> None:
    """Set bytes of this process."""
    ctypes.memmove(address, content, len(content))


def _caller(result: type, *arguments: type):  # type: ignore[no-untyped-def]
    """A function that calls a C function of this prototype, whose address is its first argument."""
    prototype = ctypes.PYFUNCTYPE(result, *arguments)
    known: dict[int, object] = {}

    def call(function: int, *values: int) -> int:
        if function not in known:
            known[function] = prototype(function)
        return known[function](*values)  # type: ignore[operator, no-any-return]

    return call


def _maker(*arguments: type):  # type: ignore[no-untyped-def]
    """The same for one that leaves an address behind its last argument: that address, or its error."""
    call = _caller(_int, *arguments, _pointer)

    def make(function: int, *values: int) -> int:
        place = _u64(0)
        return call(function, *values, ctypes.addressof(place)) or place.value

    return make


_version = _caller(_u32, _pointer, _pointer)
open_engine = _maker(_int, _int)
allocate_context = _maker(_pointer)
context_size = _caller(ctypes.c_size_t, _pointer)
release = _caller(_int, _pointer)
map_memory = _caller(_int, _pointer, _u64, _u64, _u32)
map_pointer = _caller(_int, _pointer, _u64, _u64, _u32, _pointer)
emu_start = _caller(_int, _pointer, _u64, _u64, _u64, ctypes.c_size_t)
emu_stop = _caller(_int, _pointer)
context_save = _caller(_int, _pointer, _pointer)
context_restore = _caller(_int, _pointer, _pointer)
control_0 = _caller(_int, _pointer, _int)
control_1 = _caller(_int, _pointer, _int, _int)
control_2 = _caller(_int, _pointer, _int, _u64, _u64)
hook_del = _caller(_int, _pointer, _pointer)
_hook_add = _caller(_int, _pointer, _pointer, _int, _pointer, _pointer, _u64, _u64, _int)
_register_read = _caller(_int, _pointer, _int, _pointer)
_register_write = _caller(_int, _pointer, _int, _pointer)


def version(function: int) -> int:
    """Of Unicorn: the major one from bit 24 on."""
    number: int = _version(function, None, None)
    return number


def hook_add(function: int, uc: int, kind: int, callback: int, handle: int, instruction: int) -> int:
    """Have `callback` called on events of a kind, at all addresses; the hook, or an error."""
    hook = _u64(0)
    return _hook_add(function, uc, ctypes.addressof(hook), kind, callback, handle, 1, 0, instruction) or hook.value


def register_bytes(function: int, uc: int, register: int) -> bytes:
    """A register of any kind: 24 bytes, those behind it zero."""
    room = ctypes.create_string_buffer(24)
    _register_read(function, uc, register, ctypes.addressof(room))
    return room.raw


def set_register_bytes(function: int, uc: int, register: int, content: bytes) -> int:
    """Set a register of any kind from its bytes."""
    room = ctypes.create_string_buffer(content, 24)
    status: int = _register_write(function, uc, register, ctypes.addressof(room))
    return status


def register_read(function: int, uc: int, register: int) -> int:
    """A register of up to 64 bits."""
    value = _u64(0)
    _register_read(function, uc, register, ctypes.addressof(value))
    return value.value


def register_write(function: int, uc: int, register: int, value: int) -> None:
    """Set a register of up to 64 bits."""
    content = _u64(value)
    _register_write(function, uc, register, ctypes.addressof(content))
