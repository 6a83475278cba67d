"""A system call that takes long is cut short when the run's time is over, and the program does not see it."""

from errno import EFAULT, EINTR, ENOMEM

import guests
import pytest

import coalmm
from coalmm.linux.system import System
from machines import Ledger

PIECE = 1 << 20  # what a transfer moves between two looks at the clock
SIZE = 64 << 20
RESULTS = {
    "mmap": None,
    "madvise": -EFAULT,
    "mlock": -ENOMEM,
    "read": PIECE,
    "pread64": PIECE,
    "write": PIECE,
    "sendfile": PIECE,
    "copy_file_range": PIECE,
    "mincore": -EINTR,
    "execve": -EINTR,
    "fork": -ENOMEM,
}


class Late:
    """Sets the deadline of a run into the past when a call is made, and ends the run after it."""

    def __init__(self, system, name):
        self.system, self.name = system, name
        self.perform, system.dispatcher.perform = system.dispatcher.perform, self.do
        self.result, self.resident = None, 0

    def do(self, task, number, arguments):
        wanted = self.system.dispatcher.name(task.abi, number) == self.name
        wanted = wanted and not (self.name == "mmap" and not arguments[3] & 0x8000)  # the one with MAP_POPULATE
        if not wanted:
            return self.perform(task, number, arguments)
        before = task.process.usage.rss
        self.system.kernel.mmu.deadline = 1
        self.result = self.perform(task, number, arguments)
        self.resident = task.process.usage.rss - before
        self.system.stop()
        return self.result


@pytest.mark.parametrize("name", RESULTS)
def test_a_long_call_ends_after_a_part_when_the_time_is_over(name, tmp_path):
    out = tmp_path / "out"
    with coalmm.boot(ram="256M", paging="x86_64") as kernel, open(out, "wb+") as stream:
        ledger = Ledger(kernel)
        system = System(kernel, console=(0, stream.fileno(), stream.fileno()))
        late = Late(system, name)
        system.spawn([guests.program("long_calls", "64").encode(), name.encode()])
        assert not system.run(60, ends=True)
        kernel.validate()
        system.close()
        kernel.files.drop_unused()
        ledger.assert_all_is_back()
    assert late.result is not None and RESULTS[name] in (None, late.result)
    assert late.resident <= 2 * PIECE < SIZE
    assert out.read_bytes() == b""


@pytest.mark.parametrize("name", ["mmap", "read", "sendfile", "fork"])
def test_a_limit_that_does_not_end_the_programs_lets_the_call_finish(name, tmp_path):
    out = tmp_path / "out"
    with coalmm.boot(ram="256M", paging="x86_64") as kernel, open(out, "wb+") as stream:
        system = System(kernel, console=(0, stream.fileno(), stream.fileno()))
        system.spawn([guests.program("long_calls", "64").encode(), name.encode()])
        while not system.run(0.01):
            pass
        system.close()
    assert out.read_bytes() == (b"seen\nseen\n" if name == "fork" else b"seen\n")
