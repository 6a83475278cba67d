"""The index of system calls is what the families register."""

import importlib.util

from coalmm.linux.calls.index import FAMILIES
from coalmm.linux.dispatch import families_of, find_call
from machines import PROJECT


def script():
    """scripts/write_calls.py as a module."""
    spec = importlib.util.spec_from_file_location("write_calls", PROJECT / "scripts" / "write_calls.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_index_is_what_its_script_would_write():
    assert (PROJECT / "src/coalmm/linux/calls/index.py").read_text() == script().index_text()


def test_every_call_of_the_index_is_found():
    for names in FAMILIES.values():
        for name in names.split():
            assert find_call(name, 8) or find_call(name, 4), name


def test_a_call_that_is_not_in_the_index_is_looked_for_everywhere(monkeypatch):
    monkeypatch.setitem(FAMILIES, "clocks", "")

    assert find_call("nanosleep", 8) is not None
    assert "clocks" in families_of("nanosleep")
    assert find_call("no_such_call", 8) is None

