"""Hostile programs end themselves, never the machine: a short run of hostile.py, and what it found once."""

import hostile
import pytest

from machines import run_python

PROGRAMS = 120  # `python tests/linux/hostile.py 10000` is a campaign


@pytest.mark.parametrize("part", [0, 1])
def test_changed_images_and_random_calls(part):
    """In a process of its own, so that a crash and a hang are found, and told with the number of the program."""
    done = run_python(hostile.__file__, PROGRAMS, 1000 * part, timeout=300)
    assert done.returncode == 0, done.stdout[-40:] + done.stderr
    assert {"64", "64-dynamic", "32"} <= set(done.stdout.split())


@pytest.mark.parametrize("flavour", ["64", "32"])
def test_random_calls_end_the_caller_at_most(flavour):
    run = hostile.run_calls(7, flavour, 8, 80)
    assert run.outcome.stdout == b"survived\n" or run.outcome.status
