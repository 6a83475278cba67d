"""Random sequences of calls on files, made of the host's kernel and of ours: every result and errno is the same.

Both work on a tree of their own with the same names; paths are relative, so that the host's stay in its tree.
"""

import ctypes
import os
import random
import struct
import sys

import pytest
from guest import Guest

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
NUMBERS = {
    "read": 0, "write": 1, "open": 2, "close": 3, "lseek": 8, "pread64": 17, "pwrite64": 18, "access": 21, "dup": 32,
    "dup2": 33, "fcntl": 72, "flock": 73, "truncate": 76, "ftruncate": 77, "chdir": 80, "rename": 82, "mkdir": 83,
    "rmdir": 84, "creat": 85, "link": 86, "unlink": 87, "symlink": 88, "readlink": 89, "chmod": 90, "fchmod": 91,
    "openat": 257, "mkdirat": 258, "unlinkat": 263, "renameat2": 316, "linkat": 265, "faccessat2": 439,
    "utimensat": 280, "fallocate": 285, "dup3": 292, "pipe2": 293, "copy_file_range": 326, "sendfile": 40,
    "splice": 275, "tee": 276, "lstat": 6, "stat": 4, "fstat": 5, "fchdir": 81, "statx": 332, "mknod": 133,
    "readlinkat": 267, "close_range": 436, "epoll_create1": 291, "eventfd2": 290, "memfd_create": 319,
    "fchownat": 260, "utimes": 235, "getcwd": 79, "poll": 7, "ioctl": 16, "fchmodat": 268, "ppoll": 271,
}  # fmt: skip


SEEDS = int(os.environ.get("COALMM_SEEDS", "6"))


class Native:
    """The host's kernel, from a directory of its own."""

    def __init__(self, directory):
        self.directory = directory
        self.keep = []
        self.low = 100  # descriptors of this side are 100 and up: those of pytest are not its own

    def call(self, name, *arguments):
        values = []
        for argument in arguments:
            if isinstance(argument, str):
                argument = argument.encode() + b"\0"
            if isinstance(argument, (bytes, bytearray)):
                buffer = ctypes.create_string_buffer(bytes(argument), len(argument))
                self.keep.append(buffer)
                argument = ctypes.addressof(buffer)
            values.append(ctypes.c_long(argument))
        ctypes.set_errno(0)
        result = libc.syscall(ctypes.c_long(NUMBERS[name]), *values)
        return -ctypes.get_errno() if result == -1 else result

    def out(self, size):
        buffer = ctypes.create_string_buffer(size)
        self.keep.append(buffer)
        return ctypes.addressof(buffer), lambda: buffer.raw


class Ours:
    """Ours, on the same kind of tree."""

    def __init__(self, guest):
        self.guest = guest

    def call(self, name, *arguments):
        return self.guest.call(name, *arguments)

    def out(self, size):
        at = self.guest.room(size)
        return at, lambda: self.guest.task.read(at, size)


NAMES = [
    "a",
    "b",
    "c",
    "a/b",
    "a/c",
    "b/a",
    "a/b/c",
    ".",
    "a/.",
    "a/..",
    "l",
    "l/a",
    "a/",
    "l/",
    "",
    "d" * 255,
    "d" * 256,
]
OPEN_FLAGS = [
    0, 1, 2, os.O_CREAT, os.O_CREAT | 1, os.O_CREAT | 2, os.O_CREAT | os.O_EXCL | 2, os.O_TRUNC | 1, os.O_APPEND | 2,
    os.O_DIRECTORY, os.O_NOFOLLOW, os.O_PATH, os.O_PATH | os.O_NOFOLLOW, os.O_CREAT | os.O_TRUNC | 2,
    os.O_CREAT | os.O_NOFOLLOW | 1, os.O_NONBLOCK, os.O_RDWR | os.O_DIRECTORY,
]  # fmt: skip


