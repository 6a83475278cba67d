"""Replays on a booted machine: what is counted, what is measured, and that nothing is lost."""

import itertools
import random
from pathlib import Path

import pytest

import coalmm
from coalmm.errors import CorruptionError
from coalmm.physical.constants import SB_BUDDY
from coalmm.replay.constants import SAMPLES
from coalmm.replay.result import Result
from coalmm.replay.run import replay
from coalmm.traces import open_trace

EXAMPLE = Path(__file__).parents[2] / "examples" / "count_words.mtrace.xz"
PERF = Path(__file__).parents[1] / "traces" / "samples" / "perf-kmem.txt"


def run(path: Path, ram: str = "64M", only_buddy: bool = False, check_every: int = 0) -> Result:
    """Replay a file on a machine of its own, which must be valid afterwards."""
    with coalmm.boot(ram=ram, paging="x86_64") as kernel, open_trace(path) as trace:
        result = replay(trace, kernel, only_buddy, check_every)
        kernel.validate()
    return result


def mtrace(folder: Path, *lines: str) -> Path:
    """A trace with these lines, each without its caller."""
    path = folder / "trace"
    path.write_text("= Start\n" + "".join(f"@ [0x{n:x}] {line}\n" for n, line in enumerate(lines, 1)))
    return path


@pytest.mark.parametrize("only_buddy", [False, True])
def test_the_example_ends_with_nothing_live(only_buddy: bool) -> None:
    result = run(EXAMPLE, "128M", only_buddy)
    engine = result.engine
    assert engine.events == 50_947
    assert engine.failures == 0
    assert engine.peak_live_bytes == 1_332_725
    assert engine.peak_live_blocks == 13_697
    assert engine.live_blocks == engine.live_bytes == engine.block_bytes() == 0
    assert result.leaks == []
    assert result.peak_footprint >= engine.peak_live_bytes
    assert sum(size_class.requests for size_class in result.classes) == 25_829  # lines with + and >


def test_live_is_at_most_blocks_is_at_most_footprint() -> None:
    moments = run(EXAMPLE).moments()
    assert SAMPLES // 2 <= len(moments) <= SAMPLES
    for moment in moments:
        assert moment.live <= moment.blocks <= moment.footprint
    assert max(moment.footprint for moment in moments) > 0


def test_samples_are_evenly_spaced_whatever_the_length(tmp_path: Path) -> None:
    lines = [f"+ {16 * n + 16:#x} 0x8" for n in range(3 * SAMPLES)]
    samples = run(mtrace(tmp_path, *lines)).engine.samples
    events = samples.column("events")
    assert SAMPLES // 2 <= len(events) <= SAMPLES
    assert {after - before for before, after in itertools.pairwise(events)} == {samples.interval}
    assert events[-1] == 3 * SAMPLES
    assert samples.column("live") == [8 * number for number in events]


def test_kernel_traces_use_both_allocators() -> None:
    result = run(PERF)
    assert result.engine.events == 74
    assert result.engine.buddy_bytes > 0
    assert result.engine.live_bytes == 64_496
    assert result.leaks[0].bytes >= result.leaks[-1].bytes
    assert {leak.site for leak in result.leaks} > {"", "mas_preallocate+0x3ef"}


