"""mkdir, unlink, rename, link, chmod and times: in the overlay, and below --write; the same as Linux does them."""

import os
import struct
from errno import EBUSY, EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, EXDEV

import pytest
from guest import Guest


@pytest.fixture(params=["overlay", "write"])
def both(request, tree):
    """A guest at /out, which is in the overlay or on the host."""
    guest = Guest(tree, writable=[str(tree / "out")] if request.param == "write" else [])
    guest.good("chdir", "/out")
    guest.on_host = request.param == "write"
    return guest


def make(guest, path, data=b""):
    fd = guest.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    if data:
        guest.write(fd, data)
    guest.good("close", fd)


def stat_of(guest, path):
    at = guest.room(144)
    guest.good("lstat", path, at)
    data = guest.task.read(at, 144)
    nlink, mode = struct.unpack_from("<QI", data, 16)
    return {"mode": mode, "nlink": nlink, "ino": struct.unpack_from("<Q", data, 8)[0]}


def test_what_is_made_shows_and_only_write_reaches_the_host(both, tree):
    both.good("mkdir", "d", 0o750)
    make(both, "d/f", b"data")
    both.good("symlink", "/etc/hostname", "d/s")
    assert both.list("d") == ["f", "s"]
    assert both.contents("d/s") == b"coal\n"
    assert stat_of(both, "d")["mode"] & 0o7777 == 0o750
    assert (tree / "out/d/f").exists() == both.on_host
    assert os.path.lexists(tree / "out/d/s") == both.on_host


def test_names_that_are_there_or_have_no_parent(both):
    both.good("mkdir", "d", 0o755)
    assert both.call("mkdir", "d", 0o755) == -EEXIST
    assert both.call("mkdir", "/", 0o755) == -EEXIST
    assert both.call("mkdir", "x/y", 0o755) == -ENOENT
    assert both.call("symlink", "t", "d") == -EEXIST
    assert both.call("symlink", "", "e") == -ENOENT
    assert both.call("mknod", "dev", 0o020666, 0x103) == -EPERM


def test_removing(both):
    make(both, "f")
    both.good("mkdir", "d", 0o755)
    make(both, "d/g")
    assert both.call("rmdir", "d") == -ENOTEMPTY
    assert both.call("unlink", "d") == -EISDIR
    assert both.call("rmdir", "f") == -ENOTDIR
    assert both.call("unlink", "f/") == -ENOTDIR
    both.good("unlink", "d/g")
    both.good("rmdir", "d/")
    both.good("unlink", "f")
    assert both.call("unlink", "f") == -ENOENT
    assert both.list(".") == []
    assert both.call("rmdir", ".") == -EINVAL
    assert both.call("rmdir", "..") == -ENOTEMPTY
    assert both.call("rmdir", "/") == -EBUSY


def test_an_open_file_outlives_its_name(both):
    make(both, "f", b"old")
    fd = both.open("f", os.O_RDWR)
    both.good("unlink", "f")
    both.good("pwrite64", fd, b"new", 3, 0)
    make(both, "f", b"other")
    assert both.read(fd) == b"new"
    assert both.contents("f") == b"other"
    at = both.room(144)
    both.good("fstat", fd, at)
    assert struct.unpack_from("<Q", both.task.read(at + 16, 8))[0] == 0


def test_renames(both):
    make(both, "a", b"a")
    make(both, "b", b"b")
    both.good("mkdir", "d", 0o755)
    both.good("rename", "a", "b")
    assert both.contents("b") == b"a"
    assert both.call("rename", "a", "c") == -ENOENT
    both.good("rename", "b", "d/c")
    assert both.list(".") == ["d"]
    assert both.call("rename", "d", "d/e") == -EINVAL
    make(both, "f")
    assert both.call("rename", "f", "d") == -EISDIR
    assert both.call("rename", "d", "f") == -ENOTDIR
    both.good("mkdir", "e", 0o755)
    both.good("rename", "d", "e")
    assert both.contents("e/c") == b"a"
    assert both.call("renameat2", -100, "f", -100, "e/c", 1) == -EEXIST
    assert both.call("rename", "e", ".") == -EBUSY


def test_a_directory_that_moved_is_still_the_working_directory(both):
    both.good("mkdir", "d", 0o755)
    both.good("mkdir", "e", 0o755)
    both.good("chdir", "d")
    both.good("rename", "../d", "../e/x")
    assert both.path() == "/out/e/x"
    make(both, "f", b"1")
    assert both.contents("/out/e/x/f") == b"1"


def test_a_working_directory_that_is_gone(both):
    both.good("mkdir", "d", 0o755)
    both.good("chdir", "d")
    both.good("rmdir", "/out/d")
    assert both.call("open", "f", os.O_CREAT | os.O_WRONLY, 0o644) == -ENOENT
    assert both.call("getcwd", both.room(100), 100) == -ENOENT
    assert both.call("mkdir", "e", 0o755) == -ENOENT


