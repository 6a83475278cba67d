"""A fault is found, its sequence is short, and its program shows it."""

import pytest
from targets import faulty, reproduced

from coalmm.check.kit import Options, check_target
from coalmm.check.result import FAIL

FAULTS = {  # the group whose random calls find it -> (file, text, wrong text)
    "buddy": ("buddy.c", "buddy = number ^ (size_t)1 << order;", "buddy = number + ((size_t)1 << order);"),
    "paging": ("user.c", "if (*entry & PAGE_COW && !own(entry))", "if (0 && !own(entry))"),
    "slab": ("slab.c", "if (slab->free == 1) {", "if (slab->free == 2) {"),
    "kmalloc": ("kmalloc.c", "memcpy(new, ptr, old < size ? old : size);", "memcpy(new, ptr, size / 2);"),
    "frames": ("frames.c", "return free_frames * PAGE;", "return free_frames / 2 * PAGE;"),
}


@pytest.mark.parametrize("group", FAULTS)
def test_a_fault_is_found_by_random_calls_and_its_program_fails(tmp_path, group):
    target = faulty(tmp_path, *FAULTS[group])
    report = check_target(target, Options(only=(group,), seed=1, seconds=30.0))
    result = next(result for result in report.results if result.check == f"random-{group}")
    assert result.status == FAIL
    assert result.operations <= 20, result.reproducer
    ended = reproduced(tmp_path, result)
    assert ended.returncode != 0
    if ended.returncode == 1:
        assert ended.stdout.split()[0] == result.message.split()[0]