def test_pages_go_to_the_buddy_allocator_by_order(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    event = " a 1 [000] 1.0: kmem:mm_page_alloc: page=0x1 pfn={} order={}\n"
    path.write_text(event.format("0x10", 0) + event.format("0x20", 3) + event.format("0x40", 13))
    result = run(path)
    assert result.engine.buddy_bytes == 4096 + (4096 << 3)
    assert result.engine.failures == 1


def test_a_full_machine_counts_failures_and_goes_on(tmp_path: Path) -> None:
    lines = [f"+ {4096 * n + 4096:#x} 0x10000" for n in range(100)] + ["- 0x1000", "+ 0x1000 0x8"]
    result = run(mtrace(tmp_path, *lines), ram="2M")
    assert 60 < result.engine.failures < 100
    assert result.engine.live_blocks == 101 - 1 - result.engine.failures
    assert result.engine.peak_live_bytes <= 2 << 20


def test_a_realloc_that_fails_leaves_the_block(tmp_path: Path) -> None:
    path = mtrace(tmp_path, "+ 0x10 0x64", "< 0x10", "> 0x20 0x7fffffff", "- 0x20")
    result = run(path)
    assert result.engine.failures == 1
    assert result.engine.peak_live_bytes == 0x64
    assert result.engine.live_blocks == 0


def test_sizes_that_no_machine_has_are_failures(tmp_path: Path) -> None:
    lines = ["+ 0x10 0xffffffffffffffff", "+ 0x20 0x8000000000000000", "- 0x10", "< 0x20", "> 0x30 0x8"]
    for only_buddy in (False, True):
        result = run(mtrace(tmp_path, *lines), only_buddy=only_buddy)
        assert result.engine.failures == 2
        assert result.engine.live_bytes == 8


def test_a_request_for_no_bytes_gets_one(tmp_path: Path) -> None:
    result = run(mtrace(tmp_path, "+ 0x10 0", "< 0x10", "> 0x20 0"))
    assert result.engine.zero_sizes == 2
    assert result.engine.live_bytes == 1
    assert result.engine.failures == 0


def test_alignment_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_text("--1-- memalign(al 4096, size 100) = 0x10\n--1-- calloc(3,7) = 0x20\n--1-- free(0x10)\n")
    result = run(path)
    assert result.engine.failures == 0
    assert result.engine.live_bytes == 21


def test_leaks_are_grouped_by_call_site_the_largest_first(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_text("@ a:[0x1] + 0x10 0x8\n@ b:[0x2] + 0x20 0x100\n@ a:[0x1] + 0x30 0x8\n@ c:[0x3] + 0x40 0x8\n")
    path.write_text(path.read_text() + "@ c:[0x3] - 0x40\n")
    leaks = run(path).leaks
    assert [(leak.site, leak.blocks, leak.bytes) for leak in leaks] == [("b:[0x2]", 1, 256), ("a:[0x1]", 2, 16)]


def test_classes_add_up_and_larger_requests_are_by_powers_of_two(tmp_path: Path) -> None:
    sizes = [1, 16, 17, 100, 32768, 32769, 65536, 65537, 1 << 20]
    lines = [f"+ {16 * n + 16:#x} {size:#x}" for n, size in enumerate(sizes)]
    result = run(mtrace(tmp_path, *lines))
    found = {size_class.size: size_class.requests for size_class in result.classes}
    assert sum(found.values()) == len(sizes)
    assert found[16] == 2
    assert found[32768] == 1
    assert found[65536] == 2
    assert found[131072] == 1
    assert found[1 << 20] == 1
    assert all(0 < size_class.fill <= 1 for size_class in result.classes)


def test_checks_come_every_so_many_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = mtrace(tmp_path, *[f"+ {16 * n + 16:#x} 0x8" for n in range(1000)])
    checks = []
    monkeypatch.setattr(coalmm.Kernel, "validate", lambda kernel: checks.append(kernel))
    run(path, check_every=300)
    assert len(checks) == 3 + 1  # `run` makes one itself


def test_a_check_that_fails_stops_the_replay(tmp_path: Path) -> None:
    path = mtrace(tmp_path, *[f"+ {16 * n + 16:#x} 0x8" for n in range(100)])
    with coalmm.boot(ram="64M", paging="x86_64") as kernel, open_trace(path) as trace:
        kernel.ram.words[SB_BUDDY + 2] += 1
        with pytest.raises(CorruptionError):
            replay(trace, kernel, check_every=10)


@pytest.mark.parametrize("only_buddy", [False, True])
def test_random_work_is_valid_all_along_and_leaves_nothing(tmp_path: Path, only_buddy: bool) -> None:
    chance = random.Random(1)
    live: dict[int, int] = {}
    lines = []
    for n in range(1500):
        kind = chance.random()
        size = chance.choice([chance.randrange(200), chance.randrange(5000), chance.randrange(100_000)])
        if kind < 0.5 or not live:
            live[16 * n + 16] = size
            lines.append(f"+ {16 * n + 16:#x} {size:#x}")
        elif kind < 0.6:
            address = chance.choice(list(live))
            del live[address]
            live[16 * n + 16] = size
            lines += [f"< {address:#x}", f"> {16 * n + 16:#x} {size:#x}"]
        else:
            address = chance.choice(list(live))
            del live[address]
            lines.append(f"- {address:#x}")
    expected = sum(max(size, 1) for size in live.values())
    result = run(mtrace(tmp_path, *lines), only_buddy=only_buddy, check_every=100)
    assert result.engine.failures == 0
    assert result.engine.live_bytes == expected
    assert result.engine.live_blocks == len(live)
    result = run(mtrace(tmp_path, *lines, *[f"- {address:#x}" for address in live]), only_buddy=only_buddy)
    assert result.engine.live_bytes == result.engine.block_bytes() == 0


def test_checks_change_nothing_in_ram() -> None:
    with coalmm.boot(ram="64M", paging="x86_64") as kernel, open_trace(EXAMPLE) as trace:
        replay(trace, kernel)
        digest = kernel.digest()
    with coalmm.boot(ram="64M", paging="x86_64") as kernel, open_trace(EXAMPLE) as trace:
        replay(trace, kernel, check_every=20_000)
        assert kernel.digest() == digest
