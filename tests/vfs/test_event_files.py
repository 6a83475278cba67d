"""epoll, eventfd, timerfd, memfd, locks and socket pairs."""

import os
import struct
import time
from errno import EAFNOSUPPORT, EAGAIN, EBADF, EBUSY, EEXIST, EINVAL, ELOOP, ENOENT, ENOTSOCK, EOPNOTSUPP, EPERM, EPIPE

import pytest
from guest import Guest
from test_pipes import pipe

IN, OUT, HUP, ET, ONESHOT = 1, 4, 0x10, 1 << 31, 1 << 30


def event(events, data=0):
    return struct.pack("<IQ", events, data)


def waited(guest, epoll, most=8, timeout=0):
    at = guest.room(12 * most)
    count = guest.call("epoll_wait", epoll, at, most, timeout)
    if count == "blocked":
        guest.task.resume = None
        return count
    return [struct.unpack("<IQ", guest.task.read(at + 12 * index, 12)) for index in range(count)]


def test_level_triggered_entries_are_told_while_they_are_ready(guest):
    reader, writer = pipe(guest)
    epoll = guest.good("epoll_create1", 0)
    guest.good("epoll_ctl", epoll, 1, reader, event(IN, 77))
    assert waited(guest, epoll) == []
    assert waited(guest, epoll, timeout=-1) == "blocked"
    guest.write(writer, b"x")
    assert guest.blocked.ready()
    assert waited(guest, epoll) == [(IN, 77)]
    assert waited(guest, epoll) == [(IN, 77)]
    guest.good("close", writer)
    guest.read(reader)
    assert waited(guest, epoll) == [(HUP, 77)]
    guest.good("close", reader)
    assert waited(guest, epoll) == []


def test_an_edge_is_told_once(guest):
    reader, writer = pipe(guest)
    epoll = guest.good("epoll_create1", 0)
    guest.good("epoll_ctl", epoll, 1, reader, event(IN | ET, 1))
    guest.write(writer, b"a")
    assert waited(guest, epoll) == [(IN, 1)]
    assert waited(guest, epoll) == []
    guest.write(writer, b"b")
    assert waited(guest, epoll) == [(IN, 1)]


def test_oneshot_is_silent_until_it_is_modified(guest):
    reader, writer = pipe(guest)
    epoll = guest.good("epoll_create1", 0)
    guest.good("epoll_ctl", epoll, 1, reader, event(IN | ONESHOT, 1))
    guest.write(writer, b"a")
    assert waited(guest, epoll) == [(IN, 1)]
    assert waited(guest, epoll) == []
    guest.good("epoll_ctl", epoll, 3, reader, event(IN | ONESHOT, 2))
    assert waited(guest, epoll) == [(IN, 2)]


def test_epoll_refuses_what_linux_refuses(guest):
    reader, _ = pipe(guest)
    epoll, outer = guest.good("epoll_create1", 0), guest.good("epoll_create1", 0)
    guest.good("epoll_ctl", epoll, 1, reader, event(IN))
    assert guest.call("epoll_ctl", epoll, 1, reader, event(IN)) == -EEXIST
    assert guest.call("epoll_ctl", epoll, 2, 99, event(IN)) == -EBADF
    assert guest.call("epoll_ctl", outer, 2, reader, event(IN)) == -ENOENT
    assert guest.call("epoll_ctl", epoll, 1, guest.open("/etc/hostname"), event(IN)) == -EPERM
    assert guest.call("epoll_ctl", reader, 1, epoll, event(IN)) == -EINVAL
    assert guest.call("epoll_ctl", epoll, 1, epoll, event(IN)) == -EINVAL
    guest.good("epoll_ctl", outer, 1, epoll, event(IN))
    assert guest.call("epoll_ctl", epoll, 1, outer, event(IN)) == -ELOOP
    assert guest.call("epoll_wait", epoll, guest.room(12), 0, 0) == -EINVAL


def test_more_entries_than_room_take_turns(guest):
    epoll = guest.good("epoll_create1", 0)
    for number in range(5):
        guest.good("epoll_ctl", epoll, 1, guest.good("eventfd2", 1, 0), event(IN, number))
    seen = [data for _ in range(5) for _, data in waited(guest, epoll, most=2)]
    assert set(seen) == set(range(5))


def test_eventfd(guest):
    fd = guest.good("eventfd2", 3, os.O_NONBLOCK)
    assert struct.unpack("<Q", guest.read(fd, 8))[0] == 3
    assert guest.call("read", fd, guest.room(8), 8) == -EAGAIN
    guest.write(fd, struct.pack("<Q", 2))
    guest.write(fd, struct.pack("<Q", 5))
    assert struct.unpack("<Q", guest.read(fd, 8))[0] == 7
    assert guest.call("read", fd, guest.room(8), 7) == -EINVAL
    guest.write(fd, struct.pack("<Q", (1 << 64) - 2))
    assert guest.call("write", fd, struct.pack("<Q", 1), 8) == -EAGAIN
    assert guest.call("write", fd, b"\xff" * 8, 8) == -EINVAL
    semaphore = guest.good("eventfd2", 2, 1)
    assert [struct.unpack("<Q", guest.read(semaphore, 8))[0] for _ in range(2)] == [1, 1]
    assert guest.call("read", semaphore, guest.room(8), 8) == "blocked"


