"""inotify tells what it tells on Linux, in the same order, of private changes and of those below `--write`."""

import pytest
from guests import PAGING, assert_same, program

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
