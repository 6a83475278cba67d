"""The picture of page faults over time of a report, as SVG."""

from __future__ import annotations

from coalmm.inspect.svg import box, legend, svg, text
from coalmm.linux.report.result import TITLES
from coalmm.typed import Any

COLOURS = {"zero": "#4c78a8", "file": "#72b7b2", "copy": "#e45756", "spurious": "#b8b0ac", "refused": "#222222"}
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 960, 220, 56, 10, 28


def faults_over_time(times: dict[str, Any]) -> str:
    """Bars by system calls and faults up to then, a colour for each kind of fault."""
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
        told = f"from {place * times['width']:,} on: " + ", ".join(
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
        parts.append(text(LEFT + share * step * len(columns), HEIGHT - 8, f"{end * share:,.0f}", anchor))
    return legend({TITLES[kind]: COLOURS[kind] for kind in kinds}) + svg(WIDTH, HEIGHT, parts)
