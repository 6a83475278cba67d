"""The driver program, made with gcc, and what it prints on the host: the oracle of these tests."""

import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FLAGS = ["-O1", "-fno-stack-protector", "-fcf-protection=none", "-fno-builtin", "-nostdlib", "-static", "-no-pie"]
LINUX = tuple(int(part) for part in platform.release().split(".")[:2])
COALMM = (sys.executable, "-m", "coalmm", "run", "--")
PROTECTION_KEYS = " pku " in Path("/proc/cpuinfo").read_text().replace("\n", " ")


def build(directory, bits, source="driver.c", flags=FLAGS):
    """Compile a program of this folder; its path. The test is skipped where that cannot be done."""
    if platform.machine() != "x86_64" or shutil.which("gcc") is None:
        pytest.skip("needs gcc on an x86-64 host")
    program = Path(directory) / f"{Path(source).stem}{bits}"
    if not program.exists():
        command = ["gcc", f"-m{bits}", *flags, "-o", str(program), str(HERE / source)]
        subprocess.run(command, check=True, capture_output=True)
    return str(program)


def run(program, script, command=("setarch", "-R")):
    """The lines that the driver prints for a script, one to each command; `command` is what starts it."""
    words = [*command, program] if shutil.which(command[0]) else [program]
    done = subprocess.run(words, input="\n".join(script) + "\n", capture_output=True, text=True, timeout=120)
    lines = done.stdout.split("\n")[:-1]
    assert (done.returncode, len(lines)) == (0, len(script)), done.stdout[-300:] + done.stderr[-300:]
    return lines
