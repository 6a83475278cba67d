"""/proc/PID/smaps and smaps_rollup: what of each area is present, shared and dirty, from the page tables.

Pss, the proportional size, counts a frame that n mappings hold as 1/n; it is kept in 4096ths of a byte,
as Linux does, so that the sum over processes is exact to the byte.
"""

from dataclasses import dataclass, fields

from coalmm.hardware.constants import FRAME_SHIFT, FRAME_SIZE, PAGE_ACCESSED, PAGE_DIRTY
from coalmm.inspect.machine import Machine
from coalmm.inspect.proc import area_line, areas_of, header_line, heap_of
from coalmm.physical.constants import KIND_CACHE
from coalmm.process.process import Process
from coalmm.virtual.areas import Area
from coalmm.virtual.constants import (
    AREA_GROWS_DOWN,
    AREA_HUGE,
    AREA_LOCK_ON_FAULT,
    AREA_LOCKED,
    AREA_MERGEABLE,
    AREA_NO_DUMP,
    AREA_NO_FORK,
    AREA_NO_HUGE,
    AREA_NO_RESERVE,
    AREA_RANDOM,
    AREA_SEQUENTIAL,
    AREA_SHARED,
    AREA_WIPE_ON_FORK,
    F_KIND,
    FILE_MEMORY,
    MAY_EXECUTE,
    MAY_READ,
    MAY_WRITE,
    RIGHT_EXECUTE,
    RIGHT_READ,
    RIGHT_WRITE,
)

PSS_SHIFT = 12
STORES_REACH = AREA_SHARED | MAY_WRITE  # VM_SHARED: a shared map whose file is open for writing
VM_FLAGS = (
    (RIGHT_READ, "rd"), (RIGHT_WRITE, "wr"), (RIGHT_EXECUTE, "ex"), (STORES_REACH, "sh"), (MAY_READ, "mr"),
    (MAY_WRITE, "mw"), (MAY_EXECUTE, "me"), (AREA_SHARED, "ms"), (AREA_GROWS_DOWN, "gd"), (AREA_LOCKED, "lo"),
    (AREA_SEQUENTIAL, "sr"), (AREA_RANDOM, "rr"), (AREA_NO_FORK, "dc"), (AREA_LOCK_ON_FAULT, "lf"),
    (AREA_NO_RESERVE, "nr"), (AREA_WIPE_ON_FORK, "wf"), (AREA_NO_DUMP, "dd"), (AREA_HUGE, "hg"),
    (AREA_NO_HUGE, "nh"), (AREA_MERGEABLE, "mg"),
)  # fmt: skip
SMAPS = (
    "Rss Pss Pss_Dirty Shared_Clean Shared_Dirty Private_Clean Private_Dirty Referenced Anonymous KSM LazyFree "
    "AnonHugePages ShmemPmdMapped FilePmdMapped Shared_Hugetlb Private_Hugetlb Swap SwapPss Locked"
)
ROLLUP = SMAPS.replace("Pss_Dirty", "Pss_Dirty Pss_Anon Pss_File Pss_Shmem")


@dataclass
class Presence:
    """What of some areas is present, in bytes; the four pss in bytes << PSS_SHIFT."""

    rss: int = 0
    pss: int = 0
    pss_dirty: int = 0
    pss_anon: int = 0
    pss_shmem: int = 0
    shared_clean: int = 0
    shared_dirty: int = 0
    private_clean: int = 0
    private_dirty: int = 0
    referenced: int = 0
    anonymous: int = 0
    anonhugepages: int = 0
    locked: int = 0

    def add(self, other: "Presence") -> None:
        """Count what is in `other` too."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    def value(self, name: str) -> int:
        """A line of smaps by its name, in bytes."""
        if name == "Pss_File":
            return self.pss - self.pss_anon - self.pss_shmem >> PSS_SHIFT
        number: int = getattr(self, name.lower(), 0)
        return number >> PSS_SHIFT if name.startswith("Pss") or name == "Locked" else number

    def lines(self, names: str) -> str:
        """Lines as smaps has them."""
        return "".join(f"{name + ':':<16}{self.value(name) >> 10:8} kB\n" for name in names.split())


def presence(machine: Machine, root: int, area: Area) -> Presence:
    """What of one area is present in a directory."""
    found = Presence()
    shmem = bool(area.file) and machine.files.get(area.file, F_KIND) == FILE_MEMORY
    for vaddr, paddr, size, flags in machine.page_tables.for_each_leaf(root, area.start, area.end):
        first = max(vaddr, area.start)
        last = min(vaddr + size, area.end)
        for at in range(first, last, FRAME_SIZE):
            _count(machine, found, paddr + at - vaddr >> FRAME_SHIFT, flags, shmem)
        if size > FRAME_SIZE and not area.file:
            found.anonhugepages += last - first
        if machine.mmu.is_late():
            break
    if area.flags & AREA_LOCKED:
        found.locked = found.pss
    return found


def _count(machine: Machine, found: Presence, pfn: int, flags: int, shmem: bool) -> None:
    """Count one present page."""
    inside = pfn < machine.frames.pfn_limit
    kind = machine.frames.kind(pfn) if inside else 0
    mappings = max(machine.frames.mappings(pfn), 1) if inside else 1
    cached = kind == KIND_CACHE
    dirty = bool(flags & PAGE_DIRTY) or (cached and machine.files.cache.is_dirty(pfn))
    share = (FRAME_SIZE << PSS_SHIFT) // mappings
    name = f"{'shared' if mappings > 1 else 'private'}_{'dirty' if dirty else 'clean'}"
    setattr(found, name, getattr(found, name) + FRAME_SIZE)
    found.rss += FRAME_SIZE
    found.pss += share
    found.pss_dirty += share if dirty else 0
    found.referenced += FRAME_SIZE if flags & PAGE_ACCESSED else 0
    if not cached:
        found.anonymous += FRAME_SIZE
        found.pss_anon += share
    elif shmem:
        found.pss_shmem += share


def smaps_text(machine: Machine, process: Process) -> str:
    """The text of /proc/PID/smaps."""
    blocks = []
    heap = heap_of(process)
    for area in areas_of(process):
        flags = "".join(f"{name} " for bits, name in VM_FLAGS if area.flags & bits == bits)
        sizes = (("Size", area.end - area.start), ("KernelPageSize", FRAME_SIZE), ("MMUPageSize", FRAME_SIZE))
        blocks.append(
            area_line(machine, area, heap)
            + "".join(f"{name + ':':<16}{size >> 10:8} kB\n" for name, size in sizes)
            + presence(machine, process.root, area).lines(SMAPS)
            + f"{'THPeligible:':<16}{0:8}\nVmFlags: {flags}\n"
        )
    return "".join(blocks)


def smaps_rollup_text(machine: Machine, process: Process) -> str:
    """The text of /proc/PID/smaps_rollup; "" for a process without areas."""
    areas = areas_of(process)
    if not areas:
        return ""
    total = Presence()
    for area in areas:
        total.add(presence(machine, process.root, area))
    return header_line(areas[0].start, areas[-1].end, "---p", 0, "00:00 0", "[rollup]", machine) + total.lines(ROLLUP)
