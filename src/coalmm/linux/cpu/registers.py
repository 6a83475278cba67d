"""Registers of both ABIs by name, as the emulator numbers them, and how a CPU is brought to user mode."""

from coalmm.linux.abi import I386, X86_64, Abi
from coalmm.linux.cpu.unicorn_numbers import REGISTERS, UC_MODE_32, UC_MODE_64
from coalmm.typed import NamedTuple

GENERAL_64 = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", *(f"r{n}" for n in range(8, 16)), "rip", "eflags")
GENERAL_32 = ("eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp", "eip", "eflags")
# mov eax, 0x20401; mov dr7, rax: breakpoint 0 is on, for the port in DR0 (Intel SDM 3B, 18.2.4). See Engine.port.
WATCH_PORTS = b"\xb8\x01\x04\x02\x00\x0f\x23\xf8"
SEGMENTS = ("cs", "ss", "ds", "es", "fs", "gs")


class Form(NamedTuple):
    """One mode of the CPU: `numbers` of its registers by name, and the code that leaves for user mode."""

    abi: Abi
    mode: int  # UC_MODE_*
    numbers: dict[str, int]
    general: tuple[str, ...]
    leave: bytes  # an instruction that goes to CPL 3 at the address in `target`
    target: str
    msrs: tuple[tuple[int, int], ...]

    @property
    def is_compatible(self) -> bool:
        """Whether it is a 32-bit program's on a 64-bit CPU."""
        return self.target == "rcx" and self.abi.word == 4


def forms() -> dict[str, Form]:
    """Both modes, by ABI; and "compatible", the i386 ABI on a 64-bit CPU (Intel SDM 3A, 2.2: compatibility mode)."""

    def numbers(*names: str) -> dict[str, int]:
        return {name: REGISTERS[name] for name in names}

    vectors = tuple(f"xmm{n}" for n in range(16))
    common = (*SEGMENTS, "fs_base", "gs_base", "mxcsr", "fpcw", "fpsw", "fptag", "gdtr", "msr", "cr0", "cr2", "dr0")
    efer, star, sysenter_cs = 0xC000_0080, 0xC000_0081, 0x174
    wide = Form(
        X86_64,
        UC_MODE_64,
        numbers(*GENERAL_64, *common, *vectors, *(f"fp{n}" for n in range(8))),
        GENERAL_64,
        WATCH_PORTS + b"\x48\x0f\x07",  # sysretq
        "rcx",
        ((efer, 0x501), (star, 0x8 << 32 | 0x23 << 48)),  # LMA, LME, SCE; user CS is 0x33, SS 0x2b as on Linux
    )
    narrow = Form(
        I386,
        UC_MODE_32,
        numbers(*GENERAL_32, *common, *vectors[:8], *(f"fp{n}" for n in range(8))),
        GENERAL_32,
        WATCH_PORTS + b"\x0f\x35",  # sysexit
        "edx",
        ((sysenter_cs, 0x10),),  # CS becomes 0x23, SS 0x2b, as a 64-bit Linux gives 32-bit programs
    )
    compatible = narrow._replace(mode=wide.mode, leave=WATCH_PORTS + b"\x0f\x07", target="rcx", msrs=wide.msrs)
    compatible = compatible._replace(numbers={**narrow.numbers, **numbers("rcx", "r11")})
    return {"x86_64": wide, "i386": narrow, "compatible": compatible}
