"""What each kind of page fault does, seen from a process."""

import os

import pytest

from coalmm.errors import EACCES, EFAULT, ENOMEM, ENXIO, PageFaultError
from coalmm.hardware.constants import FAULT_PRESENT, FAULT_USER, FAULT_WRITE, PAGE_COW, PAGE_DIRTY, PAGE_WRITABLE
from coalmm.virtual.constants import GUARD_GAP, MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, MAP_SHARED, S_STACK_LIMIT

PAGE = 4096
TOP = 0xB000_0000
SHARED_MEMORY = MAP_SHARED | MAP_ANONYMOUS


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"".join(bytes([n + 1]) * PAGE for n in range(20)) + b"tail")
    return str(path)


def refused(call, *arguments):
    with pytest.raises(PageFaultError) as caught:
        call(*arguments)
    return caught.value


def frame(process, vaddr):
    return process.processes.tables.physical(process.root, vaddr) >> 12


def test_anonymous_memory_reads_as_zero_and_costs_a_frame_only_where_it_is_touched(machine, process):
    start = process.map(0, 1 << 20)
    free = machine.frames.statistics().free
    assert process.read(start + 5 * PAGE - 3, 6) == bytes(6)
    assert process.usage.rss == 2 * PAGE and process.faults["zero"] == 2
    assert free - machine.frames.statistics().free <= 3  # two pages and at most a table


def test_a_reused_frame_shows_nothing_of_its_last_user(machine, process):
    start = process.map(0, 64 * PAGE)
    process.write(start, b"\xee" * 64 * PAGE)
    process.unmap(start, 64 * PAGE)
    start = process.map(0, 64 * PAGE)
    assert process.read(start, 64 * PAGE) == bytes(64 * PAGE)


def test_a_fault_carries_the_exact_address_and_error_code(process):
    start = process.map(0, PAGE, "r")
    fault = refused(process.read, start + PAGE + 17, 1)
    assert (fault.address, fault.code, fault.error, fault.bus) == (start + PAGE + 17, FAULT_USER, -EFAULT, False)
    process.read(start, 1)
    fault = refused(process.write, start + 9, b"x")
    assert (fault.address, fault.code, fault.error) == (start + 9, FAULT_PRESENT | FAULT_WRITE | FAULT_USER, -EACCES)
    fault = refused(process.read, 0xC000_0000, 4)
    assert (fault.address, fault.error) == (0xC000_0000, -EFAULT)


def test_a_write_that_faults_in_its_second_page_writes_nothing(process):
    start = process.map(0, PAGE)
    process.write(start + PAGE - 4, b"abcd")
    assert refused(process.write, start + PAGE - 4, b"12345678").address == start + PAGE
    assert process.read(start + PAGE - 4, 4) == b"abcd"


def test_a_private_file_page_is_the_caches_frame_until_it_is_written(machine, process, path):
    start = process.map(0, 20 * PAGE, "rw", MAP_PRIVATE, path)
    file = process.areas[0].file
    assert process.read(start + 3 * PAGE, 2) == b"\4\4"
    assert frame(process, start + 3 * PAGE) == machine.cache.lookup(file, 3)
    process.write(start + 3 * PAGE, b"own")
    assert frame(process, start + 3 * PAGE) != machine.cache.lookup(file, 3)
    assert process.read(start + 3 * PAGE, 5) == b"own\4\4"
    assert machine.ram.read(machine.cache.lookup(file, 3) << 12, 3) == b"\4\4\4"
    assert process.faults["copy"] == 1


def test_a_private_file_page_that_is_written_first_is_copied_at_once(process, path):
    start = process.map(0, 20 * PAGE, "rw", MAP_PRIVATE, path)
    process.write(start + 7 * PAGE + 1, b"own")
    assert process.read(start + 7 * PAGE, 5) == b"\10own\10"
    assert process.faults["file"] == 1 and process.faults["copy"] == 0


