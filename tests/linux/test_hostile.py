"""Hostile programs end themselves, never the machine: a short run of hostile.py, and what it found once."""

import pytest
from hostile import fuzz, run_calls


@pytest.mark.parametrize("part", [0, 1])
def test_changed_images_and_random_calls(part):
    assert fuzz(15.0, 1000 * part) > 5


@pytest.mark.parametrize("flavour", ["64", "32"])
def test_random_calls_end_the_caller_at_most(flavour):
    run = run_calls(7, flavour, 8, 80)
    assert run.outcome.stdout == b"survived\n" or run.outcome.status
