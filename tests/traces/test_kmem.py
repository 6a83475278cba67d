"""kmem events of perf script, trace-cmd and ftrace, of newer and older kernels."""

from pathlib import Path

import pytest
from readers import SAMPLES, read, steps, write

from coalmm.errors import TraceError
from coalmm.traces.constants import ALLOCATE, ALLOCATE_ZEROED, FREE, PAGE_ALLOCATE, PAGE_FREE


def test_the_sample_of_a_real_kernel() -> None:
    trace, events = read(SAMPLES / "perf-kmem.txt")
    assert trace.format == "kmem"
    assert steps(events)[:3] == [(ALLOCATE, 0, 256), (PAGE_ALLOCATE, 1, 4096), (PAGE_ALLOCATE, 2, 4096)]
    assert trace.caches[events[0].label] == "maple_node"
    assert trace.sites[events[0].site] == "mas_preallocate+0x3ef"
    assert events[0].time == pytest.approx(1820.633083)
    assert trace.recorder.null_frees == 7
    assert trace.recorder.other_lines == 0


def test_trace_cmd_and_older_field_sets(tmp_path: Path) -> None:
    text = """# tracer: nop
#
 ls-42 [0] d..1 10.000001: kmalloc: call_site=f81 ptr=0xffff01 bytes_req=10 bytes_alloc=16 gfp_flags=GFP
 ls-42 [0] d..1 10.000002: kmalloc_node: call_site=x ptr=ffff0200 bytes_req=20 gfp_flags=GFP|__GFP_ZERO node=0
 ls-42 [0] .... 10.000003: kmem_cache_alloc_node: (f+0x1) call_site=x ptr=0xffff03 bytes_req=30 new=1
 ls-42 [0] .... 10.000004: mm_page_alloc: page=0xffffea0000 pfn=1000 order=2 gfp_flags=GFP
 ls-42 [0] .... 10.000005: sched_switch: prev_comm=ls
 ls-42 [0] .... 10.000006: kmem_cache_free: call_site=x ptr=0xffff01
 ls-42 [0] .... 10.000007: kfree: call_site=x ptr=0xffff03
 ls-42 [0] .... 10.000008: mm_page_free_batched: page=0xffffea0000 pfn=0x3e8 order=0
 ls-42 [0] .... 10.000009: mm_page_free: page=0xffffea0000 pfn=0x3e8 order=2
 ls-42 [0] .... 10.000010: mm_page_alloc: page=(nil) pfn=0x0 order=9 migratetype=0 gfp_flags=GFP_KERNEL
"""
    trace, events = read(write(tmp_path, text))
    assert steps(events) == [
        (ALLOCATE, 0, 10),
        (ALLOCATE_ZEROED, 1, 20),
        (ALLOCATE, 2, 30),
        (PAGE_ALLOCATE, 3, 16384),
        (FREE, 0, 0),
        (FREE, 2, 0),
        (PAGE_FREE, 3, 0),
    ]
    assert events[3].label == 2
    assert trace.recorder.failed == 1
    assert trace.recorder.other_lines == 2


def test_tasks_with_colons_and_lines_without_time(tmp_path: Path) -> None:
    text = " a: b 1: [0] 1.5: kmem:kmalloc: call_site=x ptr=0x10 bytes_req=8\n kmalloc: ptr=0x20 bytes_req=9\n"
    _, events = read(write(tmp_path, text))
    assert [(event.size, event.time) for event in events] == [(8, 1.5), (9, 0.0)]


@pytest.mark.parametrize(
    "event",
    [
        "kmalloc: call_site=x bytes_req=10",
        "kmalloc: ptr=0xf bytes_req=-1",
        "kmalloc: ptr=____ptrval____ bytes_req=1",
        "mm_page_alloc: page=0x1 pfn=0x1 order=77",
        "mm_page_alloc: page=0x1 pfn=0xffffffffffffffff order=0",
        "kfree: call_site=x",
    ],
)
def test_an_event_without_what_it_needs_is_refused_with_its_number(tmp_path: Path, event: str) -> None:
    path = write(tmp_path, f" a 1 [000] 1.0: kmem:kfree: ptr=(nil)\n a 1 [000] 1.5: kmem:{event}\n")
    with pytest.raises(TraceError, match=":2: cannot be read: "):
        read(path)


def test_a_trace_of_other_events_has_no_allocation(tmp_path: Path) -> None:
    path = write(tmp_path, "  ls 42 [000] 10.000005: sched:sched_switch: prev_comm=ls\n")
    with pytest.raises(TraceError, match="looks like kmem, but has no allocation in it"):
        read(path)
