"""C programs for tests: compiled against the libcoalmm.so of this build, with what coalmm-config says."""

import functools
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import coalmm
from machines import LIBRARIES

PROGRAMS = Path(__file__).parent / "programs"
STRICT = ["-Wall", "-Wextra", "-Werror"]
TEST = re.compile(r"^TEST\((\w+)\)", re.MULTILINE)

needs_library = pytest.mark.skipif(coalmm.MODE != "compiled", reason="libcoalmm.so is made of the compiled modules")


def environment(**more):
    """What a C program runs with: nothing of this Python's but where it was built."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COALMM"))}
    return kept | {name: str(value) for name, value in more.items()}


@functools.cache
def config(*options):
    """The words that coalmm-config prints."""
    done = subprocess.run(
        [sys.executable, "-m", "coalmm.c.config", *options],
        env=environment(PYTHONPATH=str(LIBRARIES["compiled"])), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return shlex.split(done.stdout)


def compile_c(source, target, *options, compiler="gcc", libs=("--libs",)):
    """Compile one C file; the compiler's words if it refuses."""
    command = [compiler, "-O1", "-g", *STRICT, *options, "-o", target, source, *config("--cflags", *libs)]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def run(program, *arguments, timeout=120, **more):
    """Run a program; the finished process."""
    return subprocess.run(
        [str(program), *map(str, arguments)],
        env=environment(**more), capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip


def names_in(name):
    """The names of the tests in a program."""
    return TEST.findall((PROGRAMS / name).read_text(encoding="utf-8"))


class Results:
    """What each test of a program said: compiled once with the same compiler's options, run once with a machine's."""

    def __init__(self, folder):
        self.folder = folder
        self.programs = {}
        self.runs = {}

    def program(self, name, *options):
        """The path of a program."""
        key = (name, *options)
        if key not in self.programs:
            self.programs[key] = compile_c(PROGRAMS / name, self.folder / f"{name}-{len(self.programs)}", *options)
        return self.programs[key]

    def of(self, name, machine, *options):
        """The lines of a program, by test; run the first time that it is asked for."""
        key = (name, machine, *options)
        if key not in self.runs:
            done = run(self.program(name, *options), CHECK_OPTIONS=machine)
            lines = [line for line in done.stdout.splitlines() if line.startswith(("ok ", "not ok "))]
            self.runs[key] = {line.removeprefix("not ").split()[1].rstrip(":"): line for line in lines}, done
        return self.runs[key]

    def check(self, name, test, machine, *options):
        """Fail with what the test said, or with how the program ended before it."""
        lines, done = self.of(name, machine, *options)
        assert lines.get(test) == f"ok {test}", lines.get(test) or f"not run; status {done.returncode}: {done.stderr}"
