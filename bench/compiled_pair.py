"""kmalloc(64) and kfree called from a compiled module, in one loop: what c_pair.c is compared with.

    python -m bench.compiled_pair COUNT

The best of ROUNDS, as there. Prints nanoseconds of processor time a pair as JSON.
"""

import json
import sys
from time import process_time_ns

import heap_loop

import coalmm

ROUNDS = 5


def measure(count: int) -> dict[str, float]:
    kernel = coalmm.boot(ram="64M")
    taken = []
    for _ in range(ROUNDS):
        start = process_time_ns()
        heap_loop.pairs(kernel.heap, count)
        taken.append(process_time_ns() - start)
    return {"pair_ns": min(taken) / count}


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
