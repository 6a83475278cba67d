"""Demand-zero page faults by software stores, with memory of the host behind every frame already.

    python -m bench.fault PAGES

A process has an anonymous area of PAGES pages. One byte of each page is stored, in order: the walk fails, the
fault handler takes a frame, zeroes it and maps it, and the store is done. All RAM was touched before, as a
kernel's RAM is simply there. `fault_ns` is the whole store, as `UserAccess.store` (under copy_to_user and
process.write) does it, in a compiled loop; `again_ns` the same with the pages present; `python_ns` is
`process.write` called from Python in another process. Host first touch, in host.c, is a trap of the CPU and the
same work in the kernel; here the trap is a call of a function. Prints JSON, nanoseconds a page.
"""

import json
import sys
from time import process_time_ns

import fault_loop

from bench.layout import FRAME_SIZE, boot, new_process


def measure(pages: int) -> dict[str, float]:
    kernel = boot(pages)
    kernel.ram.back(0, kernel.ram.size)
    process, start = new_process(kernel, pages)
    process.read(start, 1)  # switches to it; maps the first page
    taken = []
    for _ in range(2):
        begin = process_time_ns()
        done = fault_loop.store_each(kernel.user, start + FRAME_SIZE, pages - 1, memoryview(b"\1"))
        taken.append((process_time_ns() - begin) / (pages - 1))
        if done != pages - 1:
            raise RuntimeError("a store failed")
    process.exit()
    other, start = new_process(kernel, pages)
    other.read(start, 1)
    begin = process_time_ns()
    for page in range(1, pages):
        other.write(start + page * FRAME_SIZE, b"\1")
    python = (process_time_ns() - begin) / (pages - 1)
    return {"fault_ns": taken[0], "again_ns": taken[1], "python_ns": python}


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
