"""A recorded program's malloc, realloc and free calls through coalmm's kmalloc.

    python -m bench.replay_coal EVENTS [whole]

The same events, the same loop and the same method as replay.c, which says what they are:
  - the file, the slots and the code are touched before anything is measured, and the empty loop (the same
    code with calls that do nothing, median of EMPTY_ROUNDS) is taken off;
  - one cold run on a kernel that was just booted: nothing of its RAM but what boot wrote has host memory
    behind it, so the host's page faults are in our time as they are in the time of malloc;
  - the first byte of each block is written, with `whole` a byte of every page and the last one;
  - footprint: VmHWM after the loop less VmRSS before it, over peak live bytes. RAM is a shared mapping, which
    both count. The memory manager's own structures are in RAM and so in the footprint.
`own_footprint` is what the buddy heap says was in use at most at once, in frames, over peak live bytes.
Prints one line of JSON. Exit status 1 if a request failed.
"""

import gc
import json
import statistics
import sys
from array import array
from pathlib import Path
from time import process_time_ns

import heap_loop

import coalmm
from bench.event_file import HEADER, Header, read_header
from coalmm import Kernel
from coalmm.heap.constants import BUDDY_PEAK
from coalmm.physical.constants import SB_BUDDY

EMPTY_ROUNDS = 5
MIB = 1 << 20


def status_bytes(name: str) -> int:
    """A line of /proc/self/status, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"the host does not tell {name}")


def reset_high_water() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def boot_for(header: Header) -> Kernel:
    """A kernel with room for eight times the peak, at least 128 MiB; RAM is sparse, so room is free."""
    mebibytes = max(128, header.peak_bytes * 8 // MIB)
    return coalmm.boot(ram=f"{mebibytes}M", paging="x86_64")


def empty_loop(events: memoryview, slots: "array[int]") -> float:
    """Median nanoseconds of the loop with calls that do nothing."""
    taken = []
    for _ in range(EMPTY_ROUNDS):
        start = process_time_ns()
        heap_loop.run_empty(events, slots)
        taken.append(process_time_ns() - start)
    return statistics.median(taken)


def measure(path: Path, whole: bool) -> dict[str, float]:
    header = read_header(path)
    events = memoryview(path.read_bytes())[HEADER.size :]
    slots = array("Q", bytes(8 * max(header.slots, 1)))
    empty = empty_loop(events, slots)
    kernel = boot_for(header)
    gc.collect()
    gc.disable()
    status_bytes("VmRSS:")
    reset_high_water()
    before = status_bytes("VmRSS:")
    start = process_time_ns()
    failed = heap_loop.run(kernel.heap, events, slots, kernel.ram.bytes, whole)
    taken = process_time_ns() - start
    growth = max(status_bytes("VmHWM:") - before, 0)
    own = kernel.ram.words[SB_BUDDY + BUDDY_PEAK] * 4096
    return {
        "gross_ns": taken / header.events,
        "empty_ns": empty / header.events,
        "net_ns": (taken - empty) / header.events,
        "footprint_bytes": growth,
        "footprint": growth / header.peak_bytes,
        "own_footprint": own / header.peak_bytes,
        "events": header.events,
        "failed": failed,
    }


if __name__ == "__main__":
    figures = measure(Path(sys.argv[1]), sys.argv[2:] == ["whole"])
    print(json.dumps(figures))
    sys.exit(1 if figures["failed"] else 0)
