"""The report of a replay as tables in the terminal."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from coalmm.replay.result import Result, SizeClass

CLASSES_SHOWN = 24
SITES_SHOWN = 10
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def bytes_text(size: float) -> str:
    """1536 -> "1.5 KiB"."""
    unit = 0
    while abs(size) >= 1024 and unit < len(UNITS) - 1:
        size /= 1024
        unit += 1
    return f"{size:,.0f} {UNITS[unit]}" if unit == 0 else f"{size:,.1f} {UNITS[unit]}"


def print_report(result: Result, console: Console) -> None:
    """All tables that have something in them."""
    console.print(summary(result))
    console.print(classes_table(result.classes))
    if result.leaks:
        console.print(leaks_table(result))


def framed(title: str) -> Table:
    """A table without vertical lines, its title at the left."""
    return Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)


def rows_table(title: str) -> Table:
    """A table of names and values."""
    table = framed(title)
    table.show_header = False
    table.add_column(style="cyan")
    table.add_column(justify="right")
    table.add_column(style="dim")
    return table


def summary(result: Result) -> Table:
    """Events, memory, fragmentation, throughput."""
    trace = result.trace
    packed = f", {trace.source.compression}" if trace.source.compression else ""
    table = rows_table(f"{escape(trace.source.name)} ({trace.format}{packed}) on {result.allocator}")
    add_memory(table, result)
    table.add_section()
    add_speed(table, result)
    table.add_section()
    add_counts(table, result)
    return table


def add_memory(table: Table, result: Result) -> None:
    """Peaks and fragmentation."""
    engine, worst = result.engine, result.worst()
    table.add_row("peak live", bytes_text(engine.peak_live_bytes), f"{engine.peak_live_blocks:,} blocks")
    table.add_row("peak footprint", bytes_text(result.peak_footprint), f"{engine.peak_frames:,} frames of 4 KiB")
    table.add_row("footprint / live", f"{result.ratio:.3f}", "peak over peak")
    table.add_row("internal fragmentation", f"{worst.internal:.1%}", "of the blocks at the peak: rounding")
    table.add_row("external fragmentation", f"{worst.external:.1%}", "of the footprint at the peak: in no block")
    table.add_row("free memory split", f"{result.free_fragmentation():.1%}", "not in the largest one, at the end")


def add_speed(table: Table, result: Result) -> None:
    """How long it took, and whose time that was."""
    events = max(result.engine.events, 1)
    seconds = max(result.reading_seconds + result.allocator_seconds, 1e-9)
    table.add_row("events", f"{result.engine.events:,}", f"{events / seconds:,.0f} a second")
    for name, spent in (("reading", result.reading_seconds), ("allocating", result.allocator_seconds)):
        table.add_row(name, f"{spent:.2f} s", f"{spent / events * 1e9:,.0f} ns an event")


def add_counts(table: Table, result: Result) -> None:
    """What failed and what did not add up; lines about nothing are left out, except failures."""
    engine, recorder = result.engine, result.trace.recorder
    table.add_row("failures", f"{engine.failures:,}", "requests not met")
    for name, count, meaning in (
        ("requests for 0 bytes", engine.zero_sizes, "made for 1 byte, as a C library does"),
        ("unknown frees", recorder.unknown_frees, "of blocks from before the trace began"),
        ("frees of NULL", recorder.null_frees, ""),
        ("lost frees", recorder.lost_frees, "an address came again while it was live"),
        ("failed in the program", recorder.failed, "when it was recorded"),
        ("other lines", recorder.other_lines, f"of {recorder.lines:,}, not events"),
    ):
        if count:
            table.add_row(name, f"{count:,}", meaning)
    live = f"{engine.live_blocks:,} blocks"
    table.add_row("live at the end", bytes_text(engine.live_bytes), live if engine.live_blocks else "nothing leaked")


def classes_table(classes: list[SizeClass]) -> Table:
    """Requests by size, the busiest classes in order of size."""
    busiest = sorted(classes, key=lambda size_class: -size_class.requests)[:CLASSES_SHOWN]
    title = "Requests by size"
    if len(classes) > len(busiest):
        title += f" (the {len(busiest)} busiest of {len(classes)} classes)"
    table = framed(title)
    for name in ("up to", "requests", "share", "fill", "peak live", "live", "slabs"):
        table.add_column(name, justify="right")
    table.add_column("")
    total = sum(size_class.requests for size_class in classes)
    most = busiest[0].requests if busiest else 1
    for size_class in sorted(busiest, key=lambda size_class: size_class.size):
        table.add_row(*class_row(size_class, total, most))
    return table


def class_row(size_class: SizeClass, total: int, most: int) -> tuple[str, ...]:
    """One line of the table; what is larger than any class has no slabs."""
    slabs = [f"{number:,}" for number in (size_class.peak_live, size_class.live, size_class.slabs)]
    return (
        f"{size_class.size:,}" if size_class.is_class else bytes_text(size_class.size),
        f"{size_class.requests:,}",
        f"{size_class.requests / total:.1%}",
        f"{size_class.fill:.0%}",
        *(slabs if size_class.is_class else ("", "", "")),
        "█" * max(round(12 * size_class.requests / most), 1),
    )


def leaks_table(result: Result) -> Table:
    """The call sites with the most bytes live at the end."""
    table = framed("Live at the end, by call site")
    table.add_column("bytes", justify="right")
    table.add_column("blocks", justify="right")
    table.add_column("site", overflow="fold")
    for leak in result.leaks[:SITES_SHOWN]:
        table.add_row(f"{leak.bytes:,}", f"{leak.blocks:,}", escape(leak.site) or "[dim]not in the trace[/]")
    rest = result.leaks[SITES_SHOWN:]
    if rest:
        others = f"[dim]{len(rest):,} more sites[/]"
        table.add_row(f"{sum(leak.bytes for leak in rest):,}", f"{sum(leak.blocks for leak in rest):,}", others)
    return table
