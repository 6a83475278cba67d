"""What a run leaves: nothing, and the check of it can tell."""

import gc
import os

import pytest
from guests import run_on_ours

import coalmm
from machines import Ledger

SCRIPT = ["/bin/bash", "-c", "cd /tmp; (seq 9 | sort -r >a; mkdir b; mv a b; cat <(cat b/a) >&2) & exec 7</etc; wait"]


def open_descriptors():
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def test_no_descriptor_of_the_host_stays_open():
    run_on_ours(SCRIPT)
    before = open_descriptors()
    run_on_ours(SCRIPT)
    assert open_descriptors() == before


@pytest.mark.parametrize(
    "take",
    [
        lambda kernel: kernel.kmalloc(40),
        lambda kernel: kernel.kmalloc(40000),
        lambda kernel: kernel.frame_alloc(),
        lambda kernel: kernel.processes.create("stays"),
        lambda kernel: kernel.files.create_memory(4096),
    ],
    ids=["object", "large block", "frame", "process", "file"],
)
def test_the_books_show_what_stayed(take):
    with coalmm.boot(ram="8M") as kernel:
        ledger = Ledger(kernel)
        ledger.assert_all_is_back()
        take(kernel)
        with pytest.raises(AssertionError):
            ledger.assert_all_is_back()