def steps(generator):
    """An endless sequence of (name, arguments); a descriptor is an index into those that are open."""

    def name():
        return generator.choice(NAMES)

    def fd():
        return ("fd", generator.randrange(8))

    def data():
        return bytes(generator.randrange(256) for _ in range(generator.choice([0, 1, 5, 100])))

    def number():
        return generator.choice([0, 1, 3, 10, 5000, -1])

    while True:
        yield generator.choice(
            [
                lambda: ("open", name(), os.O_NONBLOCK | generator.choice(OPEN_FLAGS), generator.choice([0o644, 0])),
                lambda: ("openat", fd(), name(), os.O_NONBLOCK | generator.choice(OPEN_FLAGS), 0o600),
                lambda: ("close", fd()),
                lambda: ("read", fd(), ("out", 200), 200),
                lambda: (lambda d: ("write", fd(), d, len(d)))(data()),
                lambda: ("pread64", fd(), ("out", 50), 50, number()),
                lambda: (lambda d: ("pwrite64", fd(), d, len(d), number()))(data()),
                lambda: ("lseek", fd(), number(), generator.choice([0, 1, 5])),
                lambda: ("lseek", fd(), 3, 2),
                lambda: ("mkdir", name(), generator.choice([0o755, 0o1777, 0o2700])),
                lambda: ("mkdirat", fd(), name(), 0o755),
                lambda: ("rmdir", name()),
                lambda: ("unlink", name()),
                lambda: ("unlinkat", fd(), name(), generator.choice([0, 0x200, 1])),
                lambda: ("rename", name(), name()),
                lambda: ("renameat2", -100, name(), -100, name(), generator.choice([0, 1, 2, 3, 8])),
                lambda: ("link", name(), name()),
                lambda: ("linkat", -100, name(), -100, name(), generator.choice([0, 0x400, 0x100])),
                lambda: ("symlink", generator.choice(["a", "b", "../a", "l", "a/b", "missing", ""]), name()),
                lambda: ("readlink", name(), ("out", 300), generator.choice([300, 2, 0])),
                lambda: ("truncate", name(), number()),
                lambda: ("ftruncate", fd(), number()),
                lambda: ("fallocate", fd(), generator.choice([0, 1, 3, 2, 0x100]), number(), number()),
                lambda: ("chmod", name(), generator.choice([0o644, 0o4755, 0])),
                lambda: ("access", name(), generator.choice([0, 1, 2, 4, 7, 8])),
                lambda: ("faccessat2", fd(), name(), 4, generator.choice([0, 0x100, 0x1000, 1])),
                lambda: ("utimensat", -100, name(), struct.pack("<4q", 1, 2, 3, 4), generator.choice([0, 0x100, 2])),
                lambda: ("utimes", name(), struct.pack("<4q", 1, generator.choice([2, 10**6]), 3, 4)),
                lambda: ("dup", fd()),
                lambda: ("fcntl", fd(), generator.choice([1, 3, 99]), 0),
                lambda: ("fcntl", fd(), 4, generator.choice([os.O_APPEND | os.O_NONBLOCK, os.O_NONBLOCK])),
                lambda: ("flock", fd(), generator.choice([1 | 4, 2 | 4, 8, 0])),
                lambda: ("copy_file_range", fd(), 0, fd(), 0, 50, 0),
                lambda: ("sendfile", fd(), fd(), 0, 50),
                lambda: ("lstat", name(), ("stat", 144)),
                lambda: ("stat", name(), ("stat", 144)),
                lambda: ("fstat", fd(), ("stat", 144)),
                lambda: ("chdir", generator.choice(["a", "b", "l", "a/b", "missing", ""])),
                lambda: ("chdir", "HOME"),
                lambda: ("fchdir", fd()),
                lambda: ("mknod", name(), generator.choice([0o100644, 0o010644, 0o040755, 0o644, 0o170000]), 0),
                lambda: ("memfd_create", "m", 0),
                lambda: ("fchownat", -100, name(), -1, -1, generator.choice([0, 0x100, 2])),
                lambda: ("ioctl", fd(), generator.choice([0x5401, 0x541B, 0x1234]), ("out", 64)),
            ]
        )()


def shown(name, result, data):
    """What of a call's answer is compared."""
    if data is not None and name in ("stat", "lstat", "fstat") and result == 0:
        nlink, mode = struct.unpack_from("<QI", data, 16)
        size = struct.unpack_from("<q", data, 48)[0]
        return result, mode, nlink if mode >> 12 != 4 else 0, size if mode >> 12 in (8, 10) else 0
    if data is not None and result > 0:
        return result, data[:result]
    return result, None


class Side:
    """One side with the descriptors that it has open, in the order in which they came."""

    def __init__(self, kernel, home):
        self.kernel = kernel
        self.home = home
        self.fds = []

    def step(self, name, *arguments):
        values, read = [], None
        for argument in arguments:
            if isinstance(argument, tuple) and argument[0] == "fd":
                argument = self.fds[argument[1]] if argument[1] < len(self.fds) else 9999
            elif isinstance(argument, tuple):
                argument, read = self.kernel.out(argument[1])
            values.append(self.home if argument == "HOME" else argument)
        result = self.kernel.call(name, *values)
        if name in ("open", "openat", "dup", "memfd_create") and result >= 0:
            self.fds.append(result)
            return (0, None)
        if name == "close" and result == 0:
            self.fds.remove(values[0])
        data = read() if read is not None else None
        return shown(name, result, data)


def tree_of(root, walk):
    """Names, kinds and contents below a directory."""
    return sorted(walk(root))


@pytest.mark.skipif(sys.platform != "linux" or os.uname().machine != "x86_64", reason="asks the host's kernel")
@pytest.mark.parametrize("where", ["overlay", "write"])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_calls_answer_as_the_host_does(tmp_path, where, seed):
    native_home, root = tmp_path / "native", tmp_path / "root"
    for directory in (native_home, root / "home"):
        (directory / "a/b").mkdir(parents=True)
        (directory / "a/c").write_bytes(b"contents of c\n" * 30)
        (directory / "b").write_bytes(b"b")
        (directory / "l").symlink_to("a")
    guest = Guest(root, writable=[str(root)] if where == "write" else [])
    guest.good("umask", 0o022)
    ours, before, mask = Side(Ours(guest), "/home"), os.getcwd(), os.umask(0o022)
    native = Side(Native(native_home), str(native_home))
    generator = random.Random(seed)
    sequence = steps(generator)
    try:
        for side in (native, ours):
            side.step("chdir", "HOME")
        for number in range(700):
            step = next(sequence)
            expected, got = native.step(*step), ours.step(*step)
            assert got == expected, (number, step)
            for index in range(len(native.fds)):
                for probe in (("fstat", ("fd", index), ("stat", 144)), ("lseek", ("fd", index), 0, 1)):
                    assert ours.step(*probe) == native.step(*probe), (number, step, index, probe)
        fds, native.fds = native.fds, []
    finally:
        os.chdir(before)
        os.umask(mask)
    for fd in fds:
        os.close(fd)
