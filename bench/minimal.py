"""The floor of a TLB miss: the guest's loop of stores on a bare emulator whose hook answers at once.

    python -m bench.minimal PAGES ROUNDS

The same instructions as `guest touch` over PAGES present pages, in the same mode of the emulator, with a hook
in C that does nothing but arithmetic. Prints JSON, nanoseconds a store: the least of the rounds.
"""

import ctypes
import json
import mmap
import sys
from time import perf_counter_ns
from typing import Any

from unicorn import UC_ARCH_X86, UC_HOOK_TLB_FILL, UC_MODE_64, UC_PROT_ALL, UC_TLB_VIRTUAL, Uc, x86_const

from bench.build import LIBRARY
from coalmm.linux.cpu import exits

CODE, DATA, FRAMES = 1 << 20, 1 << 30, 2 << 20
LOOP = bytes.fromhex("8807 4881c700100000 4839f7 75f2")  # movb al, (rdi); add 4096, rdi; cmp rsi, rdi; jne
STOP = CODE + len(LOOP)


def measure(pages: int, rounds: int) -> dict[str, float]:
    ram = mmap.mmap(-1, FRAMES + pages * 4096)
    ram[CODE:STOP] = LOOP
    for page in range(pages):
        ram[FRAMES + page * 4096] = 1
    cpu = Uc(UC_ARCH_X86, UC_MODE_64)
    cpu.ctl_set_tlb_mode(UC_TLB_VIRTUAL)
    cpu.mem_map_ptr(0, len(ram), UC_PROT_ALL, ctypes.addressof(ctypes.c_char.from_buffer(ram)))
    exits.set_flag(exits.find_flag(cpu._uch.value), True)  # as ours has it: no check for a stop after each access
    library = ctypes.CDLL(str(LIBRARY / "minimal_fill.so"))
    add_hook(cpu, UC_HOOK_TLB_FILL, library.minimal_fill)
    best = float("inf")
    for _ in range(rounds):
        cpu.reg_write(x86_const.UC_X86_REG_RDI, DATA)
        cpu.reg_write(x86_const.UC_X86_REG_RSI, DATA + pages * 4096)
        begin = perf_counter_ns()
        cpu.emu_start(CODE, STOP)
        best = min(best, (perf_counter_ns() - begin) / pages)
    return {"again_ns": best}


def add_hook(cpu: Any, kind: int, function: Any) -> None:
    """Have the emulator call a C function, which the Python binding has no way for."""
    from unicorn.unicorn_py3.unicorn import uclib

    unicorn = ctypes.CDLL(uclib._name)
    hook, begin, end = ctypes.c_void_p(), ctypes.c_uint64(1), ctypes.c_uint64(0)
    unicorn.uc_hook_add(cpu._uch, ctypes.byref(hook), kind, function, None, begin, end)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]))))
