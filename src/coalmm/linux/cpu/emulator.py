"""Unicorn without its Python binding, whose import takes as long as a small program runs.

The package is found where Python would import it from; its shared library is loaded from there. Only the functions
that the kernel here needs have a face.
"""

from __future__ import annotations

import ctypes
import os
from importlib.machinery import PathFinder

from coalmm.hardware.ram import Ram
from coalmm.linux.cpu import unicorn_numbers as unicorn
from coalmm.typed import Any

LIBRARY = os.path.join("lib", "libunicorn.so.2")
SUPPORTED = 2  # major version
OPENED = 0  # UC_ERR_OK
_loaded: dict[str, Any] = {}  # what is loaded once


class Descriptor(ctypes.Structure):
    """uc_x86_mmr: GDTR and the like."""

    _fields_ = (
        ("selector", ctypes.c_uint16),
        ("base", ctypes.c_uint64),
        ("limit", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
    )


class ModelSpecific(ctypes.Structure):
    """uc_x86_msr: number and value."""

    _fields_ = (("number", ctypes.c_uint32), ("value", ctypes.c_uint64))


class Float80(ctypes.Structure):
    """A register of the x87."""

    _fields_ = (("mantissa", ctypes.c_uint64), ("exponent", ctypes.c_uint16))


class Vector(ctypes.Structure):
    """An XMM register."""

    _fields_ = (("low", ctypes.c_uint64), ("high", ctypes.c_uint64))


def package() -> str:
    """The folder of the installed package. OSError with what to do if there is none."""
    spec = PathFinder.find_spec("unicorn")
    if spec is None or not spec.submodule_search_locations:
        raise OSError("the CPU emulator is missing: pip install 'unicorn>=2.1.4,<3'")
    return str(next(iter(spec.submodule_search_locations)))


def library() -> ctypes.CDLL:
    """The shared library. OSError."""
    if LIBRARY not in _loaded:
        _loaded[LIBRARY] = _load_library()
    found: ctypes.CDLL = _loaded[LIBRARY]
    return found


def _load_library() -> ctypes.CDLL:
    path = os.path.join(package(), LIBRARY)
    loaded = open_lazily(path) if os.path.exists(path) else library_of_binding()
    if loaded.uc_version(None, None) >> 24 != SUPPORTED:
        raise OSError("the CPU emulator has another version: pip install 'unicorn>=2.1.4,<3'")
    return loaded


def open_lazily(path: str) -> ctypes.CDLL:
    """A library whose functions are looked up when they are called first; ctypes by itself looks up all of them."""
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype = ctypes.c_void_p
    handle = dlopen(os.fsencode(path), os.RTLD_LAZY)
    return ctypes.CDLL(path, handle=handle)  # without a handle it opens it again, and says what is wrong


def library_of_binding() -> ctypes.CDLL:
    """Where a distribution keeps the library elsewhere, the binding knows."""
    from unicorn.unicorn_py3.unicorn import uclib

    found: ctypes.CDLL = uclib
    return found


def check(status: int, what: str) -> None:
    """OSError unless Unicorn says that all is well."""
    if status != OPENED:
        raise OSError(f"the CPU emulator: {what}: error {status}")


class Context:
    """Room for all registers. `context` has its address, `size` its bytes."""

    def __init__(self, uc: ctypes.c_void_p) -> None:
        self.free = library().uc_context_free
        self.context = ctypes.c_void_p()
        check(library().uc_context_alloc(uc, ctypes.byref(self.context)), "no room for registers")
        self.size: int = library().uc_context_size(uc)
        check(library().uc_context_save(uc, self.context), "registers cannot be saved")

    def __del__(self) -> None:
        if self.context:
            self.free(self.context)


class Emulator:
    """One Unicorn engine for x86 with all of `ram`, in the mode where a hook answers every TLB miss."""

    def __init__(self, ram: Ram, mode: int, code_buffer: int) -> None:
        self.close = library().uc_close
        self._uch = ctypes.c_void_p()
        check(library().uc_open(unicorn.UC_ARCH_X86, mode, ctypes.byref(self._uch)), "it does not start")
        write = 1 << 30 | 1 << 26  # UC_CTL_WRITE of one argument
        control = library().uc_ctl
        check(control(self._uch, unicorn.UC_CTL_TCG_BUFFER_SIZE | write, ctypes.c_uint32(code_buffer)), "buffer")
        check(control(self._uch, unicorn.UC_CTL_TLB_TYPE | write, ctypes.c_int(unicorn.UC_TLB_VIRTUAL)), "TLB mode")
        self.ram = ctypes.c_char.from_buffer(ram.mapping)  # what is mapped stays as long as the engine
        self.map(ram.size)

    def map(self, size: int) -> None:
        """All of RAM, and behind it a page that is no frame: what `Engine.exact_address` puts in place of data."""
        unsigned, pointer = ctypes.c_uint64, ctypes.c_void_p(ctypes.addressof(self.ram))
        status = library().uc_mem_map_ptr(self._uch, unsigned(0), unsigned(size), unicorn.UC_PROT_ALL, pointer)
        check(status, "RAM cannot be mapped")
        status = library().uc_mem_map(self._uch, unsigned(size), unsigned(4096), unicorn.UC_PROT_ALL)
        check(status, "no page behind RAM")

    def __del__(self) -> None:
        if self._uch:
            self.close(self._uch)
            self._uch = ctypes.c_void_p()

    def context_save(self) -> Context:
        """A copy of all registers."""
        return Context(self._uch)

    def kind(self, number: int) -> type[Any]:
        """The structure of a register."""
        if number == unicorn.REGISTERS["msr"]:
            return ModelSpecific
        if number == unicorn.REGISTERS["gdtr"]:
            return Descriptor
        if unicorn.REGISTERS["fp0"] <= number <= unicorn.REGISTERS["fp7"]:
            return Float80
        if unicorn.REGISTERS["xmm0"] <= number <= unicorn.REGISTERS["xmm15"]:
            return Vector
        return ctypes.c_uint64

    def reg_read(self, number: int) -> Any:
        """A register: an int (of 128 bits for XMM), or (mantissa, exponent)."""
        content = self.kind(number)()
        check(library().uc_reg_read(self._uch, number, ctypes.byref(content)), "no such register")
        if isinstance(content, Vector):
            return content.high << 64 | content.low
        if isinstance(content, Float80):
            return content.mantissa, content.exponent
        return content.value

    def reg_write(self, number: int, value: Any) -> None:
        """Set a register: what `reg_read` returns; (number, value) for an MSR, (0, base, limit, 0) for GDTR."""
        kind = self.kind(number)
        if kind is Vector:
            content = Vector(value & (1 << 64) - 1, value >> 64)
        else:
            content = kind(*value) if isinstance(value, tuple) else kind(value)
        check(library().uc_reg_write(self._uch, number, ctypes.byref(content)), "no such register")
