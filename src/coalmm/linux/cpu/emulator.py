"""Unicorn without its Python binding, whose import takes as long as a small program runs.

The package is found where Python would import it from; its shared library is loaded from there. Only the functions
that the kernel here needs have a face. Compiled, nothing here needs ctypes.
"""

import os
import struct
from _frozen_importlib_external import PathFinder  # importlib.machinery, which would load `warnings` for it

import cython

from coalmm.hardware.ram import Ram
from coalmm.linux.cpu import unicorn_numbers as unicorn
from coalmm.typed import Any

if not cython.compiled:
    from coalmm.linux.cpu.library import (
        address_of,
        allocate_context,
        context_save,
        context_size,
        control_1,
        map_memory,
        map_pointer,
        open_engine,
        open_shared,
        read_memory,
        register_bytes,
        release,
        set_register_bytes,
        symbol,
        version,
        why_not,
        write_memory,
    )

LIBRARY = os.path.join("lib", "libunicorn.so.2")
SUPPORTED = 2  # major version
FINE = 0  # UC_ERR_OK
LOWEST_ADDRESS = 4096  # what is below it is an error
WRITE_ONE = 1 << 30 | 1 << 26  # UC_CTL_WRITE of one argument
PAGE_BEHIND = 4096
MASK = (1 << 64) - 1
FLOAT80, VECTOR, MODEL_SPECIFIC, DESCRIPTOR = "<QH", "<QQ", "<I4xQ", "<H6xQII"  # uc_x86_msr, uc_x86_mmr
FUNCTIONS = (
    "uc_close",
    "uc_context_alloc",
    "uc_context_free",
    "uc_context_restore",
    "uc_context_save",
    "uc_context_size",
    "uc_ctl",
    "uc_emu_start",
    "uc_emu_stop",
    "uc_hook_add",
    "uc_hook_del",
    "uc_mem_map",
    "uc_mem_map_ptr",
    "uc_open",
    "uc_reg_read",
    "uc_reg_write",
    "uc_version",
)
_functions: dict[str, int] = {}  # what is loaded once


def functions() -> dict[str, int]:
    """The address of each function. OSError with what to do if Unicorn cannot be had."""
    if not _functions:
        library = open_library()
        found = {name: symbol(library, name.encode()) for name in FUNCTIONS}
        if not all(found.values()) or version(found["uc_version"]) >> 24 != SUPPORTED:
            raise OSError("the CPU emulator has another version: pip install 'unicorn>=2.1.4,<3'")
        _functions.update(found)
    return _functions


def open_library() -> int:
    """The shared library, which stays."""
    path = os.path.join(package(), LIBRARY)
    if not os.path.exists(path):
        path = path_in_binding()
    library = open_shared(os.fsencode(path))
    if not library:
        raise OSError(f"the CPU emulator cannot be loaded: {why_not().decode(errors='replace')}")
    return library


def package() -> str:
    """The folder of the installed package. OSError with what to do if there is none."""
    spec = PathFinder.find_spec("unicorn")
    if spec is None or not spec.submodule_search_locations:
        raise OSError("the CPU emulator is missing: pip install 'unicorn>=2.1.4,<3'")
    return str(next(iter(spec.submodule_search_locations)))


def path_in_binding() -> str:
    """Where a distribution keeps the library elsewhere, the binding knows."""
    from unicorn.unicorn_py3.unicorn import uclib

    return str(uclib._name)


def check(status: int, what: str) -> None:
    """OSError unless Unicorn says that all is well."""
    if status != FINE:
        raise OSError(f"the CPU emulator: {what}: error {status}")


def check_address(address: int, what: str) -> int:
    """The same for what is an address if all is well."""
    if address < LOWEST_ADDRESS:
        raise OSError(f"the CPU emulator: {what}: error {address}")
    return address


def peek(address: int, size: int) -> bytes:
    """Bytes of the emulator's own structures."""
    return read_memory(address, size)


