"""How memory is used: what `get_meminfo` tells, and the text of /proc/meminfo.

    total == free + kernel + user + cache + buffer      bytes, each frame counted once

A frame that a user mapping holds is user memory, also when it is a file's page; cache is the pages of
files (and of shared anonymous memory) that nobody maps now. Buffer is the swap store: 0, there is none.
The kernel has the rest: what boot placed, page tables, the heap, frames of `frame_alloc` nobody mapped.
Memory that the map reserves (holes, firmware) is not in the total.
"""

from coalmm.hardware.constants import FRAME_SHIFT
from coalmm.inspect.machine import Machine
from coalmm.physical.constants import (
    KIND_CACHE,
    KIND_DIRECTORY,
    KIND_SLAB,
    KIND_TABLE,
    SB_CACHE_MAPPED,
    SB_FREE,
    SB_KINDS,
    SB_LOWMEM,
    SB_TOTAL,
    SB_USER,
)
from coalmm.typed import NamedTuple
from coalmm.virtual.constants import (
    AREA_NO_RESERVE,
    AREA_SHARED,
    F_KIND,
    F_PAGES,
    FILE_MEMORY,
    RIGHT_WRITE,
    S_LOCKED,
    SB_RECLAIMED,
)

# Every key of /proc/meminfo, in Linux's order (fs/proc/meminfo.c, 6.x); what is not computed here is 0.
LINUX_KEYS = (
    "MemTotal MemFree MemAvailable Buffers Cached SwapCached Active Inactive Active(anon) Inactive(anon) "
    "Active(file) Inactive(file) Unevictable Mlocked SwapTotal SwapFree Zswap Zswapped Dirty Writeback AnonPages "
    "Mapped Shmem KReclaimable Slab SReclaimable SUnreclaim KernelStack PageTables SecPageTables NFS_Unstable "
    "Bounce WritebackTmp CommitLimit Committed_AS VmallocTotal VmallocUsed VmallocChunk Percpu AnonHugePages "
    "ShmemHugePages ShmemPmdMapped FileHugePages FilePmdMapped Balloon HugePages_Total HugePages_Free "
    "HugePages_Rsvd HugePages_Surp Hugepagesize Hugetlb DirectMap4k DirectMap2M DirectMap4M DirectMap1G"
)
KEYS = tuple(LINUX_KEYS.split())
DIRECT_MAP_KEYS = {12: "DirectMap4k", 21: "DirectMap2M", 22: "DirectMap4M", 30: "DirectMap1G"}


class MemoryInfo(NamedTuple):
    """Bytes by use; total == free + kernel + user + cache + buffer."""

    total: int
    free: int
    kernel: int
    user: int
    cache: int
    buffer: int


def memory_info(machine: Machine) -> MemoryInfo:
    """How memory is used, now."""
    words = machine.ram.words
    total, free, user = words[SB_TOTAL], words[SB_FREE], words[SB_USER]
    cache = words[SB_KINDS + KIND_CACHE] - words[SB_CACHE_MAPPED]
    counts = (total, free, total - free - user - cache, user, cache, 0)
    return MemoryInfo(*(count << FRAME_SHIFT for count in counts))