def test_a_touch_maps_what_the_cache_has_beside_it(process, path):
    start = process.map(0, 20 * PAGE, "r", MAP_PRIVATE, path)
    process.read(start, 1)
    faults = process.faults["file"]
    window_end = (start | 0xFFFF) + 1
    process.read(start, min(window_end - start, 16 * PAGE))
    assert process.faults["file"] == faults


def test_the_last_page_of_a_file_ends_in_zeros_and_the_next_is_a_bus_error(process, path):
    start = process.map(0, 30 * PAGE, "r", MAP_PRIVATE, path)
    assert process.read(start + 20 * PAGE, PAGE) == b"tail" + bytes(PAGE - 4)
    fault = refused(process.read, start + 21 * PAGE, 1)
    assert (fault.bus, fault.error) == (True, -ENXIO)


def test_a_shared_file_map_is_one_memory_and_reaches_the_host(machine, process, path):
    other = machine.processes.create("other")
    here = process.map(0, 4 * PAGE, "rw", MAP_SHARED, path)
    there = other.map(0, 4 * PAGE, "rw", MAP_SHARED, path, PAGE)
    assert other.read(there, 2) == b"\2\2"
    process.write(here + PAGE, b"both")
    assert other.read(there, 4) == b"both"
    assert process.sync(here, 4 * PAGE) == 0
    with open(path, "rb") as host:
        assert host.read()[PAGE : PAGE + 5] == b"both\2"
    other.write(there + 1, b"OTH")
    process.exit()
    other.exit()
    with open(path, "rb") as host:
        assert host.read()[PAGE : PAGE + 5] == b"bOTH\2"
    assert os.path.getsize(path) == 20 * PAGE + 4


def test_a_read_only_shared_map_is_not_writable_and_a_first_write_makes_it_dirty(machine, process, path):
    assert process.map(0, PAGE, "rw", MAP_SHARED, machine.files.open_host(path)) == -EACCES
    machine.files.release(machine.files.open_host(path))
    for file in machine.files.files():
        machine.files.release(file)
    start = process.map(0, PAGE, "rw", MAP_SHARED, path)
    process.read(start, 1)
    file = process.areas[0].file
    assert not machine.cache.is_dirty(machine.cache.lookup(file, 0))
    process.write(start, b"x")
    assert machine.cache.is_dirty(machine.cache.lookup(file, 0))


def test_shared_anonymous_memory_is_one_memory_for_parent_and_child(process):
    start = process.map(0, 3 * PAGE, "rw", SHARED_MEMORY)
    process.write(start, b"parent")
    child = process.fork()
    child.write(start + PAGE, b"child")
    assert child.read(start, 6) == b"parent" and process.read(start + PAGE, 5) == b"child"
    process.write(start, b"PARENT")
    assert child.read(start, 6) == b"PARENT"
    assert process.usage.shared == 2 * PAGE


def test_after_a_fork_the_first_writer_copies_and_the_last_owner_keeps_the_frame(machine, process):
    start = process.map(0, PAGE)
    process.write(start, b"old")
    before = frame(process, start)
    child = process.fork()
    entry = machine.tables.entry(process.root, start)
    assert entry & PAGE_COW and not entry & PAGE_WRITABLE
    child.write(start, b"new")
    assert frame(child, start) != before and process.read(start, 3) == b"old"
    process.write(start, b"mine")
    assert frame(process, start) == before and child.read(start, 4) == b"new\0"
    assert machine.tables.entry(process.root, start) & (PAGE_COW | PAGE_WRITABLE | PAGE_DIRTY) == (
        PAGE_WRITABLE | PAGE_DIRTY
    )


def test_a_page_that_was_read_only_at_the_fork_is_not_shared_by_a_later_right_to_write(process):
    start = process.map(0, PAGE)
    process.write(start, b"old")
    process.protect(start, PAGE, "r")
    child = process.fork()
    for each in (process, child):
        assert each.protect(start, PAGE, "rw") == 0
    child.write(start, b"new")
    assert process.read(start, 3) == b"old"


