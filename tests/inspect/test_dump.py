"""The dump is that of hexdump -C, marks what it cannot read, is bounded, and changes nothing."""

import re
import shutil
import subprocess
import time

import pytest
from inspect_machines import PAGING, busy_machine

import coalmm
from coalmm.errors import InvalidPointerError
from coalmm.inspect.dump import MOST_LINES, dump_text

TOP = (1 << 64) - 1
ROW = re.compile(r"([0-9a-f]{8}|[0-9a-f]{16})  ((?:(?:[0-9a-f?]{2}| {2}) {1,2}){16}) \|(.{1,16})\|")


def bytes_of(text):
    """A dump read back: {address: byte or None for ??}, with the lines that * stands for."""
    found, before, starred = {}, [], False
    for line in text.splitlines():
        if line == "*":
            starred = True
            continue
        match = ROW.fullmatch(line)
        at = int(match[1] if match else line.split()[0], 16)
        if starred:
            first = max(found) + 1
            found |= {first + index: before[index % 16] for index in range(at - first)}
            starred = False
        if match:
            before = [None if pair == "??" else int(pair, 16) for pair in match[2].split()]
            found |= {at + index: value for index, value in enumerate(before)}
    return found


@pytest.fixture
def kernel():
    return coalmm.boot(ram="8M")


@pytest.mark.skipif(shutil.which("hexdump") is None, reason="needs hexdump")
@pytest.mark.parametrize("size", [1, 15, 16, 17, 100, 1000])
def test_the_form_is_that_of_hexdump(kernel, size):
    data = bytes(range(256)) + b"A" * 300 + bytes(range(32, 200)) + b"\0" * 300
    at = kernel.heap.kmalloc(len(data))
    kernel.memory.write(at, data)
    theirs = subprocess.run(["hexdump", "-C"], input=data[:size], capture_output=True, check=True).stdout.decode()
    ours = re.sub(r"(?m)^([0-9a-f]{8})", lambda match: f"{int(match[1], 16) - at:08x}", dump_text(kernel, at, size))
    assert ours == theirs


@pytest.mark.parametrize("paging", PAGING)
def test_what_is_dumped_is_what_is_there(paging):
    kernel = busy_machine(paging)
    start = kernel.kernel_base
    for offset, size in ((0, 5000), (1, 4097), (4095, 2), (7, 10_000)):
        found = bytes_of(dump_text(kernel, start + offset, size))
        assert bytes(found[start + offset + index] for index in range(size)) == kernel.memory.read(start + offset, size)


def test_b303_size_0_prints_nothing(kernel):
    assert dump_text(kernel, kernel.kernel_base, 0) == ""


@pytest.mark.parametrize("size", [0, 16, TOP])
def test_b304_null_is_reported(kernel, size):
    with pytest.raises(InvalidPointerError):
        dump_text(kernel, 0, size)


@pytest.mark.parametrize("paging", PAGING)
def test_b305_bytes_past_the_end_of_a_mapping_are_marked(paging):
    kernel = coalmm.boot(ram="8M", paging=paging)
    process = kernel.processes.create("p")
    at = process.map(0x40_0000, 0x1000)
    process.write(at, b"*" * 4096)
    found = bytes_of(dump_text(kernel, at - 20, 4096 + 40))
    values = [found[at - 20 + index] for index in range(4096 + 40)]
    assert values == [None] * 20 + [ord("*")] * 4096 + [None] * 20


@pytest.mark.parametrize("paging", PAGING)
@pytest.mark.parametrize("size", [TOP, 1 << 63, 1 << 40])
def test_b306_the_output_is_bounded_and_comes_at_once(paging, size):
    kernel = busy_machine(paging)
    digest = kernel.digest()
    for start in (1, 0x1000, kernel.kernel_base, kernel.kernel_base - 1, TOP - 5, TOP, 1 << 47):
        began = time.monotonic()
        text = dump_text(kernel, start, size)
        assert time.monotonic() - began < 10
        assert len(text.splitlines()) <= MOST_LINES + 3
    assert kernel.digest() == digest


def test_a_dump_that_reaches_the_last_address_ends_there(kernel):
    lines = dump_text(kernel, TOP - 7, TOP).splitlines()
    assert lines[0].startswith("fffffffffffffff8  ?? ?? ?? ?? ?? ?? ?? ??    ")
    assert lines[1:] == ["10000000000000000"]


def test_a_dump_that_was_cut_says_how_far_it_came(kernel):
    assert re.search(r"\n\(stopped after \d+ of \d+ bytes\)\n$", dump_text(kernel, kernel.kernel_base, TOP))


def test_b307_what_is_not_printable_is_a_dot(kernel):
    at = kernel.heap.kmalloc(16)
    kernel.memory.write(at, b"a\x00\x1b\x7f\x80\xff ~|\n")
    assert dump_text(kernel, at, 10).splitlines()[0].endswith("|a..... ~|.|")


@pytest.mark.parametrize("bad", [-1, 1 << 64, "x", None, 1.5])
def test_what_is_no_address_is_a_type_or_value_error(kernel, bad):
    with pytest.raises((TypeError, ValueError)):
        dump_text(kernel, bad, 16)
    with pytest.raises((TypeError, ValueError)):
        dump_text(kernel, 4096, bad)


def test_a_damaged_table_is_a_hole_and_not_a_crash(kernel):
    process = kernel.processes.create("p")
    at = process.map(0x40_0000, 0x1000)
    process.write(at, b"x")
    kernel.ram.halves[(process.root >> 2) + 1] = 0xFFFF_F007
    assert set(bytes_of(dump_text(kernel, at, 64)).values()) == {None}
