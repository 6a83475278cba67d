"""Pictures of a machine: each is plain text for a terminal and SVG for a notebook, a page or a file.

    frames   which kind of use each part of physical memory has
    buddy    the free blocks of the buddy heap by order
    slabs    how full the caches are
    space    the areas of a process, with what is resident
    walk     the page-table entries on the way to one address

Reads only.
"""

from __future__ import annotations

import os
from pathlib import Path

from coalmm.hardware.constants import FRAME_SHIFT
from coalmm.inspect.area_pages import pages_of_areas
from coalmm.inspect.area_picture import COLOURS, WIDTH, area_rows
from coalmm.inspect.machine import Machine
from coalmm.inspect.svg import box, svg, text
from coalmm.process.process import Process
from coalmm.sizes import format_size

STYLE = (
    "<style>text{font:12px system-ui,sans-serif;fill:#1c2430}.dim{fill:#667083}.title{font-weight:600}"
    ".mono{font-family:ui-monospace,monospace;font-size:11px}</style>"
)
BAR, EMPTY = "#4c78a8", "#eceff3"
COLUMNS, MOST_CELLS, LOOKED_AT = 64, 2048, 64
RESERVED = 12  # after the kinds of frames: what the memory map keeps
# Letter, colour and name for each kind of frame (KIND_* of physical/constants.py).
LOOKS = (
    (".", "#eceff3", "free"), ("F", "#f58518", "frame_alloc"), ("K", "#54626f", "kernel"),
    ("T", "#e45756", "page table"), ("D", "#b3261e", "page directory"),
    ("b", "#9ecae9", "inside a buddy block"), ("-", "#c9e4f6", "free buddy block"),
    ("B", "#4c78a8", "buddy block"), ("S", "#54a24b", "slab"), ("L", "#88d27a", "large kmalloc"),
    ("A", "#b279a2", "page of a process"), ("C", "#72b7b2", "page of a file"), ("#", "#b8b0ac", "reserved"),
)  # fmt: skip


