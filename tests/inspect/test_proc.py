"""The text of /proc for one process: Linux's form, and the machine's numbers."""

import os
import re

import pytest
from inspect_machines import PAGING, busy_machine

import coalmm
from coalmm.inspect.proc import maps_text, statm_text, status_text
from coalmm.inspect.smaps import smaps_rollup_text, smaps_text
from coalmm.virtual.constants import AREA_HEAP, MAP_ANONYMOUS, MAP_SHARED

LINE = re.compile(
    r"([0-9a-f]{8,})-([0-9a-f]{8,}) ([r-][w-][x-][sp]) ([0-9a-f]{8,}) ([0-9a-f]{2,}):([0-9a-f]{2,}) (\d+) +(.*)"
)


@pytest.fixture(params=PAGING)
def kernel(request):
    return coalmm.boot(ram="16M", paging=request.param)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a\nfile"
    path.write_bytes(b"x" * 10_000)
    return path


def blocks(text):
    """smaps read back: a dictionary for each area."""
    found = []
    for line in text.splitlines():
        if LINE.fullmatch(line):
            found.append({"header": line})
        else:
            key, _, value = line.partition(":")
            found[-1][key] = value.strip()
    return found


def kilobytes(block, *names):
    return sum(int(block[name].removesuffix(" kB")) for name in names)


def test_maps_has_a_line_for_each_area(kernel, file):
    process = kernel.processes.create("p")
    process.map(0x40_0000, 0x2000, "rx", file=str(file), offset=0x1000)
    process.map(0x50_0000, 0x3000, "rw", kind=AREA_HEAP)
    process.map(0x60_0000, 0x1000, "rw", flags=MAP_SHARED | MAP_ANONYMOUS)
    process.map_stack(0x70_0000)
    status = os.stat(file)
    rows = [LINE.fullmatch(line).groups() for line in maps_text(kernel, process).splitlines()]
    assert [(int(row[0], 16), int(row[1], 16)) for row in rows] == [(a.start, a.end) for a in process.areas]
    assert [row[2] for row in rows] == ["r-xp", "rw-p", "rw-s", "rw-p"]
    assert int(rows[0][3], 16) == 0x1000
    assert (int(rows[0][4], 16), int(rows[0][5], 16)) == (os.major(status.st_dev), os.minor(status.st_dev))
    assert int(rows[0][6]) == status.st_ino
    assert [row[7] for row in rows] == [
        str(file).replace("\n", "\\012"), "[heap]", "/dev/zero (deleted)", "[stack]",
    ]  # fmt: skip


def test_paths_start_in_linux_column():
    kernel = coalmm.boot(ram="16M", paging="x86_64")
    process = kernel.processes.create("p")
    process.map_stack(0x7FFF_0000_0000)
    sample = "562098451000-562098457000 r-xp 00002000 fe:00 260386                     /usr/bin/head"
    assert maps_text(kernel, process).index("[") == sample.index("/")


def test_smaps_sums_are_those_of_the_machine(kernel, file):
    process = kernel.processes.create("p")
    at = process.map(0x40_0000, 0x4000, "rw")
    process.write(at, bytes(0x2000))
    process.read(process.map(0x50_0000, 0x3000, "r", file=str(file)), 1)
    shared = process.map(0x60_0000, 0x2000, "rw", flags=MAP_SHARED | MAP_ANONYMOUS)
    process.write(shared, b"y")
    child = process.fork()
    child.write(at, b"z")
    for each in (process, child):
        found = blocks(smaps_text(kernel, each))
        assert len(found) == len(each.areas)
        for block, area in zip(found, each.areas, strict=True):
            assert kilobytes(block, "Size") == area.end - area.start >> 10
            assert kilobytes(block, "Rss") == kilobytes(
                block, "Shared_Clean", "Shared_Dirty", "Private_Clean", "Private_Dirty"
            )
        assert sum(kilobytes(block, "Rss") for block in found) == each.usage.rss >> 10
    private, mapped, shmem = blocks(smaps_text(kernel, child))
    assert kilobytes(private, "Private_Dirty") == 4  # its own copy
    assert kilobytes(private, "Shared_Dirty") == 4
    assert kilobytes(private, "Pss") == 6
    assert kilobytes(private, "Anonymous") == 8
    assert kilobytes(mapped, "Anonymous") == 0
    assert kilobytes(shmem, "Shared_Dirty") == 4
    assert private["VmFlags"] == "rd wr mr mw me"
    assert shmem["VmFlags"].startswith("rd wr sh mr mw me")


