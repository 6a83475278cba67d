"""Semaphores and message queues of System V: native and ours are equal."""

import os

import pytest
from guests import PAGING, assert_same, program, run_on_ours

import coalmm
from machines import Ledger

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can take other ids natively")


@needs_root
@pytest.mark.parametrize("flavour", ["64", "32"])
@pytest.mark.parametrize("name", ["semaphores", "message_queues"])
def test_ipc_is_that_of_linux(name, flavour):
    ours = assert_same([program(name, flavour)], paging=PAGING[flavour])
    assert not ours.unknown


LEAVES = "ipcmk -S 30 >/dev/null; ipcmk -Q >/dev/null; ipcs -s | grep -c 30"


def test_what_a_run_leaves_in_memory_is_given_back():
    ours = run_on_ours(["/bin/bash", "-c", LEAVES])  # which looks at every frame and object
    assert ours.outcome.stdout == b"1\n"


END = """
import ctypes
call = ctypes.CDLL(None, use_errno=True).syscall
call.argtypes = [ctypes.c_long] * 6
semaphores, queue = call(64, 0, 1, 0o600, 0, 0), call(68, 0, 0o600, 0, 0, 0)
CALLS = (66, semaphores, 0, 1, -2), (71, queue, 1, -2), (46, 1, -2, 0), (69, queue, -2, 1, 0)
for number, *arguments in CALLS:
    print(call(number, *arguments, *(0,) * (5 - len(arguments))), ctypes.get_errno())
call(66, semaphores, 0, 0, 0, 0), call(71, queue, 0, 0, 0, 0)
"""


def test_a_struct_past_the_end_of_addresses_is_a_bad_address():
    assert_same(["/usr/bin/python3", "-c", END])


def test_without_memory_a_set_is_refused():
    with coalmm.boot(ram="64M", paging="x86_64") as kernel:
        ledger = Ledger(kernel)
        from coalmm.linux.credentials import Credentials
        from coalmm.linux.semaphores import SemaphoreSet

        with kernel.failing(nth=1, points=("kmalloc",)), pytest.raises(OSError, match="System V"):
            SemaphoreSet(kernel, 0, 3, 0o600, Credentials.of_host())
        ledger.assert_all_is_back()
