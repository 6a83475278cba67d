"""An emulated CPU (Unicorn, QEMU's own page walker) that makes one access at a time through our tables.

Facts about Unicorn 2.1.4 that this rests on:
- its default TLB mode walks the tables of CR3 in all four formats, PAE and five levels included;
- `sysret` (64-bit) and `sysexit` (32-bit) reach CPL 3 without any descriptor table;
- a page fault ends `emu_start` with UC_ERR_EXCEPTION; CR2 is a register; the error code is none, but
  lies in the saved context at an offset that known faults reveal;
- unhandled faults add up to a triple fault, which stops silently: the context saved at the start,
  restored before each access, forgets them;
- the address where `emu_start` shall stop is looked up in the MMU as data, and so is the byte before
  the start of a page that is jumped to: both must lie well inside the page of the instructions;
- its physical addresses have 40 bits, bits 20:13 of a 4 MiB PDE are address bits (PSE-36), and of a PAE
  PDPTE's reserved bits it checks only 63:52, so the other bits are left out of the comparison.
"""

import ctypes
import os

from coalmm.hardware.constants import ACCESS_EXECUTE, ACCESS_READ, ACCESS_WRITE
from coalmm.hardware.formats import EntryFormat
from coalmm.hardware.ram import Ram

os.environ.setdefault("UC_IGNORE_REG_BREAK", "1")
from unicorn import (
    UC_ARCH_X86,
    UC_ERR_EXCEPTION,
    UC_MODE_32,
    UC_MODE_64,
    UC_PROT_ALL,
    Uc,
    UcError,
    unicorn_const,
)
from unicorn import x86_const as x86

CODE = 0x7F00_0000  # the page that holds the instructions, in every directory of a test
CODE_FRAME = 0x8000
LOAD, STORE, LOWER, JUMP, LANDING = (
    0x100,
    0x110,
    0x120,
    0x130,
    0x140,
)  # offsets of the instructions in it, none at its start
FETCHED = 0x800  # offset in every frame of an instruction that loads the frame's number
EFER, STAR, SYSENTER_CS = 0xC000_0080, 0xC000_0081, 0x174
PAGING, WRITE_PROTECT = 0x8000_0001 | 0x10, 1 << 16
PSE, PAE, PGE, LA57 = 1 << 4, 1 << 5, 1 << 7, 1 << 12
SYSCALLS, LONG_MODE, NO_EXECUTE = 1, 0x500, 0x800


def write_code(ram: Ram, form: EntryFormat) -> None:
    """`mov ax, [bx]`, `mov [bx], ax`, `jmp bx` and the way to user mode."""
    wide = b"\x48" if form.vaddr_bits > 32 else b""
    ram.write(CODE_FRAME + LOAD, wide + b"\x8b\x03\x90")
    ram.write(CODE_FRAME + STORE, wide + b"\x89\x03\x90")
    ram.write(CODE_FRAME + JUMP, b"\xff\xe3\x90")  # jmp bx
    ram.write(CODE_FRAME + LANDING, b"\x90\x90")
    ram.write(CODE_FRAME + LOWER, b"\x48\x0f\x07" if wide else b"\x0f\x35")


