"""Opening, reading, writing and seeking."""

import os
import struct
from errno import EACCES, EBADF, EEXIST, EFAULT, EINVAL, EISDIR, ELOOP, EMFILE, ENOENT, ENOSPC, ENOTDIR

import pytest
from guest import BAD, Guest


def test_a_file_of_the_host_is_read(guest):
    assert guest.contents("/etc/hostname") == b"coal\n"
    assert guest.contents("/bin/tool").startswith(b"#!")


def test_a_link_that_is_absolute_or_climbs_stays_in_the_root(guest):
    assert guest.contents("/absolute") == b"coal\n"
    assert guest.contents("/up") == b"coal\n"
    assert guest.contents("/../../..//etc/./../etc/hostname") == b"coal\n"


@pytest.mark.parametrize(
    ("path", "flags", "error"),
    [
        ("/missing", 0, ENOENT),
        ("", 0, ENOENT),
        ("/etc/hostname/x", 0, ENOTDIR),
        ("/etc/hostname/", 0, ENOTDIR),
        ("/missing/x", os.O_CREAT, ENOENT),
        ("/etc", os.O_WRONLY, EISDIR),
        ("/etc", os.O_CREAT, EISDIR),
        ("/new/", os.O_CREAT | os.O_WRONLY, EISDIR),
        ("/loop", 0, ELOOP),
        ("/absolute", os.O_NOFOLLOW, ELOOP),
        ("/etc/hostname", os.O_DIRECTORY, ENOTDIR),
        ("/etc/hostname", os.O_CREAT | os.O_EXCL, EEXIST),
        ("/absolute", os.O_CREAT | os.O_EXCL, EEXIST),
        ("/" + "x" * 256, 0, 36),
        ("/x" * 2048, 0, 36),
    ],
)
def test_what_cannot_be_opened_has_linux_errno(guest, path, flags, error):
    assert guest.call("open", path, flags, 0o644) == -error


def test_a_bad_path_pointer_is_efault(guest):
    assert guest.call("open", 0, 0, 0) == -EFAULT
    assert guest.call("open", BAD, 0, 0) == -EFAULT


def test_writes_go_to_a_private_copy(guest, tree):
    fd = guest.open("/etc/hostname", os.O_RDWR)
    assert guest.write(fd, b"COAL") == 4
    assert guest.contents("/etc/hostname") == b"COAL\n"
    assert (tree / "etc/hostname").read_text() == "coal\n"


def test_an_open_reader_sees_what_is_written_later(guest):
    reader = guest.open("/etc/hostname")
    assert guest.read(reader, 2) == b"co"
    guest.write(guest.open("/etc/hostname", os.O_WRONLY | os.O_APPEND), b"more")
    assert guest.read(reader) == b"al\nmore"


def test_new_files_are_seen_by_all_and_never_on_the_host(guest, tree):
    fd = guest.open("/tmp/new", os.O_CREAT | os.O_RDWR, 0o600)
    guest.write(fd, b"x" * 100)
    assert guest.fork().contents("/tmp/new") == b"x" * 100
    assert guest.list("/tmp") == ["new"]
    assert os.listdir(tree / "tmp") == []


def test_truncation_on_open(guest):
    guest.open("/etc/passwd", os.O_WRONLY | os.O_TRUNC)
    assert guest.contents("/etc/passwd") == b""


def test_offsets_and_whence(guest):
    fd = guest.open("/etc/hostname")
    assert guest.good("lseek", fd, -2, 2) == 3
    assert guest.read(fd) == b"l\n"
    assert guest.good("lseek", fd, -4, 1) == 1
    assert guest.call("lseek", fd, -1, 0) == -EINVAL
    assert guest.call("lseek", fd, 0, 9) == -EINVAL
    assert guest.call("lseek", 99, 0, 0) == -EBADF


def test_pread_and_pwrite_leave_the_offset(guest):
    fd = guest.open("/etc/hostname", os.O_RDWR)
    at = guest.room(16)
    assert guest.good("pread64", fd, at, 3, 1) == 3
    assert guest.task.read(at, 3) == b"oal"
    assert guest.good("pwrite64", fd, b"OAL", 3, 1) == 3
    assert guest.read(fd) == b"cOAL\n"
    assert guest.call("pread64", fd, at, 3, -1) == -EINVAL


