"""The pictures of a report, as SVG: page faults over time, an address space with its resident pages."""

from __future__ import annotations

from html import escape
from math import log2

from coalmm.linux.report.result import TITLES
from coalmm.sizes import format_size
from coalmm.typed import Any

COLOURS = {"zero": "#4c78a8", "file": "#72b7b2", "copy": "#e45756", "spurious": "#b8b0ac", "refused": "#222222"}
OWN, FILE, ABSENT = "#4c78a8", "#72b7b2", "#eceff3"
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 960, 220, 56, 10, 28
ROW, BAR_AT, NAME_AT, WIDEST = 20, 290, 810, 500
PAGE = 4096


def svg(width: float, height: float, parts: list[str]) -> str:
    """A picture that takes the width there is."""
    return f'<svg viewBox="0 0 {width:g} {height:g}" role="img">{"".join(parts)}</svg>'


def box(x: float, y: float, width: float, height: float, colour: str) -> str:
    """A rectangle."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def text(x: float, y: float, content: str, kind: str = "") -> str:
    """A line of text; `kind` is a class of the page's style."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(content)}</text>'


def faults_over_time(times: dict[str, Any]) -> str:
    """Bars by time, a colour for each kind of fault."""
    kinds = [kind for kind in COLOURS if any(times["kinds"][kind])]
    columns = list(zip(*(times["kinds"][kind] for kind in kinds), strict=True))
    most = max((sum(column) for column in columns), default=0)
    if not most:
        return "<p>There were none.</p>"
    step = (WIDTH - LEFT - 10) / len(columns)
    high = HEIGHT - TOP - BOTTOM
    parts = [text(0, TOP + 10, f"{most:,}", "dim"), text(0, HEIGHT - BOTTOM, "0", "dim")]
    for place, column in enumerate(columns):
        at = HEIGHT - BOTTOM
        told = f"{place * times['width'] * 1e3:,.0f} ms: " + ", ".join(
            f"{TITLES[kind]} {count:,}" for kind, count in zip(kinds, column, strict=True) if count
        )
        parts.append(f"<g><title>{told}</title>")
        for kind, count in zip(kinds, column, strict=True):
            size = high * count / most
            at -= size
            if count:
                parts.append(box(LEFT + place * step, at, max(step - 0.5, 0.5), size, COLOURS[kind]))
        parts.append("</g>")
    end = len(columns) * times["width"]
    for share in (0, 0.25, 0.5, 0.75, 1):
        anchor = "dim" if share < 1 else "dim end"
        parts.append(text(LEFT + share * step * len(columns), HEIGHT - 8, f"{end * share * 1e3:,.0f} ms", anchor))
    return legend({TITLES[kind]: COLOURS[kind] for kind in kinds}) + svg(WIDTH, HEIGHT, parts)


def legend(colours: dict[str, str]) -> str:
    """What the colours mean."""
    return "<p class=legend>" + " ".join(
        f'<span><i style="background:{colour}"></i>{escape(name)}</span>' for name, colour in colours.items()
    ) + "</p>"  # fmt: skip


def address_space(areas: list[dict[str, Any]]) -> str:
    """A row for each area, from low addresses to high ones; gaps of more than 1 MiB are marked."""
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
    colours = {"resident, the process's own": OWN, "resident, of a file": FILE, "not resident": ABSENT}
    return legend(colours) + svg(WIDTH + 240, max(at, ROW), parts)


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
