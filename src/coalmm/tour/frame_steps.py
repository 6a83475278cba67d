"""Steps of the tour about physical memory and page tables: boot, frames, mapping, the MMU, freeing."""

from rich.console import RenderableType
from rich.text import Text

from coalmm.errors import DoubleFreeError
from coalmm.hardware.constants import (
    FRAME_SHIFT,
    PAGE_PRESENT,
    PAGE_USER,
    PAGE_WRITABLE,
)
from coalmm.inspect.dump import dump_text
from coalmm.physical.constants import SB_BITMAP, SB_DESCRIPTORS, SB_KERNEL_BASE, SB_KERNEL_END, SB_LOWMEM
from coalmm.physical.superblock import usable_ranges
from coalmm.sizes import format_size
from coalmm.tour.bits import word_in_binary
from coalmm.tour.pieces import (
    address_split,
    descriptor,
    descriptor_table,
    numbers,
    owners,
    plain_table,
    walk_table,
)
from coalmm.tour.scene import Scene, Tour

PAGE = 0x0040_3000
FLAGS = PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER
HELLO = b"Hello, frame!"


def boot(tour: Tour) -> Scene:
    """What there is after boot."""
    kernel = tour.kernel
    words = kernel.ram.words
    places = plain_table("physical address", "what is there")
    places.add_row("0x0", "the superblock: where everything else is, and all counters")
    places.add_row(f"{words[SB_BITMAP]:#x}", f"the frame bitmap: {kernel.frames.pfn_limit} bits, 1 is taken")
    places.add_row(f"{words[SB_DESCRIPTORS]:#x}", "frame descriptors, 64 bytes a frame")
    places.add_row(f"{words[SB_KERNEL_END]:#x}", "the end of what boot placed")
    places.add_row(f"{kernel.mmu.cr3:#x}", "the kernel's page directory: CR3")
    memory = plain_table("usable RAM", "size")
    for start, end in usable_ranges(kernel.ram):
        memory.add_row(f"{start:#x} - {end:#x}", format_size(end - start))
    base = words[SB_KERNEL_BASE]
    walk = tour.walk(kernel.mmu.cr3, base)
    return Scene(
        "Boot",
        [f'kernel = coalmm.boot(ram="{kernel.ram.size >> 20}M", paging="{kernel.format.name}")'],
        "The machine has one RAM. All that a kernel keeps in memory is in it, at these addresses. The Python objects "
        "are views of these bytes, nothing more.",
        [
            ("", places),
            ("The memory map, as the firmware would give it", memory),
            (f"The kernel half maps RAM from {base:#x} on", walk_table(kernel.format, walk)),
            (
                "Frames",
                Text(" ".join(f"{name} {count}" for name, count in kernel.frames.statistics()._asdict().items())),
            ),
        ],
    )


def allocate_frame(tour: Tour) -> Scene:
    """One frame: a bit, a descriptor, counters."""
    watch = tour.watch()
    tour.frame = tour.kernel.frames.allocate()
    pfn = tour.frame >> FRAME_SHIFT
    word = (tour.kernel.ram.words[SB_BITMAP] >> 3) + (pfn >> 6)
    binary = word_in_binary(watch.word(word), tour.kernel.ram.words[word])
    return Scene(
        "Allocate a frame",
        [f"frame = kernel.frames.allocate()          # frame_alloc() -> {tour.frame:#x}"],
        f"A frame is 4096 bytes of RAM. Frame {tour.frame:#x} is number {pfn}: bit {pfn & 63} of word {pfn >> 6} of "
        "the bitmap. Its descriptor says what it is and how many hold it: whoever allocated it holds one reference.",
        [
            (f"Bitmap word {pfn >> 6}, bit 63 on the left", binary),
            ("Its descriptor", descriptor_table(watch.descriptor(tour.frame), descriptor(tour.kernel, tour.frame))),
            ("Frames", numbers(watch.frame_counts())),
            ("Who owns it", Text(owners(tour.kernel, tour.frame))),
        ],
        watch.changed(),
    )


