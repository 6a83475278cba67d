"""Qiling as a peer for programs, in a virtual environment of its own: it wants its own versions of what coalmm uses.

It runs few programs. Whether it runs one is tried with little work, and its output compared with that of Linux.
"""

import subprocess

from bench.build import OUTPUT, SOURCE

PYTHON = OUTPUT / "qiling" / "bin" / "python"
INSTALL = "python3 -m venv build/bench/qiling && build/bench/qiling/bin/pip install qiling"
TRIAL_LIMIT = 120  # seconds


def command(program: list[str]) -> list[str]:
    """The command line of a program under it."""
    return [str(PYTHON), str(SOURCE / "under_qiling.py"), *program]


def why_not(program: list[str]) -> str:
    """Why it cannot be compared for a program, "" if it can. `program` is one with little to do."""
    if not PYTHON.exists():
        return f"Qiling is not installed: {INSTALL}"
    native = subprocess.run(program, capture_output=True, stdin=subprocess.DEVNULL, check=True)
    try:
        tried = subprocess.run(
            command(program), capture_output=True, stdin=subprocess.DEVNULL, timeout=TRIAL_LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        return f"not available: under Qiling it is not done after {TRIAL_LIMIT} s"
    if tried.returncode:
        said = tried.stderr.decode(errors="replace").strip().splitlines()
        return f"not available: under Qiling it ends with {tried.returncode}: {said[-1] if said else 'nothing said'}"
    if tried.stdout != native.stdout:
        return "not available: under Qiling it prints something else"
    return ""