def test_the_pss_of_all_processes_is_the_user_memory(kernel):
    process = kernel.processes.create("p")
    at = process.map(0x40_0000, 0x8000)
    process.write(at, bytes(0x8000))
    process.fork().fork().write(at, bytes(0x4000))
    total = 0
    for each in kernel.processes:
        total += kilobytes(blocks(smaps_text(kernel, each))[0], "Pss")
    assert abs(total - (kernel.frames.statistics().user << 2)) <= len(kernel.processes)


def test_rollup_is_the_sum_of_the_areas(kernel, file):
    process = kernel.processes.create("p")
    process.write(process.map(0x40_0000, 0x4000, "rw"), bytes(0x2000))
    process.read(process.map(0x50_0000, 0x3000, "r", file=str(file)), 1)
    (rollup,) = blocks(smaps_rollup_text(kernel, process))
    assert rollup["header"].endswith("[rollup]")
    for name in ("Rss", "Anonymous", "Private_Clean", "Private_Dirty", "Referenced"):
        assert kilobytes(rollup, name) == sum(kilobytes(each, name) for each in blocks(smaps_text(kernel, process)))
    assert kilobytes(rollup, "Pss") == kilobytes(rollup, "Pss_Anon", "Pss_File", "Pss_Shmem")


def test_statm_is_seven_numbers_of_pages(kernel):
    process = kernel.processes.create("p")
    process.write(process.map(0x40_0000, 0x4000, "rw"), bytes(0x2000))
    process.map_stack(0x70_0000)
    usage = process.usage
    numbers = [int(number) for number in statm_text(process).split()]
    assert numbers == [
        usage.virt >> 12, usage.rss >> 12, usage.shared >> 12, usage.text >> 12, 0, usage.data + usage.stack >> 12, 0,
    ]  # fmt: skip
    assert numbers[:2] == [5, 2]


def test_status_gives_sizes_and_the_parent(kernel):
    process = kernel.processes.create("a\nname")
    process.write(process.map(0x40_0000, 0x4000, "rw"), bytes(0x2000))
    child = process.fork()
    read = dict(line.split(":\t") for line in status_text(kernel, child).splitlines())
    assert read["Name"] == r"a\x0aname"
    assert read["PPid"] == str(process.pid)
    assert read["State"] == "S (sleeping)"
    assert read["VmSize"].split() == ["16", "kB"]
    assert read["VmRSS"].split() == ["8", "kB"]
    assert int(read["VmPTE"].split()[0]) == 4 * (len(kernel.format.levels) - 1)
    assert "State:\tR (running)" in status_text(kernel, process)


def test_a_zombie_has_no_memory_and_its_text_is_there(kernel):
    parent = kernel.processes.create("parent")
    parent.map(0x40_0000, 0x4000, "rw")
    child = parent.fork()
    child.exit(3)
    assert maps_text(kernel, child) == smaps_text(kernel, child) == smaps_rollup_text(kernel, child) == ""
    assert statm_text(child) == "0 0 0 0 0 0 0\n"
    assert "State:\tZ (zombie)" in status_text(kernel, child)


def test_looking_sets_no_accessed_bit(kernel):
    kernel = busy_machine(kernel.format.name)
    digest = kernel.digest()
    for process in kernel.processes:
        maps_text(kernel, process), smaps_text(kernel, process), smaps_rollup_text(kernel, process)
        status_text(kernel, process), statm_text(process)
    assert kernel.digest() == digest
