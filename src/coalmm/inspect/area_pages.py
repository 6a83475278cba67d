"""The address space of a process as a report shows it: its areas, and what of them is resident."""

from __future__ import annotations

from itertools import pairwise

from coalmm.hardware.constants import FRAME_SHIFT
from coalmm.inspect.proc import RIGHTS, what_it_shows
from coalmm.typed import TYPE_CHECKING
from coalmm.virtual.constants import AREA_SHARED

if TYPE_CHECKING:
    from coalmm.inspect.machine import Machine
    from coalmm.process.process import Process
    from coalmm.virtual.areas import Area

CELLS = 256  # of the strip that shows an area
MOST_AREAS = 400


class AreaPages:
    """One area: resident pages of its own (anonymous, copied) and of files; `cells` has both for equal parts of it."""

    def __init__(self, kernel: Machine, root: int, area: Area) -> None:
        self.start, self.end = area.start, area.end
        rights = "".join(letter if area.flags & bit else "-" for bit, letter in RIGHTS[:3])
        self.rights = rights + ("s" if area.flags & AREA_SHARED else "p")
        self.name = what_it_shows(kernel, area)[2]
        self.pages = (area.end - area.start) >> FRAME_SHIFT
        self.own = self.file = self.dirty = 0
        self.cells: list[tuple[int, int]] = []
        count = min(self.pages, CELLS)
        edges = [area.start + (-(-self.pages * cell // count) << FRAME_SHIFT) for cell in range(count + 1)]
        for start, end in pairwise(edges):
            own, file, dirty = kernel.page_tables.ranges.resident(root, start, end)
            self.cells.append((own, file))
            self.own, self.file, self.dirty = self.own + own, self.file + file, self.dirty + dirty

    def as_dict(self) -> dict[str, object]:
        """For JSON: addresses as numbers, sizes in pages."""
        return {
            "start": self.start, "end": self.end, "rights": self.rights, "name": self.name, "pages": self.pages,
            "resident_own": self.own, "resident_file": self.file, "dirty": self.dirty, "cells": self.cells,
        }  # fmt: skip


def pages_of_areas(kernel: Machine, process: Process) -> list[AreaPages]:
    """The areas of a living process, in order of address."""
    root = process.root
    return [AreaPages(kernel, root, area) for area in process.areas[:MOST_AREAS]]
