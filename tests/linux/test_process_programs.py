"""Processes and threads: how they start, end and wait for each other. Native and ours are equal."""

import pytest
from guests import PAGING, assert_same, program

BOTH = ("arguments", "threads", "thread_words", "event_descriptors")
PROGRAMS = [("processes", "64"), *((name, bits) for name in BOTH for bits in ("64", "32"))]


@pytest.mark.parametrize(("name", "flavour"), PROGRAMS)
def test_processes_are_those_of_linux(name, flavour):
    ours = assert_same([program(name, flavour)], paging=PAGING[flavour])
    assert not ours.unknown
