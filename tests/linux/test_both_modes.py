"""Real programs interpreted and compiled: the same output, faults and calls, and the same bytes in RAM."""

import json
from pathlib import Path

import pytest
from guests import needs, program

from debian import i386_root
from machines import LIBRARIES, run_python, runs_both_modes

SCRIPT = Path(__file__).with_name("one_run.py")
PIPE = "for i in 3 1 2; do echo $i; done | sort -r | head -1; (exit 4); echo $?; cat <<<here"
PROGRAMS = {
    "true": ["/bin/true"],
    "echo": ["/bin/echo", "one", "two"],
    "ls": ["/bin/ls", "-ln", "/usr/share"],
    "bash with pipes": ["/bin/bash", "-c", PIPE],
    "python3": ["/usr/bin/python3", "-S", "-c", "print(sum(range(10**4)))"],
    "perl": ["/usr/bin/perl", "-e", "print join ',', map { $_ * $_ } 1 .. 99"],
}

pytestmark = runs_both_modes


def assert_equal_runs(paging, root, *argv):
    """Run it in both modes; what it did must be equal."""
    runs = {}
    for mode in LIBRARIES:
        done = run_python(SCRIPT, paging, root, *argv, mode=mode)
        assert done.returncode == 0, done.stderr
        runs[mode] = json.loads(done.stdout)
        assert runs[mode].pop("mode") == mode
    assert runs["compiled"]["ended"] and runs["compiled"]["report"]["faults"]["file"] > 0
    assert runs["interpreted"] == runs["compiled"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_does_the_same_to_memory_in_both_modes(name):
    needs(PROGRAMS[name][0])
    assert_equal_runs("x86_64", "/", *PROGRAMS[name])


@pytest.mark.parametrize("paging", ["i386", "pae"])
def test_a_static_32_bit_program_does_the_same_to_memory_in_both_modes(paging):
    assert_equal_runs(paging, "/", program("scarce", "32"), "mhcpsgd")  # no files: their times are the host's


@pytest.mark.parametrize("paging", ["i386", "pae"])
def test_a_dynamic_32_bit_program_does_the_same_to_memory_in_both_modes(paging):
    assert_equal_runs(paging, i386_root(), "/bin/bash", "-c", PIPE)
