"""Thread areas: arch_prctl of 64-bit programs, set_thread_area and get_thread_area of 32-bit ones."""

from __future__ import annotations

import struct
from errno import EINVAL, ENODEV, EPERM, ESRCH

from coalmm.linux.abi import signed
from coalmm.linux.cpu.setup import TLS_COUNT, TLS_FIRST
from coalmm.linux.registry import system_call
from coalmm.linux.task import Task

ARCH_SET_GS, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS = 0x1001, 0x1002, 0x1003, 0x1004
ARCH_GET_CPUID, ARCH_SET_CPUID = 0x1011, 0x1012
EMPTY = 0x28  # flags of a user_desc that frees its entry: not present, read-exec only


@system_call("arch_prctl")
def arch_prctl(task: Task, code: int, address: int) -> int:
    """arch_prctl(2). Base addresses are user addresses; others are -EPERM."""
    if task.abi.word == 4:
        return -EINVAL
    registers = {ARCH_SET_FS: "fs_base", ARCH_GET_FS: "fs_base", ARCH_SET_GS: "gs_base", ARCH_GET_GS: "gs_base"}
    if code in (ARCH_SET_FS, ARCH_SET_GS):
        if address >= 1 << 47:
            return -EPERM
        task.cpu.put(registers[code], address)
        return 0
    if code in (ARCH_GET_FS, ARCH_GET_GS):
        task.write_words(address, task.cpu.get(registers[code]))
        return 0
    if code == ARCH_GET_CPUID:
        return 1
    return -ENODEV if code == ARCH_SET_CPUID else -EINVAL


def descriptor(base: int, limit: int, flags: int) -> int:
    """A segment descriptor (SDM 3A 3.4.5) from what a struct user_desc says."""
    readable = 0 if flags >> 3 & 1 else 2  # read_exec_only
    contents = flags >> 1 & 3
    kind = contents << 2 | readable | 1
    access = 0x70 | kind | (0 if flags >> 5 & 1 else 0x80)  # DPL 3, a segment, present
    upper = (limit >> 16 & 0xF) | (flags & 1) << 6 | (flags >> 4 & 1) << 7 | (flags >> 6 & 1) << 4
    return (
        (limit & 0xFFFF) | (base & 0xFF_FFFF) << 16 | access << 40 | upper << 48 | (base >> 24 & 0xFF) << 56
    )


def with_area(task: Task, pointer: int, choose: bool) -> tuple[int, list[int]]:
    """The number of an entry that a struct user_desc sets, and the three with it set. OSError EINVAL, ESRCH.

    With `choose`, number -1 stands for a free entry.
    """
    number, base, limit, flags = struct.unpack("<iIII", task.process.read(pointer, 16))
    if number == -1 and choose:
        free = [n for n in range(TLS_COUNT) if not task.descriptors[n]]
        if not free:
            raise OSError(ESRCH, "no free entry")
        number = TLS_FIRST + free[0]
    if not TLS_FIRST <= number < TLS_FIRST + TLS_COUNT:
        raise OSError(EINVAL, "no entry for thread areas")
    is_empty = flags & 0x7F == EMPTY and base == 0 and limit == 0
    if not is_empty and not flags & 1:
        raise OSError(EINVAL, "a 16-bit segment")
    changed = list(task.descriptors)
    changed[number - TLS_FIRST] = 0 if is_empty else descriptor(base, limit, flags)
    return int(number), changed


@system_call("set_thread_area", only_32=True)
def set_thread_area(task: Task, pointer: int) -> int:
    """set_thread_area(2)."""
    number, task.descriptors = with_area(task, pointer, choose=True)
    task.cpu.set_descriptors(task.descriptors)
    task.write(pointer, struct.pack("<I", number))
    return 0


@system_call("get_thread_area", only_32=True)
def get_thread_area(task: Task, pointer: int) -> int:
    """get_thread_area(2)."""
    number = signed(struct.unpack("<I", task.read(pointer, 4))[0])
    if not TLS_FIRST <= number < TLS_FIRST + TLS_COUNT:
        return -EINVAL
    value = task.descriptors[number - TLS_FIRST]
    base = value >> 16 & 0xFF_FFFF | value >> 56 << 24
    limit = value & 0xFFFF | value >> 48 & 0xF << 16
    access, upper = value >> 40 & 0xFF, value >> 52 & 0xF
    flags = upper >> 2 & 1 | (access >> 2 & 3) << 1 | (0 if access & 2 else 8) | (upper >> 3) << 4
    flags |= (0 if access & 0x80 else 0x20) | (upper & 1) << 6
    task.write(pointer, struct.pack("<IIII", number, base, limit, flags))
    return 0
