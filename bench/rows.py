"""The rows of the table: what is run, and how its figures become ratios."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.build import OUTPUT, ROOT, is_older
from bench.event_file import read_header
from bench.peers import Peer
from bench.result import Result
from bench.runner import Rounds, Side, median_of, native, ours, ratio_of

MIB = 1 << 20
TRACES_VARIABLE = "COALMM_TRACES"


@dataclass(frozen=True)
class Sizes:
    """How much of everything is measured."""

    rounds: int
    pages: int  # present pages of the address space that is walked, cloned and faulted in
    big: str
    small: str
    boots: int
    walks: int
    frame_pairs: int
    python_pairs: int


SIZES = {
    "full": Sizes(7, 262_144, "64G", "64M", 9, 4_000_000, 2_000_000, 300_000),
    "quick": Sizes(3, 262_144, "64G", "64M", 5, 1_000_000, 500_000, 100_000),
    "tiny": Sizes(1, 4096, "256M", "64M", 1, 20_000, 5000, 2000),
}


@dataclass(frozen=True)
class Row:
    """Sides that run in turn, `rounds` times, and what follows from their figures."""

    name: str
    sides: Mapping[str, Side]
    rounds: int
    conclude: Callable[[Rounds], list[Result]]


def trace_folder(given: str = "") -> Path:
    """The folder of traces: the one given, $COALMM_TRACES, ../shared/traces, or the project's example."""
    chosen = given or os.environ.get(TRACES_VARIABLE, "")
    if chosen:
        return Path(chosen)
    large = ROOT.parent / "shared" / "traces"
    return large if large.is_dir() else ROOT / "examples"


def find_traces(folder: Path) -> list[Path]:
    """The traces of a folder: mtrace logs and CS:APP's. FileNotFoundError if there is none."""
    traces = sorted(path for path in folder.glob("*") if path.name.split(".")[1:2] in (["mtrace"], ["rep"]))
    if not traces:
        raise FileNotFoundError(f"no trace (*.mtrace or *.rep, plain or compressed) in {folder}")
    return traces


def prepare(trace: Path) -> Path:
    """The file of events of `trace`; made only if it is missing or old. SideFailedError if it cannot be."""
    path = OUTPUT / (trace.name.split(".")[0] + ".events")
    if is_older(path, trace, ROOT / "bench" / "events.py"):
        ours("events", trace.resolve(), path).run()
    return path


def replay_rows(trace: Path, sizes: Sizes, peers: list[Peer]) -> list[Row]:
    """Speed and footprint of the replay of one trace."""
    path = prepare(trace)
    name = path.stem
    header = read_header(path)

    def sides(*options: str) -> dict[str, Side]:
        found = {peer.name: native("replay", path, *options, preload=peer.path) for peer in peers if peer.path}
        return {"glibc": native("replay", path, *options), **found, "coalmm": ours("replay_coal", path, *options)}

    def against(rounds: Rounds, peer: str, must: float | None, aim: float | None) -> Result:
        ratio = ratio_of(rounds, ("coalmm", "net_ns"), (peer, "net_ns"))
        gross = ratio_of(rounds, ("coalmm", "gross_ns"), (peer, "gross_ns"))
        net = " against ".join(f"{median_of(rounds, side, 'net_ns'):.1f} ns" for side in ("coalmm", peer))
        figures = f"{net} an event, {header.events:,} events; {gross:.2f} with the loop in it"
        return Result(f"replay-{name}", f"replay of {name}, against {peer}", ratio, must, aim, figures, strict=True)

    def speed(rounds: Rounds) -> list[Result]:
        results = [against(rounds, "glibc", 1, None)]
        for peer in peers:
            aim = 1 if peer.name == "mimalloc" else None
            if peer.path:
                results.append(against(rounds, peer.name, None, aim))
            elif aim:
                missing = f"{peer.name} is not installed: {peer.install}"
                what = f"replay of {name}, against {peer.name}"
                results.append(Result(f"replay-{name}", what, None, None, aim, missing, strict=True))
        return results

    def footprint(rounds: Rounds) -> list[Result]:
        value = median_of(rounds, "coalmm", "footprint")
        medians = {side: median_of(rounds, side, "footprint") for side in rounds[0] if side != "coalmm"}
        others = ", ".join(f"{side} {footprint:.2f}" for side, footprint in medians.items())
        own = median_of(rounds, "coalmm", "own_footprint")
        figures = f"peak live {header.peak_bytes / MIB:.2f} MiB; {others}; by coalmm's own account {own:.2f}"
        return [Result(f"footprint-{name}", f"peak footprint over peak live, {name}", value, 1.25, 1.12, figures)]

    def from_c(rounds: Rounds) -> list[Result]:
        results = []
        for peer, must, aim in (("glibc", 1, None), ("mimalloc", None, 1), ("coalmm", None, None)):
            if peer not in rounds[0]:
                continue
            ratio = ratio_of(rounds, ("libcoalmm", "net_ns"), (peer, "net_ns"))
            net = " against ".join(f"{median_of(rounds, side, 'net_ns'):.1f} ns" for side in ("libcoalmm", peer))
            what = f"replay of {name} from C on libcoalmm.so, against {peer}{' compiled' if peer == 'coalmm' else ''}"
            results.append(Result(f"c-replay-{name}", what, ratio, must, aim, f"{net} an event", strict=True))
        return results

    c_sides = {**sides(), "libcoalmm": native("replay_coalmm", path)}
    return [
        Row(f"replay-{name}", sides(), sizes.rounds, speed),
        Row(f"c-replay-{name}", c_sides, sizes.rounds, from_c),
        Row(f"footprint-{name}", sides("whole"), min(sizes.rounds, 3), footprint),
    ]