def meminfo_values(machine: Machine) -> dict[str, int]:
    """Every key of /proc/meminfo: bytes, and frames for the four HugePages_ counts.

    There is one list of file pages for reclaim: they count as active while something maps them, anonymous ones always.
    """
    words = machine.ram.words
    info = memory_info(machine)
    mapped = words[SB_CACHE_MAPPED] << FRAME_SHIFT
    slab = words[SB_KINDS + KIND_SLAB] << FRAME_SHIFT
    spare = sum(cache.empty_slabs * cache.pages_per_slab for cache in machine.slabs.caches()) << FRAME_SHIFT
    values = dict.fromkeys(KEYS, 0)
    values |= {
        "MemTotal": info.total,
        "MemFree": info.free,
        "MemAvailable": info.free + info.cache + spare,
        "Buffers": info.buffer,
        "Cached": info.cache + mapped,
        "Active": info.user,
        "Inactive": info.cache,
        "Active(anon)": info.user - mapped,
        "Active(file)": mapped,
        "Inactive(file)": info.cache,
        "AnonPages": info.user - mapped,
        "Mapped": mapped,
        "KReclaimable": spare,
        "Slab": slab,
        "SReclaimable": spare,
        "SUnreclaim": slab - spare,
        "PageTables": (words[SB_KINDS + KIND_TABLE] + words[SB_KINDS + KIND_DIRECTORY]) << FRAME_SHIFT,
        "CommitLimit": info.total,
        "Hugepagesize": machine.format.huge_sizes[0],
    }
    return values | of_files(machine) | of_processes(machine) | direct_map(machine)


def of_files(machine: Machine) -> dict[str, int]:
    """Bytes of shared anonymous memory, and of pages newer than the host's file."""
    files = machine.files
    shared = dirty = 0
    for file in files.files():
        if files.get(file, F_KIND) == FILE_MEMORY:
            shared += files.get(file, F_PAGES)
        else:
            dirty += sum(1 for pfn in files.cache.pages_of(file) if files.cache.is_dirty(pfn))
    return {"Shmem": shared << FRAME_SHIFT, "Dirty": dirty << FRAME_SHIFT}


def of_processes(machine: Machine) -> dict[str, int]:
    """Bytes that programs were promised (private and writable), and that they locked."""
    spaces = {process.space for process in machine.processes if process.is_alive}
    promised = locked = 0
    for space in spaces:
        locked += machine.processes.spaces.get(space, S_LOCKED) << FRAME_SHIFT
        for area in machine.processes.spaces.all_areas(space):
            if area.flags & (RIGHT_WRITE | AREA_SHARED | AREA_NO_RESERVE) == RIGHT_WRITE:
                promised += area.end - area.start
    return {"Committed_AS": promised, "Mlocked": locked, "Unevictable": locked}


def direct_map(machine: Machine) -> dict[str, int]:
    """Bytes of RAM that the kernel half maps, by the size of the pages that map them."""
    words = machine.ram.words
    found: dict[str, int] = {}
    at, end = 0, words[SB_LOWMEM] << FRAME_SHIFT
    while machine.mmu.cr3 and at < end:
        walk = machine.mmu.walker.walk(machine.mmu.cr3, machine.format.kernel_base + at)
        if walk.page_size == 0:
            break
        key = DIRECT_MAP_KEYS[walk.page_size.bit_length() - 1]
        found[key] = found.get(key, 0) + walk.page_size
        at += walk.page_size
    return found


def meminfo_text(machine: Machine) -> str:
    """The text of /proc/meminfo."""
    lines = []
    for key, value in meminfo_values(machine).items():
        if key.startswith("HugePages_"):
            lines.append(f"{key + ':':<16}{value:8}\n")
        else:
            lines.append(f"{key + ':':<16}{value >> 10:8} kB\n")
    return "".join(lines)


def vmstat_text(machine: Machine) -> str:
    """The text of /proc/vmstat, those counters that there are here; pages."""
    words = machine.ram.words
    counts = {
        "nr_free_pages": words[SB_FREE],
        "nr_anon_pages": words[SB_USER] - words[SB_CACHE_MAPPED],
        "nr_mapped": words[SB_CACHE_MAPPED],
        "nr_file_pages": words[SB_KINDS + KIND_CACHE],
        "nr_page_table_pages": words[SB_KINDS + KIND_TABLE] + words[SB_KINDS + KIND_DIRECTORY],
        "pgsteal_direct": words[SB_RECLAIMED],
        "pgsteal_file": words[SB_RECLAIMED],
    }
    return "".join(f"{name} {count}\n" for name, count in counts.items())
