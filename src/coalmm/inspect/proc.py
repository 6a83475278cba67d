"""One process as /proc/PID tells it: maps, status, statm. `smaps` is in smaps.py.

A zombie has no memory: its maps are empty and its sizes 0.
"""

import os

from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT
from coalmm.inspect.machine import Machine
from coalmm.inspect.names import printable
from coalmm.process.process import Process
from coalmm.virtual.address_space import Usage
from coalmm.virtual.areas import Area
from coalmm.virtual.constants import (
    AREA_GROWS_DOWN,
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
    S_ARG_END,
    S_ARG_START,
    S_BRK,
    S_BRK_START,
    S_CODE_END,
    S_CODE_START,
    S_DATA_END,
    S_DATA_START,
    S_ENV_END,
    S_ENV_START,
    S_LOCKED,
    S_PEAK_RSS,
    S_PEAK_VIRTUAL,
    S_RSS_ANONYMOUS,
    S_RSS_FILE,
    S_RSS_SHARED,
    S_STACK_START,
)

RIGHTS = ((RIGHT_READ, "r"), (RIGHT_WRITE, "w"), (RIGHT_EXECUTE, "x"), (AREA_SHARED, "s"))


def areas_of(process: Process) -> list[Area]:
    """The areas of a process, none for a zombie."""
    return process.areas if process.is_alive else []


def maps_text(machine: Machine, process: Process) -> str:
    """The text of /proc/PID/maps."""
    heap = heap_of(process)
    return "".join(area_line(machine, area, heap) for area in areas_of(process))


def heap_of(process: Process) -> tuple[int, int]:
    """Where the heap starts and ends; (0, 0) for a zombie."""
    if not process.is_alive:
        return 0, 0
    spaces, space = process.processes.spaces, process.space
    return spaces.get(space, S_BRK_START), spaces.get(space, S_BRK)


def area_line(machine: Machine, area: Area, heap: tuple[int, int] = (0, 0)) -> str:
    """The line of maps, and the header of smaps, for one area; `heap`: from where to where brk has moved."""
    rights = "".join(letter if area.flags & bit else "-" for bit, letter in RIGHTS[:3])
    rights += "s" if area.flags & AREA_SHARED else "p"
    device, inode, path = what_it_shows(machine, area, heap)
    major, minor = os.major(device), os.minor(device)
    offset = area.offset if area.file else 0
    return header_line(area.start, area.end, rights, offset, f"{major:02x}:{minor:02x} {inode}", path, machine)


def header_line(start: int, end: int, rights: str, offset: int, file: str, path: str, machine: Machine) -> str:
    """One line with the path in Linux's column, which the size of a pointer sets."""
    line = f"{start:08x}-{end:08x} {rights} {offset:08x} {file} "
    column = 49 if machine.format.vaddr_bits == 32 else 73
    return (f"{line:<{column}}{path}" if path else line) + "\n"


def what_it_shows(machine: Machine, area: Area, heap: tuple[int, int] = (0, 0)) -> tuple[int, int, str]:
    """(device, inode, name) of an area; 0, 0 and "" or [heap] or [stack] for anonymous memory."""
    if not area.file:
        names = {AREA_HEAP: "[heap]", AREA_STACK: "[stack]"}
        kind = AREA_HEAP if area.start < heap[1] and area.end > heap[0] else area.flags & AREA_KIND
        return 0, 0, names.get(kind, "")
    files = machine.files
    if files.get(area.file, F_KIND) == FILE_HOST:
        return files.get(area.file, F_DEVICE), files.get(area.file, F_INODE), octal(files.path(area.file))
    if files.path(area.file):
        return 1, files.get(area.file, F_INODE), octal(files.path(area.file))
    return 1, files.get(area.file, F_NUMBER), "/dev/zero (deleted)"


def octal(path: str) -> str:
    """A path whose bytes that do not print are written \\NNN, as Linux does it."""
    return "".join(
        letter if letter.isprintable() else "".join(f"\\{byte:03o}" for byte in os.fsencode(letter)) for letter in path
    )


def statm_text(process: Process) -> str:
    """The text of /proc/PID/statm: size resident shared text 0 data 0, in pages; data has the stack in it."""
    usage = program_usage(process)
    sizes = (usage.virt, usage.rss, usage.shared, usage.text, 0, usage.data + usage.stack, 0)
    return " ".join(str(size >> FRAME_SHIFT) for size in sizes) + "\n"


def program_usage(process: Process) -> Usage:
    """Sizes as Linux counts them: text is the program's own code, data what is private, writable and no stack."""
    usage = process.usage
    if not process.is_alive or not process.processes.spaces.get(process.space, S_CODE_END):
        return usage  # no program was loaded into it
    spaces, space = process.processes.spaces, process.space
    start, end = spaces.get(space, S_CODE_START) & ~FRAME_MASK, spaces.get(space, S_CODE_END)
    stack = sum(area.end - area.start for area in process.areas if area.flags & AREA_GROWS_DOWN)
    return usage._replace(text=(end - start + FRAME_MASK) & ~FRAME_MASK, data=spaces.data_size(space), stack=stack)


def libraries(process: Process) -> int:
    """Bytes of code that is not the program's own (VmLib); 0 where no program was loaded."""
    if not process.processes.spaces.get(process.space, S_CODE_END):
        return 0
    code = RIGHT_EXECUTE | RIGHT_WRITE | AREA_GROWS_DOWN
    every = sum(area.end - area.start for area in process.areas if area.flags & code == RIGHT_EXECUTE)
    return max(every - program_usage(process).text, 0)


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
    return "\n".join(lines) + "\n" + memory_lines(machine, process) + "Threads:\t1\n"


def memory_lines(machine: Machine, process: Process) -> str:
    """The lines of /proc/PID/status that are about memory; "" for a zombie."""
    if not process.is_alive:
        return ""
    return "".join(f"{name}:\t{size >> 10:8} kB\n" for name, size in sizes(machine, process).items())


def sizes(machine: Machine, process: Process) -> dict[str, int]:
    """The Vm and Rss lines of status, in bytes."""
    usage = program_usage(process)

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
        "VmLib": libraries(process),
        "VmPTE": tables_of(machine, process.root) << FRAME_SHIFT,
        "VmSwap": 0,
        "HugetlbPages": 0,
    }


def stat_addresses(process: Process) -> dict[str, int]:
    """What /proc/PID/stat tells of where things are, by the names of proc(5); 0 where no program was loaded."""
    spaces, space = process.processes.spaces, process.space
    fields = {
        "startcode": S_CODE_START, "endcode": S_CODE_END, "startstack": S_STACK_START, "start_data": S_DATA_START,
        "end_data": S_DATA_END, "start_brk": S_BRK_START, "arg_start": S_ARG_START, "arg_end": S_ARG_END,
        "env_start": S_ENV_START, "env_end": S_ENV_END,
    }  # fmt: skip
    return {name: spaces.get(space, field) for name, field in fields.items()}


def tables_of(machine: Machine, root: int) -> int:
    """How many page tables the user half of a directory has, its root not counted."""
    return int(machine.page_tables.directories.count_tables(root, 0))