def pair_row(sizes: Sizes) -> Row:
    def result(rounds: Rounds, ratio: str, other: str, which: str) -> Result:
        times = median_of(rounds, "coalmm", "pair_ns"), median_of(rounds, "coalmm", other)
        figures = "{:.1f} ns a pair against {:.1f} ns, net of the loop".format(*times)
        what = f"kmalloc(64) + kfree from Python, against two calls of {which}"
        return Result("pair", what, median_of(rounds, "coalmm", ratio), 2.0, 1.4, figures)

    def conclude(rounds: Rounds) -> list[Result]:
        return [
            result(rounds, "ratio", "nothing_ns", "a C method that does nothing (METH_O)"),
            result(rounds, "compiled_ratio", "compiled_ns", "a Cython method that does nothing"),
        ]

    return Row("pair", {"coalmm": ours("pair", sizes.python_pairs)}, min(sizes.rounds, 5), conclude)


def c_pair_row(sizes: Sizes) -> Row:
    def conclude(rounds: Rounds) -> list[Result]:
        times = median_of(rounds, "c", "pair_ns"), median_of(rounds, "compiled", "pair_ns")
        figures = "{:.1f} against {:.1f} ns a pair, one thread".format(*times)
        ratio = ratio_of(rounds, ("c", "pair_ns"), ("compiled", "pair_ns"))
        return [Result("c-pair", "kmalloc(64) + kfree from C, against the compiled module", ratio, 3.0, 1.3, figures)]

    count = sizes.python_pairs * 10
    sides = {"c": native("c_pair", count), "compiled": ours("compiled_pair", count)}
    return Row("c-pair", sides, min(sizes.rounds, 5), conclude)


def frames_row(sizes: Sizes) -> Row:
    def conclude(rounds: Rounds) -> list[Result]:
        def figure(name: str) -> float:
            return median_of(rounds, "coalmm", name)

        figures = (
            f"{figure('big_pair_ns'):.2f} against {figure('small_pair_ns'):.2f} ns a pair, compiled; from Python "
            f"{figure('big_python_ns'):.0f} against {figure('small_python_ns'):.0f} ns ({figure('python_ratio'):.2f}); "
            f"512 at a time {figure('big_batch_ns'):.1f} against {figure('small_batch_ns'):.1f} ns"
        )
        what = f"frame_alloc + frame_free at {sizes.big}, {figure('full'):.1%} full, against {sizes.small}, empty"
        return [Result("frames", what, figure("pair_ratio"), 2.0, 1.2, figures)]

    side = ours("frame_pairs", sizes.big, sizes.small, sizes.frame_pairs)
    return Row("frames", {"coalmm": side}, min(sizes.rounds, 3), conclude)


