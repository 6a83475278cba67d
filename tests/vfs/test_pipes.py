"""Pipes, FIFOs, and moving bytes between descriptors."""

import os
import struct
from errno import EAGAIN, EBADF, EFAULT, EINVAL, ENXIO, EPIPE, ESPIPE

from guest import BAD, Guest


def pipe(guest, flags=0):
    at = guest.room(8)
    guest.good("pipe2", at, flags)
    return struct.unpack("<ii", guest.task.read(at, 8))


def test_bytes_go_through_in_order(guest):
    reader, writer = pipe(guest)
    assert guest.write(writer, b"hello ") == 6
    guest.write(writer, b"world")
    assert guest.read(reader, 3) == b"hel"
    assert guest.read(reader) == b"lo world"
    assert guest.call("lseek", reader, 0, 0) == -ESPIPE
    assert guest.call("read", writer, guest.room(1), 1) == -EBADF
    guest.good("close", writer)
    assert guest.read(reader) == b""


def test_an_empty_pipe_blocks_until_somebody_writes(guest):
    reader, writer = pipe(guest)
    at = guest.room(10)
    assert guest.call("read", reader, at, 10) == "blocked"
    assert not guest.blocked.ready()
    guest.write(writer, b"x")
    assert guest.blocked.ready()
    assert guest.call("read", reader, at, 10) == 1
    assert guest.call("read", reader, at, 10) == "blocked"
    guest.good("close", writer)
    assert guest.blocked.ready()


def test_a_full_pipe_blocks_and_goes_on_where_it_was(guest):
    reader, writer = pipe(guest)
    data = bytes(range(256)) * 300  # 76,800
    at = guest.put(data)
    assert guest.call("write", writer, at, len(data)) == "blocked"
    assert guest.blocked.done == 65536
    first = guest.fork().read(reader, 65536)
    assert guest.blocked.ready()
    assert guest.call("write", writer, at, len(data)) == len(data)
    assert first + guest.read(reader, 65536) == data


def test_small_writes_are_whole_or_not_at_all(guest):
    reader, writer = pipe(guest, os.O_NONBLOCK)
    assert guest.write(writer, bytes(65536 - 100)) == 65436
    assert guest.call("write", writer, bytes(101), 101) == -EAGAIN
    assert guest.write(writer, bytes(100)) == 100
    guest.read(reader, 10)
    assert guest.call("write", writer, bytes(4097), 4097) == 10
    guest.read(reader, 65536)
    assert guest.call("read", reader, guest.room(1), 1) == -EAGAIN


def test_writing_without_readers_is_sigpipe(guest):
    reader, writer = pipe(guest)
    guest.good("close", reader)
    assert guest.call("write", writer, b"x", 1) == -EPIPE
    assert guest.task.signals == [13]


def test_a_bad_buffer_loses_nothing(guest):
    reader, writer = pipe(guest)
    guest.write(writer, b"kept")
    assert guest.call("read", reader, BAD, 4) == -EFAULT
    assert guest.read(reader) == b"kept"
    before = len(guest.task.files.slots)
    assert guest.call("pipe2", BAD, 0) == -EFAULT
    assert guest.call("pipe2", guest.room(8), 1) == -EINVAL
    assert len(guest.task.files.slots) == before


def test_ends_are_counted_over_fork(guest):
    reader, writer = pipe(guest)
    child = guest.fork()
    guest.good("close", writer)
    assert guest.call("read", reader, guest.room(1), 1) == "blocked"
    child.task.files.close_all()
    assert guest.call("read", reader, guest.room(1), 1) == 0


def test_sizes(guest):
    reader, writer = pipe(guest)
    assert guest.good("fcntl", writer, 1032, 0) == 65536
    assert guest.good("fcntl", writer, 1031, 5000) == 8192
    guest.write(writer, bytes(7))
    at = guest.room(4)
    guest.good("ioctl", reader, 0x541B, at)
    assert guest.task.read(at, 4) == struct.pack("<i", 7)


def test_a_fifo_waits_for_the_other_side(guest):
    guest.good("mknod", "/tmp/fifo", 0o010644, 0)
    other = guest.fork()
    assert guest.call("open", "/tmp/fifo", os.O_WRONLY | os.O_NONBLOCK, 0) == -ENXIO
    assert guest.call("open", "/tmp/fifo", os.O_RDONLY, 0) == "blocked"
    assert not guest.blocked.ready()
    writer = other.open("/tmp/fifo", os.O_WRONLY)
    assert guest.blocked.ready()
    other.write(writer, b"through")
    other.good("close", writer)
    reader = guest.open("/tmp/fifo")
    assert guest.read(reader) == b"through"
    assert guest.read(reader) == b""


