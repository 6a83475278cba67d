"""The life of processes: pids, fork, exit, wait, and what they leave behind."""

import errno

import pytest

from coalmm.errors import ECHILD, ENOMEM, ESRCH, MisuseError, PageFaultError
from coalmm.process.constants import SB_PROCESS_LIMIT
from coalmm.virtual.constants import MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE
from machine import Machine

PAGE = 4096
FIXED = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
BASE = 0x4000_0000


def fill(process, start, pages):
    for page in range(pages):
        process.write(start + page * PAGE, bytes([page + 1]) * 8)


def test_a_child_has_its_parents_memory_and_its_own_from_then_on(process):
    start = process.map(BASE, 4 * PAGE)
    fill(process, start, 3)
    child = process.fork()
    assert (child.parent, child.name) == (process.pid, "test")
    assert child.read(start, 4 * PAGE) == process.read(start, 4 * PAGE)
    child.write(start, b"child")
    process.write(start + PAGE, b"parent")
    assert process.read(start, 5) == b"\1" * 5 and child.read(start + PAGE, 5) == b"\2" * 5


def test_a_chain_of_64_forks_shares_every_page_that_nobody_wrote(machine, process):
    start = process.map(BASE, 20 * PAGE)
    fill(process, start, 20)
    used = machine.frames.kinds()["a process's page"]
    chain = [process]
    for generation in range(64):
        chain.append(chain[-1].fork())
        chain[-1].write(start + (generation % 20) * PAGE, bytes([generation]) * 4)
    assert machine.frames.kinds()["a process's page"] == used + 64
    assert process.read(start + 5 * PAGE, 8) == b"\6" * 8
    assert chain[-1].read(start + 3 * PAGE, 8) == bytes([63]) * 4 + b"\4" * 4
    for each in chain[::2] + chain[1::2]:
        each.exit()


@pytest.mark.parametrize("paging", ["i386", "pae", "x86_64", "la57"])
def test_processes_work_in_every_paging_mode(paging):
    machine = Machine(paging=paging)
    process = machine.processes.create()
    start = process.map(0, 64 * PAGE)
    fill(process, start, 64)
    child = process.fork()
    child.write(start, b"c")
    stack = process.map_stack(BASE)
    process.write(stack - 100 * PAGE, b"s")
    assert process.read(start, 2) == b"\1\1" and child.read(start, 2) == b"c\1"
    if paging == "i386":
        assert process.fetch(start) == b"\1"
    else:
        with pytest.raises(PageFaultError):
            process.fetch(start)
    machine.validate()
    assert machine.ledger() == 0


def test_exit_gives_every_frame_back_and_leaves_a_zombie_for_the_parent(machine, process):
    start = process.map(BASE, 50 * PAGE)
    child = process.fork()
    before = machine.frames.statistics().free
    fill(child, start, 50)
    child.exit(7)
    assert machine.frames.statistics().free >= before
    assert (child.state, child.status, child.usage.virt) == ("zombie", 7, 0)
    with pytest.raises(MisuseError):
        child.read(start, 1)
    with pytest.raises(MisuseError):
        child.exit()
    assert process.wait() == (child.pid, 7)
    assert process.wait() == (-ECHILD, 0)
    with pytest.raises(MisuseError):
        _ = child.state


def test_wait_knows_living_children_and_orphans_need_nobody(machine, process):
    child = process.fork()
    grandchild = child.fork()
    assert process.wait() == (0, 0)
    grandchild.exit(3)
    child.exit(4)
    assert machine.processes.find(grandchild.pid) is None
    assert process.wait(child.pid) == (child.pid, 4)


def test_pids_run_out_and_come_back(machine):
    made = []
    with pytest.raises(OSError) as caught:
        while True:
            made.append(machine.processes.create())
    assert caught.value.errno in (errno.EAGAIN, errno.ENOMEM)
    assert len(made) == machine.ram.words[SB_PROCESS_LIMIT] - 1 or caught.value.errno == ENOMEM
    for each in made:
        each.exit()
    assert len(machine.processes) == 0
    assert machine.processes.create().pid > 0


