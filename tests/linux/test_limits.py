"""A program that would never end, or take all there is, is ended by a limit, in time and with a report."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from guests import needs, program, run_on_ours

from coalmm.linux.calls import clone
from machines import run_python

TIMEOUT, ASLEEP_TIMEOUT = 0.5, 4.0
LATE = 20.0  # seconds for all of a run, on a machine that has other things to do
PYTHON = ["/usr/bin/python3", "-S", "-c"]
LOCK = "import _thread as t; l = t.allocate_lock(); l.acquire()\n"
ASLEEP = {
    "futex": [*PYTHON, LOCK + "l.acquire()"],
    "all threads": [*PYTHON, LOCK + "for _ in range(9): t.start_new_thread(l.acquire, ())\nl.acquire()"],
    "pipe": [*PYTHON, "import os; r, w = os.pipe(); os.read(r, 1)"],
    "signal": [*PYTHON, "import os\nif os.fork(): os.wait()\nimport _signal; _signal.pause()"],
    "stopped": ["/bin/bash", "-c", "kill -STOP $$"],
    "child": ["/bin/bash", "-c", "sleep 100 & wait"],
}
BUSY = {
    "loop": ["/bin/bash", "-c", "while :; do :; done"],
    "fork bomb": ["/bin/bash", "-c", ":() { :|: & }; :"],
    "exec": ["/bin/bash", "-c", "printf '#!/bin/sh\nexec $0' >/tmp/again; chmod 755 /tmp/again; exec /tmp/again"],
    "signals": ["/bin/bash", "-c", "trap 'kill -USR1 $$' USR1; kill -USR1 $$; while :; do sleep 1; done"],
    "large file": ["/bin/bash", "-c", "truncate -s 1T /tmp/x; cat /tmp/x >/dev/null"],
    "deep directories": ["/bin/bash", "-c", "cd $(mktemp -d); while mkdir d; do cd d; done"],
}


def run(tmp_path, *arguments):
    """`coalmm run` in a process of its own: how it ended, the report, and how long it took (seconds)."""
    report = tmp_path / "report.json"
    started = time.monotonic()
    done = run_python("-m", "coalmm", "run", "--report", report, *arguments, timeout=60)
    assert report.stat().st_size, done.stderr
    return done, json.loads(report.read_text()), time.monotonic() - started


def check_end(done, report, seconds, limit):
    """A run that its time limit ended says so, and was neither too early nor far too late."""
    assert done.returncode == 124, done.stderr
    assert report["timed_out"] and not report["kernel_failures"]
    assert limit <= seconds < limit + LATE


@pytest.mark.parametrize("argv", BUSY.values(), ids=BUSY)
def test_the_time_limit_ends_what_never_ends(tmp_path, argv):
    needs(argv[0])
    check_end(*run(tmp_path, "--ram", "64M", "--timeout", TIMEOUT, "--", *argv), TIMEOUT)


@pytest.fixture(scope="module")
def sleepers(tmp_path_factory):
    """The programs that wait for ever, run at the same time, since they do nothing: name -> what `run` gives."""
    needs("/usr/bin/python3")
    needs("/bin/bash")

    def one(name):
        folder = tmp_path_factory.mktemp("asleep")
        return run(folder, "--ram", "64M", "--timeout", ASLEEP_TIMEOUT, "--", *ASLEEP[name])

    with ThreadPoolExecutor(len(ASLEEP)) as pool:
        return dict(zip(ASLEEP, pool.map(one, ASLEEP), strict=True))


@pytest.mark.parametrize("name", ASLEEP)
def test_a_program_that_sleeps_takes_no_processor_time_and_ends_at_the_time_limit(sleepers, name):
    done, report, seconds = sleepers[name]
    check_end(done, report, seconds, ASLEEP_TIMEOUT)
    assert report["program_seconds"] < 3 / 4 * ASLEEP_TIMEOUT  # the start of Python, interpreted


def test_a_fork_bomb_gets_no_more_processes_than_it_may_have(tmp_path):
    needs("/bin/bash")
    options = ("--ram", "256M", "--timeout", 3, "--most-processes", 20)
    done, report, _ = run(tmp_path, *options, "--", "/bin/bash", "-c", ":() { :|: & }; :")
    assert "Resource temporarily unavailable" in done.stderr
    assert not report["kernel_failures"]


def test_a_flood_of_output_ends_at_its_limit(tmp_path):
    needs("/usr/bin/yes")
    done, report, _ = run(tmp_path, "--output-limit", "1M", "--timeout", 30, "--", "/usr/bin/yes")
    assert (done.returncode, len(done.stdout), report["signal"]) == (128 + 25, 1 << 20, 25)


def test_runaway_memory_ends_the_program_and_is_told(tmp_path):
    done, report, _ = run(tmp_path, "--ram", "16M", "--timeout", 30, "--", program("runaway", "64"), "heap")
    assert done.returncode == 128 + 9
    assert "no memory for the page" in report["crashes"][0]


@pytest.mark.parametrize("flavour", ["64", "32"])
def test_a_runaway_stack_ends_at_its_limit(tmp_path, flavour):
    done, report, _ = run(tmp_path, "--ram", "64M", "--timeout", 30, "--", program("runaway", flavour), "stack")
    assert done.returncode == 128 + 11
    assert "SIGSEGV" in report["crashes"][0]
    assert 7 << 20 < report["memory"]["peak_resident"] < 10 << 20  # RLIMIT_STACK is 8 MiB


@pytest.mark.parametrize("how", ["fault", "raise", "calls"])
def test_a_loop_of_signals_or_of_one_long_call_ends_at_the_time_limit(tmp_path, how):
    done, report, _ = run(tmp_path, "--timeout", TIMEOUT, "--", program("runaway", "64"), how)
    assert done.returncode == 124
    assert not report["kernel_failures"]


def test_signals_on_a_stack_that_ends_kill(tmp_path):
    done, report, _ = run(tmp_path, "--timeout", 30, "--", program("runaway", "64"), "nested")
    assert done.returncode == 128 + 11
    assert "SIGSEGV" in report["crashes"][0]


def test_children_have_so_many_descriptors_together(monkeypatch):
    monkeypatch.setattr(clone, "MOST_DESCRIPTORS", 7)
    tree = "echo 1; (echo 2; (echo 3; (echo 4); :); :); :"  # each shell has three
    ours = run_on_ours(["/bin/sh", "-c", tree], ram="16M")
    assert ours.outcome.stdout == b"1\n2\n3\n" and b"fork" in ours.outcome.stderr
    assert not ours.oopses