def poke(address: int, content: bytes) -> None:
    """Set bytes of the emulator's own structures."""
    write_memory(address, content)


def control(uc: int, what: int, value: int, name: str) -> None:
    """Set an option of an engine. OSError if it refuses."""
    status = control_1(functions()["uc_ctl"], uc, what | WRITE_ONE, value)
    check(status, name)


class Context:
    """Room for all registers: `size` bytes at `address`."""

    def __init__(self, uc: int) -> None:
        self.address = 0
        self.address = check_address(allocate_context(functions()["uc_context_alloc"], uc), "no room for registers")
        self.size = context_size(functions()["uc_context_size"], uc)
        status = context_save(functions()["uc_context_save"], uc, self.address)
        check(status, "registers cannot be saved")

    def __del__(self) -> None:
        if self.address:
            release(_functions["uc_context_free"], self.address)
            self.address = 0

    def content(self) -> bytes:
        """The registers as the emulator keeps them."""
        return peek(self.address, self.size)


class Emulator:
    """One Unicorn engine for x86 with all of `ram`, in the mode where a hook answers every TLB miss.

    `uc` is its address.
    """

    def __init__(self, ram: Ram, mode: int, code_buffer: int) -> None:
        self.uc = 0
        self.uc = check_address(open_engine(functions()["uc_open"], unicorn.UC_ARCH_X86, mode), "it does not start")
        control(self.uc, unicorn.UC_CTL_TCG_BUFFER_SIZE, code_buffer, "buffer")
        control(self.uc, unicorn.UC_CTL_TLB_TYPE, unicorn.UC_TLB_VIRTUAL, "TLB mode")
        self.ram = memoryview(ram.mapping)  # what is mapped stays as long as the engine
        self.map(ram.size)

    def map(self, size: int) -> None:
        """All of RAM, and behind it a page that is no frame: what `Engine.exact_address` puts in place of data."""
        rights, place = unicorn.UC_PROT_ALL, address_of(self.ram)
        status = map_pointer(functions()["uc_mem_map_ptr"], self.uc, 0, size, rights, place)
        check(status, "RAM cannot be mapped")
        status = map_memory(functions()["uc_mem_map"], self.uc, size, PAGE_BEHIND, rights)
        check(status, "no page behind RAM")

    def __del__(self) -> None:
        if self.uc:
            release(_functions["uc_close"], self.uc)
            self.uc = 0

    def context_save(self) -> Context:
        """A copy of all registers."""
        return Context(self.uc)

    def layout(self, number: int) -> str:
        """The structure of a register that is no plain number; "" for one that is."""
        if number == unicorn.REGISTERS["msr"]:
            return MODEL_SPECIFIC
        if number == unicorn.REGISTERS["gdtr"]:
            return DESCRIPTOR
        if unicorn.REGISTERS["fp0"] <= number <= unicorn.REGISTERS["fp7"]:
            return FLOAT80
        if unicorn.REGISTERS["xmm0"] <= number <= unicorn.REGISTERS["xmm15"]:
            return VECTOR
        return ""

    def reg_read(self, number: int) -> Any:
        """A register: an int (of 128 bits for XMM), or (mantissa, exponent)."""
        content = register_bytes(functions()["uc_reg_read"], self.uc, number)
        layout = self.layout(number)
        if layout == FLOAT80:
            return struct.unpack_from(FLOAT80, content)
        return int.from_bytes(content[: 16 if layout == VECTOR else 8], "little")

    def reg_write(self, number: int, value: Any) -> None:
        """Set a register: what `reg_read` returns; (number, value) for an MSR, (0, base, limit, 0) for GDTR."""
        layout = self.layout(number)
        if layout == VECTOR:
            value = value & MASK, value >> 64
        content = struct.pack(layout, *value) if layout else (value & MASK).to_bytes(8, "little")
        status = set_register_bytes(functions()["uc_reg_write"], self.uc, number, content)
        check(status, "no such register")
