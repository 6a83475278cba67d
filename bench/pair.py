"""kmalloc(64) and kfree called from Python, against two calls of a C method that does nothing.

    python -m bench.pair COUNT

Method: loops of `second(first(64))` with
  - pair: coalmm.api.kmalloc and kfree;
  - nothing: `Nothing().take` of nothing.c for both (METH_O, returns None), the cheapest call of C with one
    argument that CPython has: its interpreter has an instruction for it;
  - compiled: `Empty().take` of empty_method.pyx for both, a compiled method that does nothing, built as
    coalmm's are: what the call of any Cython method costs, whatever it does;
and a loop with an empty body, which is taken off all. Each loop is code of its own, as timeit makes it, so
that the interpreter specialises its calls separately, and all names in it are local. The loops run in turn,
COUNT times round each, REPEATS times; ratios are medians of the repeats' ratios. The address
is the same each time, so that kmalloc can return the same int object; making another costs some nanoseconds.
Prints nanoseconds a pair as JSON.
"""

import gc
import json
import statistics
import sys
from collections.abc import Callable
from time import process_time_ns

import empty_method
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

    take = nothing.Nothing().take
    compiled = empty_method.Empty().take
    loops = {
        "pair": (make_loop(BODY), api.kmalloc, api.kfree),
        "nothing": (make_loop(BODY), take, take),
        "compiled": (make_loop(BODY), compiled, compiled),
        "empty": (make_loop("pass"), take, take),
    }
    taken: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(REPEATS + 1):
        for name, (loop, first, second) in loops.items():
            taken[name].append(loop(first, second, count, repeat, process_time_ns) / count)
    net = {name: [a - b for a, b in zip(taken[name][1:], taken["empty"][1:], strict=True)] for name in loops}
    figures = {f"{name}_ns": statistics.median(net[name]) for name in ("pair", "nothing", "compiled")}
    for name, key in (("nothing", "ratio"), ("compiled", "compiled_ratio")):
        figures[key] = statistics.median(a / b for a, b in zip(net["pair"], net[name], strict=True))
    return figures


if __name__ == "__main__":
    kernel = coalmm.boot(ram="64M")
    gc.disable()
    print(json.dumps(measure(int(sys.argv[1]))))
