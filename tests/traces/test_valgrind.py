"""valgrind --trace-malloc=yes, as valgrind 3.19 prints it."""

from pathlib import Path

import pytest
from readers import SAMPLES, read, steps, write

from coalmm.errors import TraceError
from coalmm.traces.constants import ALLOCATE, ALLOCATE_ZEROED, FREE, REALLOCATE


def test_the_sample_of_a_real_program() -> None:
    trace, events = read(SAMPLES / "valgrind-malloc.log")
    assert trace.format == "valgrind"
    assert steps(events)[:5] == [
        (ALLOCATE, 0, 10),
        (REALLOCATE, 0, 5000),
        (REALLOCATE, 0, 20),
        (ALLOCATE_ZEROED, 1, 21),
        (ALLOCATE, 2, 128),
    ]
    assert [event.align for event in events if event.align] == [64, 4096, 32]
    assert trace.recorder.null_frees == 77
    assert trace.recorder.slots_live == 2


def test_cpp_and_calls_that_end_in_others(tmp_path: Path) -> None:
    text = """==5102== Memcheck, a memory error detector
--5102-- _Znam(10) = 0x4D6DC80
--5102-- _Znwm(4) = 0x4D6DCD0
--5102-- _ZdlPvm(0x4D6DCD0)
--5102-- _ZdaPv(0x4D6DC80)
--5102-- realloc(0x0,5)malloc(5) = 0x4D6DD60
--5102-- realloc(0x4D6DD60,0)free(0x4D6DD60)
--5102--  = 0
--5102-- malloc(9223372036854775807) = 0x0
output--5102-- _ZnwmSt11align_val_t(size 64, al 64) = 0x4D6DE00
--5102-- _ZdlPvmSt11align_val_t(0x4D6DE00)
--5102-- malloc(7) = 0x4D6DDB0
--5102-- malloc_usable_size(0x4D6DDB0) = 7
--5102-- realloc(0x4D6DDB0,1125899906842624) = 0x0
"""
    trace, events = read(write(tmp_path, text))
    assert steps(events) == [
        (ALLOCATE, 0, 10),
        (ALLOCATE, 1, 4),
        (FREE, 1, 0),
        (FREE, 0, 0),
        (ALLOCATE, 0, 5),
        (FREE, 0, 0),
        (ALLOCATE, 0, 64),
        (FREE, 0, 0),
        (ALLOCATE, 0, 7),
    ]
    assert events[6].align == 64
    assert trace.recorder.failed == 2
    assert trace.recorder.other_lines == 3


def test_an_unreadable_call_is_refused_with_its_number(tmp_path: Path) -> None:
    path = write(tmp_path, "--1-- malloc(10) = 0x10\n--1-- malloc(99999999999999999999999) = 0x20\n")
    with pytest.raises(TraceError, match=r":2: cannot be read: --1-- malloc"):
        read(path)


def test_a_log_without_trace_malloc_says_so(tmp_path: Path) -> None:
    path = write(tmp_path, "==1== Memcheck, a memory error detector\n==1== Command: ls\n")
    with pytest.raises(TraceError, match="looks like valgrind, but has no allocation in it"):
        read(path)
