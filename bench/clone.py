"""Clones an address space of present pages, which the host does in fork.

    python -m bench.clone PAGES

`clone`: `PageTables.clone` of a directory with PAGES present, writable user pages, the first time, so that
every entry is copied and write-protected. `fork`: the same of a process that has written to PAGES pages of an
anonymous area, through `fork`, with its areas. As in host.c, the copy is thrown away outside of the measured
time. Neither had memory of the host behind the new tables before. Prints JSON, nanoseconds.
"""

import json
import sys
from time import process_time_ns

from bench.layout import boot, map_pages, process_with_pages


def time_clone(pages: int) -> float:
    """Nanoseconds to clone a directory."""
    kernel = boot(pages)
    root = map_pages(kernel, pages)
    start = process_time_ns()
    copy = kernel.page_tables.clone(root)
    taken = process_time_ns() - start
    if copy == 0:
        raise RuntimeError("the directory could not be cloned")
    return taken


def time_fork(pages: int) -> float:
    """Nanoseconds to fork a process."""
    process = process_with_pages(boot(pages), pages)
    start = process_time_ns()
    process.fork()
    return process_time_ns() - start


if __name__ == "__main__":
    pages = int(sys.argv[1])
    clone, fork = time_clone(pages), time_fork(pages)
    print(json.dumps({"clone_ns_page": clone / pages, "fork_ns_page": fork / pages}))
