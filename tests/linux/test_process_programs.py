"""Processes and threads: how they start, end and wait for each other. Native and ours are equal."""

import pytest
from guests import PAGING, assert_same, program


@pytest.mark.parametrize(("name", "flavour"), [("processes", "64"), ("threads", "64"), ("threads", "32")])
def test_processes_are_those_of_linux(name, flavour):
    ours = assert_same([program(name, flavour)], paging=PAGING[flavour])
    assert not ours.unknown
