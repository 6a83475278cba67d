"""An address space as SVG: its areas, with what of them is resident."""

from __future__ import annotations

from html import escape
from math import log2

from coalmm.inspect.svg import box, legend, svg, text
from coalmm.sizes import format_size
from coalmm.typed import Any

OWN, FILE, ABSENT = "#4c78a8", "#72b7b2", "#eceff3"
WIDTH, ROW, BAR_AT, NAME_AT, WIDEST = 960, 20, 290, 810, 500
PAGE = 4096
COLOURS = {"resident, the process's own": OWN, "resident, of a file": FILE, "not resident": ABSENT}


def address_space(areas: list[dict[str, Any]]) -> str:
    """The picture with what its colours mean, for a page."""
    return legend(COLOURS) + svg(WIDTH + 240, *area_rows(areas))


def area_rows(areas: list[dict[str, Any]]) -> tuple[float, list[str]]:
    """A row for each area, from low addresses to high ones, and their height; gaps of more than 1 MiB are marked."""
    parts: list[str] = []
    at = 0
    end = areas[0]["start"] if areas else 0
    most = max((log2(area["pages"] + 1) for area in areas), default=1)
    for area in areas:
        if area["start"] - end > 1 << 20:
            parts.append(text(BAR_AT, at + 14, f"gap of {format_size(area['start'] - end)}", "dim"))
            at += ROW
        parts += area_row(area, at, most)
        at += ROW
        end = area["end"]
    return max(at, ROW), parts


def area_row(area: dict[str, Any], at: int, most: float) -> list[str]:
    """One area: address, rights, its pages, its name. The bar's length is the logarithm of its size."""
    width = max(WIDEST * log2(area["pages"] + 1) / most, 4)
    resident = area["resident_own"] + area["resident_file"]
    name = area["name"] or "anonymous"
    told = (
        f"{area['start']:#x}-{area['end']:#x} {area['rights']} {name}: {format_size(area['pages'] * PAGE)}, "
        f"{resident:,} of {area['pages']:,} pages resident, {area['dirty']:,} dirty"
    )
    row = [text(0, at + 14, f"{area['start']:012x}", "mono"), text(118, at + 14, area["rights"], "mono")]
    row.append(text(168, at + 14, f"{resident:,} / {area['pages']:,}", "mono"))
    row.append(box(BAR_AT, at + 3, width, ROW - 6, ABSENT))
    step = width / max(len(area["cells"]), 1)
    capacity = area["pages"] / max(len(area["cells"]), 1)
    for first, last, own, file in runs(area["cells"]):
        wide = (last - first) * step
        own_high = (ROW - 6) * min(own / capacity, 1)
        file_high = (ROW - 6) * min(file / capacity, 1)
        if file:
            row.append(box(BAR_AT + first * step, at + ROW - 3 - file_high - own_high, wide, file_high, FILE))
        if own:
            row.append(box(BAR_AT + first * step, at + ROW - 3 - own_high, wide, own_high, OWN))
    shown = name if len(name) <= 52 else "..." + name[-49:]
    return [f"<g><title>{escape(told)}</title>", *row, text(NAME_AT, at + 14, shown, "name"), "</g>"]


def runs(cells: list[list[int]]) -> list[tuple[int, int, int, int]]:
    """(first, end, own, file) of neighbouring cells that are the same, empty ones left out."""
    found: list[tuple[int, int, int, int]] = []
    for number, (own, file) in enumerate(cells):
        if own == file == 0:
            continue
        if found and found[-1][1] == number and found[-1][2:] == (own, file):
            found[-1] = (found[-1][0], number + 1, own, file)
        else:
            found.append((number, number + 1, own, file))
    return found