def test_timerfd(guest):
    fd = guest.good("timerfd_create", 1, 0)
    guest.good("timerfd_settime", fd, 0, struct.pack("<4q", 0, 1_000_000, 0, 2_000_000), 0)
    assert guest.call("read", fd, guest.room(8), 8) == "blocked"
    time.sleep(0.006)
    assert guest.blocked.ready()
    assert struct.unpack("<Q", guest.read(fd, 8))[0] >= 4
    at = guest.room(32)
    guest.good("timerfd_gettime", fd, at)
    interval, left = struct.unpack("<2q", guest.task.read(at, 32)[8:24])[0], guest.task.read(at, 32)
    assert interval == 1_000_000 and 0 < struct.unpack("<4q", left)[3] <= 1_000_000
    guest.good("timerfd_settime", fd, 0, bytes(32), 0)
    assert guest.call("read", fd, guest.room(8), 8) == "blocked"
    assert guest.call("timerfd_create", 3, 0) == -EINVAL
    assert guest.call("timerfd_settime", fd, 0, struct.pack("<4q", 0, -1, 0, 0), 0) == -EINVAL


def test_memfd_and_its_seals(guest):
    fd = guest.good("memfd_create", "name", 2)
    guest.write(fd, b"12345")
    assert guest.good("fcntl", fd, 1034, 0) == 0
    guest.good("fcntl", fd, 1033, 2 | 4)
    assert guest.call("ftruncate", fd, 4) == -EPERM
    assert guest.call("ftruncate", fd, 6) == -EPERM
    assert guest.call("write", fd, b"6", 1) == -EPERM
    assert guest.good("pwrite64", fd, b"x", 1, 0) == 1
    guest.good("fcntl", fd, 1033, 8)
    assert guest.call("pwrite64", fd, b"x", 1, 0) == -EPERM
    at = guest.room(100)
    count = guest.good("readlink", f"/proc/self/fd/{fd}", at, 100)
    assert guest.task.read(at, count) == b"/memfd:name (deleted)"
    plain = guest.good("memfd_create", "x", 0)
    assert guest.call("fcntl", plain, 1033, 1) == -EPERM


def test_record_locks(guest):
    other = guest.fork()
    mine, theirs = guest.open("/tmp/l", os.O_CREAT | os.O_RDWR), other.open("/tmp/l", os.O_RDWR)

    def lock(who, fd, command, kind, start=0, length=0):
        at = who.put(struct.pack("<hh4xqqi4x", kind, 0, start, length, 0))
        return who.call("fcntl", fd, command, at), struct.unpack("<hh4xqqi4x", who.task.read(at, 32))

    assert lock(guest, mine, 6, 1, 10, 10)[0] == 0
    assert lock(other, theirs, 6, 1, 0, 10)[0] == 0
    assert lock(other, theirs, 6, 0, 15, 1)[0] == -EAGAIN
    told = lock(other, theirs, 5, 1, 0, 0)
    assert told == (0, (1, 0, 10, 10, guest.task.tid))
    assert lock(guest, mine, 6, 2, 12, 2)[0] == 0
    assert lock(other, theirs, 6, 1, 12, 2)[0] == 0
    assert lock(other, theirs, 7, 1, 10, 2)[0] == "blocked"
    assert not other.blocked.ready()
    guest.good("close", guest.open("/tmp/l"))  # any close of the file drops all of the process
    assert other.blocked.ready()
    reader = guest.open("/tmp/l")
    assert lock(guest, reader, 6, 1)[0] == -EBADF
    assert lock(guest, reader, 6, 7)[0] == -EINVAL


def test_flock(guest):
    first, second = guest.open("/etc/hostname"), guest.open("/etc/hostname")
    guest.good("flock", first, 2)
    assert guest.call("flock", second, 1 | 4) == -EAGAIN
    assert guest.call("flock", second, 1) == "blocked"
    guest.good("close", first)
    assert guest.blocked.ready()
    assert guest.call("flock", second, 2) == 0
    assert guest.call("flock", second, 3) == -EINVAL


def sockets(guest, kind=1):
    at = guest.room(8)
    guest.good("socketpair", 1, kind, 0, at)
    return struct.unpack("<ii", guest.task.read(at, 8))