def map_page(tour: Tour) -> Scene:
    """A page of a new directory that names the frame."""
    kernel = tour.kernel
    tables = kernel.page_tables
    tour.directory = tables.create()
    tables.switch(tour.directory)
    before = tour.walk(tour.directory, PAGE)
    watch = tour.watch()
    result = tables.map(tour.directory, PAGE, tour.frame, FLAGS)
    after = tour.walk(tour.directory, PAGE)
    return Scene(
        "Map a page to it",
        [
            f"directory = kernel.page_tables.create()   # {tour.directory:#x}, switched to",
            f"kernel.page_tables.map(directory, {PAGE:#x}, frame, PRESENT | WRITABLE | USER)  # -> {result}",
        ],
        f"The page at {PAGE:#x} gets the frame. Its address is cut into one index a level; tables that are missing on "
        "the way are frames too. The mapping holds a reference of its own.",
        [
            ("", address_split(kernel.format, PAGE)),
            ("The walk before", walk_table(kernel.format, before)),
            ("The walk now", walk_table(kernel.format, after, before)),
            ("The frame", descriptor_table(watch.descriptor(tour.frame), descriptor(kernel, tour.frame))),
        ],
        watch.changed(),
    )


def store_bytes(tour: Tour) -> Scene:
    """A store by the CPU: accessed and dirty bits, the TLB, the same bytes at two addresses."""
    kernel = tour.kernel
    before = tour.walk(tour.directory, PAGE)
    tlb = kernel.mmu.tlb
    misses, hits = tlb.misses, tlb.hits
    watch = tour.watch()
    kernel.mmu.store(PAGE, HELLO, True)
    alias = kernel.kernel_base + tour.frame
    after = tour.walk(tour.directory, PAGE)
    counts = [("TLB misses", misses, tlb.misses), ("TLB hits", hits, tlb.hits)]
    pieces: list[tuple[str, RenderableType]] = [
        ("The walk: A is set on the way, D in the last entry", walk_table(kernel.format, after, before)),
        ("The translation is in the TLB now", numbers(counts)),
        ("mem_dump of the page", Text(dump_text(kernel, PAGE, len(HELLO)).rstrip())),
    ]
    if tour.frame < kernel.ram.words[SB_LOWMEM] << FRAME_SHIFT:
        pieces.append(("and of the same frame in the kernel half", Text(dump_text(kernel, alias, len(HELLO)).rstrip())))
    return Scene(
        "Store to it",
        [f"kernel.mmu.store({PAGE:#x}, {HELLO!r}, user=True)"],
        "A user-mode store goes through the MMU: look in the TLB, miss, walk the tables, check the rights, set the "
        "bits, remember the translation, write.",
        pieces,
        watch.changed(),
    )


def free_mapped(tour: Tour) -> Scene:
    """A frame that is freed while it is mapped, and freed again."""
    kernel = tour.kernel
    watch = tour.watch()
    kernel.frames.free(tour.frame)
    digest = kernel.digest()
    try:
        kernel.frames.free(tour.frame)
        refusal = "not refused"
    except DoubleFreeError as error:
        refusal = f"{type(error).__name__}: {error}"
    same = "the same" if kernel.digest() == digest else "different"
    return Scene(
        "Free it while it is mapped, twice",
        ["kernel.frames.free(frame)                 # frame_free(frame)", "kernel.frames.free(frame)"],
        "The first free gives back the reference of whoever allocated it. The mapping still holds the frame, so nobody "
        "else can get it. The second free would be a bug that shows much later; here it is refused on the spot.",
        [
            ("The frame", descriptor_table(watch.descriptor(tour.frame), descriptor(kernel, tour.frame))),
            ("Frames", numbers(watch.frame_counts())),
            ("The second free", Text(refusal, "bold red")),
            ("RAM before and after the refusal", Text(f"{same} digest: {digest[:32]}...")),
        ],
        watch.changed(),
    )


def unmap_page(tour: Tour) -> Scene:
    """The last holder lets go: frame and tables go back."""
    kernel = tour.kernel
    before = tour.walk(tour.directory, PAGE)
    pfn = tour.frame >> FRAME_SHIFT
    word = (kernel.ram.words[SB_BITMAP] >> 3) + (pfn >> 6)
    watch = tour.watch()
    result = kernel.page_tables.unmap(tour.directory, PAGE)
    after = tour.walk(tour.directory, PAGE)
    cached = kernel.mmu.translate(PAGE, 0, True) + 1 & (1 << 64) - 1
    return Scene(
        "Unmap the page",
        [f"kernel.page_tables.unmap(directory, {PAGE:#x})   # paging_unmap_page() -> {result}"],
        "The mapping was the last to hold the frame: its bit is cleared. Tables without an entry go back as well, and "
        "the TLB forgets the translation" + (", as the next access shows." if not cached else "; IT DID NOT."),
        [
            ("The walk before", walk_table(kernel.format, before)),
            ("The walk now", walk_table(kernel.format, after, before)),
            (f"Bitmap word {pfn >> 6}: frame and tables", word_in_binary(watch.word(word), kernel.ram.words[word])),
            ("Frames", numbers(watch.frame_counts())),
        ],
        watch.changed(),
    )
