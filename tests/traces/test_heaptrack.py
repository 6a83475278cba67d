"""heaptrack: raw files are read, interpreted ones refused."""

from pathlib import Path

import pytest
from readers import SAMPLES, read, steps, write

from coalmm.errors import TraceError
from coalmm.traces.constants import ALLOCATE, FREE


def test_the_sample_of_a_real_program() -> None:
    trace, events = read(SAMPLES / "heaptrack-raw.txt")
    assert trace.format == "heaptrack"
    first = [(ALLOCATE, 0, 0x11C00), (ALLOCATE, 1, 10), (FREE, 1, 0), (ALLOCATE, 1, 0x1388)]
    assert steps(events)[:4] == first
    assert len(events) == 19
    assert trace.sites[events[0].site].startswith("libstdc++.so.6+0xa57b9 < ld-linux-x86-64.so.2+0x4a1d")
    assert trace.sites[events[1].site].startswith("t+0x11cf < libc.so.6+0x27249")


def test_times_are_seconds(tmp_path: Path) -> None:
    _, events = read(write(tmp_path, "v 10400 3\n+ 8 0 10\nc 3e8\n- 10\n"))
    assert [event.time for event in events] == [0.0, 1.0]


@pytest.mark.parametrize("line", ["s c ./elf/rtld.c", "a 11c00 4", "i 7fa708cdab9f 8 0 b 0", "+ 0"])
def test_an_interpreted_file_is_refused_with_the_way_out(tmp_path: Path, line: str) -> None:
    path = write(tmp_path, f"v 10400 3\nX ./t\nI 1000 5e298f\n{line}\n")
    with pytest.raises(TraceError, match=r"no addresses.*record with: heaptrack --raw PROGRAM$"):
        read(path)


@pytest.mark.parametrize("line", ["+ 8 0", "- zz", "t 5", "m 3", "+ 8 0 10 10", "- 11112222333344445"])
def test_an_unreadable_line_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    path = write(tmp_path, f"v 10400 3\n+ 8 0 10\n{line}\n- 10\n")
    with pytest.raises(TraceError, match=":3: cannot be read: "):
        read(path)
