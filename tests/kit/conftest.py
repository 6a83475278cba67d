"""The kit needs gcc; without it there is nothing to test."""

import shutil

import pytest


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent.name == "kit" and shutil.which("gcc") is None:
            item.add_marker(pytest.mark.skip(reason="no gcc"))
