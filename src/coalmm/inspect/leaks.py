"""Leaks: allocations made since tracking began that are still live, by the line of code that made them."""

from collections import defaultdict
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from coalmm.heap.constants import TRACK_MISSED
from coalmm.heap.tracking import Allocation
from coalmm.inspect.live import Live
from coalmm.inspect.machine import Machine
from coalmm.inspect.names import printable
from coalmm.inspect.reach import unreachable

WIDTH = 120  # columns of the text, as on a wide terminal


@dataclass(frozen=True)
class LeakGroup:
    """The live allocations of one call site. Bytes as asked for; ages in allocations and frees since."""

    site: str
    count: int
    bytes: int
    largest: int
    youngest: int
    oldest: int


@dataclass(frozen=True)
class LeakReport:
    """`groups` with the most bytes first. `missed` allocations had no record for want of memory.

    `lost` is live memory that no other live memory points to, tracked or not.
    """

    tracking: bool
    count: int
    bytes: int
    missed: int
    groups: tuple[LeakGroup, ...]
    lost: tuple[Live, ...]


def leak_report(machine: Machine, scan: bool = True) -> LeakReport:
    """What is live since tracking began, and with `scan` what nothing points to. Changes nothing."""
    by_site: defaultdict[str, list[Allocation]] = defaultdict(list)
    for allocation in machine.tracking.live():
        by_site[allocation.site].append(allocation)
    groups = sorted((_group(site, live) for site, live in by_site.items()), key=lambda g: (-g.bytes, g.site))
    return LeakReport(
        tracking=machine.tracking.enabled,
        count=sum(group.count for group in groups),
        bytes=sum(group.bytes for group in groups),
        missed=machine.tracking.get(TRACK_MISSED),
        groups=tuple(groups),
        lost=tuple(unreachable(machine)) if scan else (),
    )


def _group(site: str, live: list[Allocation]) -> LeakGroup:
    sizes, ages = [each.size for each in live], [each.age for each in live]
    return LeakGroup(site, len(live), sum(sizes), max(sizes), min(ages), max(ages))


def leak_table(report: LeakReport) -> Table:
    """The report's groups as a table."""
    table = Table()
    for name in ("count", "bytes", "largest", "youngest", "oldest"):
        table.add_column(name, justify="right")
    table.add_column("allocated at", overflow="fold")
    for group in report.groups:
        numbers = (group.count, group.bytes, group.largest, group.youngest, group.oldest)
        table.add_row(*(str(number) for number in numbers), Text(printable(group.site)))
    return table


def lost_table(report: LeakReport, most: int = 20) -> Table:
    """The memory that nothing points to, the first `most` by address."""
    table = Table()
    table.add_column("address", justify="right")
    table.add_column("bytes", justify="right")
    table.add_column("from", overflow="fold")
    for each in report.lost[:most]:
        table.add_row(f"{each.address:#x}", str(each.size), Text(each.what))
    if len(report.lost) > most:
        table.add_row("...", "", f"{len(report.lost) - most} more")
    return table


def print_leaks(report: LeakReport, console: Console) -> None:
    """Both tables, each under a line with its totals."""
    state = "" if report.tracking else " (tracking is off)"
    console.print(f"{report.count} allocations live since tracking began, {report.bytes} bytes{state}", highlight=False)
    if report.groups:
        console.print(leak_table(report))
    if report.missed:
        console.print(f"{report.missed} more were not recorded: there was no memory for it", highlight=False)
    size = sum(each.size for each in report.lost)
    console.print(f"{len(report.lost)} live allocations that no memory points to, {size} bytes", highlight=False)
    if report.lost:
        console.print(lost_table(report))


def leak_text(machine: Machine) -> str:
    """The whole report as plain text."""
    console = Console(width=WIDTH, color_system=None, force_terminal=False)
    with console.capture() as capture:
        print_leaks(leak_report(machine), console)
    return capture.get()
