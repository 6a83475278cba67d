"""What is said about memory adds up, can be read by a program, and changes nothing."""

import re
from pathlib import Path

import pytest
from inspect_machines import PAGING, busy_machine, random_work

import coalmm
from coalmm.inspect.meminfo import direct_map, meminfo_text, meminfo_values, memory_info
from coalmm.inspect.zones import buddyinfo_text, frames_by_kind, kinds_text, slabinfo_text

LINUX_FILE = Path(__file__).parent / "samples" / "meminfo.txt"


def parse(text):
    """As readers of /proc/meminfo do: a key, a colon, a number, and kB or nothing."""
    found = {}
    for line in text.splitlines():
        key, number, unit = re.fullmatch(r"([^:]+): *(\d+)( kB)?", line).groups()
        found[key] = int(number) << (10 if unit else 0)
    return found


@pytest.mark.parametrize("paging", PAGING)
def test_the_parts_sum_to_the_total_after_every_operation(paging):
    kernel = coalmm.boot(ram="8M", paging=paging)
    for _ in random_work(kernel, seed=paging):
        info = memory_info(kernel)
        assert info.total == info.free + info.kernel + info.user + info.cache + info.buffer
        stats = kernel.frames.statistics()
        assert info.free == stats.free << 12
        assert info.user == stats.user << 12
        assert min(info.free, info.kernel, info.user, info.cache, info.buffer) >= 0
        assert sum(frames_by_kind(kernel).values()) == stats.total


def test_b295_free_is_0_when_memory_is_exhausted_and_the_sums_hold():
    kernel = coalmm.boot(ram="2M")
    while kernel.frames.allocate():
        pass
    info = memory_info(kernel)
    assert info.free == 0
    assert info.total == info.kernel + info.user + info.cache + info.buffer


def test_a_page_of_a_file_is_user_memory_while_it_is_mapped_and_cache_after(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 4096)
    kernel = coalmm.boot(ram="8M")
    process = kernel.processes.create("reader")
    at = process.map(0, 4096, "r", file=str(path))
    before = memory_info(kernel)
    process.read(at, 1)
    mapped = memory_info(kernel)
    assert (mapped.user - before.user, mapped.cache - before.cache) == (4096, 0)
    assert meminfo_values(kernel)["Mapped"] == 4096
    process.unmap(at, 4096)
    after = memory_info(kernel)
    assert (after.user - before.user, after.cache - before.cache) == (0, 4096)
    assert meminfo_values(kernel)["Cached"] == 4096


def test_meminfo_has_every_key_that_linux_has_in_its_order():
    linux = [line.partition(":")[0] for line in LINUX_FILE.read_text().splitlines()]
    ours = [key for key in parse(meminfo_text(coalmm.boot(ram="8M"))) if key in linux]
    assert ours == linux


def test_meminfo_lines_have_linux_columns():
    kernel = coalmm.boot(ram="8M")
    lines = meminfo_text(kernel).splitlines()
    assert lines[0] == f"MemTotal:       {kernel.frames.statistics().total * 4:8} kB"
    assert [line for line in lines if not line.endswith(" kB")] == [
        f"{'HugePages_' + name + ':':16}       0" for name in ("Total", "Free", "Rsvd", "Surp")
    ]


@pytest.mark.parametrize("paging", PAGING)
def test_meminfo_agrees_with_the_allocators(paging):
    kernel = busy_machine(paging)
    values = parse(meminfo_text(kernel))
    kinds = frames_by_kind(kernel)
    assert values["MemFree"] == kernel.frames.statistics().free << 12
    assert values["Slab"] == values["SReclaimable"] + values["SUnreclaim"] == kinds["slab"] << 12
    assert values["PageTables"] == kinds["page_table"] + kinds["page_directory"] << 12
    assert values["AnonPages"] == kernel.frames.statistics().user << 12
    assert values["Committed_AS"] == 2 * 0x1_0000


@pytest.mark.parametrize("paging", PAGING)
def test_the_direct_map_covers_low_memory(paging):
    kernel = coalmm.boot(ram="12M", paging=paging)
    assert sum(direct_map(kernel).values()) == 12 << 20


def test_buddyinfo_gives_the_free_bytes_of_the_heap():
    kernel = busy_machine()
    match = re.fullmatch(r"Node 0, zone   Normal ((?: *\d+ ){13})\n", buddyinfo_text(kernel))
    counts = [int(count) for count in match[1].split()]
    assert sum(count << order + 12 for order, count in enumerate(counts)) == kernel.buddy.statistics().free_bytes


def test_slabinfo_is_read_back_column_by_column():
    kernel = busy_machine()
    kernel.slabs.create("a name with\nnew line", 64)
    lines = slabinfo_text(kernel).splitlines()
    assert lines[0] == "slabinfo - version: 2.1"
    assert lines[1].startswith("# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : ")
    caches = list(kernel.slabs.caches())
    assert len(lines) == len(caches) + 2
    for line, cache in zip(lines[2:], caches, strict=True):
        fields = line.split()
        assert len(fields) == 16
        assert [int(field) for field in fields[1:6]] == [
            cache.active, cache.objects, cache.stride, cache.objects_per_slab, cache.pages_per_slab,
        ]  # fmt: skip
        assert fields[6:8] == [":", "tunables"] and fields[11:13] == [":", "slabdata"]
        assert [int(field) for field in fields[13:15]] == [cache.slabs - cache.empty_slabs, cache.slabs]
    assert lines[2].split()[0] == r"a\x20name\x20with\x0anew\x20line"


def test_frames_by_kind_is_a_line_each():
    kernel = busy_machine()
    read = {line.split()[0]: int(line.split()[1]) for line in kinds_text(kernel).splitlines()}
    assert read == frames_by_kind(kernel)
