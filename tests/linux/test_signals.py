"""Signals: what handlers see and change, what kills, what pends, what children tell. Native and ours are equal."""

import pytest
from guests import PAGING, assert_same, program

PROGRAMS = ("fault_signals", "fault_deaths", "signal_frames", "signal_queues", "signal_calls", "child_signals",
            "privileged")  # fmt: skip


@pytest.mark.parametrize("flavour", ["64", "32"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_signals_are_those_of_linux(name, flavour):
    ours = assert_same([program(name, flavour)], paging=PAGING[flavour])
    assert not ours.unknown