def test_a_pid_is_not_reused_while_another_is_free(machine, process):
    first = process.fork()
    pid = first.pid
    first.exit()
    process.wait()
    assert process.fork().pid != pid


@pytest.mark.parametrize("pid", [-1, 0, 99, 2**31 - 1, 2**80, -(2**80)])
def test_b297_meminfo_of_an_unknown_pid_is_an_error(machine, process, pid):
    assert machine.processes.meminfo(pid) == -ESRCH


def test_b299_a_zombies_meminfo_is_all_zeros(machine, process):
    child = process.fork()
    child.exit()
    assert set(machine.processes.meminfo(child.pid)) == {0}


def test_b300_a_childs_resident_pages_are_counted_and_private_ones_are_not_shared(process):
    start = process.map(BASE, 4 * PAGE)
    fill(process, start, 4)
    child = process.fork()
    assert child.usage.rss == 4 * PAGE and child.usage.shared == 0


def test_b302_after_unmapping_everything_nothing_is_resident(process):
    start = process.map(BASE, 8 * PAGE)
    fill(process, start, 8)
    assert process.unmap(0x10000, 0x8000_0000) == 0
    assert process.usage == (0, 0, 0, 0, 0, 0)


def test_a_fork_in_which_the_nth_allocation_fails_leaves_the_parent_as_it_was(machine, process):
    start = process.map(BASE, 2000 * PAGE)
    for page in range(0, 2000, 300):
        process.write(start + page * PAGE, b"x")
    process.map_stack(0xB000_0000)
    process.write(0xB000_0000 - 4, b"top")
    machine.settle()
    for nth in range(1, 40):
        before = process.usage, machine.frames.statistics(), process.areas, machine.processes.pids()
        with machine.injection.failing(nth=nth) as injection:
            try:
                child = process.fork()
            except OSError as error:
                assert error.errno == ENOMEM
                child = None
            failed = injection.failed
        machine.validate()
        if child is not None:
            break
        assert failed
        machine.slabs.shrink()
        assert (process.usage, machine.frames.statistics(), process.areas, machine.processes.pids()) == before
    assert child is not None and nth > 3
    assert child.read(start + 300 * PAGE, 1) == b"x"


def test_a_creation_in_which_the_nth_allocation_fails_leaves_nothing(machine):
    for nth in range(1, 20):
        machine.settle()
        before = machine.frames.statistics()
        with machine.injection.failing(nth=nth):
            try:
                process = machine.processes.create()
            except OSError:
                process = None
        if process is not None:
            break
        machine.settle()
        assert machine.frames.statistics() == before
    assert process is not None and nth > 2


def test_everything_goes_on_from_the_ram_alone(machine, process, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"from the host" * 1000)
    start = process.map(BASE, 8 * PAGE)
    fill(process, start, 3)
    process.map(BASE + 64 * PAGE, 3 * PAGE, "r", MAP_PRIVATE, str(path))
    child = process.fork()
    again = Machine(ram=machine.ram)
    parent, copy = again.processes.find(process.pid), again.processes.find(child.pid)
    assert (parent.name, parent.areas, copy.parent) == ("test", process.areas, process.pid)
    copy.write(start, b"attached")
    assert parent.read(start, 8) == b"\1" * 8 and copy.read(start, 8) == b"attached"
    assert copy.read(BASE + 64 * PAGE, 13) == b"from the host"
    grandchild = copy.fork()
    grandchild.write(start + 5 * PAGE, b"new")
    again.validate()
    for pid in again.processes.pids()[::-1]:
        again.processes.exit(pid)
    machine.tables.switch(again.mmu.cr3)


def test_the_wrong_types_of_arguments_are_refused_in_words(process):
    for wrong in ("x", 1.5, None, -1, 2**64):
        for call in (process.read, process.map, process.unmap, process.peek, process.sync):
            with pytest.raises((TypeError, ValueError)):
                call(wrong, PAGE)
    with pytest.raises(ValueError):
        process.map(0, PAGE, "rq")
