"""Steps of the tour about processes: a demand-zero fault, fork, copy-on-write, exit."""

from rich.console import RenderableType
from rich.text import Text

from coalmm.hardware.bits import ALL_ONES
from coalmm.hardware.constants import ACCESS_WRITE
from coalmm.inspect.proc import maps_text
from coalmm.process.process import Process
from coalmm.tour.bits import fault_text
from coalmm.tour.pieces import descriptor, descriptor_table, numbers, owners, walk_table
from coalmm.tour.scene import Scene, Tour, Watch

AREA = 0x0800_0000
AREA_SIZE = 0x4000
WORDS = b"written by the parent"


def fault_of(tour: Tour, process: Process, vaddr: int) -> str:
    """What the CPU says of a user write to `vaddr`, before anybody handles the fault."""
    kernel = tour.kernel
    kernel.page_tables.switch(process.root)
    if kernel.mmu.translate(vaddr, ACCESS_WRITE, True) != ALL_ONES:
        return "no fault"
    return f"page fault at CR2 = {kernel.mmu.fault_address:#x}, error code {fault_text(kernel.mmu.fault_code)}"


def frame_of(tour: Tour, process: Process, vaddr: int) -> int:
    """The frame behind a page."""
    return tour.kernel.page_tables.physical(process.root, vaddr) & ~0xFFF


def faults_table(before: dict[str, int], process: Process) -> RenderableType:
    """The process's fault counters that moved."""
    rows = [(f"{name} faults", before[name], count) for name, count in process.faults.items() if count != before[name]]
    return numbers(rows)


def demand_zero(tour: Tour) -> Scene:
    """The first write to a page of an area."""
    kernel = tour.kernel
    tour.parent = parent = kernel.processes.create("tour")
    tour.page = page = parent.map(AREA, AREA_SIZE, "rw") + 0x1000
    before, faults = tour.walk(parent.root, page), parent.faults
    fault = fault_of(tour, parent, page)
    watch = tour.watch()
    parent.write(page, WORDS)
    frame = frame_of(tour, parent, page)
    return Scene(
        "A page fault brings memory",
        [
            'parent = kernel.processes.create("tour")',
            f'area = parent.map({AREA:#x}, {AREA_SIZE:#x}, "rw")',
            f"parent.write(area + 0x1000, {WORDS!r})",
        ],
        "An area only promises memory. The first write to a page of it faults; the handler finds the area, gives the "
        "page a frame of zeros, and the write goes on.",
        [
            ("maps", Text(maps_text(kernel, parent).rstrip())),
            ("The walk before", walk_table(kernel.format, before)),
            ("What the CPU says", Text(fault, "bold red")),
            ("The walk now", walk_table(kernel.format, tour.walk(parent.root, page), before)),
            ("Fault counters", faults_table(faults, parent)),
            ("Who owns the frame", Text(owners(kernel, frame))),
        ],
        watch.changed(),
    )


def fork(tour: Tour) -> Scene:
    """A child that shares everything."""
    kernel = tour.kernel
    parent, page = tour.need(tour.parent), tour.page
    before = tour.walk(parent.root, page)
    frame = frame_of(tour, parent, page)
    watch = tour.watch()
    tour.child = child = parent.fork()
    return Scene(
        "Fork",
        ["child = parent.fork()                     # paging_clone_directory()"],
        "The child gets page tables of its own, but no copy of the memory: both name the same frame. Neither may write "
        "to it now (W is gone on both sides), and COW remembers that they may have a copy.",
        [
            ("The parent's walk", walk_table(kernel.format, tour.walk(parent.root, page), before)),
            ("The child's walk", walk_table(kernel.format, tour.walk(child.root, page))),
            ("The frame", descriptor_table(watch.descriptor(frame), descriptor(kernel, frame))),
            ("Who owns it", Text(owners(kernel, frame))),
        ],
        watch.changed(),
    )


def child_writes(tour: Tour) -> Scene:
    """The child's first write: a copy."""
    child = tour.need(tour.child)
    return write_shared(
        tour,
        child,
        "Copy on write",
        'child.write(area + 0x1000, b"CHANGED by the child")',
        b"CHANGED by the child",
        "The page is present, but not writable: a protection fault. The handler sees COW and another holder of the "
        "frame, so it copies the frame for the child and makes the copy writable.",
    )


def parent_writes(tour: Tour) -> Scene:
    """The parent's write: it is the last one that holds the frame."""
    return write_shared(
        tour,
        tour.need(tour.parent),
        "The last owner keeps the frame",
        'parent.write(area + 0x1000, b"WRITTEN")',
        b"WRITTEN",
        "The parent faults too. But nobody else holds the old frame any more: it is not copied, the parent may simply "
        "write to it again.",
    )


def write_shared(tour: Tour, writer: Process, title: str, call: str, data: bytes, why: str) -> Scene:
    """One write to a page that was shared by fork."""
    kernel, page = tour.kernel, tour.page
    before, faults, old = tour.walk(writer.root, page), writer.faults, frame_of(tour, writer, page)
    fault = fault_of(tour, writer, page)
    watch = tour.watch()
    writer.write(page, data)
    new = frame_of(tour, writer, page)
    pieces: list[tuple[str, RenderableType]] = [
        ("What the CPU says", Text(fault, "bold red")),
        ("The writer's walk, and what changed in it", walk_table(kernel.format, tour.walk(writer.root, page), before)),
        ("Fault counters", faults_table(faults, writer)),
        *frame_pieces(tour, watch, sorted({old, new})),
        ("Each reads its own", Text(reads(tour))),
    ]
    return Scene(title, [call], why, pieces, watch.changed())


def frame_pieces(tour: Tour, watch: Watch, frames: list[int]) -> list[tuple[str, RenderableType]]:
    """The descriptors of some frames, before and after."""
    return [
        (f"Frame {frame:#x}", descriptor_table(watch.descriptor(frame), descriptor(tour.kernel, frame)))
        for frame in frames
    ]


def reads(tour: Tour) -> str:
    """What parent and child have in the page."""
    size = len(WORDS)
    parent, child = tour.need(tour.parent), tour.need(tour.child)
    return f"parent {parent.peek(tour.page, size)!r}   child {child.peek(tour.page, size)!r}"


def exit_both(tour: Tour) -> Scene:
    """Everything goes back."""
    kernel = tour.kernel
    parent, child = tour.need(tour.parent), tour.need(tour.child)
    watch = tour.watch()
    child.exit(7)
    state = f"the child is a {child.state} until it is waited for"
    waited = parent.wait()
    parent.exit()
    return Scene(
        "Exit",
        ["child.exit(7)", f"parent.wait()                             # -> {waited}", "parent.exit()"],
        "A process that ends gives its pages and page tables back. Its record stays for its parent to ask for the "
        f"status: {state}.",
        [
            ("Frames", numbers(watch.frame_counts())),
            ("Processes", Text(str(len(kernel.processes)))),
            ("Page tables and memory of both are free again", Text(kernel.frames.describe(tour.frame))),
        ],
        watch.changed(),
    )
