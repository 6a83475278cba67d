"""Why a call of the document failed: its error return as a sentence, with the cause and what to do.

The checks are made again, in the order of the call, on the machine as it is: a failure has changed nothing. Reads only.
"""

from coalmm.hardware.constants import (
    FRAME_MASK,
    FRAME_SHIFT,
    FRAME_SIZE,
    PAGE_COW,
    PAGE_HUGE,
    PAGE_NX,
    PAGE_PRESENT,
    PAGE_USER,
    PAGE_WRITABLE,
)
from coalmm.inspect.machine import Machine
from coalmm.inspect.why_memory import no_memory
from coalmm.inspect.why_user import why_copy, why_string, why_valid
from coalmm.physical.constants import HOOK_NO_HEAP, REFERENCES_LIMIT, SB_HOOKS, SB_LOWMEM
from coalmm.sizes import format_size
from coalmm.typed import Callable
from coalmm.virtual.constants import DOCUMENT_FLAGS

LARGEST_BLOCK = 16 << 20
ERRORS = {1: "EPERM", 3: "ESRCH", 12: "ENOMEM", 13: "EACCES", 14: "EFAULT", 17: "EEXIST", 22: "EINVAL", 75: "EOVERFLOW"}


def explain(machine: Machine, call: str, arguments: tuple[object, ...], result: int) -> str:
    """The sentence for a call that answered with `result`: 0 (NULL, false) or a negative errno."""
    reason = REASONS[call]
    shown = ", ".join(shown_as(value, place in SIZES.get(call, ())) for place, value in enumerate(arguments))
    answer = f"-{ERRORS.get(-result, -result)}" if result < 0 else ZEROS.get(call, "NULL")
    return f"{call}({shown}) is {answer}: {reason(machine, *arguments)}"


