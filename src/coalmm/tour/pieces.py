"""What the tour and `coalmm translate` show: walks, descriptors, free lists, owners, changed words."""

from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT, FRAME_SIZE
from coalmm.hardware.formats import EntryFormat
from coalmm.hardware.steps import Walk
from coalmm.heap.constants import BUDDY_HEADS
from coalmm.inspect.machine import Machine
from coalmm.inspect.names import printable
from coalmm.physical.constants import (
    D_NEXT,
    KIND_BUDDY,
    KIND_BUDDY_FREE,
    KIND_KEYS,
    KIND_MASK,
    KINDS,
    ORDER_SHIFT,
    SB_BUDDY,
)
from coalmm.sizes import format_size
from coalmm.tour.bits import GONE, NEW, entry_text
from coalmm.tour.changes import Change
from coalmm.typed import Sequence

HALVES = ("references", "mappings", "kind", "head", "next", "previous", "count", "owner")
KIND_HALF = 2
FIRST = ("page table", "page directory", "bitmap", "descriptor", "slab", "frame", "superblock")
MOST_BLOCKS = 4  # addresses shown of a free list

Descriptor = tuple[int, ...]


def plain_table(*columns: str, right: Sequence[str] = ()) -> Table:
    """A table without lines."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        justify: JustifyMethod = "right" if name in right else "left"
        table.add_column(name, header_style="dim", justify=justify, no_wrap=name != columns[-1], overflow="fold")
    return table


def address_split(form: EntryFormat, vaddr: int) -> Text:
    """A virtual address in binary, cut where the walk cuts it."""
    text = Text(f"{vaddr:#x} = ")
    shift = FRAME_SHIFT
    for level in form.levels:
        shift = level.shift
        text.append(f"{level.index(vaddr):0{level.bits}b}", "bold cyan").append(f" {level.name} {level.index(vaddr)}, ")
    offset = vaddr & (1 << shift) - 1
    return text.append(f"{offset:0{shift}b}", "bold magenta").append(f" offset {offset:#x}")


def walk_table(form: EntryFormat, walk: Walk, before: Walk | None = None) -> Table:
    """A walk, an entry a line; with `before`, which bits of the entries came and went."""
    table = plain_table("level", "index", "entry is at", "entry", right=("index",))
    old = {step.entry_paddr: step.entry for step in before.steps} if before else {}
    for step in walk.steps:
        entry = entry_text(form, step.entry, step.level, old.get(step.entry_paddr))
        table.add_row(step.name, str(step.index), f"{step.entry_paddr:#x}", entry)
    if walk.reason:
        table.add_row("", "", Text("no translation:", "bold red"), Text(walk.reason, "bold red"))
    else:
        size = format_size(walk.page_size).replace(".0", "")
        table.add_row("", "", "physical", Text(f"{walk.paddr:#x}  in a page of {size}", "bold"))
    return table


def descriptor(machine: Machine, paddr: int) -> Descriptor:
    """The first eight halves of the descriptor of the frame at `paddr`."""
    at = machine.frames.first_half + (paddr >> FRAME_SHIFT << 4)
    return tuple(int(machine.ram.halves[at + index]) for index in range(len(HALVES)))


def descriptor_table(before: Descriptor, after: Descriptor) -> Table:
    """A frame descriptor before and after, field by field."""
    table = plain_table("", *HALVES, right=HALVES)
    for name, values, style in (("before", before, GONE), ("after", after, NEW)):
        cells = []
        for index, value in enumerate(values):
            cells.append(Text(_half(index, value), style if before[index] != after[index] else ""))
        table.add_row(Text(name, "dim"), *cells)
    return table


def _half(index: int, value: int) -> str:
    kind = value & KIND_MASK
    if index != KIND_HALF or kind >= KINDS:
        return str(value)
    order = f" {value >> ORDER_SHIFT & KIND_MASK}" if kind in (KIND_BUDDY, KIND_BUDDY_FREE) else ""
    return KIND_KEYS[kind] + order


def numbers(rows: Sequence[tuple[str, int, int]]) -> Text:
    """Counters before and after, with the difference, in a line."""
    parts = []
    for name, before, after in rows:
        part = Text(f"{name} {before}")
        if after != before:
            part.append(f" -> {after} ").append(f"{after - before:+}", NEW if after > before else GONE)
        parts.append(part)
    return Text("     ").join(parts) if parts else Text("none moved", "dim")


def free_lists(machine: Machine) -> list[tuple[int, ...]]:
    """For each order, the physical addresses of the free blocks, from the head of the list on."""
    lists = []
    for order, count in enumerate(machine.buddy.statistics().free_blocks):
        pfn = machine.ram.words[SB_BUDDY + BUDDY_HEADS + order]
        found: list[int] = []
        while pfn and len(found) < count:
            found.append(int(pfn) << FRAME_SHIFT)
            pfn = machine.ram.halves[machine.frames.first_half + (pfn << 4) + D_NEXT]
        lists.append(tuple(found))
    return lists


def free_list_table(before: list[tuple[int, ...]], after: list[tuple[int, ...]]) -> Table:
    """The buddy allocator's free lists before and after; orders that are empty in both are left out."""
    table = plain_table("order", "size", "free before", "free after", right=("order", "size"))
    for order, (old, new) in enumerate(zip(before, after, strict=True)):
        if old or new:
            size = format_size(FRAME_SIZE << order).replace(".0", "")
            table.add_row(str(order), size, _blocks(old, new, GONE), _blocks(new, old, NEW))
    return table


def _blocks(blocks: tuple[int, ...], other: tuple[int, ...], style: str) -> Text:
    if not blocks:
        return Text("-", "dim")
    shown = [Text(f"{block:#x}", "" if block in other else style) for block in blocks[:MOST_BLOCKS]]
    if len(blocks) > MOST_BLOCKS:
        shown.append(Text(f"and {len(blocks) - MOST_BLOCKS} more", "dim"))
    return Text(" ").join(shown)


def owners(machine: Machine, paddr: int) -> str:
    """Who holds a frame: the descriptor in words, and which process maps it where."""
    frame = paddr & ~FRAME_MASK
    holders = []
    for process in machine.processes:
        if not process.is_alive:
            continue
        for vaddr, start, size, _ in machine.page_tables.for_each_leaf(process.root, 0, machine.format.user_top):
            if start <= frame < start + size:
                holders.append(f"process {process.pid} {printable(process.name)} at {vaddr + frame - start:#x}")
    mapped = "; mapped by " + ", ".join(holders) if holders else ""
    return machine.frames.describe(frame) + mapped


def change_table(found: list[Change], most: int) -> Table:
    """The words of RAM that changed, at most `most`: what the CPU reads first, counters last."""
    table = plain_table("RAM at", "belongs to", "before", "after", right=("before", "after"))
    for change in sorted(found, key=lambda each: (rank(each.what), each.paddr))[:most]:
        table.add_row(
            f"{change.paddr:#x}", change.what, Text(f"{change.before:#x}", GONE), Text(f"{change.after:#x}", NEW)
        )
    if len(found) > most:
        table.add_row("", Text(f"and {len(found) - most} more words", "dim"))
    return table


def rank(what: str) -> int:
    """Where a changed word stands in the table, by what it belongs to."""
    return next((place for place, prefix in enumerate(FIRST) if what.startswith(prefix)), len(FIRST))
