"""Names in host directories, held by descriptor. A name is one component, never followed, never "..".

Whatever a guest's path is, it reaches the host only through `HostName`: a directory that was reached the
same way from the root, and one name in it. So no path, link or race on the host leads out of the root.
"""

import os

from coalmm.typed import Iterator

DIRECTORY_FLAGS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

RENAME_EXCHANGE = 2


class HostHandle:
    """A descriptor of the host, closed with its last user."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __del__(self) -> None:
        os.close(self.fd)


class HostName:
    """One name in a host directory."""

    def __init__(self, directory: HostHandle, name: bytes) -> None:
        if b"/" in name or name == b"..":
            raise ValueError(f"{name!r} is not the name of one file")
        self.directory = directory
        self.name = name

    def stat(self) -> os.stat_result:
        """Of the file itself, also if it is a link."""
        return os.stat(self.name, dir_fd=self.directory.fd, follow_symlinks=False)

    @property
    def path(self) -> bytes:
        """A path of the host to it, for calls that take no directory; it must not be followed if it is a link."""
        return b"/proc/self/fd/%d/%s" % (self.directory.fd, self.name)

    def extended(self) -> dict[bytes, bytes]:
        """Its extended attributes, those that this user may read."""
        found: dict[bytes, bytes] = {}
        try:
            names = os.listxattr(self.path, follow_symlinks=False)
        except OSError:
            return found
        for name in names:
            try:
                found[os.fsencode(name)] = os.getxattr(self.path, name, follow_symlinks=False)
            except OSError:
                pass  # not for this user, or gone meanwhile
        return found

    def readlink(self) -> bytes:
        """Where a link points to."""
        return os.readlink(self.name, dir_fd=self.directory.fd)

    def open(self, flags: int) -> HostHandle:
        """Open the file; never a link's target, and never waiting for a FIFO or a tty."""
        flags |= os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
        return HostHandle(os.open(self.name, flags, dir_fd=self.directory.fd))

    def enter(self) -> HostHandle:
        """The directory of this name."""
        return HostHandle(os.open(self.name, DIRECTORY_FLAGS, dir_fd=self.directory.fd))


def exchange(first: HostName, second: HostName) -> None:
    """Swap what two names lead to, as renameat2 does. OSError."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(first.directory.fd, first.name, second.directory.fd, second.name, RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def open_root(path: str) -> HostHandle:
    """The directory that guests see as /. OSError if it is none."""
    return HostHandle(os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))


def list_directory(handle: HostHandle) -> Iterator[bytes]:
    """The names in a directory, in the host's order, without "." and ".."."""
    fd = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=handle.fd)
    try:
        with os.scandir(fd) as entries:
            yield from [os.fsencode(entry.name) for entry in entries]
    finally:
        os.close(fd)
