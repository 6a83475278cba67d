"""The report as one HTML file, which needs nothing else: figures, pictures, tables."""

from __future__ import annotations

import shlex
from html import escape

from coalmm import __version__
from coalmm.inspect.area_picture import address_space
from coalmm.linux.report.pictures import faults_over_time
from coalmm.linux.report.result import KINDS, TITLES
from coalmm.linux.report.text import ended, resolved
from coalmm.sizes import format_size
from coalmm.typed import Any

MOST_PICTURES = 24
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1c2430; max-width: 1200px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0 0 .2rem; } h1 code { font-size: 1.2rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } td, th { padding: .15rem .8rem .15rem 0; }
th { text-align: left; font-weight: 600; border-bottom: 1px solid #ccd3dc; } td.n, th.n { text-align: right; }
.tiles { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1rem 0; }
.tiles div { border: 1px solid #dde2e8; border-radius: 6px; padding: .5rem .9rem; min-width: 8rem; }
.tiles b { display: block; font-size: 1.25rem; } .tiles span, .dim, p.note { color: #667083; }
.bar { display: inline-block; height: .7rem; background: #4c78a8; vertical-align: middle; }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; } svg .dim { fill: #667083; }
svg .mono { font-family: ui-monospace, monospace; font-size: 11px; } svg .end { text-anchor: end; }
svg .name { font-size: 12px; } .legend span { margin-right: 1rem; }
.legend i { display: inline-block; width: .8rem; height: .8rem; margin-right: .3rem; }
.crash { color: #b3261e; } summary { cursor: pointer; margin: .6rem 0; }
"""


def report_page(result: dict[str, Any]) -> str:
    """The whole page. Everything that the program chose (names, arguments, paths) is escaped."""
    command = shlex.join(result["program"])
    how = "stopped by --timeout" if result["timed_out"] else ended(result)
    machine = result["machine"]
    parts = [
        f"<h1><code>{escape(command)}</code></h1>",
        f"<p class=note>{how} after {result['seconds']:.3f} s; RAM {format_size(machine['ram'])}, "
        f"{machine['paging']} paging; coalmm</p>",
        *(f"<p class=crash>{escape(crash)}</p>" for crash in result["crashes"]),
        tiles(result),
        "<h2>Page faults over time</h2><p class=note>Time is counted in what the programs did, system calls and page "
        "faults: the speed of this machine does not show, and two runs can be compared.</p>",
        faults_over_time(result["faults_over_time"]),
        "<h2>Address spaces</h2><p class=note>As each process ended, or was last seen. A bar is an area; its length is "
        "the logarithm of its size.</p>",
        *address_spaces(result["processes"]),
        "<h2>Processes</h2>",
        processes(result),
        "<h2>Frames when the most were in use</h2>",
        bars(result["memory"]["frames"]),
        "<h2>System calls</h2>",
        *([f"<p>Not implemented: {escape(', '.join(result['unknown_calls']))}</p>"] if result["unknown_calls"] else []),
        bars(result["calls"]),
    ]
    title = escape(f"coalmm: {command if len(command) <= 80 else command[:77] + '...'}")
    head = (
        "<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<meta name=generator content='coalmm {__version__}'><title>{title}</title><style>{STYLE}</style>\n"
    )
    return head + "\n".join(parts) + "\n</html>\n"


def tiles(result: dict[str, Any]) -> str:
    """The figures that matter most."""
    faults, memory, tlb = result["faults"], result["memory"], result["tlb"]
    figures = [
        (f"{resolved(faults):,}", "page faults"),
        *((f"{faults[kind]:,}", TITLES[kind]) for kind in KINDS),
        (f"{result['major_faults']:,}", "of them read a file"),
        (format_size(memory["peak_resident"]), "peak resident, largest process"),
        (format_size(memory["peak_used"]), "RAM in use at the peak"),
        (f"{memory['reclaimed']:,}", "pages reclaimed"),
        (f"{tlb['misses']:,}", "TLB misses"),
        (f"{tlb['flushes']:,}", "TLB flushes"),
        (f"{sum(result['calls'].values()):,}", "system calls"),
    ]
    boxes = "".join(f"<div><b>{value}</b><span>{name}</span></div>" for value, name in figures)
    return f"<div class=tiles>{boxes}</div>"


def address_spaces(entries: list[dict[str, Any]]) -> list[str]:
    """A picture for each process; the largest one is open."""
    shown = [entry for entry in entries if "address_space" in entry][:MOST_PICTURES]
    largest = max(shown, key=lambda entry: entry["peak_resident"], default=None)
    return [
        f"<details{' open' if entry is largest else ''}><summary>{entry['pid']} "
        f"<code>{escape(shlex.join(entry['arguments']) or entry['name'])}</code>: "
        f"{format_size(entry['resident'])} of {format_size(entry['virtual'])} in {entry['areas']} areas, "
        f"{entry['page_tables']} page-table pages</summary>{address_space(entry['address_space'])}</details>"
        for entry in shown
    ]


def processes(result: dict[str, Any]) -> str:
    """A row for each process."""
    kinds = (TITLES[kind] for kind in KINDS)
    names = ["pid", "parent", "process", *kinds, "of them read a file", "peak resident", "peak mapped", "end"]
    rows = "".join(
        f"<tr><td class=n>{entry['pid']}<td class=n>{entry['parent'] or ''}<td>{escape(' > '.join(entry['programs']))}"
        + "".join(f"<td class=n>{entry['faults'][kind]:,}" for kind in KINDS)
        + f"<td class=n>{entry['major_faults']:,}"
        f"<td class=n>{format_size(entry['peak_resident'])}<td class=n>{format_size(entry['peak_virtual'])}"
        f"<td>{ended(entry)}</tr>"
        for entry in result["processes"]
    )
    left = result["processes_not_listed"]
    more = f"<p class=note>and {left:,} more</p>" if left else ""
    return f"<table><tr>{''.join(f'<th>{name}' for name in names)}</tr>{rows}</table>{more}"


def bars(counts: dict[str, int]) -> str:
    """A table of names and numbers with bars, the largest first."""
    most = max(counts.values(), default=1)
    rows = "".join(
        f"<tr><td>{escape(name.replace('_', ' '))}<td class=n>{count:,}"
        f'<td><span class=bar style="width:{max(320 * count / most, 1):.0f}px"></span></tr>'
        for name, count in sorted(counts.items(), key=lambda item: -item[1])
    )
    return f"<table>{rows}</table>"
