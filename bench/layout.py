"""The address space that walks and clones are measured on: pages in a row, each with a frame of its own."""

from array import array

import coalmm
from coalmm import Kernel
from coalmm.process.process import Process

BASE = 0x1000_0000
PRESENT_WRITABLE_USER = 7
FRAME_SIZE = 4096


def boot(pages: int, shared: bool = False) -> Kernel:
    """A kernel with room for `pages` mapped frames, and a quarter more for everything else."""
    mebibytes = max(64, pages * FRAME_SIZE * 5 // 4 >> 20)
    return coalmm.boot(ram=f"{mebibytes}M", paging="x86_64", shared=shared)


def map_pages(kernel: Kernel, pages: int) -> int:
    """The root of a new directory with `pages` present, writable user pages from BASE on.

    The mappings hold the frames: nothing else does. RuntimeError if memory runs out.
    """
    root = kernel.page_tables.create()
    frames: array[int] = kernel.frames.allocate_many(pages)
    if root == 0 or len(frames) != pages:
        raise RuntimeError(f"no memory for {pages} pages")
    for number, paddr in enumerate(frames):
        if kernel.page_tables.map(root, BASE + number * FRAME_SIZE, paddr, PRESENT_WRITABLE_USER):
            raise RuntimeError(f"page {number} could not be mapped")
    kernel.frames.free_many(frames)
    return root


def new_process(kernel: Kernel, pages: int) -> tuple[Process, int]:
    """A process with an anonymous area of `pages` pages, none of them present, and where it starts."""
    process = kernel.processes.create("bench")
    start = process.map(0, pages * FRAME_SIZE)
    if start < 0:
        raise RuntimeError(f"no area of {pages} pages: {start}")
    return process, start


def process_with_pages(kernel: Kernel, pages: int) -> Process:
    """A process that has written to each of `pages` pages of an anonymous area."""
    process, start = new_process(kernel, pages)
    for page in range(pages):
        process.write(start + page * FRAME_SIZE, b"\1")
    return process
