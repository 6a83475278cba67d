"""Why user memory cannot be accessed: which byte, and what is there instead. Reads only."""

from coalmm.hardware.constants import FRAME_MASK, FRAME_SIZE, PAGE_COW, PAGE_PRESENT, PAGE_USER, PAGE_WRITABLE
from coalmm.inspect.machine import Machine
from coalmm.inspect.why_memory import no_memory
from coalmm.virtual.constants import RIGHT_WRITE, RIGHTS


def why_copy(machine: Machine, vaddr: int, size: int, write: bool) -> str:
    """A copy of `size` bytes from or to user address `vaddr`."""
    return outside(machine, vaddr, size) or why_page(machine, first_bad(machine, vaddr, size, write), write)


def why_valid(machine: Machine, vaddr: int, size: int, write: object) -> str:
    """A range that is not valid."""
    return why_copy(machine, vaddr, size, bool(write))


def why_string(machine: Machine, vaddr: int, most: int) -> str:
    """A string whose memory ends before its NUL."""
    room = machine.format.user_top - vaddr
    if vaddr == 0 or room <= 0:
        return outside(machine, vaddr, 1)
    bad = first_bad(machine, vaddr, min(most, room), False)
    if bad >= machine.format.user_top:
        return f"user space ends at {bad:#x}, and there is no NUL before that"
    return ("no NUL comes before memory that cannot be read: " if bad > vaddr else "") + why_page(machine, bad, False)


def outside(machine: Machine, vaddr: int, size: int) -> str:
    """What is wrong with a range that is not in user space, or ''."""
    top = machine.format.user_top
    if vaddr == 0:
        return "the user address is NULL"
    if vaddr >= top:
        return f"{vaddr:#x} is not in user space, which ends at {top:#x}"
    if size > top - vaddr:
        return f"{size} bytes from {vaddr:#x} on reach past the end of user space ({top:#x})"
    return ""


def first_bad(machine: Machine, vaddr: int, size: int, write: bool) -> int:
    """The first address of a range from which on it is not valid; its end if all of it is."""
    valid = machine.processes.user.validate_user_pointer
    good, bad = 0, size
    if size and valid(vaddr, size, write):
        return vaddr + size
    while bad - good > 1:
        middle = (good + bad) // 2
        if valid(vaddr, middle, write):
            good = middle
        else:
            bad = middle
    return vaddr + good


def why_page(machine: Machine, vaddr: int, write: bool) -> str:
    """Why the page of one user address does not allow an access."""
    page = vaddr & ~FRAME_MASK
    spaces = machine.processes.spaces
    space = spaces.space_of(machine.mmu.cr3)
    for area in spaces.all_areas(space) if space else ():
        if area.start <= vaddr < area.end:
            return why_area(machine, vaddr, area.start, area.end, area.flags, write)
    entry = machine.page_tables.entry(machine.mmu.cr3, page)
    if not entry & PAGE_PRESENT:
        return f"nothing is mapped at {vaddr:#x}; paging_map_page or an area of a process brings memory there"
    if not entry & PAGE_USER:
        return f"the page at {page:#x} is the kernel's; map it with PAGE_USER"
    if write and not entry & (PAGE_WRITABLE | PAGE_COW):
        return f"the page at {page:#x} is read-only; map it with PAGE_WRITABLE"
    if write and not entry & PAGE_WRITABLE:
        return f"the page at {page:#x} is copy-on-write, and " + no_memory(machine, FRAME_SIZE, "frame", "its copy")
    return f"the page at {page:#x} is mapped to a physical address without RAM"


def why_area(machine: Machine, vaddr: int, start: int, end: int, flags: int, write: bool) -> str:
    """Why an area does not allow it."""
    where = f"{vaddr:#x} is in the area {start:x}-{end:x}"
    if not flags & (RIGHT_WRITE if write else RIGHTS):
        return f"{where}, which may not be {'written' if write else 'read'}; protect changes that"
    if machine.processes.user.validate_user_pointer(vaddr, 1, write):
        return f"{where}, and " + no_memory(machine, FRAME_SIZE, "frame", "its page")
    return f"{where}, past the end of the file that it shows"