def test_vectors_are_gathered_and_scattered(guest):
    fd = guest.open("/tmp/v", os.O_CREAT | os.O_RDWR)
    parts = [guest.put(b"one"), guest.put(b"three")]
    array = struct.pack("<4Q", parts[0], 3, parts[1], 5)
    assert guest.good("writev", fd, array, 2) == 8
    guest.good("lseek", fd, 0, 0)
    rooms = [guest.room(4), guest.room(100)]
    assert guest.good("readv", fd, struct.pack("<4Q", rooms[0], 4, rooms[1], 100), 2) == 8
    assert guest.task.read(rooms[0], 4) + guest.task.read(rooms[1], 4) == b"onethree"
    assert guest.call("readv", fd, array, 1025) == -EINVAL
    assert guest.call("readv", fd, array, -1) == -EINVAL


def test_a_buffer_that_is_bad_behind_its_first_page_is_used_as_far_as_it_goes(guest):
    fd = guest.open("/tmp/f", os.O_CREAT | os.O_RDWR)
    end = guest.task.room + (1 << 20)
    guest.task.write(end - 3, b"abc")
    assert guest.good("write", fd, end - 3, 10) == 3
    guest.write(fd, b"more text")
    guest.good("lseek", fd, 0, 0)
    assert guest.good("read", fd, end - 5, 10) == 5
    assert guest.task.read(end - 5, 5) == b"abcmo"
    assert guest.read(fd) == b"re text"
    assert guest.call("read", fd, BAD, 0) == 0
    guest.good("lseek", fd, 0, 0)
    assert guest.call("read", fd, BAD, 5) == -EFAULT
    assert guest.call("write", fd, BAD, 5) == -EFAULT


def test_access_mode_is_kept(guest):
    reader = guest.open("/etc/hostname")
    writer = guest.open("/etc/hostname", os.O_WRONLY)
    assert guest.call("write", reader, b"x", 1) == -EBADF
    assert guest.call("read", writer, guest.room(1), 1) == -EBADF
    path = guest.open("/etc/hostname", os.O_PATH)
    assert guest.call("read", path, guest.room(1), 1) == -EBADF
    assert guest.call("lseek", path, 0, 0) == -EBADF


def test_the_lowest_number_is_given_and_the_limit_holds(guest):
    assert guest.open("/etc/hostname") == 3
    assert guest.open("/etc/hostname") == 4
    guest.good("close", 3)
    assert guest.good("dup", 4) == 3
    assert guest.good("fcntl", 4, 0, 10) == 10
    guest.task.files.set_limit(6)
    assert guest.open("/etc/hostname") == 5
    assert guest.call("open", "/etc/hostname", 0, 0) == -EMFILE
    assert guest.call("open", "/tmp/made", os.O_CREAT, 0o600) == -EMFILE
    assert guest.list is not None and guest.call("access", "/tmp/made", 0) == -ENOENT


def test_close_on_exec_and_fork(guest):
    kept, gone = guest.open("/etc/hostname"), guest.open("/etc/hostname", os.O_CLOEXEC)
    assert guest.good("fcntl", gone, 1, 0) == 1
    child = guest.fork()
    child.task.files.close_on_exec()
    assert child.read(kept) == b"coal\n"
    assert child.call("read", gone, child.room(1), 1) == -EBADF
    assert guest.read(kept) == b""  # one offset for both
    assert guest.read(gone) == b"coal\n"


def test_close_on_exec_of_a_child_is_its_own(guest):
    kept, gone = guest.open("/etc/hostname"), guest.open("/etc/hostname", os.O_CLOEXEC)
    child = guest.fork()
    child.good("fcntl", kept, 2, 1)
    child.good("fcntl", gone, 2, 0)
    assert [guest.good("fcntl", fd, 1, 0) for fd in (kept, gone)] == [0, 1]
    assert [child.good("fcntl", fd, 1, 0) for fd in (kept, gone)] == [1, 0]
    child.task.files.drop()
    assert guest.read(gone) == b"coal\n"