def test_hard_links_share_the_file(both):
    make(both, "a", b"1")
    both.good("link", "a", "b")
    assert stat_of(both, "b")["nlink"] == 2
    assert stat_of(both, "a")["ino"] == stat_of(both, "b")["ino"]
    both.write(both.open("b", os.O_WRONLY), b"2")
    assert both.contents("a") == b"2"
    both.good("rename", "a", "b")  # two names of one file: nothing happens
    assert both.list(".") == ["a", "b"]
    both.good("unlink", "a")
    assert stat_of(both, "b")["nlink"] == 1
    both.good("mkdir", "d", 0o755)
    assert both.call("link", "d", "e") == -EPERM


def test_modes_and_times(both, tree):
    make(both, "f")
    both.good("chmod", "f", 0o4751)
    assert stat_of(both, "f")["mode"] & 0o7777 == 0o4751
    both.good("utimensat", -100, "f", struct.pack("<4q", 1, 2, 3, 4), 0)
    at = both.room(144)
    both.good("stat", "f", at)
    assert struct.unpack_from("<4q", both.task.read(at + 72, 32)) == (1, 2, 3, 4)
    both.good("utimensat", -100, "f", struct.pack("<4q", 0, 0x3FFFFFFE, 9, 9), 0)
    both.good("stat", "f", at)
    assert struct.unpack_from("<4q", both.task.read(at + 72, 32)) == (1, 2, 9, 9)
    assert both.call("utimensat", -100, "f", struct.pack("<4q", 0, -1, 0, 0), 0) == -EINVAL
    if both.on_host:
        assert os.stat(tree / "out/f").st_mtime == 9.000000009


def test_the_umask_of_the_guest_counts(both):
    both.good("umask", 0o077)
    make(both, "f")
    both.good("mkdir", "d", 0o777)
    assert stat_of(both, "f")["mode"] & 0o777 == 0o600
    assert stat_of(both, "d")["mode"] & 0o777 == 0o700
    assert both.good("umask", 0) == 0o077


def test_exchange_in_the_overlay(guest):
    guest.good("renameat2", -100, "/etc/hostname", -100, "/usr/bin", 2)
    assert guest.list("/etc/hostname") == ["tool"]
    assert guest.contents("/usr/bin") == b"coal\n"
    assert guest.call("renameat2", -100, "/etc/hostname", -100, "/no", 2) == -ENOENT


def test_files_of_the_host_are_removed_and_moved_for_the_guest_alone(guest, tree):
    guest.good("unlink", "/etc/passwd")
    assert guest.call("access", "/etc/passwd", 0) == -ENOENT
    guest.good("rename", "/usr/bin", "/moved")
    assert guest.contents("/moved/tool").startswith(b"#!")
    assert guest.call("stat", "/bin/tool", guest.room(144)) == -ENOENT
    assert guest.list("/usr") == []
    guest.good("rmdir", "/usr")
    assert sorted(os.listdir(tree / "usr/bin")) == ["tool"]
    assert (tree / "etc/passwd").exists()
    make(guest, "/etc/passwd", b"mine")
    assert guest.list("/etc") == ["hostname", "passwd"]
    assert (tree / "etc/passwd").read_text() == "root:x:0:0\n"


def test_a_removed_directory_made_again_is_empty(guest):
    for name in ("hostname", "passwd"):
        guest.good("unlink", f"/etc/{name}")
    guest.good("rmdir", "/etc")
    guest.good("mkdir", "/etc", 0o755)
    assert guest.list("/etc") == []


def test_nothing_goes_between_the_overlay_and_the_host(tree):
    guest = Guest(tree, writable=[str(tree / "out")])
    make(guest, "/tmp/f", b"x")
    make(guest, "/out/g", b"y")
    assert guest.call("rename", "/tmp/f", "/out/f") == -EXDEV
    assert guest.call("rename", "/out/g", "/tmp/g") == -EXDEV
    assert guest.call("link", "/tmp/f", "/out/f") == -EXDEV
    assert guest.call("link", "/etc/hostname", "/out/h") == -EXDEV
    assert guest.call("rmdir", "/out") == -EBUSY
    assert guest.call("rename", "/out", "/in") == -EBUSY
    assert guest.call("rmdir", "/proc") == -EBUSY


def test_write_asks_for_a_directory_below_the_root(tree):
    with pytest.raises(ValueError, match="not below"):
        Guest(tree, writable=[str(tree.parent)])
    with pytest.raises(OSError):
        Guest(tree, writable=[str(tree / "etc/hostname")])


def test_the_whole_root_can_be_writable(tree):
    guest = Guest(tree, writable=[str(tree)])
    make(guest, "/etc/new", b"1")
    assert (tree / "etc/new").read_bytes() == b"1"
    assert guest.read(guest.open("/dev/zero"), 3) == bytes(3)
    assert guest.call("open", "/dev/new", os.O_CREAT | os.O_WRONLY, 0o600) >= 0
    assert not (tree / "dev").exists()
