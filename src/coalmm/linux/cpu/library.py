"""Unicorn's C functions, called by address. The compiled modules use the C forms in library.pxd."""

import ctypes

from coalmm.linux.cpu.emulator import library

FUNCTIONS = (
    "uc_ctl",
    "uc_hook_add",
    "uc_hook_del",
    "uc_emu_start",
    "uc_emu_stop",
    "uc_reg_read",
    "uc_reg_write",
    "uc_context_save",
    "uc_context_restore",
)


def load() -> dict[str, int]:
    """The address of each function. OSError with what to do if Unicorn cannot be had."""
    return {name: ctypes.cast(getattr(library(), name), ctypes.c_void_p).value or 0 for name in FUNCTIONS}


def _caller(result: type, *arguments: type):  # type: ignore[no-untyped-def]
    """A function that calls a C function of this prototype, whose address is its first argument."""
    prototype = ctypes.PYFUNCTYPE(result, *arguments)
    known: dict[int, object] = {}

    def call(function: int, *values: int) -> int:
        if function not in known:
            known[function] = prototype(function)
        return known[function](*values)  # type: ignore[operator, no-any-return]

    return call


_pointer, _u64, _int = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_int
emu_start = _caller(_int, _pointer, _u64, _u64, _u64, ctypes.c_size_t)
emu_stop = _caller(_int, _pointer)
context_save = _caller(_int, _pointer, _pointer)
context_restore = _caller(_int, _pointer, _pointer)
control_0 = _caller(_int, _pointer, _int)
control_2 = _caller(_int, _pointer, _int, _u64, _u64)
_register_read = _caller(_int, _pointer, _int, _pointer)
_register_write = _caller(_int, _pointer, _int, _pointer)


def register_read(function: int, uc: int, register: int) -> int:
    """A register of up to 64 bits."""
    value = ctypes.c_uint64(0)
    _register_read(function, uc, register, ctypes.addressof(value))
    return value.value


def register_write(function: int, uc: int, register: int, value: int) -> None:
    """Set a register of up to 64 bits."""
    content = ctypes.c_uint64(value)
    _register_write(function, uc, register, ctypes.addressof(content))
