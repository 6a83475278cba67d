"""Where the emulator may stop: only between blocks of instructions, never within an instruction.

Unicorn looks for a stop after every access to memory, too. One that another thread asked for, because a slice
of time is over, then ends `add [mem], 1` behind its store, and the instruction is done once more later. A
flag of the engine's structure (`no_exit_request`) keeps those checks out of the code that it translates. It
has no function; it is found behind `context_content`, which has one, and `Engine.check_stops` tries whether
it does what it should.
"""

import os

from coalmm.linux.cpu.emulator import control, poke
from coalmm.linux.cpu.unicorn_numbers import UC_CTL_CONTEXT_MODE

CPU_ONLY, CPU_AND_MEMORY = 1, 3  # UC_CTL_CONTEXT_*
SEARCHED = 8192


def refuse(why: str) -> OSError:
    """For an emulator that is built otherwise."""
    return OSError(f"this version of the CPU emulator stops within instructions ({why}): pip install 'unicorn==2.1.4'")


def find_flag(uc: int) -> int:
    """The address of the flag of an engine. OSError if it is not where it is expected."""
    modes = (CPU_ONLY, CPU_AND_MEMORY, CPU_ONLY)
    seen = []
    for mode in modes:
        control(uc, UC_CTL_CONTEXT_MODE, mode, "no mode of contexts")
        seen.append(content(uc))
    after = seen[-1]
    numbers = [memoryview(part[: len(part) & -4]).cast("i") for part in seen]
    found = [place * 4 for place, values in enumerate(zip(*numbers, strict=False)) if values == modes]
    if len(found) != 1 or found[0] > len(after) - 32:
        raise refuse(f"{len(found)} fields for the context's mode")
    flag = ((found[0] + 8 + 7) & -8) + 8 + 2  # int cpu_context_size, u64 next_pc, bool hook_insert, bool first_tb
    if after[flag] != 0 or after[flag + 1] != 1:  # bool init_done follows
        raise refuse("the flag is not where it was")
    return uc + flag


def content(uc: int) -> bytes:
    """The first bytes of the engine's structure, as far as they can be read."""
    memory = os.open("/proc/self/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(memory, SEARCHED, uc)
    finally:
        os.close(memory)


def set_flag(address: int, value: bool) -> None:
    """Whether code that is translated from now on stops only between blocks."""
    poke(address, bytes((value,)))
