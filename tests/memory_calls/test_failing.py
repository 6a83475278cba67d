"""Memory calls without memory: an errno or a fault, structures that are whole, and every frame back in the end."""

import itertools

import pytest
from compare import CONTENT
from direct import PAGE, Direct
from scripts import Script

import coalmm

STATE = [
    "call 9 A0 4000 3 32 -1 0", "store A0 1", "store A1000 2", "store A3000 3",
    "call 9 A8000 4000 3 31 -1 0", "store A9000 4",
    "call 9 A10000 3000 3 12 3 0", "store A11000 5", "load A10000",
    "call 9 A18000 3000 3 11 3 1000", "store A18000 6",
    "call 9 A20000 2000 3 132 -1 0", "store A21000 7", "call c B2000", "store B1000 8",
]  # fmt: skip
CALLS = [
    "call 9 0 3000 3 22 -1 0", "call 9 0 3000 3 8022 -1 0", "call 9 A1000 2000 3 2032 -1 0", "call 9 0 3000 3 21 -1 0",
    "call 9 A8000 2000 3 11 3 0", "call 9 0 2000 3 8012 3 0", "call b A1000 1000", "call b A9000 1000",
    "call a A1000 1000 1", "call a A10000 1000 7", "call 19 A0 4000 9000 1", "call 19 A0 4000 2000 3 A28000",
    "call 19 A8000 3000 3000 5 0", "call 19 A0 10000 10000 3 A30000", "call 19 A18000 0 2000 1", "call 1c A1000 1000 a",
    "call 1c A1000 1000 4", "call 1c A0 4000 17", "call 1c A10000 3000 17", "call 1c A9000 1000 9",
    "call 95 A1000 2000", "call d8 A8000 1000 0 1 0", "call c B9000", "call c B800", "call 1a A18000 3000 4",
    "call 4d 3 1800", "store A2000 9", "store A10000 a", "store A1a000 b", "store A1f000 c", "load Aa000",
]  # fmt: skip


def count_free(kernel):
    """Frames that nobody has, those that are only kept for later too."""
    kernel.files.drop_unused()
    kernel.slabs.shrink()
    return kernel.frames.statistics().free + kernel.buddy.statistics().free_bytes // PAGE


def end(program):
    """The program ends, its files too."""
    program.guest.task.files.close_all()
    program.process.exit()


@pytest.fixture
def kernel(path):
    """A machine on which a program has run, so that what stays is there: its frames are counted in the end."""
    kernel = coalmm.boot(ram="16M", paging="x86_64")
    first = Direct(64, kernel=kernel)
    first.run([f"open 2 {path}", *STATE])
    end(first)
    free = count_free(kernel)
    yield kernel
    kernel.validate()
    assert count_free(kernel) == free


@pytest.mark.parametrize("call", CALLS)
def test_a_call_whose_nth_allocation_fails_answers_and_leaves_whole_structures(kernel, path, call):
    for nth in itertools.count(1):
        program = Direct(64, kernel=kernel)
        program.run([f"open 2 {path}", *STATE])
        before = program.maps(), program.hash()
        with kernel.failing(nth=nth) as injection:
            answer = program.line(call)
            failed = injection.failed
        kernel.validate()
        if failed and answer == "-c" and "19 A0 4000 2000" not in call:
            assert (program.maps(), program.hash()) == before
        after = program.maps()
        program.run(["store A3000 d", "load A9000", "load A12000"])
        end(program)
        if not failed:
            break
        assert nth < 100
    assert after  # the last round, in which nothing failed, went through


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("every", [3, 10])
def test_random_calls_with_allocations_that_fail_leave_whole_structures(kernel, path, seed, every):
    program = Direct(64, kernel=kernel)
    script = [line for line in Script(64, seed, path).make(120) if not line.startswith(("number", "maps", "hash"))]
    program.run(script[:2])
    with kernel.failing(every=every):
        for number, line in enumerate(script[2:]):
            program.line(line)
            if number % 16 == 0:
                kernel.validate()
    end(program)


def test_memory_that_runs_out_is_an_errno_or_a_fault_and_comes_back(kernel, path):
    program = Direct(64, kernel=kernel)
    program.run([f"open 2 {path}", "call 9 A0 100000 3 4022 -1 0"])
    start = program.process.map(0, 32 << 20, "rw", 0x4022)
    stored = 0
    while program.store(start + stored * PAGE, 1) == "1":
        stored += 1
    assert 1000 < stored < 4096
    assert program.line("call 9 0 3000 3 8022 -1 0").startswith("A")  # populate may fail, the map does not
    assert program.line("call 95 A0 4000") in ("-b", "-c")
    assert program.line("call 1c A0 4000 17") in ("-c", "-e")
    with pytest.raises(OSError):
        for _ in range(64):
            program.process.fork()
    assert program.process.unmap(start, 32 << 20) == 0
    assert program.line("store A0 5") == "5"
    end(program)
    for pid in kernel.processes.pids():
        kernel.processes.find(pid).exit()
    assert path.read_bytes() == CONTENT
