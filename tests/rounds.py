"""What a run of the suite leaves to the other runs of one `make test`. A run by hand has everything.

COALMM_TESTED says which other run leaves out less than this one:

- `compiled`: that of the compiled modules. What is compiled ends below the system calls (the `.pxd` files of `src`):
  those layers are tested whole in both modes. Of what stands on them, interpreted, one test in EVERY is left: it is the
  same Python there, on a machine that is slow, and tests/linux/test_both_modes.py compares the modes over programs.
- `python`: that of another Python. Tools and files are not tested again, nor are the slowest tests.
"""

import os

TESTED = frozenset(os.environ.get("COALMM_TESTED", "").split())
EVERY = 5

# Folders and files of tests/.
IN_BOTH_MODES = (
    "bad_inputs", "docs/test_readme.py", "hardware", "heap", "inspect", "kernel", "physical", "process", "python",
    "replay", "traces", "virtual",
)  # fmt: skip
IN_ONE_MODE = ("cli/test_demo.py", "docs/test_check_your_kernel.py", "kit", "test_layers.py")
WITH_ONE_PYTHON = (
    "bench/test_bench.py", "docs/test_check_your_kernel.py", "kit/test_find_and_shrink.py",
    "kit/test_hostile_targets.py", "kit/test_other_ways.py", "kit/test_own_library.py", "kit/test_planted_faults.py",
    "kit/test_higher_half.py", "kit/test_privileged.py", "kit/test_reproducers.py", "kit/test_tlb.py",
    "linux/test_hostile.py", "linux/test_program_table.py", "test_layers.py",
)  # fmt: skip
LONG = ("bench/test_bench.py", "docs/test_check_your_kernel.py", "kit", "linux/test_hostile.py", "linux/test_limits.py")


def is_in(path: str, places: tuple[str, ...]) -> bool:
    """Whether a file of tests/ is named there, or lies in a folder that is."""
    return path in places or path.partition("/")[0] in places


def is_left_out(path: str, number: int) -> bool:
    """Whether another run has the test with this number (from 0) in its file."""
    if "python" in TESTED and is_in(path, WITH_ONE_PYTHON):
        return True
    if "compiled" not in TESTED or is_in(path, IN_BOTH_MODES):
        return False
    return is_in(path, IN_ONE_MODE) or number % EVERY != 0
