"""The statistics text: every layer, names escaped, nothing changed."""

import re

import pytest
from inspect_machines import PAGING, busy_machine

import coalmm
from coalmm.inspect.names import printable
from coalmm.inspect.statistics import statistics_text


@pytest.mark.parametrize("paging", PAGING)
def test_every_layer_speaks_and_nothing_changes(paging):
    kernel = busy_machine(paging)
    digest = kernel.digest()
    text = statistics_text(kernel)
    assert kernel.digest() == digest
    for layer in ("Memory", "Frames", "Buddy", "kmalloc", "Slab caches", "Paging", "Processes", "Tracking"):
        assert re.search(f"(?m)^{layer}: ", text)


def test_the_numbers_are_the_machines():
    kernel = busy_machine()
    stats = kernel.frames.statistics()
    text = statistics_text(kernel)
    assert f"Frames: {stats.total} total, {stats.free} free, {stats.reserved} reserved, {stats.user} user" in text
    assert f"{kernel.heap.statistics().live} live, " in text


def test_b132_a_cache_without_a_name_is_printed():
    kernel = coalmm.boot(ram="8M")
    kernel.slabs.allocate(kernel.slabs.create(None, 64))
    assert "(unnamed)" in statistics_text(kernel)


def test_b315_without_a_heap_it_still_prints():
    assert "there is no heap" in statistics_text(coalmm.boot(ram="8M", heap=False))


def test_b316_names_cannot_forge_lines_or_drive_the_terminal():
    kernel = coalmm.boot(ram="8M")
    kernel.slabs.allocate(kernel.slabs.create("x\nFrames: 0 total\x1b[2J\x9b\u202e", 64))
    kernel.processes.create("a\nb\x1b[1m")
    text = statistics_text(kernel)
    assert all(line.isprintable() for line in text.splitlines())
    assert r"x\x0aFrames: 0 total\x1b[2J\x9b\u202e" in text
    assert r"a\x0ab\x1b[1m" in text


@pytest.mark.parametrize("name", ["", "plain", "a\\x0ab", "a\nb", "\\", "é\u2028", "\U000e0001", "\x7f\x80"])
def test_escaping_can_be_undone(name):
    assert printable(name).isprintable()
    undone = re.sub(
        r"\\(\\|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})",
        lambda match: "\\" if match[1] == "\\" else chr(int(match[1][1:], 16)),
        printable(name),
    )
    assert undone == name
