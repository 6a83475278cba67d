"""What `make run` shows: a program of this machine runs on the memory manager. Arguments: another program to run.

The first of these that is there: bash with a pipe, Python, sh; without any, a small program is compiled.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PIPE = "for word in frame page slab buddy; do echo $word; done | sort -r | head -1"
PROGRAMS = (
    ("/bin/bash", "-c", PIPE),
    ("/usr/bin/python3", "-S", "-c", "print(sum(range(10**5)))"),
    ("/bin/sh", "-c", "echo $((6 * 7))"),
)
SOURCE = Path(__file__).with_name("touch_pages.c")


def run(*program: str) -> int:
    """Run a program with `coalmm run`, as a shell would; its exit status."""
    line = ["coalmm", "run", "--", *program]
    print("$", " ".join(repr(word) if " " in word else word for word in line), flush=True)
    return subprocess.run([sys.executable, "-m", *line]).returncode


def main() -> int:
    """Run the program that was asked for, or the first that this machine has."""
    if sys.argv[1:]:
        return run(*sys.argv[1:])
    for program in PROGRAMS:
        if os.access(program[0], os.X_OK):
            return run(*program)
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        sys.exit("no program to run here: python examples/run_program.py PROGRAM")
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "touch_pages")
        subprocess.run([compiler, "-O1", "-static", "-nostdlib", "-o", program, SOURCE], check=True)
        return run(program)


if __name__ == "__main__":
    sys.exit(main())
