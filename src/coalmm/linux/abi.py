"""What differs between 64-bit and 32-bit x86 programs: word size, registers of a system call, layouts.

Sources: System V ABI (AMD64 supplement, appendix A.2; i386 supplement), Linux's arch/x86/include/uapi/asm.
"""

import struct

from coalmm.typed import NamedTuple


class Abi(NamedTuple):
    """One calling convention. `arguments` are the registers of a system call, in order."""

    name: str
    word: int  # bytes of a long and of a pointer
    machine: int  # e_machine of its ELF images
    arguments: tuple[str, ...]
    number: str  # the register of the call's number, and of its result
    stack: str
    instruction: str

    @property
    def mask(self) -> int:
        """The largest unsigned long."""
        return (1 << self.word * 8) - 1

    @property
    def word_format(self) -> str:
        """An unsigned long for `struct`."""
        return "Q" if self.word == 8 else "I"

    def pack_words(self, *values: int) -> bytes:
        """Unsigned longs as they lie in memory; what is too large is cut."""
        return struct.pack(f"<{len(values)}{self.word_format}", *(value & self.mask for value in values))

    def unpack_words(self, data: bytes) -> tuple[int, ...]:
        """The unsigned longs in `data`."""
        return struct.unpack(f"<{len(data) // self.word}{self.word_format}", data)


X86_64 = Abi("x86_64", 8, 62, ("rdi", "rsi", "rdx", "r10", "r8", "r9"), "rax", "rsp", "rip")
I386 = Abi("i386", 4, 3, ("ebx", "ecx", "edx", "esi", "edi", "ebp"), "eax", "esp", "eip")


def signed(value: int, bits: int = 32) -> int:
    """The low `bits` of a register as a signed number: an int argument of a call."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value
