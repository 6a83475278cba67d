"""Random calls of everything public, with anything for arguments: whatever is raised, the interpreter lives.

`python tests/fuzz.py CALLS SEED FOLDER`; images may be saved in the folder. The last line tells the call it is in.
"""

import contextlib
import faulthandler
import os
import random
import resource
import sys

import coalmm
from coalmm import api

MEMORY = 6 << 30  # more than any call needs: what does not end takes memory, and ends as MemoryError
EDGES = (0, 1, 2, 7, 8, 63, 64, 4095, 4096, 4097, 32768, 1 << 20, 1 << 24, (1 << 24) + 1, 1 << 31, 1 << 32, 0xC000_0000,
         0xC010_0000, 1 << 40, 1 << 47, 1 << 63, (1 << 64) - 4096, (1 << 64) - 1, 1 << 64, 1 << 100)  # fmt: skip
OTHERS = ("", "4096", "name\n\0", "\udc80", b"", b"bytes", bytearray(64), memoryview(bytearray(8)), None, True, 1.5,
          float("nan"), float("inf"), [], [1, 2], (), {}, object(), int, print, lambda *_: None)  # fmt: skip
STRUCTURES = (api.frame_stats_t, api.buddy_stats_t, api.meminfo_t, api.proc_meminfo_t)
WILD = {"write", "copy_from_user", "strncpy_from_user"}  # they write to any kernel address, as kernel code may
NOT_CALLED = {"close", "end_programs", "failed", "make_current", "make_heap", "booted"}  # inner, or the machine ends
OF_RECORDS = {"adopt", "children", "leave", "reap", "record", "rename", "renew", "share", "switch"}  # unchecked, inner


class Fuzzer:
    """A machine, and the values that its calls returned: they are arguments of the next."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        paging = self.random.choice(("i386", "pae", "x86_64", "la57"))
        self.kernel = coalmm.boot("8M", paging, heap=self.random.random() < 0.9, debug=self.random.random() < 0.2)
        self.wild = self.random.random() < 0.5
        self.seen: list[object] = []

    def integer(self) -> int:
        edge = self.random.choice((*EDGES, self.kernel.kernel_base, self.random.getrandbits(64)))
        return self.random.choice((edge, edge, edge + self.random.randrange(-9, 9), -edge))

    def argument(self) -> object:
        kind = self.random.random()
        if kind < 0.35 and self.seen:
            return self.random.choice(self.seen)
        if kind < 0.80:
            return self.integer()
        return self.random.choice((*OTHERS, self.random.choice(STRUCTURES)(), self.kernel))

    def functions(self) -> list[tuple[str, object]]:
        """What may be called now: the document's functions, the kernel's methods, those of processes."""
        found = [(name, getattr(api, name)) for name in api.__all__ if name[0].islower()]
        things: list[object] = [self.kernel, self.kernel.processes, self.kernel.memory]
        things += list(self.kernel.processes)[:2]
        for thing in things:
            found += [
                (f"{type(thing).__name__}.{name}", getattr(thing, name))
                for name in dir(type(thing)) + list(vars(thing) if hasattr(thing, "__dict__") else ())
                if not name.startswith("_") and name not in NOT_CALLED | OF_RECORDS and not isinstance(
                    getattr(type(thing), name, None), property)
            ]
        return [
            (name, function) for name, function in found
            if callable(function) and (self.wild or name.rpartition(".")[2] not in WILD)
        ]

    def call(self) -> str:
        """One call; what it was."""
        name, function = self.random.choice(self.functions())
        arguments = [self.argument() for _ in range(self.random.choice((0, 1, 1, 2, 2, 3, 4, 5)))]
        text = f"{name}{tuple(map(type, arguments))}"
        try:
            result = function(*arguments)
        except Exception:  # any: but not a dead interpreter
            return text
        if isinstance(result, int):
            self.seen.append(result)
            del self.seen[:-200]
        return text


def run(calls: int, seed: int) -> None:
    """Make the calls, on a new machine every 300; each whole in the end if nobody wrote over it."""
    log = os.dup(1)
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        for start in range(0, calls, 300):
            fuzzer = Fuzzer(seed * 1_000_003 + start)
            for number in range(start, min(start + 300, calls)):
                os.write(log, f"\r{seed} {number}".encode())
                fuzzer.call()
            fuzzer.kernel.injection.disarm()
            with contextlib.suppress(*[coalmm.CoalError] * fuzzer.wild):
                fuzzer.kernel.validate()
    os.write(log, b"\nall calls made\n")


if __name__ == "__main__":
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.chdir(sys.argv[3])
    run(int(sys.argv[1]), int(sys.argv[2]))