def test_sendfile_and_splice(guest):
    reader, writer = pipe(guest)
    fd = guest.open("/etc/hostname")
    assert guest.good("sendfile", writer, fd, 0, 100) == 5
    assert guest.read(reader) == b"coal\n"
    offset = guest.put(struct.pack("<q", 1))
    assert guest.good("sendfile", writer, fd, offset, 2) == 2
    assert guest.task.read(offset, 8) == struct.pack("<q", 3)
    assert guest.read(reader) == b"oa"
    assert guest.call("sendfile", writer, reader, 0, 1) == -EINVAL
    out = guest.open("/tmp/out", os.O_CREAT | os.O_RDWR)
    guest.write(writer, b"spliced")
    second = pipe(guest)
    assert guest.good("tee", reader, second[1], 100, 0) == 7
    assert guest.good("splice", reader, 0, out, 0, 100, 0) == 7
    assert guest.read(second[0]) == b"spliced"
    assert guest.contents("/tmp/out") == b"spliced"
    assert guest.call("splice", reader, 0, out, 0, 100, 2) == -EAGAIN
    assert guest.call("splice", fd, 0, out, 0, 1, 0) == -EINVAL


def test_copy_file_range(guest):
    source, target = guest.open("/etc/passwd"), guest.open("/tmp/copy", os.O_CREAT | os.O_WRONLY)
    assert guest.good("copy_file_range", source, 0, target, 0, 1000, 0) == 11
    assert guest.good("copy_file_range", source, 0, target, 0, 1000, 0) == 0
    assert guest.contents("/tmp/copy") == b"root:x:0:0\n"


def test_poll_tells_what_is_ready(guest):
    reader, writer = pipe(guest)

    def poll(timeout, *entries):
        at = guest.put(b"".join(struct.pack("<ihh", fd, events, 0) for fd, events in entries))
        result = guest.call("poll", at, len(entries), timeout)
        return result, [struct.unpack("<ihh", guest.task.read(at + 8 * index, 8))[2] for index in range(len(entries))]

    assert poll(0, (reader, 1), (writer, 4)) == (1, [0, 4])
    guest.write(writer, b"x")
    assert poll(-1, (reader, 1)) == (1, [1])
    assert poll(0, (-1, 1), (99, 1)) == (1, [0, 0x20])
    guest.read(reader)
    assert poll(10_000, (reader, 1))[0] == "blocked"
    assert guest.blocked.deadline is not None and not guest.blocked.ready()
    guest.task.resume = None
    guest.good("close", writer)
    assert poll(0, (reader, 1)) == (1, [0x10])


def test_a_poll_that_times_out_is_zero(guest):
    reader, _ = pipe(guest)
    at = guest.put(struct.pack("<ihh", reader, 1, 99))
    assert guest.call("poll", at, 1, 1) == "blocked"
    import time

    time.sleep(0.002)
    assert guest.call("poll", at, 1, 1) == 0
    assert struct.unpack("<ihh", guest.task.read(at, 8))[2] == 0


def test_select(guest):
    reader, writer = pipe(guest)
    reads, writes = guest.put(struct.pack("<Q", 1 << reader)), guest.put(struct.pack("<Q", 1 << writer))
    now = guest.put(struct.pack("<qq", 0, 0))
    assert guest.call("select", writer + 1, reads, writes, 0, now) == 1
    assert guest.task.read(reads, 8) == bytes(8)
    assert struct.unpack("<Q", guest.task.read(writes, 8))[0] == 1 << writer
    bad = guest.put(struct.pack("<Q", 1 << 50))
    assert guest.call("select", 64, bad, 0, 0, now) == -EBADF
    assert guest.call("select", -1, 0, 0, 0, now) == -EINVAL
    assert guest.call("select", 10, guest.put(struct.pack("<Q", 1 << reader)), 0, 0, 0) == "blocked"


def test_i386_select_has_its_arguments_in_memory(tree):
    guest = Guest(tree, bits=32)
    reader, writer = pipe(guest)
    guest.write(writer, b"x")
    reads = guest.put(struct.pack("<I", 1 << reader))
    block = guest.put(struct.pack("<5I", reader + 1, reads, 0, 0, 0))
    assert guest.call("select", block) == 1
    assert struct.unpack("<I", guest.task.read(reads, 4))[0] == 1 << reader
