"""Leak reports: every live allocation by its line of code, and what nothing points to."""

import pytest
from inspect_machines import PAGING, busy_machine

import coalmm
from coalmm.inspect.leaks import leak_report, leak_text
from coalmm.inspect.live import live_allocations
from coalmm.inspect.reach import unreachable


@pytest.fixture(params=PAGING)
def kernel(request):
    return coalmm.boot(ram="8M", paging=request.param)


def test_groups_name_the_line_of_code_with_counts_sizes_and_ages(kernel):
    kernel.tracking.enable()
    for size in (10, 20, 30):
        kernel.heap.kmalloc(size)
    kernel.heap.kfree(kernel.heap.kmalloc(1000))
    report = leak_report(kernel)
    (group,) = report.groups
    assert group.site.startswith(f"{__file__}:")
    assert (group.count, group.bytes, group.largest) == (3, 60, 30)
    assert (group.youngest, group.oldest) == (2, 4)
    assert (report.count, report.bytes, report.missed) == (3, 60, 0)


def test_two_lines_are_two_groups_the_larger_first(kernel):
    kernel.tracking.enable()
    kernel.heap.kmalloc(10)
    kernel.heap.kmalloc(1000)
    assert [group.bytes for group in leak_report(kernel).groups] == [1000, 10]


def test_b308_without_tracking_nothing_is_reported(kernel):
    kernel.heap.kmalloc(10)
    report = leak_report(kernel)
    assert (report.tracking, report.count, report.groups) == (False, 0, ())


def test_every_live_allocation_is_found_with_its_size(kernel):
    before = {each.address for each in live_allocations(kernel)}
    cache = kernel.slabs.create("things", 48)
    made = {
        kernel.heap.kmalloc(100): 100,
        kernel.heap.kmalloc(50_000): 50_000,
        kernel.buddy.allocate(9000): 9000,
        kernel.slabs.allocate(cache): 48,
    }
    gone = kernel.heap.kmalloc(77)
    kernel.heap.kfree(gone)
    found = {each.address: each for each in live_allocations(kernel) if each.address not in before | {cache}}
    assert found.keys() == made.keys()
    for address, size in made.items():
        assert size <= found[address].size < 2 * size
    assert {each.what for each in found.values()} >= {"things", "buddy_alloc", "kmalloc, large"}


def lost(kernel):
    return {each.address for each in unreachable(kernel)}


def test_memory_that_nothing_points_to_is_lost_and_the_rest_of_its_list_is_not(kernel):
    first, second, third = (kernel.heap.kmalloc(64) for _ in range(3))
    kernel.memory.write(first, second.to_bytes(8, "little"))
    kernel.memory.write(second + 8, (third + 20).to_bytes(8, "little"))
    assert lost(kernel) == {first}


def test_a_pointer_to_itself_does_not_count(kernel):
    pointer = kernel.heap.kmalloc(64)
    kernel.memory.write(pointer, pointer.to_bytes(8, "little"))
    assert pointer in lost(kernel)


def test_a_pointer_in_freed_memory_does_not_count(kernel):
    holder, held = kernel.heap.kmalloc(64), kernel.heap.kmalloc(64)
    kernel.memory.write(holder + 8, held.to_bytes(8, "little"))
    assert held not in lost(kernel)
    kernel.heap.kfree(holder)
    assert held in lost(kernel)


def test_a_frame_of_frame_alloc_can_hold_the_pointer(kernel):
    held, frame = kernel.heap.kmalloc(64), kernel.frames.allocate_zeroed()
    assert held in lost(kernel)
    kernel.ram.write(frame + 4088, held.to_bytes(8, "little"))
    assert held not in lost(kernel)


def test_four_byte_pointers_count_in_32_bit_modes(kernel):
    holder, held = kernel.heap.kmalloc(64), kernel.heap.kmalloc(64)
    kernel.memory.write(holder, (held & 0xFFFF_FFFF).to_bytes(4, "little") + b"\1\2\3\4")
    assert (held not in lost(kernel)) == (kernel.format.vaddr_bits == 32)


def test_what_the_kernel_itself_keeps_is_not_lost(kernel, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 9000)
    process = kernel.processes.create("p")
    process.read(process.map(0, 9000, "r", file=str(path)), 9000)
    process.fork()
    assert lost(kernel) == set()


@pytest.mark.parametrize("debug", [False, True])
def test_a_report_changes_nothing(debug):
    kernel = busy_machine("x86_64", debug=debug)
    digest = kernel.digest()
    text = leak_text(kernel)
    assert kernel.digest() == digest
    assert "inspect_machines.py:" in text
    assert max(len(line) for line in text.splitlines()) <= 120


def test_an_unrecorded_allocation_is_mentioned():
    kernel = coalmm.boot(ram="8M")
    kernel.tracking.enable()
    with kernel.failing(every=1, points=("frame",)):
        kernel.heap.kmalloc(64)
    assert leak_report(kernel).missed == 1
    assert "1 more were not recorded" in leak_text(kernel)
