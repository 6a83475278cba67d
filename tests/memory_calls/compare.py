"""What the drivers of these tests printed, held against each other."""

import re

import native
import pytest
from scripts import FILE_PAGES, PAGE

CONTENT = b"".join(bytes([65 + page]) * PAGE for page in range(FILE_PAGES))  # of the file that scripts map


def without_flags(line):
    """A line of areas without their VmFlags."""
    return re.sub(r"([-rwxsp]{4}):[a-z]*", r"\1", line)


def compare(commands, expected, found):
    """Name the first command that was answered otherwise, and what came before it."""
    if native.LINUX < (6, 7):  # VmFlags have changed since: MAP_STACK sets nh
        expected, found = [without_flags(line) for line in expected], [without_flags(line) for line in found]
    for number, (theirs, ours) in enumerate(zip(expected, found, strict=True)):
        if ours != theirs:
            before = "\n".join(f"{commands[at]}\t-> {expected[at]}" for at in range(max(0, number - 12), number))
            pytest.fail(f"{before}\n{commands[number]}\n Linux: {theirs}\n ours:  {ours}", pytrace=False)
