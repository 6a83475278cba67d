"""kmalloc(64) and kfree called from Python, against two calls of a C method that does nothing.

    python -m bench.pair COUNT

Method: three loops, `second(first(64))`, the same with `Nothing().take` for both (METH_O, returns None: the
cheapest call of C with one argument that CPython has), and a loop with an empty body, which is taken off
both. Each loop is code of its own, as timeit makes it, so that the interpreter specialises its calls
separately, and all names in it are local. Loops run in turn, COUNT times round each, REPEATS times; the
ratio is the median of the repeats' ratios. Prints nanoseconds a pair as JSON.
"""

import gc
import json
import statistics
import sys
from collections.abc import Callable
from time import perf_counter_ns

import nothing

import coalmm
from coalmm import api

REPEATS = 9
BODY = "second(first(64))"
SOURCE = """
def loop(first, second, count, repeat, clock):
    start = clock()
    for _ in repeat(None, count):
        {body}
    return clock() - start
"""


def make_loop(body: str) -> Callable[..., int]:
    """A loop of its own, compiled afresh."""
    namespace: dict[str, Callable[..., int]] = {}
    exec(SOURCE.format(body=body), namespace)
    return namespace["loop"]


def measure(count: int) -> dict[str, float]:
    """Nanoseconds a pair, ours and the empty calls', net of the loop."""
    from itertools import repeat

    empty_method = nothing.Nothing().take
    loops = {
        "pair": (make_loop(BODY), api.kmalloc, api.kfree),
        "nothing": (make_loop(BODY), empty_method, empty_method),
        "empty": (make_loop("pass"), empty_method, empty_method),
    }
    taken: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(REPEATS + 1):
        for name, (loop, first, second) in loops.items():
            taken[name].append(loop(first, second, count, repeat, perf_counter_ns) / count)
    net = {name: [a - b for a, b in zip(taken[name][1:], taken["empty"][1:], strict=True)] for name in loops}
    ratios = [a / b for a, b in zip(net["pair"], net["nothing"], strict=True)]
    return {
        "pair_ns": statistics.median(net["pair"]),
        "nothing_ns": statistics.median(net["nothing"]),
        "ratio": statistics.median(ratios),
    }


if __name__ == "__main__":
    kernel = coalmm.boot(ram="64M")
    gc.disable()
    print(json.dumps(measure(int(sys.argv[1]))))
