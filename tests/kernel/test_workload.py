"""One seeded workload leaves the same RAM in both modes; scribbled-over machines never kill the interpreter."""

import pytest

from machines import LIBRARIES, PROJECT, run_python, runs_both_modes

TESTS = PROJECT / "tests"


@runs_both_modes
def test_both_modes_leave_the_same_bytes():
    runs = {mode: run_python(TESTS / "workload.py", 1500, mode=mode) for mode in LIBRARIES}
    for run in runs.values():
        assert run.returncode == 0, run.stderr
    assert len(runs["compiled"].stdout.splitlines()) == 5
    assert runs["compiled"].stdout == runs["interpreted"].stdout


@pytest.mark.parametrize("seed", ["bytes", "bits"])
def test_a_machine_with_damaged_structures_never_crashes_or_hangs_the_interpreter(seed):
    run = run_python(TESTS / "scribble.py", 40, seed, timeout=120)
    assert run.returncode == 0, run.stdout[-40:] + run.stderr
    assert run.stdout.endswith("all rounds played\n")


def test_a_cache_record_without_a_stride_is_refused_and_divides_by_nothing():
    script = (
        "import coalmm\n"
        "kernel = coalmm.boot('4M')\n"
        "cache = kernel.slabs.create('x', 64)\n"
        "object = kernel.slabs.allocate(cache)\n"
        "kernel.ram.words[(cache - kernel.kernel_base >> 3) + 2] = 0\n"
        "try:\n    kernel.slabs.free(cache, object)\n"
        "except coalmm.MisuseError:\n    print('refused')\n"
    )
    run = run_python("-c", script)
    assert (run.returncode, run.stdout) == (0, "refused\n"), run.stderr
