"""Every public object prints as one line that says what it is, and looking changes nothing."""

import re

import pytest

import coalmm
from machines import PAGING, Unchanged

PARTS = ("ram", "memory", "mmu", "frames", "injection", "tracking", "buddy", "slabs", "heap", "page_tables", "user")


@pytest.fixture(params=PAGING)
def kernel(request):
    with coalmm.boot(ram="4M", paging=request.param) as kernel:
        yield kernel


def parts(kernel):
    """The objects that are reached from a kernel."""
    yield kernel
    yield from (getattr(kernel, name) for name in PARTS)
    yield from (kernel.mmu.tlb, kernel.mmu.walker, kernel.frames.bitmap)


def test_every_part_prints_one_line_without_a_host_address(kernel):
    kernel.processes.create("shell")
    with Unchanged(kernel):
        for part in parts(kernel):
            text = repr(part)
            assert re.fullmatch(r"<\w+: .*>", text) and "object at" not in text and "\n" not in text


def test_a_kernel_says_what_it_has():
    with coalmm.boot(ram="64M") as kernel:
        assert repr(kernel) == "<Kernel: 64.0 MiB of RAM, i386 paging, 15,770 of 16,287 frames free, 0 processes>"
        assert repr(kernel.frames) == "<Frames: 16,287 of 4 KiB, 15,770 free, 517 kernel, 0 user>"
        assert repr(kernel.injection) == "<Injection: off>"
        assert repr(kernel.tracking) == "<Tracking: off, 0 live allocations>"
    assert repr(kernel) == "<Kernel: closed>"


def test_parts_of_a_closed_machine_print_too():
    kernel = coalmm.boot(ram="1M")
    kept = list(parts(kernel))
    kernel.close()
    assert all(repr(part).startswith("<") for part in kept)


def test_an_area_prints_as_a_line_of_maps(kernel, tmp_path):
    shell = kernel.processes.create("shell")
    shell.map(0x10000000, 0x3000, "rw", 0x32)
    (tmp_path / "data").write_bytes(b"x" * 100)
    shell.map(0x20000000, 0x1000, "rx", 0x11, file=str(tmp_path / "data"))
    first, second = shell.areas
    assert repr(first) == "<area 10000000-10003000 rw-p anonymous>"
    assert re.fullmatch(r"<area 20000000-20001000 r-xs file at 0x[0-9a-f]+ from 0x0>", repr(second))
    assert first.start == 0x10000000 and first[1] == 0x10003000
    shell.exit()


def test_an_entry_prints_with_its_bits_named():
    with coalmm.boot(ram="4M") as kernel:
        frame = kernel.frame_alloc()
        kernel.paging_map_page(0x400000, frame, 7)
        walk = kernel.mmu.walker.walk(kernel.mmu.cr3, 0x400123)
        assert repr(walk.steps[-1]) == (
            f"<PTE {frame | 7:#x}: 4 KiB page at {frame:#x} P W U; entry 0 at {walk.steps[-1].entry_paddr:#x}>"
        )
        assert repr(walk) == f"<walk of 0x400123 from the root {kernel.mmu.cr3:#x}, 2 entries: {frame + 0x123:#x}>"
        lost = kernel.mmu.walker.walk(kernel.mmu.cr3, 0x800000)
        assert repr(lost).endswith("1 entries: the PDE is not present>")


def test_the_mmu_tells_its_last_fault_by_the_names_of_the_bits(kernel):
    kernel.mmu.store(0x400000, b"x", user=True)
    assert repr(kernel.mmu).endswith("last fault W U at 0x400000>")
