"""Random registers in every call on files: a result or an errno, and the manager goes on."""

import io
import os
import random
import resource
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from guest import Guest

from coalmm.linux.registry import CALLS, CALLS_32

FAMILIES = [
    # the modules of calls on files
    "attributes", "changes", "descriptors", "directories", "events", "files", "inotify", "locks",
    "messages", "names", "owners", "pipes", "poll", "renames", "sizes", "socket_options", "sockets",
    "stamps", "status",
]  # fmt: skip
SECONDS = float(os.environ.get("COALMM_FUZZ_SECONDS", "4"))
EDGES = [0, 1, 2, 3, 4, 5, 7, 8, 16, 100, 4095, 4096, 1 << 16, 1 << 31, (1 << 31) - 1, 1 << 32, (1 << 32) - 1, 1 << 47,
         (1 << 63) - 1, 1 << 63, (1 << 64) - 1, (1 << 64) - 100, (1 << 64) - 4096]  # fmt: skip
PATHS = ["a", "b", "/etc/hostname", "/etc", "..", "/proc/self/fd/3", "/proc/self/maps", "/proc/self/mem",
         "/dev/zero", "/proc/self/pagemap", "/proc/1/task", "/sys", "x/y", "/dev/full", "/proc/self/exe",
         "/proc/self/comm"]  # fmt: skip


def calls_of(families):
    """(name, whether it is the one of i386, how many registers) of every call in some modules."""
    modules = {f"coalmm.linux.calls.{family}" for family in families}
    for table, only_32 in ((CALLS, False), (CALLS_32, True)):
        for name, entry in table.items():
            if entry.function.__module__ in modules:
                yield name, only_32, entry


@contextmanager
def memory_limit(extra):
    """An allocation of the manager that the guest can make large is a MemoryError here."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * 4096
    resource.setrlimit(resource.RLIMIT_AS, (used + extra, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("bits", [64, 32])
def test_no_argument_harms_the_manager(tree, bits):
    generator = random.Random(bits)
    guest = Guest(tree, bits=bits, overlay_limit=8 << 20, output_limit=10_000)
    for node in guest.vfs.console:
        node.stream, node.fd, node.is_offset_free = io.BytesIO(), -1, True
    choices = sorted(calls_of(FAMILIES), key=lambda found: found[:2])
    choices = [found for found in choices if bits == 32 or not found[1]]
    assert len(choices) > 140
    seen = set()
    with memory_limit(1 << 30):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            name, only_32, entry = generator.choice(choices)
            arguments = [argument(generator, guest) for _ in range(entry.arguments)]
            guest.task.resume = None
            result = guest.call(name, *arguments)
            assert result == "blocked" or -4096 < result < 1 << 63, (name, arguments, result)
            seen.add((name, only_32, result == "blocked" or result >= 0))
            if len(guest.task.files.slots) > 200:
                guest.task.files.close_all()
    assert len({name for name, _, good in seen if good}) > 60
    guest.task.files.close_all()
    guest.kernel.validate()
    assert (tree / "etc/hostname").read_text() == "coal\n"
    assert sorted(os.listdir(tree / "out")) == []


def argument(generator, guest):
    """A register: an edge, a descriptor, an address of zeros, of a path, of random bytes, or of nothing."""
    kind = generator.randrange(8)
    if kind == 0:
        return generator.choice(EDGES)
    if kind == 1:
        return generator.randrange(12)
    if kind == 2:
        return generator.getrandbits(64)
    if kind == 3:
        return generator.choice(PATHS)
    if kind == 4:
        return guest.room(generator.choice([8, 64, 4096]))
    if kind == 5:
        return generator.randbytes(generator.choice([4, 16, 64]))
    if kind == 6:
        return guest.task.room + (1 << 20) - generator.randrange(1, 64)
    return generator.choice([0, 0x1000, 0o100, 0o2, 0o200000, 0x80000])
