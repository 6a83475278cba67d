"""frame_alloc and frame_free in a big RAM that is 99.9 % full, against a small one that is empty.

    python -m bench.frame_pairs BIG SMALL COUNT          sizes as coalmm.boot takes them

The big RAM is filled one frame at a time until no frame is free, then one frame in a thousand, chosen at
random, is given back. Figures in nanoseconds a pair, big and small in turn, medians of REPEATS:
  - pair: `Frames.take` and `drop` in a compiled loop of COUNT;
  - python: `frame_alloc` and `frame_free` of coalmm.api's layer, `Frames.allocate` and `free` called from Python;
  - batch: BATCH frames taken, then all dropped, compiled. In the big RAM their descriptors lie all over
    1 GiB, so this also shows what the host's caches make of that.
Prints JSON.
"""

import json
import random
import statistics
import sys
from array import array
from itertools import repeat
from time import process_time_ns

import frame_loop

import coalmm
from coalmm.physical.frames import Frames

REPEATS = 7
BATCH = 512
SEED = 20241


def fill(frames: Frames) -> None:
    """Leave one frame in a thousand free."""
    total = frame_loop.fill(frames)
    chosen = random.Random(SEED)
    wanted = max(total // 1000, BATCH)
    while frames.statistics().free < wanted:
        pfn = chosen.randrange(1, frames.pfn_limit)
        if frames.is_allocated(pfn) and frames.kind(pfn) == 1:
            frames.free(pfn << 12)


def python_pairs(frames: Frames, count: int) -> None:
    allocate, free = frames.allocate, frames.free
    for _ in repeat(None, count):
        free(allocate())


def timed(function, *arguments) -> int:  # type: ignore[no-untyped-def]
    start = process_time_ns()
    function(*arguments)
    return process_time_ns() - start


def measure(machines: dict[str, Frames], count: int) -> dict[str, float]:
    """Median nanoseconds a pair of each kind in each machine, and median ratios."""
    taken: dict[str, list[float]] = {}
    pfns = array("Q", bytes(8 * BATCH))
    few = max(count // 10, 1)
    batches = max(count // BATCH // 4, 1)
    for _ in range(REPEATS):
        for name, frames in machines.items():
            results = {
                "pair": timed(frame_loop.pairs, frames, count) / count,
                "python": timed(python_pairs, frames, few) / few,
                "batch": timed(frame_loop.batches, frames, pfns, batches) / (batches * BATCH),
            }
            for kind, value in results.items():
                taken.setdefault(f"{name}_{kind}", []).append(value)
    figures = {f"{name}_ns": statistics.median(values) for name, values in taken.items()}
    for kind in ("pair", "python", "batch"):
        rounds = zip(taken[f"big_{kind}"], taken[f"small_{kind}"], strict=True)
        figures[f"{kind}_ratio"] = statistics.median(big / small for big, small in rounds)
    return figures


if __name__ == "__main__":
    big_kernel = coalmm.boot(ram=sys.argv[1], paging="x86_64", heap=False)
    small_kernel = coalmm.boot(ram=sys.argv[2], paging="x86_64", heap=False)
    fill(big_kernel.frames)
    free = big_kernel.frames.statistics()
    figures = measure({"big": big_kernel.frames, "small": small_kernel.frames}, int(sys.argv[3]))
    print(json.dumps({**figures, "full": 1 - free.free / free.total}))
