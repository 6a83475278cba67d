"""The kit needs gcc; without it there is nothing to test. It is not compiled: its slow tests run in one mode only."""

import os
import shutil

import pytest

import coalmm

SLOW = {
    "test_find_and_shrink.py",
    "test_hostile_targets.py",
    "test_other_ways.py",
    "test_planted_faults.py",
    "test_reproducers.py",
}


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent.name != "kit":
            continue
        if shutil.which("gcc") is None:
            item.add_marker(pytest.mark.skip(reason="no gcc"))
        elif item.path.name in SLOW and os.environ.get("COALMM_SLOW_TESTED"):
            item.add_marker(pytest.mark.skip(reason="tested with the other Python of this run"))
        elif coalmm.MODE == "compiled" and item.path.name in SLOW:
            item.add_marker(pytest.mark.skip(reason="the kit is not compiled: tested with the interpreted form"))