def shown_as(value: object, is_size: bool) -> str:
    """An argument as it would be written."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if is_size or value < 10 else f"{value:#x}"
    return repr(value) if value is None or isinstance(value, str | bool) else f"<{type(value).__name__}>"


def no_heap(machine: Machine) -> str:
    """What to say while there is no heap, or ''."""
    if machine.ram.words[SB_HOOKS] & HOOK_NO_HEAP:
        return "there is no heap yet; buddy_init gives it memory"
    return ""


def why_kmalloc(machine: Machine, size: int) -> str:
    """kmalloc, kzalloc."""
    if size == 0:
        return "0 bytes were asked for; ask for at least 1"
    return no_heap(machine) or no_memory(machine, size, "kmalloc")


def why_aligned(machine: Machine, size: int, align: int) -> str:
    """kmalloc_aligned."""
    if align & align - 1:
        return f"the alignment {align} is not a power of two"
    if align > LARGEST_BLOCK:
        return f"the alignment is {align:#x}, and at most 16 MiB can be had"
    return why_kmalloc(machine, size)


def why_krealloc(machine: Machine, pointer: int, size: int) -> str:
    """krealloc."""
    kept = f"; {pointer:#x} is as it was" if pointer else ""
    return why_kmalloc(machine, size) + kept


def why_buddy(machine: Machine, size: int) -> str:
    """buddy_alloc."""
    if size == 0:
        return "0 bytes were asked for; ask for at least 1"
    if size > LARGEST_BLOCK:
        return f"{size} bytes were asked for, and the largest block has 16 MiB (16777216)"
    block = max(1 << (size - 1).bit_length(), FRAME_SIZE)
    return no_memory(machine, block, "buddy", f"a block of {format_size(block)}, aligned to that")


def why_cache(
    machine: Machine, name: object, size: int, align: int = 0, ctor: object = None, dtor: object = None
) -> str:
    """slab_cache_create."""
    if size == 0:
        return "objects of 0 bytes were asked for; ask for at least 1"
    if align & align - 1:
        return f"the alignment {align} is not a power of two; 0 means what C would need"
    if size > LARGEST_BLOCK or align > LARGEST_BLOCK:
        return "objects, and their alignment, have at most 16 MiB (16777216)"
    return no_heap(machine) or no_memory(machine, FRAME_SIZE, "slab", "the record of the cache")


def why_slab(machine: Machine, cache: int) -> str:
    """slab_alloc."""
    if cache == 0:
        return "the cache is NULL; slab_cache_create has failed, or was not called"
    info = machine.slabs.info(machine.slabs.cache_at(cache))
    size = info.pages_per_slab << FRAME_SHIFT
    return no_memory(machine, size, "slab", f"a new slab for cache {info.name!r}: {format_size(size)}")


def why_frame(machine: Machine) -> str:
    """frame_alloc."""
    return no_memory(machine, FRAME_SIZE, "frame", "a frame")


def why_directory(machine: Machine, source: int = -1) -> str:
    """paging_create_directory, paging_clone_directory."""
    if source == 0:
        return "the source is NULL, which is no page directory"
    return no_memory(machine, FRAME_SIZE, "frame", "the frames of its page tables")


def why_map(machine: Machine, vaddr: int, paddr: int, flags: int) -> str:
    """paging_map_page."""
    size = machine.format.huge_sizes[0] if flags & PAGE_HUGE else FRAME_SIZE
    return (
        bad_flags(machine, flags)
        or bad_vaddr(machine, vaddr, flags, size)
        or bad_paddr(machine, paddr, size)
        or mapped_already(machine, vaddr, paddr, size)
        or no_memory(machine, FRAME_SIZE, "frame", "a page table")
    )


def bad_flags(machine: Machine, flags: int) -> str:
    """What is wrong with the flags of a mapping, or ''."""
    form = machine.format
    if flags & ~DOCUMENT_FLAGS:
        return f"the bits {flags & ~DOCUMENT_FLAGS:#x} of the flags are no page flags; use the PAGE_* names"
    if not flags & PAGE_PRESENT:
        return "PAGE_PRESENT is missing; an entry without it maps nothing"
    if flags & PAGE_NX and not form.has_nx:
        return f"{form.name} paging has no PAGE_NX; boot with paging='pae' or 'x86_64'"
    if flags & PAGE_NX and not machine.mmu.nx:
        return "PAGE_NX is turned off (EFER.NXE)"
    if flags & PAGE_COW and flags & PAGE_WRITABLE:
        return "PAGE_COW and PAGE_WRITABLE exclude each other; a page is read-only until it has been copied"
    return ""


def bad_vaddr(machine: Machine, vaddr: int, flags: int, size: int) -> str:
    """What is wrong with the virtual address of a mapping, or ''."""
    form = machine.format
    if vaddr & size - 1:
        return f"the virtual address is not a multiple of {size:#x}; the page begins at {vaddr & -size:#x}"
    if not form.is_canonical(vaddr):
        return f"{vaddr:#x} is no address of {form.name} paging; user addresses end at {form.user_top:#x}"
    if vaddr < form.kernel_base:
        return ""
    if flags & PAGE_USER:
        return f"{vaddr:#x} is in the kernel half (from {form.kernel_base:#x} on), where PAGE_USER may not be"
    if in_direct_map(machine, vaddr):
        return f"RAM is mapped at {vaddr:#x} already: the direct map of the kernel, which stays"
    return ""


def bad_paddr(machine: Machine, paddr: int, size: int) -> str:
    """What is wrong with the physical address of a mapping, or ''."""
    if paddr & size - 1:
        return f"the physical address is not a multiple of {size:#x}"
    frames = machine.frames
    pfn, count = paddr >> FRAME_SHIFT, size >> FRAME_SHIFT
    if pfn >= frames.pfn_limit or count > frames.pfn_limit - pfn:
        return f"the page at {paddr:#x} reaches past the end of physical memory ({frames.pfn_limit << FRAME_SHIFT:#x})"
    for each in range(pfn, pfn + count):
        if not machine.page_tables.leaves.mappable(each):
            what = frames.describe(each << FRAME_SHIFT)
            return f"{what}; only frames of frame_alloc, of processes and files, and reserved ranges can be mapped"
    return ""


def mapped_already(machine: Machine, vaddr: int, paddr: int, size: int) -> str:
    """What another mapping there is, or ''."""
    walk = machine.mmu.walker.walk(machine.mmu.cr3, vaddr)
    above = [machine.format.levels[step.level].size for step in walk.steps[:-1]]
    if size in above:  # a table where the huge page would have its entry
        return f"pages of 4 KiB are mapped in the {format_size(size)} at {vaddr:#x}; unmap them first"
    if walk.paddr and walk.paddr != paddr:
        return f"{vaddr:#x} is mapped to {walk.paddr:#x} already; paging_unmap_page takes that away"
    if machine.frames.references(paddr >> FRAME_SHIFT) >= REFERENCES_LIMIT:
        return f"the reference counter of frame {paddr:#x} is full"
    return ""


def in_direct_map(machine: Machine, vaddr: int) -> bool:
    """Whether an address is where the kernel half maps RAM."""
    offset = vaddr - machine.format.kernel_base
    return offset >= 0 and offset >> FRAME_SHIFT < machine.ram.words[SB_LOWMEM]


def why_unmap(machine: Machine, vaddr: int) -> str:
    """paging_unmap_page."""
    if in_direct_map(machine, vaddr):
        return f"{vaddr:#x} is in the direct map of the kernel, which stays"
    return "a huge page must be split, and " + no_memory(machine, FRAME_SIZE, "frame", "the page table for that")


def why_physical(machine: Machine, vaddr: int) -> str:
    """paging_get_physical."""
    walk = machine.mmu.walker.walk(machine.mmu.cr3, vaddr)
    if not walk.reason:
        return "it is mapped to physical address 0"
    if not walk.steps:
        return bad_vaddr(machine, vaddr & ~FRAME_MASK, 0, FRAME_SIZE) or walk.reason
    last = walk.steps[-1]
    where = f"entry {last.index} of the table at {last.table:#x} is {last.entry:#x}"
    return f"nothing is mapped there: {walk.reason} ({where})"


def why_process(machine: Machine, pid: int, info: object = None) -> str:
    """get_proc_meminfo."""
    if info is None or (isinstance(info, int) and info == 0):
        return "the structure to fill is NULL; give a proc_meminfo_t()"
    if pid <= 0:
        return "a pid is a number from 1 on"
    known = ", ".join(map(str, machine.processes.pids())) or "none"
    return f"no process has pid {pid}; there are: {known}"


REASONS: dict[str, Callable[..., str]] = {
    "frame_alloc": why_frame,
    "kmalloc": why_kmalloc,
    "kzalloc": why_kmalloc,
    "kmalloc_aligned": why_aligned,
    "krealloc": why_krealloc,
    "buddy_alloc": why_buddy,
    "slab_cache_create": why_cache,
    "slab_alloc": why_slab,
    "paging_map_page": why_map,
    "paging_map_page64": why_map,
    "paging_unmap_page": why_unmap,
    "paging_get_physical": why_physical,
    "paging_create_directory": why_directory,
    "paging_clone_directory": why_directory,
    "copy_from_user": lambda machine, to, source, n: why_copy(machine, source, n, False),
    "copy_to_user": lambda machine, to, source, n: why_copy(machine, to, n, True),
    "strncpy_from_user": lambda machine, to, source, n: why_string(machine, source, n),
    "strnlen_user": why_string,
    "validate_user_pointer": why_valid,
    "validate_user_buffer": why_valid,
    "get_proc_meminfo": why_process,
}
ZEROS = {
    "frame_alloc": "0", "paging_get_physical": "0", "validate_user_pointer": "false", "validate_user_buffer": "false",
}  # fmt: skip
SIZES = {
    "kmalloc": (0,), "kzalloc": (0,), "kmalloc_aligned": (0, 1), "krealloc": (1,), "buddy_alloc": (0,),
    "slab_cache_create": (1, 2), "copy_from_user": (2,), "copy_to_user": (2,), "strncpy_from_user": (2,),
    "strnlen_user": (1,), "validate_user_pointer": (1,), "validate_user_buffer": (1,), "get_proc_meminfo": (0,),
}  # fmt: skip