class Picture:
    """A drawing; `print` it, let a notebook show it, or `save` it."""

    def __init__(self, title: str, lines: list[str], width: float, height: float, parts: list[str]) -> None:
        self.text = "\n".join([title, *lines])
        head = STYLE + box(0, 0, width + 16, height + 34, "#ffffff") + text(8, 18, title, "title")
        body = f'<g transform="translate(8,28)">{"".join(parts)}</g>'
        plain = svg(width + 16, height + 34, [head, body])
        size = f'width="{width + 16:g}" height="{height + 34:g}"'
        self.svg = plain.replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg" {size} ', 1)

    def __repr__(self) -> str:
        return self.text

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file: .svg or .txt. ValueError for another ending, OSError if it cannot be written."""
        target = Path(path)
        if target.suffix not in (".svg", ".txt"):
            raise ValueError(f"{target.name}: a picture is saved as .svg or .txt")
        target.write_text(self.svg if target.suffix == ".svg" else self.text + "\n", encoding="utf-8")


def picture_of_frames(machine: Machine) -> Picture:
    """Physical memory from address 0 on, a cell for equally many frames, by what most of its used frames are.

    At most 64 frames of a cell are looked at, evenly spread.
    """
    limit = machine.frames.pfn_limit
    each = max(-(-limit // MOST_CELLS), 1)
    cells = [cell_kind(machine, pfn, min(each, limit - pfn)) for pfn in range(0, limit, each)]
    lines, parts = [], []
    for first in range(0, len(cells), COLUMNS):
        row, y = cells[first : first + COLUMNS], first // COLUMNS * 12
        address = f"{first * each << FRAME_SHIFT:#011x}"
        lines.append(f"{address} {''.join(LOOKS[kind][0] for kind in row)}")
        parts.append(text(0, y + 10, address, "mono"))
        parts += [box(84 + place * 12, y, 11, 11, LOOKS[kind][1]) for place, kind in enumerate(row)]
    used = [LOOKS[kind] for kind in sorted(set(cells))]
    lines.append("  ".join(f"{letter} {name}" for letter, _, name in used))
    bottom = -(-len(cells) // COLUMNS) * 12 + 8
    parts += key({name: colour for _, colour, name in used}, bottom)
    title = f"{format_size(machine.ram.size)} of physical memory, {format_size(each << FRAME_SHIFT)} a cell"
    return Picture(title, lines, 84 + COLUMNS * 12, bottom + 20 * -(-len(used) // 4), parts)


def cell_kind(machine: Machine, first: int, count: int) -> int:
    """What most of the used frames of a cell are; 0 if all are free."""
    step = -(-count // LOOKED_AT)
    seen: dict[int, int] = {}
    for pfn in range(first, first + count, step):
        kind = machine.frames.kind(pfn)
        if kind == 0 and machine.frames.is_allocated(pfn):
            kind = RESERVED if "reserved" in machine.frames.describe(pfn << FRAME_SHIFT) else 2
        if kind:
            seen[min(kind, RESERVED)] = seen.get(min(kind, RESERVED), 0) + 1
    return max(seen, key=lambda kind: seen[kind]) if seen else 0


def key(colours: dict[str, str], y: float) -> list[str]:
    """What colours mean, four in a row."""
    parts = []
    for place, (name, colour) in enumerate(colours.items()):
        x, at = place % 4 * 210, y + place // 4 * 20
        parts += [box(x, at, 11, 11, colour), text(x + 16, at + 10, name)]
    return parts


def picture_of_buddy(machine: Machine) -> Picture:
    """The free blocks of the buddy heap: how many of each order, and what share of the free bytes they are."""
    now = machine.buddy.statistics()
    rows = []
    for order, count in enumerate(now.free_blocks):
        share = (count << order + FRAME_SHIFT) / max(now.free_bytes, 1)
        label = f"order {order:2}  {format_size(1 << order + FRAME_SHIFT):>9}"
        rows.append((label, share, f"{count:,} free, {share:.0%} of the free bytes"))
    title = (
        f"Buddy heap: {format_size(now.free_bytes)} of {format_size(now.total_bytes)} free, "
        f"largest block {format_size(now.largest_free_block)}"
    )
    return bars(title, rows)


def picture_of_slabs(machine: Machine) -> Picture:
    """The slab caches that have slabs: how many of their objects are live."""
    rows = [
        (f"{info.name[:20]:20} {info.object_size:>6}", info.active / max(info.objects, 1),
         f"{info.active:,} of {info.objects:,} live, {info.slabs:,} slab{'s' if info.slabs > 1 else ''}")
        for info in machine.slabs.caches() if info.slabs
    ]  # fmt: skip
    return bars(f"Slab caches: {len(rows)} with slabs; name, bytes of an object, live objects", rows)


def bars(title: str, rows: list[tuple[str, float, str]]) -> Picture:
    """A row with a bar for each label, share (0 to 1) and note."""
    lines = [f"{label}  {'█' * round(share * 32):32}  {note}" for label, share, note in rows]
    parts = []
    for place, (label, share, note) in enumerate(rows):
        y = place * 18
        parts += [text(0, y + 12, label.replace(" ", "\u00a0"), "mono"), box(200, y + 2, 320, 12, EMPTY)]
        parts += [box(200, y + 2, 320 * share, 12, BAR), text(530, y + 12, note, "dim")]
    return Picture(title, lines, 760, len(rows) * 18 + 6, parts)


def picture_of_space(machine: Machine, process: Process) -> Picture:
    """The areas of a process from low addresses to high ones, with their resident pages.

    MisuseError if it has exited.
    """
    areas = pages_of_areas(machine, process)
    lines = []
    for area in areas:
        resident = area.own + area.file
        strip = strip_of([own + file for own, file in area.cells])
        lines.append(
            f"{area.start:012x}-{area.end:012x} {area.rights} {resident:>6,} of {area.pages:>7,}  {strip:32} "
            f"{area.name or 'anonymous'}"
        )
    height, parts = area_rows([area.as_dict() for area in areas])
    parts += key(COLOURS, height + 6)
    title = f"Address space of process {process.pid} {process.name}: areas, and pages that are resident"
    return Picture(title, lines, WIDTH + 240, height + 26, parts)


def strip_of(cells: list[int]) -> str:
    """Cells in at most 32 characters: full where all have resident pages, light where none has."""
    each = -(-len(cells) // 32)
    groups = [cells[first : first + each] for first in range(0, len(cells), each)]
    return "".join("░" if not any(group) else "█" if all(group) else "▒" for group in groups)


def picture_of_walk(machine: Machine, vaddr: int) -> Picture:
    """The walk of one address through the current page tables: a row for each entry that the MMU reads."""
    walk = machine.mmu.walker.walk(machine.mmu.cr3, vaddr)
    parts = []
    for place, step in enumerate(walk.steps):
        x, y, entries = place * 48, place * 44, machine.format.levels[step.level].entries
        parts += [box(x, y + 18, 150, 8, EMPTY), box(x + 148 * step.index / entries, y + 18, 2, 8, "#e45756")]
        parts.append(text(x, y + 13, f"[{step.index}] at {step.entry_paddr:#x}", "mono"))
        parts.append(text(x + 165, y + 18, step.text))
    y = len(walk.steps) * 44
    parts.append(text(len(walk.steps) * 48, y + 14, walk.reason or f"physical address {walk.paddr:#x}", "title"))
    return Picture(f"Walk of {walk.vaddr:#x}", str(walk).splitlines(), 900, y + 30, parts)
