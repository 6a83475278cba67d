"""The floor of a real program: the same instructions on a bare emulator, without our memory manager.

    python -m bench.bare PROGRAM [ARGS...]

First the program runs on coalmm, and each system call is written down: its result, and the bytes that it
wrote into the program's memory. Then a plain Unicorn CPU gets the program's first memory as it was, runs it from
its first instruction, and answers every system call from that list. Maps are made whole, with their contents,
when the list says so. It runs in the same mode as ours, with a hook in C that answers a TLB miss from a list of
ranges: the default mode, which was tried first, is more than twice as slow. What is measured is the emulation of
both, from the first instruction to the exit. Only for programs of one process and one thread.

Prints JSON: seconds of processor time of both sides, system calls, and their ratio.
"""

import ctypes
import json
import mmap
import os
import sys
from dataclasses import dataclass, field
from time import process_time
from typing import Any

from unicorn import UC_ARCH_X86, UC_HOOK_INSN, UC_HOOK_TLB_FILL, UC_MODE_64, UC_TLB_VIRTUAL, Uc, x86_const
from unicorn.unicorn_const import UC_CTL_IO_WRITE, UC_CTL_TLB_FLUSH

from bench.build import LIBRARY
from bench.minimal import add_hook
from coalmm.kernel import boot
from coalmm.linux.cpu import exits
from coalmm.linux.system import System

PAGE = 4096
STACK_ROOM = 8 << 20
RAM_SIZE = 2 << 30
MAP_ANONYMOUS = 0x20
ARCH_SET_FS = 0x1002
STOP_PAGE = 0x1000
STOP = STOP_PAGE + 0x800  # both sides of it are looked up
READ, WRITE, EXECUTE = 1, 2, 4
DATA = READ | WRITE
ENVIRONMENT = [b"PATH=/usr/bin:/bin", b"LC_ALL=C", b"HOME=/"]


@dataclass
class Call:
    """One system call as it was answered."""

    name: str
    arguments: tuple[int, ...]
    result: int
    writes: list[tuple[int, bytes]] = field(default_factory=list)
    content: bytes = b""  # of a map of a file


@dataclass
class Record:
    """A run: memory and registers at its start, and its calls."""

    areas: list[tuple[int, int, int, bytes]]  # start, end, rights, contents
    registers: dict[str, int]
    calls: list[Call]
    seconds: float


def new_system(console: tuple[int, int, int]) -> System:
    kernel = boot(ram="1G", paging="x86_64")
    return System(kernel, console=console)


def record(argv: list[bytes]) -> Record:
    """Run a program on coalmm twice: once to write its calls down, once only for the time."""
    null = os.open(os.devnull, os.O_RDWR)
    system = new_system((null, null, null))
    task = system.spawn(argv, ENVIRONMENT)
    areas = [
        (area.start, area.end, area.flags & 7, task.process.read(area.start, area.end - area.start))
        for area in task.process.areas
        if area.flags & 7
    ]
    registers = {name: task.cpu.get(name) for name in task.cpu.engine.form.general}
    calls = watch(system)
    system.run()
    finish(system, task.group.status)
    system = new_system((null, null, null))
    task = system.spawn(argv, ENVIRONMENT)
    begin = process_time()
    system.run()
    seconds = process_time() - begin
    finish(system, task.group.status)
    return Record(areas, registers, calls, seconds)


def finish(system: System, status: int | None) -> None:
    system.close()
    system.kernel.close()
    if status:
        raise SystemExit(f"the program ended with {status:#x}: {system.crashes}")


def watch(system: System) -> list[Call]:
    """Have every call of a system written down."""
    calls: list[Call] = []
    dispatcher = system.dispatcher
    perform, now = dispatcher.perform, [None]

    def wrote(vaddr: int, size: int) -> None:
        if now[0] is not None:
            now[0].writes.append((vaddr, system.scheduler.running.process.read(vaddr, size)))

    def performed(task: Any, number: int, arguments: tuple[int, ...]) -> int | None:
        call = Call(dispatcher.name(task.abi, number), arguments, 0)
        now[0] = call
        result = perform(task, number, arguments)
        now[0] = None
        call.result = result if result is not None else 0
        if call.name == "mmap" and call.result > 0 and not arguments[3] & MAP_ANONYMOUS:
            file = task.files.get(arguments[4])
            call.content = file.pread(arguments[1], arguments[5])
        calls.append(call)
        return result

    dispatcher.perform = performed  # type: ignore[method-assign]
    system.wrote = wrote  # type: ignore[method-assign]
    return calls


def rights_for(rights: int) -> int:
    """PROT_* of the emulator: code is not writable and data not executable, since mixing them is slow."""
    return READ | EXECUTE if rights & EXECUTE and not rights & WRITE else READ | WRITE if rights & WRITE else READ


class Range(ctypes.Structure):
    """struct range of minimal_fill.c."""

    _fields_ = tuple((name, ctypes.c_uint64) for name in ("start", "end", "paddr", "rights"))


