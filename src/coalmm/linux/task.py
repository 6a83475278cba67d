"""A task: one thread of a running program, with what the kernel knows of it.

What several tasks may share hangs off it, as in Linux's task_struct: the address space (`process`),
the open files (`files`), the working directory (`fs`), the thread group with the signal handlers.
"""

from __future__ import annotations

from errno import EFAULT, EINTR, ENAMETOOLONG

from coalmm.hardware.constants import FRAME_MASK, FRAME_SIZE
from coalmm.linux.abi import Abi
from coalmm.linux.credentials import current
from coalmm.linux.registry import Blocked
from coalmm.linux.signals.numbers import SI_KERNEL, SIGSTOP, bit
from coalmm.linux.signals.state import AlternateStack, Info, Queue
from coalmm.process.process import Process
from coalmm.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coalmm.linux.cpu.cpu import Cpu
    from coalmm.linux.group import ThreadGroup
    from coalmm.linux.system import System
    from coalmm.linux.vfs.context import FsContext
    from coalmm.linux.vfs.file_table import FileTable

PATH_MAX = 4096
LAST_ADDRESS = (1 << 64) - 1


LONGEST_STRING = 128 << 10  # MAX_ARG_STRLEN: of one argument; and as much of them is always allowed in all
BATCH = 4096  # strings that are read between two looks at the clock


class LastPage:
    """Reads memory of a task by pages and keeps two of them: strings, and the pointers to them, lie side by side."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.pages: dict[int, bytes] = {}

    def rest(self, vaddr: int) -> bytes:
        """The bytes from `vaddr` to the end of its page."""
        start = vaddr & ~FRAME_MASK
        if start not in self.pages:
            if len(self.pages) > 1:
                del self.pages[next(iter(self.pages))]
            self.pages[start] = self.task.read(start, FRAME_SIZE)
        return self.pages[start][vaddr & FRAME_MASK :]

    def read(self, vaddr: int, size: int) -> bytes:
        """A few bytes."""
        found = self.rest(vaddr)[:size]
        return found if len(found) == size else found + self.rest(vaddr + len(found))[: size - len(found)]

    def string(self, vaddr: int, limit: int) -> bytes:
        """The bytes before the NUL; more than `limit` of them if there is none among those."""
        text = b""
        while len(text) <= limit:
            text, nul, _ = (text + self.rest(vaddr + len(text))).partition(b"\0")
            if nul:
                break
        return text


class Wait:
    """A system call that cannot go on yet, as `registry.Blocked` says it."""

    def __init__(self, number: int, arguments: tuple[int, ...], why: Blocked) -> None:
        self.number = number
        self.arguments = arguments
        self.why = why
        self.ready = why.ready
        self.deadline = why.deadline


class Task:
    """One thread. `process` is its record in RAM and its memory."""

    def __init__(self, system: System, process: Process, abi: Abi, files: FileTable, fs: FsContext) -> None:
        self.system = system
        self.process = process
        self.abi = abi
        self.files = files
        self.fs = fs
        self.group: ThreadGroup
        self.cpu: Cpu
        self.context: Any = None  # its registers while another task runs
        self.context_cpu: Cpu | None = None  # the CPU that the context is of
        self.descriptors = [0, 0, 0]  # thread areas of a 32-bit program
        self.mask = 0
        self.saved_mask: int | None = None  # to be restored when a call that changed it ends
        self.pending = Queue()
        self.alternate = AlternateStack()
        self.wait: Wait | None = None
        self.resume: Any = None  # what a call that blocked keeps until it is made again
        self.is_dead = False
        self.clear_child_tid = 0
        self.robust_list = 0
        self.trap = (0, 0, 0)  # address, error code and vector of its last fault, which signal frames show
        self.user_time = 0.0  # seconds
        self.tid = process.pid
        self.credentials = current.credentials.copy()

    def __repr__(self) -> str:
        return f"<task {self.tid} {self.process.name!r}>"

    # --- its memory; PageFaultError becomes -EFAULT in the dispatcher ---

    def read(self, vaddr: int, size: int) -> bytes:
        """`size` bytes at `vaddr`. Past the last address comes 0, as on the CPU: a part of a struct may be there."""
        return self.process.read(vaddr & LAST_ADDRESS, size)

    def write(self, vaddr: int, data: bytes | bytearray | memoryview) -> None:
        """Write all of `data` at `vaddr`, or raise and write nothing."""
        vaddr &= LAST_ADDRESS
        self.process.write(vaddr, data)
        self.system.wrote(vaddr, len(data))

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

    def read_string_cut(self, vaddr: int, limit: int) -> bytes:
        """The bytes before the NUL, at most `limit`."""
        parts = bytearray()
        while len(parts) < limit:
            byte = self.read(vaddr + len(parts), 1)
            if byte == b"\0":
                break
            parts += byte
        return bytes(parts)

    def read_path(self, vaddr: int) -> bytes:
        """A path argument: OSError EFAULT for NULL."""
        if vaddr == 0:
            raise OSError(EFAULT, "NULL for a path")
        return self.read_string(vaddr)

    def read_strings(self, vaddr: int, limit: int) -> list[bytes]:
        """The strings of a NULL-terminated array of pointers; OSError E2BIG past `limit` bytes in all."""
        from errno import E2BIG

        strings: list[bytes] = []
        left, word, pages = limit, self.abi.word, LastPage(self)
        while vaddr:
            pointer = int.from_bytes(pages.read(vaddr, word), "little")
            if not pointer:
                break
            text = pages.string(pointer, min(left, LONGEST_STRING))
            left -= len(text) + 1 + word
            if left <= 0:
                raise OSError(E2BIG, "too many arguments")
            strings.append(text)
            vaddr += word
            if not len(strings) & BATCH - 1 and self.system.is_late:
                raise OSError(EINTR, "the time is over")
        return strings

    # --- signals ---

    def send_signal(self, signal: int) -> None:
        """A signal from the kernel to this thread (SIGPIPE, SIGSEGV)."""
        self.pending.add(Info(signal, SI_KERNEL))

    @property
    def deliverable(self) -> int:
        """The bits of pending signals that are not blocked."""
        return (self.pending.mask | self.group.pending.mask) & ~self.mask

    @property
    def is_woken(self) -> bool:
        """Whether a signal ends its wait."""
        wait = self.wait
        pending = self.deliverable
        return bool(pending if wait is None or wait.why.interruptible else pending & bit(9))

    @property
    def is_stopped(self) -> bool:
        """Whether a signal has stopped its process; only SIGKILL and SIGCONT do something then."""
        return self.group.is_stopped

    def set_temporary_mask(self, mask: int) -> None:
        """Block other signals until this system call ends (ppoll, pselect, sigsuspend)."""
        if self.saved_mask is None:
            self.saved_mask = self.mask
        self.mask = mask & ~(bit(9) | bit(SIGSTOP))
