"""The address space of a process as a report shows it: its areas, and what of them is resident."""

from __future__ import annotations

from coalmm.hardware.constants import FRAME_SHIFT, FRAME_SIZE, PAGE_DIRTY
from coalmm.inspect.proc import RIGHTS, what_it_shows
from coalmm.physical.constants import KIND_CACHE
from coalmm.typed import TYPE_CHECKING
from coalmm.virtual.constants import AREA_SHARED

if TYPE_CHECKING:
    from coalmm.kernel import Kernel
    from coalmm.process.process import Process
    from coalmm.virtual.areas import Area

CELLS = 256  # of the strip that shows an area
MOST_AREAS = 400
OWN, FILE = 0, 1


class AreaPages:
    """One area: resident pages of its own (anonymous, copied) and of files; `cells` has both for equal parts of it."""

    def __init__(self, kernel: Kernel, root: int, area: Area) -> None:
        self.start, self.end = area.start, area.end
        rights = "".join(letter if area.flags & bit else "-" for bit, letter in RIGHTS[:3])
        self.rights = rights + ("s" if area.flags & AREA_SHARED else "p")
        self.name = what_it_shows(kernel, area)[2]
        self.pages = (area.end - area.start) >> FRAME_SHIFT
        self.own = self.file = self.dirty = 0
        count = min(self.pages, CELLS)
        self.cells = [[0, 0] for _ in range(count)]
        for vaddr, paddr, size, flags in kernel.page_tables.for_each_leaf(root, area.start, area.end):
            for at in range(max(vaddr, area.start), min(vaddr + size, area.end), FRAME_SIZE):
                self.count(kernel, (at - area.start) >> FRAME_SHIFT, (paddr + at - vaddr) >> FRAME_SHIFT, flags)

    def count(self, kernel: Kernel, number: int, pfn: int, flags: int) -> None:
        """One resident page: the `number`th of the area."""
        frames = kernel.frames
        kind = FILE if pfn < frames.pfn_limit and frames.kind(pfn) == KIND_CACHE else OWN
        self.own += kind == OWN
        self.file += kind == FILE
        self.dirty += bool(flags & PAGE_DIRTY)
        self.cells[number * len(self.cells) // self.pages][kind] += 1

    def as_dict(self) -> dict[str, object]:
        """For JSON: addresses as numbers, sizes in pages."""
        return {
            "start": self.start, "end": self.end, "rights": self.rights, "name": self.name, "pages": self.pages,
            "resident_own": self.own, "resident_file": self.file, "dirty": self.dirty, "cells": self.cells,
        }  # fmt: skip


def pages_of_areas(kernel: Kernel, process: Process) -> list[AreaPages]:
    """The areas of a living process, in order of address."""
    root = process.root
    return [AreaPages(kernel, root, area) for area in process.areas[:MOST_AREAS]]
