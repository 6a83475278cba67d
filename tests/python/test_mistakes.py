"""Mistakes at a prompt: each is one line that says what was wrong, and nothing has changed."""

import pytest

import coalmm
from machines import assert_refused

MISTAKES = {
    "a pid as text": (lambda kernel: kernel.processes.find("1"), TypeError, "a pid is an int, not str"),
    "a pid as a float": (lambda kernel: kernel.processes.find(1.0), TypeError, "a pid is an int, not float"),
    "a number for a name": (lambda kernel: kernel.processes.create(5), TypeError, "a name and the pid"),
    "text for a parent": (lambda kernel: kernel.processes.create("x", "1"), TypeError, "a name and the pid"),
    "a map that is none": (lambda kernel: coalmm.boot(memory_map=5), TypeError, "a memory map is a coalmm.MemoryMap"),
    "a size as a float": (lambda kernel: kernel.kmalloc(1.5), TypeError, "an int is needed, not float"),
    "a negative size": (lambda kernel: kernel.kmalloc(-1), ValueError, "negative"),
    "an address of no memory": (lambda kernel: kernel.kfree(12), coalmm.InvalidPointerError, "0xc is not a kernel"),
    "a program as text": (lambda kernel: kernel.spawn("ls"), TypeError, "argv is a list"),
    "a wrong right": (lambda kernel: kernel.processes.find(1).map(0, 4096, "q"), ValueError, "the letters are r, w"),
    "nothing mapped": (lambda kernel: kernel.memory[0x1000], coalmm.PageFaultError, "nothing is mapped at 0x1000"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_clear_line(mistake):
    call, error, words = MISTAKES[mistake]
    with coalmm.boot(ram="2M", paging="x86_64") as kernel:
        kernel.processes.create("shell")
        told = str(assert_refused(kernel, error, call, kernel))
        assert words in told and "\n" not in told
        kernel.processes.find(1).exit()
