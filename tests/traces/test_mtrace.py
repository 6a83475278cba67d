"""glibc mtrace: what each line becomes, and the counts of what does not add up."""

from pathlib import Path

import pytest
from readers import SAMPLES, read, steps, write

from coalmm.errors import TraceError
from coalmm.traces.constants import ALLOCATE, CHUNK_EVENTS, FREE, REALLOCATE


def test_the_sample_of_a_real_program() -> None:
    trace, events = read(SAMPLES / "mtrace.log")
    assert trace.format == "mtrace"
    assert steps(events) == [
        (ALLOCATE, 0, 0xA),
        (REALLOCATE, 0, 0x1388),
        (REALLOCATE, 0, 0x14),
        (ALLOCATE, 1, 0x15),
        (ALLOCATE, 2, 0x80),
        (ALLOCATE, 3, 0x1000),
        (ALLOCATE, 4, 0x64),
        (FREE, 0, 0),
        (FREE, 1, 0),
        (FREE, 2, 0),
        (FREE, 3, 0),
        (ALLOCATE, 3, 0x100000),
        (REALLOCATE, 3, 0x200000),
        (ALLOCATE, 2, 0x21),
        (FREE, 3, 0),
    ]
    assert trace.sites[events[0].site] == "./t:[0x11d0]"
    assert trace.recorder.lines == 20
    assert trace.recorder.other_lines == 0


def test_three_forms_of_the_caller(tmp_path: Path) -> None:
    callers = ["[0x401000]", "/a b/c:[0x5]", "t:(f(int [3])+0x1)[0x9]"]
    text = "".join(f"@ {caller} + 0x{n}0 0x{n}\n" for n, caller in enumerate(callers, 1))
    trace, events = read(write(tmp_path, text + "+ 0x40 0x4\n"))
    assert [trace.sites[event.site] for event in events] == [*callers, ""]
    assert [event.size for event in events] == [1, 2, 3, 4]


def test_a_free_of_an_unknown_block_is_counted_and_is_no_event(tmp_path: Path) -> None:
    trace, events = read(write(tmp_path, "@ [0x1] - 0x99\n@ [0x1] + 0x10 0x8\n@ [0x1] - (nil)\n"))
    assert steps(events) == [(ALLOCATE, 0, 8)]
    assert trace.recorder.unknown_frees == 1
    assert trace.recorder.null_frees == 1


def test_an_address_handed_out_while_live_means_that_a_free_was_lost(tmp_path: Path) -> None:
    trace, events = read(write(tmp_path, "@ [0x1] + 0x10 0x8\n@ [0x1] + 0x10 0x9\n"))
    assert steps(events) == [(ALLOCATE, 0, 8), (FREE, 0, 0), (ALLOCATE, 0, 9)]
    assert trace.recorder.lost_frees == 1


def test_a_realloc_onto_a_live_block_frees_that_one_first(tmp_path: Path) -> None:
    text = "@ [0x1] + 0x10 0x8\n@ [0x1] + 0x20 0x9\n@ [0x1] < 0x10\n@ [0x1] > 0x20 0x30\n@ [0x1] - 0x20\n"
    trace, events = read(write(tmp_path, text))
    assert steps(events)[:2] == [(ALLOCATE, 0, 8), (ALLOCATE, 1, 9)]
    assert steps(events)[2:] == [(FREE, 1, 0), (REALLOCATE, 0, 0x30), (FREE, 0, 0)]
    assert trace.recorder.lost_frees == 1


def test_a_realloc_of_an_unknown_block_begins_a_new_one(tmp_path: Path) -> None:
    trace, events = read(write(tmp_path, "@ [0x1] < 0x10\n@ [0x1] > 0x20 0x30\n"))
    assert steps(events) == [(ALLOCATE, 0, 0x30)]
    assert trace.recorder.unknown_frees == 1


def test_half_a_realloc_ends_the_old_block(tmp_path: Path) -> None:
    _, events = read(write(tmp_path, "@ [0x1] + 0x10 0x8\n@ [0x1] < 0x10\n@ [0x1] + 0x20 0x30\n"))
    assert steps(events) == [(ALLOCATE, 0, 8), (FREE, 0, 0), (ALLOCATE, 0, 0x30)]


def test_failures_of_the_program_are_counted_and_leave_the_block(tmp_path: Path) -> None:
    failures = "@ [0x1] ! 0x10 0xffffffffffffffff\n@ [0x1] + (nil) 0xffffffffffffffff\n"
    text = f"@ [0x1] + 0x10 0x8\n{failures}@ [0x1] - 0x10\n"
    trace, events = read(write(tmp_path, text))
    assert steps(events) == [(ALLOCATE, 0, 8), (FREE, 0, 0)]
    assert trace.recorder.failed == 2


def test_size_zero_is_printed_without_0x(tmp_path: Path) -> None:
    _, events = read(write(tmp_path, "@ [0x1] + 0x10 0\n"))
    assert steps(events) == [(ALLOCATE, 0, 0)]


def test_output_of_the_program_in_between_is_counted(tmp_path: Path) -> None:
    trace, events = read(write(tmp_path, "= Start\nhello\n\n- a list\n@ [0x1] + 0x10 0x8\r\n= End\n"))
    assert steps(events) == [(ALLOCATE, 0, 8)]
    assert trace.recorder.other_lines == 3


@pytest.mark.parametrize(
    "line",
    [
        "@ [0x1] + 0x10",
        "@ [0x1] + 0x10 0xzz",
        "@ [0x1] + 0x10 0x11112222333344445",
        "@ [0x1] - 0x10 0x8",
        "@ [0x1] - 0xg",
        "@ [0x1] * 0x10",
        "@ [0x1] + -16 0x8",
        "@ [0x1] + 0xffffffffffffffff 0x8",
        "@ [0x1]",
        "@ ",
        "@ [0x1] +",
    ],
)
def test_an_unreadable_line_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    path = write(tmp_path, f"= Start\n@ [0x1] + 0x10 0x8\n{line}\n")
    with pytest.raises(TraceError, match=rf"^{path}:3: not a line of mtrace: {line[:2]}[^\n]*$"):
        read(path)


def test_slots_are_used_again_and_chunks_join_seamlessly(tmp_path: Path) -> None:
    rounds = 3 * CHUNK_EVENTS
    text = "= Start\n" + "".join(f"@ [0x{n % 5 + 1}] + {16 + 16 * n:#x} {n:#x}\n" for n in range(rounds))
    text += "".join(f"@ [0x1] - {16 + 16 * n:#x}\n" for n in range(rounds))
    trace, events = read(write(tmp_path, text))
    assert [event.slot for event in events[:rounds]] == list(range(rounds))
    assert [event.slot for event in events[rounds:]] == list(range(rounds))
    assert [event.size for event in events[:rounds]] == list(range(rounds))
    assert trace.recorder.events == 2 * rounds
    assert trace.recorder.slots_live == 0
