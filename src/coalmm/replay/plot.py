"""The picture of a replay: memory over time, fragmentation over time, sizes."""

import math
import os

from coalmm.errors import CoalError
from coalmm.replay.report import bytes_text
from coalmm.replay.result import Result
from coalmm.typed import Any

LIVE, BLOCKS, FOOTPRINT = "#1b6ca8", "#8fc1e3", "#d1495b"
INTERNAL, EXTERNAL = "#8fc1e3", "#d1495b"
SIZES = "#3b7a57"


def save_plot(result: Result, path: str | os.PathLike[str]) -> None:
    """Write the picture; the suffix of `path` says the format (png, svg, pdf).

    Raises CoalError without matplotlib or for a format that it does not know, OSError if the file cannot
    be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise CoalError("--plot needs matplotlib: pip install coalmm[plot]") from None
    figure = Figure(figsize=(11, 11), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    memory, fragmentation, sizes = figure.subplots(3, 1, height_ratios=(3, 2, 2))
    fragmentation.sharex(memory)
    draw_memory(memory, result)
    draw_fragmentation(fragmentation, result)
    draw_sizes(sizes, result)
    for axes in (memory, fragmentation, sizes):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
    try:
        figure.savefig(path)
    except ValueError as error:
        raise CoalError(f"{os.fspath(path)}: {str(error).splitlines()[0]}") from None


def unit_for(largest: int) -> tuple[int, str]:
    """The unit in which a number of bytes reads best."""
    power = min(int(math.log(max(largest, 1), 1024)), 3)
    return 1024**power, ("bytes", "KiB", "MiB", "GiB")[power]


def event_ticks(axes: Any) -> None:
    """Numbers of events as 1,000,000."""
    axes.set_xlabel("events")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.margins(x=0.01)


def draw_memory(axes: Any, result: Result) -> None:
    """Live bytes, what they take as blocks, and as frames."""
    moments = result.moments()
    unit, name = unit_for(result.peak_footprint)
    events = [moment.events for moment in moments]
    live, blocks, footprint = (
        [getattr(moment, column) / unit for moment in moments] for column in ("live", "blocks", "footprint")
    )
    axes.fill_between(events, blocks, footprint, color=FOOTPRINT, alpha=0.15, linewidth=0)
    axes.fill_between(events, live, blocks, color=BLOCKS, alpha=0.7, linewidth=0, label="rounding up to blocks")
    axes.fill_between(events, 0, live, color=LIVE, alpha=0.25, linewidth=0)
    axes.plot(events, footprint, color=FOOTPRINT, linewidth=1.3, label="footprint: frames in use")
    axes.plot(events, live, color=LIVE, linewidth=1.3, label="live: what the program asked for")
    peak = max(*footprint, 1 / unit)
    axes.axhline(peak, color=FOOTPRINT, linewidth=0.7, linestyle=":")
    axes.set_ylabel(name)
    axes.set_ylim(0, peak * 1.05)
    axes.set_title(title(result), loc="left", fontsize=11)
    axes.legend(loc="best", frameon=False)
    event_ticks(axes)


def title(result: Result) -> str:
    """File, allocator and the figures that matter most."""
    name = os.path.basename(result.trace.source.name)
    peak = bytes_text(result.engine.peak_live_bytes)
    return f"{name} on {result.allocator}: peak live {peak}, peak footprint {result.ratio:.2f} times that"


def draw_fragmentation(axes: Any, result: Result) -> None:
    """Both kinds of fragmentation, as shares; not drawn while nothing is live."""
    moments = [moment for moment in result.moments() if moment.footprint]
    events = [moment.events for moment in moments]
    external = [100 * moment.external for moment in moments]
    internal = [100 * moment.internal for moment in moments]
    axes.plot(events, external, color=EXTERNAL, linewidth=1.3, label="external: share of the footprint in no block")
    axes.plot(events, internal, color=LIVE, linewidth=1.3, label="internal: share of the blocks nobody asked for")
    axes.set_ylabel("fragmentation, %")
    axes.set_ylim(0, max([*external, *internal, 10]) * 1.1)
    axes.legend(loc="best", frameon=False)
    event_ticks(axes)


def draw_sizes(axes: Any, result: Result) -> None:
    """Requests by size, on logarithmic axes; a bar is a class of kmalloc, or a power of two beyond."""
    sizes = [size_class.size for size_class in result.classes]
    widths = [size * 0.1 if c.is_class else size * 0.4 for size, c in zip(sizes, result.classes, strict=True)]
    lefts = [size - width for size, width in zip(sizes, widths, strict=True)]
    requests = [size_class.requests for size_class in result.classes]
    axes.bar(lefts, requests, widths, align="edge", color=SIZES, edgecolor="white", linewidth=0.5)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.7)
    axes.xaxis.set_major_formatter(lambda size, _: bytes_text(size))
    axes.set_xlabel("size of the request, rounded up to its class")
    axes.set_ylabel("requests")
