"""Processes that are killed while they wait, and connections that nobody accepts."""

import pytest
from guests import PAGING, assert_same, program

from coalmm.linux.ipc import IpcObject


@pytest.mark.parametrize("flavour", ["64", "32"])
def test_who_waits_no_more_is_waited_for_by_nobody(flavour, monkeypatch):
    systems, left = [], []
    release = IpcObject.release

    def note(found):
        left.extend(getattr(found, "waiters", ()) or getattr(found, "receivers", ()))
        left.extend(systems[0].futexes)
        release(found)

    monkeypatch.setattr(IpcObject, "release", note)
    ours = assert_same(
        [program("abandoned", flavour)], paging=PAGING[flavour], prepare=lambda system, task: systems.append(system)
    )
    assert not ours.unknown
    assert systems and not left
