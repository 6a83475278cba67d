"""stat and the like, compared with what the host's own kernel says of the same files."""

import os
import struct
from errno import EBADF, EFAULT, EINVAL, ENOENT

import pytest
from guest import BAD, Guest

from coalmm.linux.calls.status import encode_device


def status(guest, path, name="stat"):
    at = guest.room(256)
    guest.good(name, path, at)
    return guest.task.read(at, 144)


def test_stat_is_the_hosts(guest, tree):
    for path in ("etc/hostname", "etc", "bin/tool"):
        host = os.stat(tree / path)
        dev, ino, nlink, mode, uid, gid, _, rdev, size, blksize, blocks = struct.unpack(
            "<QQQIIIIQqqq", status(guest, path)[:72]
        )
        assert (dev, ino, nlink) == (encode_device(host.st_dev), host.st_ino, host.st_nlink)
        assert (mode, uid, gid, rdev, size) == (host.st_mode, host.st_uid, host.st_gid, 0, host.st_size)
        assert (blksize, blocks) == (host.st_blksize, host.st_blocks)
        seconds, nanoseconds = struct.unpack("<QQ", status(guest, path)[88:104])
        assert seconds * 10**9 + nanoseconds == host.st_mtime_ns


def test_lstat_is_of_the_link(guest):
    mode = struct.unpack_from("<I", status(guest, "/absolute", "lstat"), 24)[0]
    assert mode >> 12 == 0o12
    assert struct.unpack_from("<I", status(guest, "/absolute"), 24)[0] >> 12 == 0o10


def test_fstatat_knows_its_flags(guest):
    at = guest.room(144)
    fd = guest.open("/etc/hostname")
    assert guest.good("newfstatat", fd, "", at, 0x1000) == 0
    assert guest.task.read(at, 144) == status(guest, "/etc/hostname")
    assert guest.call("newfstatat", fd, "", at, 0) == -ENOENT
    assert guest.call("newfstatat", -100, "/etc", at, 0x10) == -EINVAL
    assert guest.call("newfstatat", 77, "x", at, 0) == -EBADF
    assert guest.call("stat", "/etc", BAD) == -EFAULT


def test_i386_layouts_hold_the_same(tree):
    guest = Guest(tree, bits=32)
    at = guest.room(96)
    host = os.stat(tree / "etc/hostname")
    guest.good("stat64", "/etc/hostname", at)
    data = guest.task.read(at, 96)
    assert struct.unpack_from("<I", data, 16)[0] == host.st_mode
    assert struct.unpack_from("<q", data, 44)[0] == host.st_size
    assert struct.unpack_from("<I", data, 72)[0] == host.st_mtime_ns // 10**9
    assert struct.unpack_from("<Q", data, 88)[0] == host.st_ino
    guest.good("stat", "/etc/hostname", at)
    assert struct.unpack_from("<H", guest.task.read(at, 64), 8)[0] == host.st_mode


@pytest.mark.parametrize("bits", [32, 64])
def test_statx_is_the_same_for_both(tree, bits):
    guest = Guest(tree, bits=bits)
    at = guest.room(256)
    host = os.stat(tree / "etc/hostname")
    guest.good("statx", -100, "/etc/hostname", 0, 0x7FF, at)
    data = guest.task.read(at, 256)
    assert struct.unpack_from("<H", data, 28)[0] == host.st_mode
    assert struct.unpack_from("<QQ", data, 32) == (host.st_ino, host.st_size)
    assert struct.unpack_from("<qI", data, 112) == divmod(host.st_mtime_ns, 10**9)


def test_directories_are_listed_in_both_forms(guest, tree):
    assert guest.list("/") == sorted([*os.listdir(tree), "dev", "proc", "sys"])
    fd = guest.open("/etc")
    assert guest.call("getdents64", fd, guest.room(8), 8) == -EINVAL
    at = guest.room(1000)
    count = guest.good("getdents", fd, at, 1000)
    data = guest.task.read(at, count)
    length = struct.unpack_from("<H", data, 16)[0]
    assert data[18:20] == b".\0" and data[length - 1] == 4


def test_the_working_directory(guest):
    guest.good("chdir", "usr/bin")
    assert guest.path() == "/usr/bin"
    assert guest.contents("tool").startswith(b"#!")
    guest.good("chdir", "../../../..")
    assert guest.path() == "/"
    assert guest.call("getcwd", guest.room(1), 1) == -34
    assert guest.call("chdir", "/etc/hostname") == -20


def test_links_and_access(guest):
    at = guest.room(100)
    assert guest.good("readlink", "/absolute", at, 5) == 5
    assert guest.task.read(at, 5) == b"/etc/"
    assert guest.call("readlink", "/etc", at, 5) == -EINVAL
    assert guest.good("access", "/bin/tool", 5) == 0
    assert guest.call("access", "/etc/hostname", 1) == -13
    assert guest.call("access", "/etc/hostname", 8) == -EINVAL
