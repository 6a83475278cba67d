"""What programs may make without an end is memory of this process: it has an end here."""

import gc
import os
import socket
from errno import EAGAIN, ENOBUFS, ENOSPC, EPERM

import pytest
from guest import Guest

from coalmm.linux.vfs import overlay, pipe, sockets
from coalmm.linux.vfs.channel import Channel
from coalmm.linux.vfs.pipe import Pipe

F_SETPIPE_SZ, F_GETPIPE_SZ = 1031, 1032


@pytest.fixture
def guest(tree):
    return Guest(tree)


def pair(guest, call, *arguments):
    where = guest.room(8)
    guest.good(call, *arguments, where)
    return [int.from_bytes(guest.task.read(where + at, 4), "little") for at in (0, 4)]


def test_pipes_past_the_limit_are_small_and_do_not_grow(guest, monkeypatch):
    before = Pipe.reserved
    monkeypatch.setattr(pipe, "SOFT_LIMIT", before + 3 * 65536)
    pipes = [pair(guest, "pipe") for _ in range(5)]
    assert [guest.good("fcntl", ends[0], F_GETPIPE_SZ, 0) for ends in pipes] == [65536] * 3 + [8192] * 2
    assert guest.call("fcntl", pipes[4][1], F_SETPIPE_SZ, 1 << 20) == -EPERM
    assert guest.good("fcntl", pipes[0][1], F_SETPIPE_SZ, 4096) == 4096
    assert guest.good("fcntl", pipes[4][1], F_SETPIPE_SZ, 16384) == 16384
    for ends in pipes:
        for fd in ends:
            guest.good("close", fd)
    assert Pipe.reserved == before


def test_all_sockets_together_hold_so_many_bytes(guest, monkeypatch):
    before = Channel.held
    monkeypatch.setattr(sockets, "MOST_HELD", before + 100_000)
    ends = [pair(guest, "socketpair", socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, 0) for _ in range(3)]
    results = [guest.call("write", fd, bytes(60_000), 60_000) for fd, _ in ends]
    assert results == [60_000, 60_000, -ENOBUFS]
    data = guest.room(60_000)
    assert guest.good("read", ends[0][1], data, 60_000) == 60_000
    assert guest.call("write", ends[2][0], bytes(60_000), 60_000) == 60_000
    assert guest.call("read", ends[0][1], data, 1) == -EAGAIN
    for fd in (fd for each in ends for fd in each):
        guest.good("close", fd)
    assert Channel.held == before


def test_new_files_directories_and_links_have_a_limit(guest, monkeypatch):
    monkeypatch.setattr(overlay, "MOST_NODES", 3)
    assert guest.good("mkdir", "/tmp/a", 0o700) == 0
    assert guest.good("symlink", "to", "/tmp/b") == 0
    fd = guest.open("/tmp/c", os.O_CREAT | os.O_RDWR)
    assert guest.call("mkdir", "/tmp/d", 0o700) == -ENOSPC
    assert guest.call("symlink", "to", "/tmp/d") == -ENOSPC
    assert guest.call("open", "/tmp/d", os.O_CREAT, 0o600) == -ENOSPC
    guest.good("unlink", "/tmp/c")
    assert guest.call("mkdir", "/tmp/d", 0o700) == -ENOSPC  # it is open still
    guest.good("close", fd)
    gc.collect()
    assert guest.good("mkdir", "/tmp/d", 0o700) == 0
    for name in ("/tmp/a", "/tmp/d"):
        guest.good("rmdir", name)
    gc.collect()
    assert guest.good("mkdir", "/tmp/e", 0o700) == guest.good("mkdir", "/tmp/f", 0o700) == 0


def test_extended_attributes_have_a_limit(guest, monkeypatch):
    monkeypatch.setattr(overlay, "MOST_ATTACHED", 1000)
    guest.good("close", guest.open("/tmp/a", os.O_CREAT | os.O_RDWR))
    assert guest.good("setxattr", "/tmp/a", "user.one", bytes(900), 900, 0) == 0
    assert guest.call("setxattr", "/tmp/a", "user.two", bytes(900), 900, 0) == -ENOSPC
    assert guest.good("setxattr", "/tmp/a", "user.one", bytes(10), 10, 0) == 0
    assert guest.good("setxattr", "/tmp/a", "user.two", bytes(900), 900, 0) == 0
    guest.good("unlink", "/tmp/a")
    gc.collect()  # an error that was raised on the way may hold it
    guest.good("close", guest.open("/tmp/b", os.O_CREAT | os.O_RDWR))
    assert guest.good("setxattr", "/tmp/b", "user.one", bytes(900), 900, 0) == 0
