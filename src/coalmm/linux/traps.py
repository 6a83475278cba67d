"""What the CPU could not do, and the signal that it becomes: refused page faults, exceptions, bad instructions.

The vectors are those of Intel SDM 3A, 6.15; the signals and codes are Linux's (arch/x86/kernel/traps.c).
"""

from __future__ import annotations

from errno import EACCES, ENOMEM

from coalmm.errors import ENXIO, PageFaultError
from coalmm.linux.cpu import constants as reasons
from coalmm.linux.signals import deliver
from coalmm.linux.signals.numbers import (
    BUS_ADRALN,
    BUS_ADRERR,
    FPE_FLTINV,
    FPE_INTDIV,
    ILL_ILLOPN,
    SEGV_ACCERR,
    SEGV_MAPERR,
    SI_KERNEL,
    SIGBUS,
    SIGFPE,
    SIGILL,
    SIGSEGV,
    SIGTRAP,
    TRAP_BRKPT,
    TRAP_TRACE,
)
from coalmm.linux.signals.state import Info
from coalmm.linux.task import Task

DIVIDE, DEBUG, BREAKPOINT, OVERFLOW, UNDEFINED, PROTECTION, PAGE_FAULT = 0, 1, 3, 4, 6, 13, 14
X87_ERROR, ALIGNMENT, SIMD_ERROR = 16, 17, 19
INT_OPCODE = 0xCD
INT1_OPCODE, RDPMC_OPCODE = b"\xf1", b"\x0f\x33"


def trap(task: Task, reason: int) -> None:
    """The CPU could not go on: which signal that is."""
    here = task.cpu.instruction
    if reason == reasons.MEMORY:
        memory_fault(task)
    elif reason == reasons.WANDERED:
        fault(task, Info(SIGSEGV, SEGV_MAPERR, address=here), PAGE_FAULT, 0x15, here)
    elif reason == reasons.INVALID:
        undefined(task, here)
    else:
        exception(task, task.cpu.engine.vector, here)


def undefined(task: Task, here: int) -> None:
    """An instruction that the emulator does not do: none, or one of two for which CPUs have other exceptions."""
    if is_code(task, here, INT1_OPCODE):
        task.cpu.put(task.abi.instruction, here + 1)
        fault(task, Info(SIGTRAP, TRAP_BRKPT, address=here + 1), DEBUG)
    elif is_code(task, here, RDPMC_OPCODE):
        fault(task, Info(SIGSEGV, SI_KERNEL, address=0), PROTECTION)
    else:
        fault(task, Info(SIGILL, ILL_ILLOPN, address=here), UNDEFINED)


def exception(task: Task, vector: int, here: int) -> None:
    """An exception of the CPU (Intel SDM 3A, 6.15), or an `int` that programs may not do."""
    if vector not in (BREAKPOINT, OVERFLOW) and is_software_interrupt(task, vector, here):
        task.cpu.put(task.abi.instruction, here - 2)
        fault(task, Info(SIGSEGV, SI_KERNEL, address=0), PROTECTION, vector << 3 | 2)
    elif vector in (DIVIDE, X87_ERROR, SIMD_ERROR):
        fault(task, Info(SIGFPE, FPE_INTDIV if vector == DIVIDE else FPE_FLTINV, address=here), vector)
    elif vector == DEBUG:
        fault(task, Info(SIGTRAP, TRAP_TRACE, address=here), vector)
    elif vector == BREAKPOINT:
        fault(task, Info(SIGTRAP, SI_KERNEL, address=0), vector)
    elif vector == UNDEFINED:
        fault(task, Info(SIGILL, ILL_ILLOPN, address=here), vector)
    elif vector == ALIGNMENT:
        fault(task, Info(SIGBUS, BUS_ADRALN, address=0), vector)
    else:
        fault(task, Info(SIGSEGV, SI_KERNEL, address=0), vector)


def is_software_interrupt(task: Task, vector: int, here: int) -> bool:
    """Whether `int vector` is what was just done: the CPU is behind it then."""
    return is_code(task, here - 2, bytes((INT_OPCODE, vector & 0xFF)))


def is_code(task: Task, vaddr: int, code: bytes) -> bool:
    """Whether the program has these bytes there."""
    try:
        return task.read(vaddr & task.abi.mask, len(code)) == code
    except PageFaultError:
        return False


def memory_fault(task: Task) -> None:
    """A page that the fault handler refused: SIGSEGV, SIGBUS, or the end for want of memory."""
    error, code = task.system.fill.fault_error, task.system.fill.fault_code & 0xFFFF_FFFF
    address = task.cpu.engine.exact_address() & task.abi.mask
    if error == -ENOMEM:
        task.system.out_of_memory(task, address)
    elif error == -ENXIO:
        fault(task, Info(SIGBUS, BUS_ADRERR, address=address), PAGE_FAULT, code, address)
    elif task.abi.word == 8 and (address >> 47) not in (0, (1 << 17) - 1):
        fault(task, Info(SIGSEGV, SI_KERNEL, address=0), PROTECTION)
    else:
        why = SEGV_ACCERR if error == -EACCES else SEGV_MAPERR
        fault(task, Info(SIGSEGV, why, address=address), PAGE_FAULT, code, address)


def fault(task: Task, info: Info, vector: int, code: int = 0, address: int | None = None) -> None:
    """A signal that an instruction causes, with what its frame will say; only page faults change the address."""
    task.trap = (task.trap[0] if address is None else address, code, vector)
    deliver.fault(task, info)
