"""No sequence of calls with any integers, strings, floats, None or objects crashes or hangs the interpreter."""

import pytest

from machines import PROJECT, run_python


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_calls_of_everything_public_leave_the_interpreter_alive(seed, tmp_path):
    run = run_python(PROJECT / "tests" / "fuzz.py", 6000, seed, tmp_path, timeout=120)
    assert run.returncode == 0, run.stdout[-40:] + run.stderr
    assert run.stdout.endswith("all calls made\n")
