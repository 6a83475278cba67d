"""Random page walks in one compiled batch, against C over the very same tables.

    python -m bench.walks PAGES COUNT

PAGES pages are mapped in x86-64 tables; COUNT random addresses in them are translated by
`Walker.translate_many`, BATCH at a call, which walks the tables in RAM (no TLB), and by walk.c, which maps
the same RAM. The two run in turn, REPEATS times. The results are compared, by their sum. Prints JSON.
"""

import json
import random
import statistics
import subprocess
import sys
import tempfile
from array import array
from time import process_time_ns

from bench.build import program
from bench.layout import BASE, FRAME_SIZE, boot, map_pages
from coalmm.hardware.walk import Walker

REPEATS = 5
BATCH = 1 << 17
SEED = 20242
MASK = (1 << 64) - 1


def random_addresses(pages: int, count: int) -> "array[int]":
    chosen = random.Random(SEED)
    size = pages * FRAME_SIZE
    return array("Q", (BASE + int(chosen.random() * size) for _ in range(count)))


def walk_in_c(path: str, root: int, size: int, fd: int) -> dict[str, float]:
    """The figures of walk.c over the RAM behind `fd`."""
    command = [str(program("walk")), path, str(root), str(size), str(fd)]
    done = subprocess.run(command, pass_fds=(fd,), capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def walk_ours(walker: Walker, root: int, batches: "list[array[int]]") -> tuple[float, int]:
    """Nanoseconds for all batches, and the sum of the physical addresses; RuntimeError if one is 0."""
    taken = total = 0
    for batch in batches:
        start = process_time_ns()
        paddrs = walker.translate_many(root, batch)
        taken += process_time_ns() - start
        total += sum(paddrs)
        if 0 in paddrs:
            raise RuntimeError("an address that is mapped was not translated")
    return taken, total & MASK


def measure(pages: int, count: int) -> dict[str, float]:
    kernel = boot(pages, shared=True)  # walk.c maps the same memory
    root = map_pages(kernel, pages)
    vaddrs = random_addresses(pages, count)
    batches = [vaddrs[start : start + BATCH] for start in range(0, count, BATCH)]
    taken: dict[str, list[float]] = {"walk_ns": [], "c_ns": [], "c_remembering_ns": []}
    with tempfile.NamedTemporaryFile() as file:
        vaddrs.tofile(file)
        file.flush()
        for _ in range(REPEATS):
            ours, total = walk_ours(kernel.mmu.walker, root, batches)
            figures = walk_in_c(file.name, root, kernel.ram.size, kernel.ram.fd)
            if figures["sum"] != total:
                raise RuntimeError("C and the compiled walk come to different addresses")
            taken["walk_ns"].append(ours / count)
            taken["c_ns"].append(figures["walk_ns"])
            taken["c_remembering_ns"].append(figures["remembering_ns"])
    result = {name: statistics.median(values) for name, values in taken.items()}
    for name, other in (("ratio", "c_ns"), ("remembering_ratio", "c_remembering_ns")):
        result[name] = statistics.median(a / b for a, b in zip(taken["walk_ns"], taken[other], strict=True))
    return result


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]))))
