"""How many pages a fault of a file reads and maps: windows as Linux has them."""

import os
import resource
import subprocess

import pytest

import coalmm
from coalmm.virtual.constants import FAULT_AROUND, MADV_RANDOM, MADV_SEQUENTIAL, MAP_PRIVATE, READ_AROUND

PAGE = 4096
PAGES = 96


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"".join(bytes([number]) * PAGE for number in range(PAGES)))
    return str(path)


def cached(machine, process):
    return sorted(machine.cache.index(pfn) for pfn in machine.cache.pages_of(process.areas[0].file))


@pytest.mark.parametrize(("advice", "first", "last"), [
    (None, 50 - READ_AROUND // 2, 80), (MADV_RANDOM, 50, 51), (MADV_SEQUENTIAL, 50, 50 + READ_AROUND),
])  # fmt: skip
def test_a_read_brings_the_pages_that_advice_says(machine, process, path, advice, first, last):
    start = process.map(0x2000_0000, PAGES * PAGE, "r", MAP_PRIVATE, path)
    if advice is not None:
        assert machine.processes.advice.advise(process.space, start, PAGES * PAGE, advice) == 0
    assert process.read(start + 50 * PAGE, 1) == bytes([50])
    assert cached(machine, process) == list(range(first, last))


def test_a_read_stops_at_what_is_there_and_at_the_ends_of_the_file(machine, process, path):
    start = process.map(0x2000_0000, PAGES * PAGE, "r", MAP_PRIVATE, path)
    process.read(start + 2 * PAGE, 1)
    assert cached(machine, process) == list(range(32))
    process.read(start + 32 * PAGE, 1)
    assert cached(machine, process) == list(range(48))
    process.read(start + (PAGES - 1) * PAGE, 1)
    assert cached(machine, process)[-1] == PAGES - 1
    assert process.read(start, PAGES * PAGE) == b"".join(bytes([number]) * PAGE for number in range(PAGES))


@pytest.mark.parametrize("offset", [0, 1, 7, 15])
def test_each_aligned_window_of_addresses_costs_one_fault(machine, process, path, offset):
    window = FAULT_AROUND * PAGE
    start = process.map(0x2000_0000 + offset * PAGE, 64 * PAGE, "r", MAP_PRIVATE, path)
    assert start % window == offset * PAGE
    for page in range(64):
        process.read(start + page * PAGE, 1)
    assert process.faults["file"] == -(-(offset + 64) // FAULT_AROUND)


def test_a_host_file_that_is_shorter_than_it_was_reads_as_zero(machine, process, path):
    start = process.map(0, PAGES * PAGE, "r", MAP_PRIVATE, path)
    os.truncate(path, 10 * PAGE + 100)
    assert process.read(start + 10 * PAGE, PAGE) == bytes([10]) * 100 + bytes(PAGE - 100)
    assert process.read(start + 60 * PAGE, PAGE) == bytes(PAGE)
    assert cached(machine, process) == [*range(11), 60]


@pytest.mark.parametrize("command", [["/bin/true"], ["/usr/bin/sort", "/etc/passwd"]])
def test_a_program_takes_about_as_many_faults_as_on_the_host(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["setarch", "-R", *command], check=True, stdout=subprocess.DEVNULL, env={})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    native = after.ru_minflt - before.ru_minflt + after.ru_majflt - before.ru_majflt
    with coalmm.boot(ram="64M", paging="x86_64") as kernel, open(os.devnull, "wb") as nowhere:
        kernel.spawn(command, env={}, console=(0, nowhere, 2))
        kernel.run(60)
        faults = kernel.report()["faults"]
    ours = faults["zero"] + faults["file"] + faults["copy"]
    assert ours < 1.15 * native  # which has those of Python's fork and of setarch too
