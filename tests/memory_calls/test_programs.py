"""C programs about memory print on coalmm what they print on the host, and leave no frame behind."""

import subprocess

import native
import pytest

STATIC = ["-O1", "-w", "-static"]
PROGRAMS = ["fork_tree", "shared_file", "stack_growth", "limits", "shm", "pagemap"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_prints_what_it_prints_on_linux(programs, tmp_path, name):
    program = native.build(programs, 64, f"programs/{name}.c", STATIC)
    command = ["bash", "-c", f'ulimit -s 8192; exec "{program}" "$@"', "-"]
    arguments = [str(tmp_path / "file")] if name in ("fork_tree", "shared_file", "pagemap") else []
    theirs = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60)
    ours = subprocess.run([*native.COALMM, program, *arguments], capture_output=True, text=True, timeout=300)
    assert theirs.returncode == 0 and theirs.stdout.count("\n") > 8
    assert (ours.stdout, ours.returncode) == (theirs.stdout, theirs.returncode), ours.stderr[-500:]
