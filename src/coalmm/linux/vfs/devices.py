"""/dev: null, zero, full, random, urandom, tty and ptmx. No other device can be opened.

Random bytes are the same in each run, as all else is; `--seed` gives others.
"""

from __future__ import annotations

import os
import stat
from errno import ENODEV, ENOSPC, ENXIO

from coalmm.linux.vfs.attributes import Attributes, of_new
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Node, Place
from coalmm.linux.vfs.open_file import OpenFile
from coalmm.typed import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from coalmm.linux.task import Task

DEVICE = 5  # st_dev of /dev
TTY_MINOR, PTMX_MINOR = 0, 2  # of major 5
NUMBERS = {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9}  # minors of major 1


class DeviceNode(Node):
    """A character device."""

    kind = stat.S_IFCHR
    is_mount = True

    def __init__(self, name: str, number: int, ino: int, source: Callable[[int], bytes]) -> None:
        self.name = name
        self.number = number
        self.source = source
        self.status = of_new(DEVICE, ino, stat.S_IFCHR | 0o666)
        self.status.rdev = number

    def attributes(self) -> Attributes:
        return self.status

    def open(self, place: Place, flags: int, task: Any = None) -> OpenFile:
        return DeviceFile(self, place, flags)

    def truncate(self, size: int) -> None:
        """Nothing: `>/dev/null` asks for it."""


class DeviceFile(OpenFile):
    """An open device of memory."""

    node: DeviceNode

    def peek(self, task: Task, size: int) -> bytes:
        return self.node.source(size)

    def write(self, task: Task, data: bytes) -> int:
        if self.node.name == "full":
            raise failure(ENOSPC)
        return len(data)

    def pread(self, size: int, offset: int) -> bytes:
        return self.node.source(size)

    def pwrite(self, data: bytes, offset: int) -> int:
        if self.node.name == "full":
            raise failure(ENOSPC)
        return len(data)

    def consume(self, count: int) -> None:
        """A device has no offset."""

    def seek(self, offset: int, whence: int) -> int:
        return 0

    def mapping(self, kernel: Any, writable: bool) -> int:
        """/dev/zero shows fresh zero pages."""
        if self.node.name != "zero":
            raise failure(ENODEV)
        return int(kernel.files.create_memory(1 << 47))


class TtyNode(Node):
    """/dev/tty: the controlling terminal, if there is one; or /dev/ptmx, which makes terminals."""

    kind = stat.S_IFCHR
    is_mount = True

    def __init__(self, ino: int, minor: int) -> None:
        self.status = of_new(DEVICE, ino, stat.S_IFCHR | 0o666)
        self.status.rdev = os.makedev(5, minor)
        self.is_master = minor == PTMX_MINOR

    def attributes(self) -> Attributes:
        return self.status

    def truncate(self, size: int) -> None:
        """Nothing."""

    def open(self, place: Place, flags: int, task: Any = None) -> OpenFile:
        if task is None or not (self.is_master or task.system.vfs.terminals):
            raise failure(ENXIO)
        from coalmm.linux.vfs.pty import open_controlling, open_master

        if self.is_master:
            return open_master(self, place, flags, task)
        file = open_controlling(self, place, flags, task)
        if file is None:
            raise failure(ENXIO)
        return file


class Randomness:
    """Bytes that look random, the same ones in each run with a seed; what makes them is imported when they are read."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.source: Callable[[int], bytes] | None = None

    def read(self, size: int) -> bytes:
        """The next bytes."""
        if self.source is None:
            from random import Random

            self.source = Random(self.seed).randbytes
        return self.source(size)


def memory_devices(seed: int | None) -> dict[bytes, Node]:
    """The nodes of /dev by name."""
    randomness = Randomness(seed or 0).read
    sources: dict[str, Callable[[int], bytes]] = {"null": lambda size: b"", "random": randomness, "urandom": randomness}
    nodes: dict[bytes, Node] = {
        name.encode(): DeviceNode(name, os.makedev(1, minor), 4 + minor, sources.get(name, bytes))
        for name, minor in NUMBERS.items()
    }
    return nodes | {b"tty": TtyNode(20, TTY_MINOR), b"ptmx": TtyNode(21, PTMX_MINOR)}