class Bare:
    """The program on a plain emulator."""

    def __init__(self, run: Record) -> None:
        self.run = run
        self.calls = iter(run.calls)
        self.ram = mmap.mmap(-1, RAM_SIZE)
        self.used = PAGE
        self.library = ctypes.CDLL(str(LIBRARY / "minimal_fill.so"))
        self.ranges: list[tuple[int, int, int, int]] = []
        self.cpu: Any = Uc(UC_ARCH_X86, UC_MODE_64)
        self.cpu.ctl_set_tlb_mode(UC_TLB_VIRTUAL)
        flag = exits.find_flag(self.cpu._uch.value)
        exits.set_flag(flag, True)  # as ours has it: no check for a stop after each access
        self.cpu.mem_map_ptr(0, RAM_SIZE, READ | WRITE | EXECUTE, ctypes.addressof(ctypes.c_char.from_buffer(self.ram)))
        add_hook(self.cpu, UC_HOOK_TLB_FILL, self.library.table_fill)
        self.map(STOP_PAGE, STOP_PAGE + PAGE, READ | EXECUTE)
        for start, end, rights, content in run.areas:
            self.map(start, end, rights)
            self.write(start, content)
        stack = run.registers["rsp"] & -PAGE
        self.map(stack - STACK_ROOM, stack, DATA)
        self.heap = 0
        for name, value in run.registers.items():
            self.cpu.reg_write(getattr(x86_const, f"UC_X86_REG_{name.upper()}"), value)
        self.cpu.hook_add(UC_HOOK_INSN, self.answer, None, 1, 0, x86_const.UC_X86_INS_SYSCALL)

    def place(self, vaddr: int) -> int:
        """Where an address is in `ram`."""
        for start, end, paddr, _ in reversed(self.ranges):
            if start <= vaddr < end:
                return paddr + vaddr - start
        raise LookupError(f"nothing at {vaddr:#x}")

    def map(self, start: int, end: int, rights: int) -> None:
        """Fresh zeros at a range; they hide what was there."""
        self.add(start, end, self.used, rights)
        self.used += end - start
        if self.used > RAM_SIZE:
            raise MemoryError("the program has too many maps")

    def protect(self, start: int, end: int, rights: int) -> None:
        """Other rights for what is there, page by page."""
        for page in range(start, end, PAGE):
            self.add(page, page + PAGE, self.place(page), rights)

    def add(self, start: int, end: int, paddr: int, rights: int) -> None:
        """One more range for the hook."""
        self.ranges.append((start, end, paddr, rights_for(rights)))
        table = (Range * 4096).in_dll(self.library, "ranges")
        table[len(self.ranges) - 1] = Range(*self.ranges[-1])
        ctypes.c_size_t.in_dll(self.library, "range_count").value = len(self.ranges)

    def write(self, vaddr: int, content: bytes) -> None:
        """Put bytes into memory."""
        done = 0
        while done < len(content):
            part = min(len(content) - done, PAGE - (vaddr + done) % PAGE)
            at = self.place(vaddr + done)
            self.ram[at : at + part] = content[done : done + part]
            done += part

    def answer(self, cpu: Any, data: Any) -> None:
        """A system call: what it did then."""
        call = next(self.calls)
        if call.name in ("exit_group", "exit"):
            cpu.emu_stop()
            return
        count = len(self.ranges)
        self.change_memory(call)
        if len(self.ranges) != count:
            cpu.ctl(UC_CTL_TLB_FLUSH, UC_CTL_IO_WRITE)
        for vaddr, content in call.writes:
            self.write(vaddr, content)
        if call.name == "arch_prctl" and call.arguments[0] == ARCH_SET_FS:
            cpu.reg_write(x86_const.UC_X86_REG_FS_BASE, call.arguments[1])
        cpu.reg_write(x86_const.UC_X86_REG_RAX, call.result & 0xFFFF_FFFF_FFFF_FFFF)

    def change_memory(self, call: Call) -> None:
        """Maps that a call made."""
        if call.name == "mprotect" and call.result == 0:
            start, length, rights = call.arguments[:3]
            self.protect(start, start + (length + PAGE - 1 & -PAGE), rights)
        if call.result <= 0:
            return
        if call.name == "mmap":
            length = (call.arguments[1] + PAGE - 1) & -PAGE
            self.map(call.result, call.result + length, call.arguments[2])
            self.write(call.result, call.content[:length])
        elif call.name == "brk":
            if self.heap and call.result > self.heap:
                self.map((self.heap + PAGE - 1) & -PAGE, (call.result + PAGE - 1) & -PAGE, DATA)
            self.heap = call.result
        elif call.name == "mremap" and call.result != call.arguments[0]:
            raise NotImplementedError("a program that moves maps")

    def seconds(self) -> float:
        """Run to the end; processor time."""
        begin = process_time()
        self.cpu.emu_start(self.run.registers["rip"], STOP)
        return process_time() - begin


def measure(argv: list[str]) -> dict[str, float]:
    run = record([os.fsencode(word) for word in argv])
    bare = Bare(run).seconds()
    return {"coalmm_s": run.seconds, "bare_s": bare, "calls": len(run.calls), "ratio": run.seconds / bare}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1:])))
