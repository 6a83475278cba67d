"""A whole replay: a trace read chunk by chunk, run on a kernel, timed, checked, and summed up."""

from time import perf_counter

from coalmm.replay.engine import Engine
from coalmm.replay.result import Leak, Result, SizeClass
from coalmm.traces.chunk import Chunk
from coalmm.traces.trace import Trace
from coalmm.typed import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from coalmm.kernel import Kernel

Progress = Callable[[int, int], None]  # bytes of the file read, events run


def replay(
    trace: Trace, kernel: "Kernel", only_buddy: bool = False, check_every: int = 0, progress: Progress | None = None
) -> Result:
    """Run every event of `trace` on `kernel`'s kmalloc, or with `only_buddy` on its buddy allocator.

    Page events go to the buddy allocator in any case. `check_every` calls kernel.validate() after so many
    events, 0 never. Raises TraceError for the trace, CorruptionError if a check fails; allocations that
    fail are counted.
    """
    engine = Engine(kernel, only_buddy)
    allocator_time = 0.0
    begun = perf_counter()
    checking = 0.0
    for chunk in trace.chunks():
        started = perf_counter()
        engine.reserve(trace.recorder.slots_peak)
        in_checks = run_chunk(engine, chunk, kernel, check_every)
        allocator_time += perf_counter() - started - in_checks
        checking += in_checks
        if progress is not None:
            progress(trace.source.position, engine.events)
    engine.sample()
    elapsed = perf_counter() - begun
    return Result(
        trace=trace,
        engine=engine,
        ram_bytes=kernel.ram.size,
        allocator="buddy" if only_buddy else "kmalloc",
        reading_seconds=max(elapsed - allocator_time - checking, 0.0),
        allocator_seconds=allocator_time,
        classes=size_classes(kernel, engine),
        leaks=leaks(trace, engine),
        free_blocks=kernel.buddy.statistics().free_blocks,
    )


def run_chunk(engine: Engine, chunk: Chunk, kernel: "Kernel", check_every: int) -> float:
    """Run a chunk, with a check after each multiple of `check_every` events; seconds spent in checks."""
    if not check_every:
        engine.run(chunk, 0, len(chunk))
        return 0.0
    checking = 0.0
    start = 0
    while start < len(chunk):
        stop = min(start + check_every - engine.events % check_every, len(chunk))
        engine.run(chunk, start, stop)
        start = stop
        if engine.events % check_every == 0:
            began = perf_counter()
            kernel.validate()
            checking += perf_counter() - began
    return checking


def size_classes(kernel: "Kernel", engine: Engine) -> list[SizeClass]:
    """What was asked of each class, and what is beyond the classes by powers of two."""
    infos = kernel.heap.classes()
    found = []
    for number, (requests, asked) in enumerate(zip(engine.counts, engine.asked, strict=True)):
        if requests == 0:
            continue
        if number < len(infos):
            info = infos[number]
            most = engine.most_active[number]
            found.append(SizeClass(info.object_size, True, requests, asked, most, info.active, info.slabs))
        else:
            size = infos[-1].object_size << (number - len(infos) + 1)
            found.append(SizeClass(size, False, requests, asked, 0, 0, 0))
    return found


def leaks(trace: Trace, engine: Engine) -> list[Leak]:
    """What is live at the end by call site, the largest first; the site is "" where it is not known."""
    by_site = engine.live_by_site().items()
    found = [Leak(trace.sites[site], blocks, size) for site, (blocks, size) in by_site]
    return sorted(found, key=lambda leak: (-leak.bytes, leak.site))
