"""A task: one thread of a running program, with what the kernel knows of it.

What several tasks may share hangs off it, as in Linux's task_struct: the address space (`process`),
the open files (`files`), the working directory (`fs`), the signal handlers, the thread group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coalmm.errors import EFAULT
from coalmm.hardware.constants import FRAME_MASK, FRAME_SIZE
from coalmm.linux.abi import Abi
from coalmm.process.process import Process

if TYPE_CHECKING:
    from coalmm.linux.system import System
    from coalmm.linux.vfs.context import FsContext
    from coalmm.linux.vfs.file_table import FileTable

ENAMETOOLONG = 36
PATH_MAX = 4096


class Task:
    """One thread. `process` is its record in RAM and its memory."""

    def __init__(self, system: System, process: Process, abi: Abi, files: FileTable, fs: FsContext) -> None:
        self.system = system
        self.process = process
        self.abi = abi
        self.files = files
        self.fs = fs
        self.resume: Any = None  # what a call that blocked keeps until it is made again

    @property
    def tid(self) -> int:
        """Its thread id."""
        return self.process.pid

    # --- its memory; PageFaultError becomes -EFAULT in the dispatcher ---

    def read(self, vaddr: int, size: int) -> bytes:
        """`size` bytes at `vaddr`."""
        return self.process.read(vaddr, size)

    def write(self, vaddr: int, data: bytes | bytearray | memoryview) -> None:
        """Write all of `data` at `vaddr`, or raise and write nothing."""
        self.process.write(vaddr, data)

    def read_words(self, vaddr: int, count: int) -> tuple[int, ...]:
        """`count` unsigned longs of the program's ABI."""
        return self.abi.unpack_words(self.read(vaddr, count * self.abi.word))

    def write_words(self, vaddr: int, *values: int) -> None:
        """Write unsigned longs of the program's ABI."""
        self.write(vaddr, self.abi.pack_words(*values))

    def read_string(self, vaddr: int, limit: int = PATH_MAX) -> bytes:
        """The bytes before the NUL; OSError ENAMETOOLONG if there is none among `limit` bytes."""
        parts = []
        left = limit
        while left > 0:
            part = self.read(vaddr, min(left, FRAME_SIZE - (vaddr & FRAME_MASK)))
            end = part.find(b"\0")
            if end >= 0:
                parts.append(part[:end])
                return b"".join(parts)
            parts.append(part)
            vaddr += len(part)
            left -= len(part)
        raise OSError(ENAMETOOLONG, "the string is too long")

    def read_path(self, vaddr: int) -> bytes:
        """A path argument: OSError EFAULT for NULL."""
        if vaddr == 0:
            raise OSError(EFAULT, "NULL for a path")
        return self.read_string(vaddr)
