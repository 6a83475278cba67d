"""Making an emulated CPU: open it, map RAM into it, put it into user mode. Done once an ABI.

Facts about Unicorn 2.1.4 that this rests on: `sysret` and `sysexit` reach CPL 3 without any descriptor
table, in the virtual TLB mode too, so privileged instructions fault as they should; the page where
emulation is to stop is looked up in the MMU as code.
"""

import struct

from coalmm.hardware.constants import FRAME_SHIFT
from coalmm.hardware.ram import Ram
from coalmm.linux.cpu.emulator import Emulator
from coalmm.linux.cpu.registers import Form
from coalmm.typed import Any

CODE_BUFFER = 256 << 20  # bytes of translated code; address space until it is used

HLT = 0xF4
# In the CPU's own page, behind the descriptors.
LEAVE_OFFSET, LANDING_OFFSET, TRIAL_OFFSET, STOP_OFFSET = 0x400, 0x410, 0x420, 0x800
FLAT_CODE, FLAT_DATA = 0x00CF_FB00_0000_FFFF, 0x00CF_F300_0000_FFFF  # 4 GiB, DPL 3
GDT_ENTRIES = 16
USER_DATA = 0x2B  # selector
TLS_FIRST, TLS_COUNT = 12, 3  # the entries of set_thread_area, as a 64-bit Linux has them


def make_emulator(ram: Ram, form: Form) -> Emulator:
    """An emulated CPU over all of `ram`."""
    return Emulator(ram, form.mode, CODE_BUFFER)


def fill_own_page(ram: Ram, page: int, form: Form) -> None:
    """The CPU's own page: a descriptor table, the instruction that leaves for user mode, and `hlt`, which faults."""
    table = [0] * GDT_ENTRIES
    table[4], table[5] = FLAT_CODE, FLAT_DATA
    content = bytearray(struct.pack(f"<{GDT_ENTRIES}Q", *table).ljust(4096, bytes((HLT,))))
    content[LEAVE_OFFSET : LEAVE_OFFSET + len(form.leave)] = form.leave
    ram.write(page << FRAME_SHIFT, content)


def prepare_user_mode(emulator: Any, form: Form, page_address: int) -> None:
    """Set what the instruction needs that goes to CPL 3."""
    number = form.numbers
    for msr in form.msrs:
        emulator.reg_write(number["msr"], msr)
    emulator.reg_write(number["gdtr"], (0, page_address, GDT_ENTRIES * 8 - 1, 0))
    emulator.reg_write(number["cr0"], emulator.reg_read(number["cr0"]) | 1)
    emulator.reg_write(number[form.target], page_address + LANDING_OFFSET)
    if "r11" in number:
        emulator.reg_write(number["r11"], 0x202)
