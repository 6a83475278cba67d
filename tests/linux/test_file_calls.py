"""Extended attributes, chroot, the limit on a file's size: native and ours are equal."""

import os

import pytest
from guests import PAGING, assert_same, program, run_on_ours


@pytest.mark.parametrize(("flavour", "writable"), [("64", []), ("32", []), ("64", ["/tmp"])])
def test_attributes_roots_and_limits_are_those_of_linux(flavour, writable):
    ours = assert_same([program("extended", flavour)], paging=PAGING[flavour], writable=writable)
    assert not ours.unknown


def test_attributes_of_the_host_are_read_and_private_changes_stay_private(tmp_path):
    path = tmp_path / "file"
    path.write_text("text")
    try:
        os.setxattr(path, "user.host", b"from the host")
    except OSError:
        pytest.skip("needs a file system with user attributes for temporary files")
    code = f"""
import os
path = {str(path)!r}
print(os.getxattr(path, "user.host"))
open(path, "a").write("more")  # a private copy has them too
os.setxattr(path, "user.guest", b"private")
print(sorted(os.listxattr(path)), os.getxattr(path, "user.host"))
"""
    ours = run_on_ours(["/usr/bin/python3", "-S", "-c", code])
    assert ours.outcome.stdout == b"b'from the host'\n['user.guest', 'user.host'] b'from the host'\n"
    assert os.listxattr(path) == ["user.host"]


def test_a_program_knows_where_it_is_whatever_link_it_was_started_by(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("/bin/readlink")
    assert_same([str(link), "/proc/self/exe"])
