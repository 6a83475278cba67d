"""Two new files get descriptors together: whatever fails, each of them is closed exactly once."""

import os
from types import SimpleNamespace

import pytest

from coalmm.errors import PageFaultError
from coalmm.linux.calls.transfer import install_pair
from coalmm.linux.vfs.events import AnonymousNode
from coalmm.linux.vfs.file_table import FileTable
from coalmm.linux.vfs.open_file import OpenFile


class Counting(OpenFile):
    """Counts how often it was closed."""

    closed = 0

    def release(self):
        self.closed += 1


def pair():
    return [Counting(AnonymousNode("end"), None, os.O_RDWR) for _ in range(2)]


@pytest.mark.parametrize("limit", [0, 1])
def test_without_room_for_both_each_is_closed_once_and_no_descriptor_stays(limit):
    task, ends = SimpleNamespace(files=FileTable(limit)), pair()
    with pytest.raises(OSError):
        install_pair(task, ends, 0, 0x1000)
    assert [end.closed for end in ends] == [1, 1]
    assert not task.files.slots


def test_an_array_that_cannot_be_written_closes_both_once():
    def write(vaddr, data):
        raise PageFaultError("no page there", vaddr, 6, error=-14)

    task, ends = SimpleNamespace(files=FileTable(8), write=write), pair()
    with pytest.raises(PageFaultError):
        install_pair(task, ends, 0, 0x1000)
    assert [end.closed for end in ends] == [1, 1]
    assert not task.files.slots
