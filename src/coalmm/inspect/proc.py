"""One process as /proc/PID tells it: maps, status, statm. `smaps` is in smaps.py.

A zombie has no memory: its maps are empty and its sizes 0.
"""

import os

from coalmm.hardware.constants import FRAME_SHIFT
from coalmm.inspect.machine import Machine
from coalmm.inspect.names import printable
from coalmm.physical.constants import D_OWNER, DESCRIPTOR_SIZE, KIND_TABLE
from coalmm.process.process import Process
from coalmm.virtual.areas import Area
from coalmm.virtual.constants import (
    AREA_HEAP,
    AREA_KIND,
    AREA_SHARED,
    AREA_STACK,
    F_DEVICE,
    F_INODE,
    F_KIND,
    F_NUMBER,
    FILE_HOST,
    RIGHT_EXECUTE,
    RIGHT_READ,
    RIGHT_WRITE,
    S_LOCKED,
    S_PEAK_RSS,
    S_PEAK_VIRTUAL,
    S_RSS_ANONYMOUS,
    S_RSS_FILE,
    S_RSS_SHARED,
)

RIGHTS = ((RIGHT_READ, "r"), (RIGHT_WRITE, "w"), (RIGHT_EXECUTE, "x"), (AREA_SHARED, "s"))


def areas_of(process: Process) -> list[Area]:
    """The areas of a process, none for a zombie."""
    return process.areas if process.is_alive else []


def maps_text(machine: Machine, process: Process) -> str:
    """The text of /proc/PID/maps."""
    return "".join(area_line(machine, area) for area in areas_of(process))


def area_line(machine: Machine, area: Area) -> str:
    """The line of maps, and the header of smaps, for one area."""
    rights = "".join(letter if area.flags & bit else "-" for bit, letter in RIGHTS[:3])
    rights += "s" if area.flags & AREA_SHARED else "p"
    device, inode, path = what_it_shows(machine, area)
    major, minor = os.major(device), os.minor(device)
    offset = area.offset if area.file else 0
    return header_line(area.start, area.end, rights, offset, f"{major:02x}:{minor:02x} {inode}", path, machine)


def header_line(start: int, end: int, rights: str, offset: int, file: str, path: str, machine: Machine) -> str:
    """One line with the path in Linux's column, which the size of a pointer sets."""
    line = f"{start:08x}-{end:08x} {rights} {offset:08x} {file} "
    column = 49 if machine.format.vaddr_bits == 32 else 73
    return (f"{line:<{column}}{path}" if path else line) + "\n"


def what_it_shows(machine: Machine, area: Area) -> tuple[int, int, str]:
    """(device, inode, name) of an area; 0, 0 and "" or [heap] or [stack] for anonymous memory."""
    if not area.file:
        names = {AREA_HEAP: "[heap]", AREA_STACK: "[stack]"}
        return 0, 0, names.get(area.flags & AREA_KIND, "")
    files = machine.files
    if files.get(area.file, F_KIND) == FILE_HOST:
        return files.get(area.file, F_DEVICE), files.get(area.file, F_INODE), octal(files.path(area.file))
    return 1, files.get(area.file, F_NUMBER), "/dev/zero (deleted)"


def octal(path: str) -> str:
    """A path whose bytes that do not print are written \\NNN, as Linux does it."""
    return "".join(
        letter if letter.isprintable() else "".join(f"\\{byte:03o}" for byte in os.fsencode(letter)) for letter in path
    )


def statm_text(process: Process) -> str:
    """The text of /proc/PID/statm: size resident shared text 0 data 0, in pages; data has the stack in it."""
    usage = process.usage
    sizes = (usage.virt, usage.rss, usage.shared, usage.text, 0, usage.data + usage.stack, 0)
    return " ".join(str(size >> FRAME_SHIFT) for size in sizes) + "\n"


def status_text(machine: Machine, process: Process) -> str:
    """The text of /proc/PID/status: the lines that a memory manager can fill."""
    current = machine.processes.current
    running = current is not None and current.pid == process.pid
    state = "R (running)" if running else "S (sleeping)" if process.is_alive else "Z (zombie)"
    lines = [
        f"Name:\t{printable(process.name)}",
        f"State:\t{state}",
        f"Tgid:\t{process.pid}",
        f"Pid:\t{process.pid}",
        f"PPid:\t{process.parent}",
    ]
    if process.is_alive:
        lines += [f"{name}:\t{size >> 10:8} kB" for name, size in sizes(machine, process).items()]
    return "\n".join([*lines, "Threads:\t1", ""])


def sizes(machine: Machine, process: Process) -> dict[str, int]:
    """The Vm and Rss lines of status, in bytes."""
    usage = process.usage

    def pages(field: int) -> int:
        return machine.processes.spaces.get(process.space, field) << FRAME_SHIFT

    return {
        "VmPeak": pages(S_PEAK_VIRTUAL),
        "VmSize": usage.virt,
        "VmLck": pages(S_LOCKED),
        "VmPin": 0,
        "VmHWM": pages(S_PEAK_RSS),
        "VmRSS": usage.rss,
        "RssAnon": pages(S_RSS_ANONYMOUS),
        "RssFile": pages(S_RSS_FILE),
        "RssShmem": pages(S_RSS_SHARED),
        "VmData": usage.data,
        "VmStk": usage.stack,
        "VmExe": usage.text,
        "VmLib": 0,
        "VmPTE": tables_of(machine, process.root) << FRAME_SHIFT,
        "VmSwap": 0,
        "HugetlbPages": 0,
    }


def tables_of(machine: Machine, root: int) -> int:
    """How many page tables the user half of a directory has, its root not counted."""
    frames = machine.frames
    return sum(
        frames.kind(pfn) == KIND_TABLE
        and machine.ram.halves[frames.first_half + (pfn << 4) + D_OWNER] == root >> FRAME_SHIFT
        for first, last in frames.backed(frames.descriptors, frames.pfn_limit, DESCRIPTOR_SIZE)
        for pfn in range(first, last)
    )