def test_the_overlay_has_a_limit(tree):
    guest = Guest(tree, overlay_limit=100_000)
    fd = guest.open("/tmp/big", os.O_CREAT | os.O_RDWR)
    assert guest.write(fd, bytes(65536)) == 65536
    assert guest.call("write", fd, bytes(65536), 65536) == -ENOSPC
    assert guest.good("ftruncate", fd, 0) == 0
    assert guest.write(fd, bytes(65536)) == 65536
    guest.good("close", fd)
    guest.good("unlink", "/tmp/big")
    assert guest.vfs.overlay.used == 0


def test_devices(guest):
    fd = guest.open("/dev/zero")
    assert guest.read(fd, 10) == bytes(10)
    assert guest.read(guest.open("/dev/null", os.O_RDWR)) == b""
    assert guest.write(guest.open("/dev/null", os.O_WRONLY | os.O_TRUNC), b"gone") == 4
    assert guest.call("write", guest.open("/dev/full", os.O_WRONLY), b"x", 1) == -ENOSPC
    assert guest.read(guest.open("/dev/urandom"), 16) != guest.read(guest.open("/dev/random"), 16)
    assert guest.call("open", "/dev/tty", 2, 0) == -6
    assert guest.call("open", "/dev/mem", 0, 0) == -ENOENT


def test_random_bytes_repeat_and_are_others_with_a_seed(tree):
    contents = [Guest(tree, seed=seed).contents_of_device() for seed in (None, None, 1, 1)]
    assert contents[0] == contents[1] != contents[2] == contents[3]


Guest.contents_of_device = lambda self: self.read(self.open("/dev/urandom"), 32)


def test_programs_need_an_x_bit(guest):
    assert guest.vfs.peek(guest.task.fs, b"/bin/tool") == b"#!/bin/sh\necho hi\n"
    assert guest.vfs.read_whole(guest.task.fs, b"bin/tool").endswith(b"hi\n")
    for path, error in ((b"/etc/hostname", EACCES), (b"/etc", EACCES), (b"/no", ENOENT), (b"/loop", ELOOP)):
        with pytest.raises(OSError) as caught:
            guest.vfs.peek(guest.task.fs, path)
        assert caught.value.errno == error


def test_a_mapping_shows_the_file(guest):
    file = guest.task.files.get(guest.open("/etc/hostname"))
    record = file.mapping(guest.kernel, False)
    process = guest.task.process
    vaddr = process.map(0, 4096, "r", 2, record)
    assert process.read(vaddr, 5) == b"coal\n"
    assert guest.kernel.files.path(record) == "/etc/hostname"
    guest.kernel.files.release(record)


def test_many_small_files_need_no_descriptor_each(tree):
    guest = Guest(tree)
    before = len(os.listdir("/proc/self/fd"))
    for number in range(300):
        fd = guest.open(f"/tmp/{number}", os.O_CREAT | os.O_WRONLY)
        guest.write(fd, b"%d" % number)
        guest.good("close", fd)
    assert len(os.listdir("/proc/self/fd")) < before + 20
    assert [guest.contents(f"/tmp/{number}") for number in (0, 150, 299)] == [b"0", b"150", b"299"]
    guest.good("truncate", "/tmp/7", 3)
    assert guest.contents("/tmp/7") == b"7\0\0"
    at = guest.room(144)
    guest.good("stat", "/tmp/7", at)
    assert guest.task.read(at + 48, 8) == (3).to_bytes(8, "little")


def test_a_file_that_is_cut_at_once_is_not_copied(tree):
    (tree / "etc/large").write_bytes(bytes(3 << 20))
    guest = Guest(tree, overlay_limit=1 << 20)
    assert guest.call("open", "/etc/large", os.O_RDWR, 0) == -ENOSPC
    guest.write(guest.open("/etc/large", os.O_WRONLY | os.O_TRUNC), b"small")
    assert guest.contents("/etc/large") == b"small"
    assert (tree / "etc/large").stat().st_size == 3 << 20
