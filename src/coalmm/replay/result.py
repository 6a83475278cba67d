"""What a replay found out, as numbers with names: the report, the plot and --json are made from it."""

from dataclasses import asdict, dataclass

from coalmm.replay.engine import Engine
from coalmm.traces.trace import Trace
from coalmm.typed import Any

FRAME_SIZE = 4096
SITES_IN_JSON = 100


@dataclass(frozen=True)
class SizeClass:
    """Requests of one bucket of sizes. size: the most bytes of a request in it.

    In a class of kmalloc (`is_class`): peak_live (sampled) and live objects, and slabs at the end.
    """

    size: int
    is_class: bool
    requests: int
    requested_bytes: int
    peak_live: int
    live: int
    slabs: int

    @property
    def fill(self) -> float:
        """Mean request over the size, 0 to 1."""
        return self.requested_bytes / (self.requests * self.size)


@dataclass(frozen=True)
class Leak:
    """What is live at the end of the trace and was allocated (or last resized) at one site."""

    site: str
    blocks: int
    bytes: int


@dataclass(frozen=True)
class Moment:
    """The state at one sample, in bytes: asked for, in blocks as given, in frames, in free buddy blocks."""

    events: int
    live: int
    blocks: int
    footprint: int
    spare: int

    @property
    def internal(self) -> float:
        """Share of the blocks' bytes that nobody asked for: rounding up."""
        return share(self.blocks - self.live, self.blocks)

    @property
    def external(self) -> float:
        """Share of the footprint that is in no block: free objects of slabs, rests of frames."""
        return share(self.footprint - self.blocks, self.footprint)


def share(part: int, whole: int) -> float:
    """part / whole, 0 where there is nothing, or less than nothing, of either."""
    return part / whole if whole > 0 and part > 0 else 0.0


@dataclass(frozen=True)
class Result:
    """One finished replay."""

    trace: Trace
    engine: Engine
    ram_bytes: int
    allocator: str
    reading_seconds: float
    allocator_seconds: float
    classes: list[SizeClass]
    leaks: list[Leak]
    free_blocks: tuple[int, ...]

    @property
    def peak_footprint(self) -> int:
        """Bytes of the most frames in use at once."""
        return int(self.engine.peak_frames) * FRAME_SIZE

    @property
    def ratio(self) -> float:
        """Peak footprint over peak live bytes."""
        return self.peak_footprint / self.engine.peak_live_bytes if self.engine.peak_live_bytes else 0.0

    def moments(self) -> list[Moment]:
        """The samples, in order."""
        names = ("events", "live", "blocks", "footprint", "spare")
        columns = [self.engine.samples.column(name) for name in names]
        return [Moment(*row) for row in zip(*columns, strict=True)]

    def worst(self) -> Moment:
        """The sample with the largest footprint."""
        return max(self.moments(), key=lambda moment: moment.footprint)

    def free_fragmentation(self) -> float:
        """At the end: 1 - largest free buddy block / all free buddy blocks, in bytes."""
        sizes = [FRAME_SIZE << order for order, count in enumerate(self.free_blocks) if count]
        total = sum(count * (FRAME_SIZE << order) for order, count in enumerate(self.free_blocks))
        return share(total - max(sizes), total) if sizes else 0.0

    def as_json(self) -> dict[str, Any]:
        """Everything, for --json. Bytes and seconds; shares from 0 to 1."""
        engine, recorder, worst = self.engine, self.trace.recorder, self.worst()
        seconds = self.reading_seconds + self.allocator_seconds
        return {
            "trace": {
                "file": self.trace.source.name,
                "format": self.trace.format,
                "compression": self.trace.source.compression,
                "lines": recorder.lines,
                "other_lines": recorder.other_lines,
            },
            "allocator": self.allocator,
            "ram_bytes": self.ram_bytes,
            "events": engine.events,
            "failures": engine.failures,
            "zero_size_requests": engine.zero_sizes,
            "unknown_frees": recorder.unknown_frees,
            "null_frees": recorder.null_frees,
            "lost_frees": recorder.lost_frees,
            "failed_in_trace": recorder.failed,
            "memory": {
                "peak_live_bytes": engine.peak_live_bytes,
                "peak_live_blocks": engine.peak_live_blocks,
                "peak_footprint_bytes": self.peak_footprint,
                "footprint_over_live": self.ratio,
                "live_bytes_at_end": engine.live_bytes,
                "live_blocks_at_end": engine.live_blocks,
                "footprint_bytes_at_end": int(engine.frames_used()) * FRAME_SIZE,
            },
            "fragmentation": {
                "at_event": worst.events,
                "internal": worst.internal,
                "external": worst.external,
                "free_blocks_at_end": self.free_fragmentation(),
            },
            "throughput": {
                "reading_seconds": self.reading_seconds,
                "allocator_seconds": self.allocator_seconds,
                "events_per_second": engine.events / seconds if seconds else 0.0,
                "allocator_ns_per_event": self.allocator_seconds / max(engine.events, 1) * 1e9,
            },
            "classes": [asdict(size_class) for size_class in self.classes],
            "leaks": [asdict(leak) for leak in self.leaks[:SITES_IN_JSON]],
            "samples": {
                name: self.engine.samples.column(name) for name in ("events", "live", "blocks", "footprint", "spare")
            },
        }
