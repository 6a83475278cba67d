"""Timers: POSIX timers, interval timers, timerfd. Native and ours are equal, and none is late for a slice's length."""

import pytest
from guests import PAGING, assert_same, program


@pytest.mark.parametrize("flavour", ["64", "32"])
def test_timers_are_those_of_linux(flavour):
    ours = assert_same([program("timers", flavour)], paging=PAGING[flavour])
    assert not ours.unknown


def test_a_timer_ends_with_its_process():
    def keep(system, task):
        kept.append(system)

    kept = []
    assert_same(["/bin/sh", "-c", "timeout 50 true; echo done"], prepare=keep)
    assert not kept[0].timers.timers
