"""inotify tells what it tells on Linux, in the same order, of private changes and of those below `--write`."""

import tempfile

import pytest
from guests import PAGING, assert_same, program, run_on_ours

TAIL = """
cd $(mktemp -d); echo 1 >log
(sleep 0.2; echo 2 >>log; sleep 0.2; mv log old; echo 3 >log; sleep 0.2; echo 4 >>log; echo 5 >>old) &
timeout 1.5 tail -F log 2>/dev/null; timeout 0.3 tail -f log; rm log old; rmdir $PWD
"""


@pytest.mark.parametrize(("flavour", "writable"), [("64", []), ("32", []), ("64", ["/tmp"])])
def test_inotify_tells_what_linux_tells(flavour, writable):
    ours = assert_same([program("watching", flavour)], paging=PAGING[flavour], writable=writable)
    assert not ours.unknown


def test_tail_follows_a_file_that_is_written_moved_and_made_anew():
    ours = assert_same(["/bin/bash", "-c", TAIL])
    assert not ours.unknown


@pytest.mark.parametrize("writable", [[], ["/tmp"]], ids=["overlay", "--write"])
def test_a_file_with_several_names_is_told_by_the_one_that_was_used(writable):
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        assert_same([program("hard_links", "64"), folder], writable=writable)


NUMBERED = """
cd /tmp; readlink /proc/self/fd/0 </dev/null; readlink /proc/self/fd/3 3< <(:); exec 5>a; mv a b
readlink /proc/self/fd/5
python3 -c 'import socket, os; a = socket.socketpair(); print(os.readlink(f"/proc/self/fd/{a[0].fileno()}"))'
"""


def test_a_second_run_has_the_numbers_of_the_first():
    first, second = (run_on_ours(["/bin/bash", "-c", NUMBERED]) for _ in range(2))
    assert b"pipe:[1" in first.outcome.stdout
    assert b"socket:[5" in first.outcome.stdout
    assert first.outcome == second.outcome