def boot_row(sizes: Sizes) -> Row:
    def conclude(rounds: Rounds) -> list[Result]:
        touched = median_of(rounds, "big", "touched_bytes") / MIB
        small = median_of(rounds, "small", "touched_bytes") / MIB
        fresh = ratio_of(rounds, ("big", "fresh_ms"), ("small", "fresh_ms"))
        again = ratio_of(rounds, ("big", "again_ms"), ("small", "again_ms"))
        times = [median_of(rounds, side, kind) for kind in ("fresh_ms", "again_ms") for side in ("big", "small")]
        figures = "first of a process {:.2f} against {:.2f} ms; later {:.2f} against {:.2f} ms".format(*times)
        figures += f" ({fresh:.2f} and {again:.2f}; the larger counts)"
        memory = f"{small:.2f} MiB for {sizes.small}"
        return [
            Result("boot", f"boot of {sizes.big}: host memory touched", touched, 64, 8, memory, "MiB"),
            Result("boot", f"boot of {sizes.big}, against {sizes.small}: time", max(fresh, again), 5, 1.5, figures),
        ]

    sides = {"big": ours("boot", sizes.big, sizes.boots), "small": ours("boot", sizes.small, sizes.boots)}
    return Row("boot", sides, min(sizes.rounds, 5), conclude)


def walks_row(sizes: Sizes) -> Row:
    def result(rounds: Rounds, name: str, ratio: str, other: str, how: str) -> Result:
        times = median_of(rounds, "coalmm", "walk_ns"), median_of(rounds, "coalmm", other)
        figures = "{:.2f} against {:.2f} ns a walk, over the same tables in the same memory; ".format(*times) + how
        what = f"random page walks over {sizes.pages * 4096 // MIB:,} MiB, against {name}"
        return Result("walks", what, median_of(rounds, "coalmm", ratio), 2.0, 1.2, figures)

    def conclude(rounds: Rounds) -> list[Result]:
        plain = "ours remembers the lowest tables during a batch, C reads all four entries"
        return [
            result(rounds, "plain C", "ratio", "c_ns", plain),
            result(rounds, "C that remembers tables too", "remembering_ratio", "c_remembering_ns", "the same walk"),
        ]

    return Row("walks", {"coalmm": ours("walks", sizes.pages, sizes.walks)}, min(sizes.rounds, 3), conclude)


def pages_row(sizes: Sizes) -> Row:
    def clone(rounds: Rounds) -> Result:
        ratio = ratio_of(rounds, ("clone", "clone_ns_page"), ("host", "fork_ns_page"))
        times = [median_of(rounds, *name) for name in (("clone", "clone_ns_page"), ("host", "fork_ns_page"))]
        figures = "{:.1f} against {:.1f} ns a page".format(*times)
        figures += f"; process.fork {median_of(rounds, 'clone', 'fork_ns_page'):.1f} ns a page"
        return Result("clone", f"clone of {sizes.pages:,} present pages, against host fork", ratio, 1.0, 0.3, figures)

    def fault(rounds: Rounds) -> Result:
        ratio = ratio_of(rounds, ("fault", "fault_ns"), ("host", "touch_ns_page"))
        times = [median_of(rounds, *name) for name in (("fault", "fault_ns"), ("host", "touch_ns_page"))]
        figures = "{:.0f} against {:.0f} ns a fault".format(*times)
        again, python = median_of(rounds, "fault", "again_ns"), median_of(rounds, "fault", "python_ns")
        figures += f"; process.write from Python {python:.0f} ns; a store to a present page {again:.0f} ns"
        return Result("fault", "demand-zero fault, frames backed, against host first touch", ratio, 1.0, 0.25, figures)

    sides = {name: ours(name, sizes.pages) for name in ("clone", "fault")}
    sides = {"host": native("host", sizes.pages), **sides}
    return Row("pages", sides, min(sizes.rounds, 5), lambda rounds: [clone(rounds), fault(rounds)])


def all_rows(sizes: Sizes, traces: list[Path], peers: list[Peer]) -> list[Row]:
    """Every row, in the order of the table."""
    replays = [row for trace in traces for row in replay_rows(trace, sizes, peers)]
    ordered = [row for kind in ("replay", "c-replay", "footprint") for row in replays if row.name.startswith(kind)]
    return [*ordered, *(make(sizes) for make in (pair_row, c_pair_row, frames_row, boot_row, walks_row, pages_row))]