def test_a_stream_pair(guest):
    left, right = sockets(guest)
    guest.write(left, b"to the right")
    guest.write(right, b"to the left")
    assert guest.read(right, 6) == b"to the"
    assert guest.read(right) == b" right"
    assert guest.read(left) == b"to the left"
    assert guest.call("recvfrom", left, guest.room(1), 1, 0x40, 0, 0) == -EAGAIN
    guest.good("shutdown", left, 1)
    assert guest.read(right) == b""
    guest.good("close", left)
    assert guest.call("sendto", right, b"x", 1, 0x4000, 0, 0) == -EPIPE
    assert guest.task.signals == []
    assert guest.call("write", right, b"x", 1) == -EPIPE
    assert guest.task.signals == [13]


def test_messages_stay_apart(guest):
    left, right = sockets(guest, 5)
    guest.write(left, b"one")
    guest.write(left, b"three")
    assert guest.read(right, 100) == b"one"
    at = guest.room(2)
    assert guest.call("recvfrom", right, at, 2, 0x22, 0, 0) == 5
    assert guest.read(right, 2) == b"th"
    assert guest.call("read", right, at, 2) == "blocked"


def test_there_is_no_network_but_a_loopback(guest):
    for family in (10, 16, 17):
        assert guest.call("socket", family, 1, 0) == -EAFNOSUPPORT
    assert guest.call("connect", 0, guest.room(16), 16) == -ENOTSOCK
    assert guest.call("socketpair", 2, 1, 0, guest.room(8)) == -EOPNOTSUPP


def test_socketcall_of_i386(tree):
    guest = Guest(tree, bits=32)
    at = guest.room(8)
    guest.good("socketcall", 8, struct.pack("<4I", 1, 1, 0, at))
    left, right = struct.unpack("<ii", guest.task.read(at, 8))
    assert guest.good("socketcall", 9, struct.pack("<4I", left, guest.put(b"hey"), 3, 0)) == 3
    assert guest.read(right) == b"hey"


@pytest.mark.parametrize("path", ["/etc/hostname", "/tmp/m"])
def test_reads_and_writes_meet_shared_maps(guest, path):
    if path == "/tmp/m":
        guest.write(guest.open(path, os.O_CREAT | os.O_WRONLY), b"coal\n")
    fd = guest.open(path, os.O_RDWR)
    record = guest.task.files.get(fd).mapping(guest.kernel, True)
    process = guest.task.process
    vaddr = process.map(0, 4096, "rw", 1, record)
    guest.kernel.files.release(record)
    process.write(vaddr, b"COAL")
    assert guest.contents(path) == b"COAL\n"
    guest.good("pwrite64", fd, b"wr", 2, 1)
    assert process.read(vaddr, 5) == b"CwrL\n"
    guest.good("close", fd)
    process.write(vaddr + 4, b"!")
    assert guest.contents(path) == b"CwrL!"
    process.unmap(vaddr, 4096)
    assert guest.contents(path) == b"CwrL!"
    guest.task.files.close_all()
    guest.kernel.files.drop_unused()
    assert list(guest.kernel.files.files()) == []
    guest.kernel.validate()


def test_a_shared_map_of_a_writable_file_reaches_the_host(tree):
    guest = Guest(tree, writable=[str(tree / "out")])
    fd = guest.open("/out/m", os.O_CREAT | os.O_RDWR)
    guest.write(fd, b"0123456789")
    record = guest.task.files.get(fd).mapping(guest.kernel, True)
    vaddr = guest.task.process.map(0, 4096, "rw", 1, record)
    guest.kernel.files.release(record)
    guest.task.process.write(vaddr, b"abc")
    guest.good("fsync", fd)
    assert (tree / "out/m").read_bytes() == b"abc3456789"
    guest.good("ftruncate", fd, 2)
    assert (tree / "out/m").read_bytes() == b"ab"


def test_a_memfd_that_is_mapped_cannot_be_sealed_against_writes(guest):
    fd = guest.good("memfd_create", "x", 2)
    guest.good("ftruncate", fd, 4096)
    record = guest.task.files.get(fd).mapping(guest.kernel, True)
    assert guest.call("fcntl", fd, 1033, 8) == -EBUSY
    guest.kernel.files.release(record)


@pytest.mark.parametrize("change", ["write", "truncate"])
def test_a_map_of_a_file_of_the_host_shows_what_is_written_later(guest, change):
    fd = guest.open("/etc/hostname")
    record = guest.task.files.get(fd).mapping(guest.kernel, False)
    process = guest.task.process
    vaddr = process.map(0, 4096, "r", 1, record)
    guest.kernel.files.release(record)
    assert process.read(vaddr, 5) == b"coal\n"
    guest.good("close", fd)
    if change == "write":
        guest.write(guest.open("/etc/hostname", os.O_WRONLY), b"COAL")
        assert process.read(vaddr, 5) == b"COAL\n"
        assert guest.contents("/etc/hostname") == b"COAL\n"
    else:
        guest.good("truncate", "/etc/hostname", 2)
        assert process.read(vaddr, 5) == b"co\0\0\0"
    process.unmap(vaddr, 4096)
    guest.task.files.close_all()
    guest.kernel.files.drop_unused()
    assert list(guest.kernel.files.files()) == []
    guest.kernel.validate()
