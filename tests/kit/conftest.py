"""The kit needs gcc; without it there is nothing to test."""

import shutil

import pytest


def pytest_collection_modifyitems(items):
    if shutil.which("gcc") is None:
        for item in items:
            if "tests/kit" in str(item.path):
                item.add_marker(pytest.mark.skip(reason="no gcc"))
