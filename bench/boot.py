"""Boots a kernel with RAM of one size: time, and the host memory behind its RAM afterwards.

    python -m bench.boot SIZE COUNT          SIZE as coalmm.boot takes it, "64G"

`fresh_ms` is the first boot of the process (imports are not in it), `again_ms` the median of COUNT more,
each with a RAM of its own that is given back before the next. Prints JSON.
"""

import json
import statistics
import sys
from time import process_time

from coalmm.kernel import boot


def boot_once(size: str) -> tuple[float, int]:
    """Milliseconds to boot, and bytes of host memory behind the RAM then."""
    start = process_time()
    kernel = boot(ram=size, paging="x86_64")
    taken = process_time() - start
    return taken * 1e3, kernel.ram.touched()


def measure(size: str, count: int) -> dict[str, float]:
    fresh, touched = boot_once(size)
    return {
        "fresh_ms": fresh,
        "again_ms": statistics.median(boot_once(size)[0] for _ in range(count)),
        "touched_bytes": touched,
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
