"""CS:APP malloc lab traces."""

from pathlib import Path

import pytest
from readers import read, steps, write

from coalmm.errors import TraceError
from coalmm.traces.constants import ALLOCATE, FREE, REALLOCATE


def test_the_short_trace_of_the_lab(tmp_path: Path) -> None:
    text = "20000\n3\n7\n1\na 0 512\na 1 128\nr 0 640\na 2 128\nf 1\nr 0 768\nf 0\nf -1\n"
    trace, events = read(write(tmp_path, text))
    assert trace.format == "rep"
    assert steps(events) == [
        (ALLOCATE, 0, 512),
        (ALLOCATE, 1, 128),
        (REALLOCATE, 0, 640),
        (ALLOCATE, 2, 128),
        (FREE, 1, 0),
        (REALLOCATE, 0, 768),
        (FREE, 0, 0),
    ]
    assert trace.recorder.null_frees == 1
    assert trace.recorder.slots_live == 1


def test_the_last_line_may_lack_its_newline(tmp_path: Path) -> None:
    _, events = read(write(tmp_path, "1 1 2 1\na 0 512\nf 0"))
    assert len(events) == 2


@pytest.mark.parametrize("line", ["x 1", "a 1", "a 1 2 3", "f", "a -1 5", "a 1 99999999999999999999"])
def test_an_unreadable_line_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    path = write(tmp_path, f"1\n1\n1\n1\na 0 512\n{line}\nf 0\n")
    with pytest.raises(TraceError, match=":6: cannot be read: "):
        read(path)