def test_a_stack_grows_by_faults_down_to_its_limit(machine, process):
    process.map_stack(TOP)
    process.write(TOP - 50 * PAGE, b"deep")
    assert process.areas[0].start == TOP - 50 * PAGE and process.faults["stack"] == 1
    machine.spaces.put(process.space, S_STACK_LIMIT, 100 * PAGE)
    process.write(TOP - 100 * PAGE, b"x")
    assert refused(process.write, TOP - 100 * PAGE - 1, b"x").error == -EFAULT
    assert process.usage.stack == 100 * PAGE


def test_a_stack_keeps_its_guard_gap(process):
    process.map_stack(TOP)
    below = TOP - (1 << 20) - GUARD_GAP
    process.map(below - PAGE, PAGE, flags=MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
    process.write(below + GUARD_GAP, b"x")
    assert refused(process.write, below + GUARD_GAP - 1, b"x").error == -EFAULT


def test_a_stale_translation_is_a_spurious_fault(machine, process):
    start = process.map(0, PAGE)
    process.write(start, b"x")
    assert machine.faults.handle(process.space, start, 1, True) == 0
    assert process.faults["spurious"] == 1


def test_without_a_frame_a_fault_fails_and_changes_nothing(machine, process):
    start = process.map(0, 16 * PAGE)
    process.write(start, b"x")
    with machine.injection.failing(every=1):
        fault = refused(process.write, start + PAGE, b"y")
    assert fault.error == -ENOMEM and process.usage.rss == PAGE
    machine.validate()
    process.write(start + PAGE, b"y")


def test_when_frames_run_out_clean_file_pages_are_given_up(machine, process, path):
    start = process.map(0, 20 * PAGE, "r", MAP_PRIVATE, path)
    for page in range(20):
        process.read(start + page * PAGE, 1)
    process.unmap(start, 20 * PAGE)
    assert machine.cache.pages == 20
    held = []
    while (paddr := machine.frames.allocate()) != 0:
        held.append(paddr)
    for paddr in held[:2]:
        machine.frames.free(paddr)
    start = process.map(0, 10 * PAGE)
    process.write(start, b"z" * 10 * PAGE)
    assert machine.cache.pages < 20 and process.read(start + 9 * PAGE, 1) == b"z"
    for paddr in held[2:]:
        machine.frames.free(paddr)


@pytest.mark.parametrize("kind", ["zero", "private", "copied", "shared", "memory", "stack", "cow"])
def test_a_fault_in_which_the_nth_allocation_fails_leaves_everything_as_it_was(machine, process, path, kind):
    def prepare():
        if kind == "stack":
            process.map_stack(TOP)
            return TOP - 2000 * PAGE, b"x"
        if kind in ("zero", "cow"):
            start = process.map(0x4000_0000, PAGE)
            if kind == "cow":
                process.write(start, b"old")
                process.fork()
            return start, b"x"
        if kind == "memory":
            return process.map(0x4000_0000, PAGE, "rw", SHARED_MEMORY), b"x"
        flags = MAP_SHARED if kind == "shared" else MAP_PRIVATE
        return process.map(0x4000_0000, PAGE, "rw", flags, path), b"x" if kind != "private" else b""

    machine.spaces.put(process.space, S_STACK_LIMIT, 1 << 30)
    vaddr, data = prepare()
    for nth in range(1, 12):
        before = process.usage, machine.frames.statistics(), process.areas
        with machine.injection.failing(nth=nth) as injection:
            try:
                process.write(vaddr, data) if data else process.read(vaddr, 1)
                failed = False
            except PageFaultError as fault:
                failed = True
                assert fault.error == -ENOMEM
            assert failed == (injection.failed != 0)
        machine.validate()
        if not failed:
            break
        assert (process.usage, machine.frames.statistics(), process.areas) == before
    assert not failed
    assert process.read(vaddr, 1) == (data or b"\1")