class CpuOracle:
    """One CPU over `ram`, at CPL 3 if `user`. The tables must map CODE already, executable, read-only."""

    def __init__(self, ram: Ram, form: EntryFormat, root: int, user: bool, wp: bool = True, nx: bool = True):
        self.wide = form.vaddr_bits > 32
        self.user, self.wp, self.nx = user, wp, nx
        self.uc = Uc(UC_ARCH_X86, UC_MODE_64 if self.wide else UC_MODE_32)
        self.uc.mem_map_ptr(
            0, ram.size, UC_PROT_ALL, ctypes.addressof(ctypes.c_char.from_buffer(ram.mapping))
        )
        prefix = "UC_X86_REG_R" if self.wide else "UC_X86_REG_E"
        self.ax, self.bx, self.cx, self.dx = (
            getattr(x86, prefix + name) for name in ("AX", "BX", "CX", "DX")
        )
        self._enter_paging(form, root)
        if user:
            self._lower_privilege()
        self.start = self.uc.context_save()
        self.code_offset = self._find_error_code()

    def _enter_paging(self, form: EntryFormat, root: int) -> None:
        cr4 = PSE | PGE | (PAE if form.entry_size == 8 else 0) | (LA57 if form.name == "la57" else 0)
        efer = SYSCALLS | (NO_EXECUTE if form.has_nx and self.nx else 0) | (LONG_MODE if self.wide else 0)
        self.uc.reg_write(x86.UC_X86_REG_CR4, cr4)
        self.uc.reg_write(x86.UC_X86_REG_MSR, (EFER, efer))
        self.uc.reg_write(x86.UC_X86_REG_CR3, root)
        self.uc.reg_write(x86.UC_X86_REG_CR0, PAGING | (WRITE_PROTECT if self.wp else 0))

    def _lower_privilege(self) -> None:
        target = CODE + LOAD
        if self.wide:
            self.uc.reg_write(x86.UC_X86_REG_MSR, (STAR, 0x8 << 32 | 0x13 << 48))
            self.uc.reg_write(self.cx, target)
            self.uc.reg_write(x86.UC_X86_REG_R11, 0x202)
        else:
            self.uc.reg_write(x86.UC_X86_REG_MSR, (SYSENTER_CS, 8))
            self.uc.reg_write(self.dx, target)
        self.uc.emu_start(CODE + LOWER, target)
        assert self.uc.reg_read(x86.UC_X86_REG_CS) & 3 == 3

    def _find_error_code(self) -> int:
        user = 4 if self.user else 0
        known = [
            (CODE + 0x1000, ACCESS_READ, 0),
            (CODE + 0x1000, ACCESS_WRITE, 2),
            (CODE + 0x2000, ACCESS_WRITE, 2),
        ]
        if self.user or self.wp:
            known.append((CODE, ACCESS_WRITE, 3))
        found: set[int] = set()
        for number, (vaddr, access, code) in enumerate(known):
            assert not self.run(vaddr, access, 0)
            context = self._context()
            places = {
                at
                for at in range(0, len(context), 4)
                if context[at : at + 4] == bytes((code | user, 0, 0, 0))
            }
            found = found & places if number else places
        assert len(found) == 1, "the error code is not where it was"
        return found.pop()

    def _context(self) -> bytes:
        saved = self.uc.context_save()
        return ctypes.string_at(saved.context, saved.size)

    def run(self, vaddr: int, access: int, value: int) -> bool:
        """Make one access with an empty TLB; whether it succeeded."""
        self.uc.context_restore(self.start)
        self.uc.ctl(unicorn_const.UC_CTL_TLB_FLUSH, unicorn_const.UC_CTL_IO_WRITE)
        self.uc.reg_write(x86.UC_X86_REG_CR2, 0)
        self.uc.reg_write(self.bx, vaddr)
        self.uc.reg_write(self.ax, value)
        self.uc.reg_write(self.cx, CODE + LANDING)
        length = 3 if self.wide else 2
        begin, end = {
            ACCESS_READ: (CODE + LOAD, CODE + LOAD + length),
            ACCESS_WRITE: (CODE + STORE, CODE + STORE + length),
            ACCESS_EXECUTE: (CODE + JUMP, CODE + LANDING),
        }[access]
        try:
            self.uc.emu_start(begin, end)
        except UcError as error:
            assert error.errno == UC_ERR_EXCEPTION, error
            return False
        return True

    @property
    def result(self) -> int:
        """What the load or the fetched instruction put into AX."""
        return self.uc.reg_read(self.ax)

    @property
    def fault(self) -> tuple[int, int]:
        """Error code and CR2 of the last fault."""
        at = self.code_offset
        code = int.from_bytes(self._context()[at : at + 4], "little")
        return code, self.uc.reg_read(x86.UC_X86_REG_CR2)
