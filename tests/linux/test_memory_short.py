"""Memory runs out anywhere: the program gets -ENOMEM or is ended with a report, and the machine goes on.

`run_on_ours` holds after each run that every structure is sound and that every frame and object is back.
"""

import os

import pytest
from guests import PAGING, program, run_on_ours

import coalmm
from coalmm.linux.system import System
from machines import Ledger

STEPS = "mhctfpsgd"  # of c/scarce.c: maps, heap, children, threads, files, pipes, signals, segments, stack
STRIDE = 1 if coalmm.MODE == "compiled" else 4
BUSY = "for i in 1 2 3 4; do (seq 3000 | sort -r >/tmp/x$i; cat /tmp/x$i | tail -1) & done; wait; echo end"


class Scarcity:
    """What is done to a machine when its program has been loaded, and undone before the books are closed."""

    def __init__(self, number):
        self.number = number
        self.failed = 0

    def __call__(self, system, task):
        self.kernel, self.system = system.kernel, system
        self.start()
        close = system.close

        def close_after():
            self.end()
            close()

        system.close = close_after

    def start(self):
        raise NotImplementedError

    def end(self):
        self.failed = self.kernel.injection.failed
        self.kernel.injection.disarm()


class Nth(Scarcity):
    """One request for memory fails, whatever it is for."""

    def start(self):
        self.kernel.injection.arm(nth=self.number)


class Every(Scarcity):
    """Every n-th request fails."""

    def start(self):
        self.kernel.injection.arm(every=self.number)


class Calls(Scarcity):
    """From the n-th system call on every request fails."""

    def start(self):
        self.calls = 0
        self.system.on_system_call = self.count

    def count(self, *_):
        self.calls += 1
        if self.calls == self.number:
            self.kernel.injection.arm(every=1)


class Frames(Scarcity):
    """So many frames are left."""

    def start(self):
        self.held = []
        while self.kernel.frames.statistics().free > self.number:
            self.held.append(self.kernel.frames.allocate())

    def end(self):
        self.failed = 1
        for frame in self.held:
            self.kernel.frames.free(frame)


SWEEPS = [  # what fails, which of them, the step between two runs
    (Nth, range(1, 380), 6),
    (Every, range(1, 24), 1),
    (Calls, range(1, 170), 4),
    (Frames, range(330), 5),
]


def outcome_is_right(run):
    """Either all was done, with nothing but ENOMEM for an error, or a signal ended it and the report says why."""
    status, written = run.outcome.status, run.outcome.stdout
    return run.ended and (bool(run.crashes) if status else written == b"end\n") and b":" not in written


@pytest.mark.parametrize("flavour", ["64", "32"])
@pytest.mark.parametrize(("kind", "numbers", "step"), SWEEPS, ids=[kind.__name__ for kind, *_ in SWEEPS])
def test_memory_may_end_anywhere(kind, numbers, step, flavour):
    path = program("scarce", flavour)
    missing = 0
    for number in numbers[:: step * STRIDE]:
        scarcity = kind(number)
        steps = STEPS if kind is not Frames else STEPS[number % len(STEPS)]
        run = run_on_ours([path, steps], ram="8M", paging=PAGING[flavour], timeout=60.0, prepare=scarcity)
        assert not run.oopses, (number, run.oopses)
        assert outcome_is_right(run), (number, run)
        missing += scarcity.failed > 0
    assert missing > len(numbers[:: step * STRIDE]) // 2


def test_each_request_of_a_short_program_may_fail():
    path = program("short", "64")
    number = 1
    while True:
        scarcity = Nth(number)
        run = run_on_ours([path], ram="16M", timeout=30.0, prepare=scarcity)
        assert run.ended and not run.oopses, (number, run.oopses)
        assert run.outcome.status or b"end" in run.outcome.stdout
        if not scarcity.failed:
            break
        number += STRIDE
    assert number > 100


@pytest.mark.parametrize("how", ["nth", "every"])
def test_a_program_that_cannot_be_loaded_leaves_nothing(how):
    path = program("hello", "64").encode()
    refused = 0
    for number in range(1, 40, 1 if coalmm.MODE == "compiled" else 3):
        with coalmm.boot(ram="8M", paging="x86_64") as kernel, open(os.devnull, "wb") as nowhere:
            ledger = Ledger(kernel)
            system = None
            with kernel.failing(**{how: number}):
                try:
                    system = System(kernel, "/", console=(0, nowhere.fileno(), 2))
                    system.spawn([path], [b"A=1"])
                except MemoryError:
                    assert system is None
                    refused += 1
                except OSError as error:
                    assert error.errno == 12
                    refused += 1
            if system is not None:
                system.run(10.0)
                system.close()
            kernel.files.drop_unused()
            ledger.assert_all_is_back()
    assert refused


@pytest.mark.parametrize("flavour", ["64", "32"])
@pytest.mark.parametrize("ram", ["2M", "4M", "6M", "8M"])
def test_a_small_machine_ends_programs_and_not_itself(flavour, ram):
    run = run_on_ours([program("greedy", flavour)], ram=ram, paging=PAGING[flavour], timeout=60.0)
    assert run.ended
    assert not run.oopses, run.oopses
    assert b"asked for" in run.outcome.stdout
    assert run.outcome.status == 9 or b"end" in run.outcome.stdout


@pytest.mark.parametrize("ram", ["2M", "3M", "4M", "6M", "16M"])
def test_a_busy_shell_on_a_small_machine(ram):
    run = run_on_ours(["/bin/bash", "-c", BUSY], ram=ram, timeout=60.0)
    assert run.ended
    assert not run.oopses, run.oopses
    is_complete = run.outcome.stdout == b"1\n" * 4 + b"end\n"
    assert is_complete or run.crashes or b"memory" in run.outcome.stderr
    assert is_complete if ram == "16M" else ram != "2M" or not is_complete
