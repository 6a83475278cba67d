"""One process, as Python sees it: a view of its record, its areas and its memory.

`read` and `write` are what a CPU in user mode would do: they switch to the process's directory, go
through the MMU and its TLB, take page faults and have them handled; where the program would get a
signal, they raise `PageFaultError` with the exact address.
"""

from __future__ import annotations

from coalmm.errors import EACCES, EFAULT, ENOMEM, ENXIO, ESRCH, MisuseError, PageFaultError
from coalmm.hardware.bits import as_u64
from coalmm.hardware.constants import ACCESS_EXECUTE, ACCESS_READ, ACCESS_WRITE, FRAME_MASK, FRAME_SIZE
from coalmm.process.constants import (
    P_PARENT,
    P_SERIAL,
    P_SPACE,
    P_STATE,
    P_STATUS,
    PROCESS_LIVE,
)
from coalmm.typed import TYPE_CHECKING, Iterator
from coalmm.virtual.address_space import Usage
from coalmm.virtual.areas import Area
from coalmm.virtual.constants import (
    AREA_MAPPING,
    AREA_STACK,
    MAP_ANONYMOUS,
    MAP_FIXED_NOREPLACE,
    MAP_GROWSDOWN,
    MAP_PRIVATE,
    MREMAP_MAYMOVE,
    RIGHT_EXECUTE,
    RIGHT_READ,
    RIGHT_WRITE,
)

if TYPE_CHECKING:
    from coalmm.process.processes import Processes

LETTERS = {"r": RIGHT_READ, "w": RIGHT_WRITE, "x": RIGHT_EXECUTE, "-": 0}
REASONS = {
    EFAULT: "nothing is mapped there",
    EACCES: "the right is missing",
    ENXIO: "past the end of the file",
    ENOMEM: "there is no free frame",
}
ACCESSES = {ACCESS_READ: "read", ACCESS_WRITE: "write", ACCESS_EXECUTE: "fetch"}


def as_rights(rights: int | str) -> int:
    """Rights as PROT_* bits, from the bits or from letters as in "rw-"; ValueError for another letter."""
    if isinstance(rights, str):
        result = 0
        for letter in rights:
            if letter not in LETTERS:
                raise ValueError(f"rights {rights!r}: the letters are r, w and x")
            result |= LETTERS[letter]
        return result
    return as_u64(rights)


class Process:
    """A process that `Processes` made. When it has been waited for, every use raises MisuseError."""

    def __init__(self, processes: Processes, pid: int, serial: int) -> None:
        self.processes = processes
        self.pid = pid
        self.serial = serial

    def __repr__(self) -> str:
        record = self.processes.record(self.pid)
        if not record or self.processes.get(record, P_SERIAL) != self.serial:
            return f"<process {self.pid}: gone>"
        return f"<process {self.pid} {self.name!r}: {self.state}>"

    # --- its record ---

    @property
    def record(self) -> int:
        """The paddr of its record."""
        record = self.processes.record(self.pid)
        if not record or self.processes.get(record, P_SERIAL) != self.serial:
            raise MisuseError(f"process {self.pid} is gone")
        return record

    @property
    def space(self) -> int:
        """The paddr of its address space. MisuseError for a zombie, which has none."""
        space = self.processes.get(self.record, P_SPACE)
        if not space:
            raise MisuseError(f"process {self.pid} has exited")
        return space

    @property
    def root(self) -> int:
        """The paddr of its page directory."""
        return self.processes.spaces.root(self.space)

    @property
    def name(self) -> str:
        """Up to 15 bytes, as comm."""
        return self.processes.name(self.record)

    @name.setter
    def name(self, name: str) -> None:
        self.processes.rename(self.record, name)

    @property
    def parent(self) -> int:
        """The pid of its parent, 0 if that is gone."""
        return self.processes.get(self.record, P_PARENT)

    @property
    def is_alive(self) -> bool:
        """Whether it has not exited."""
        record = self.processes.record(self.pid)
        same = record != 0 and self.processes.get(record, P_SERIAL) == self.serial
        return same and self.processes.get(record, P_STATE) == PROCESS_LIVE

    @property
    def state(self) -> str:
        """ "live" or "zombie"."""
        return "live" if self.processes.get(self.record, P_STATE) == PROCESS_LIVE else "zombie"

    @property
    def status(self) -> int:
        """What it exited with."""
        return self.processes.get(self.record, P_STATUS)

    @property
    def areas(self) -> list[Area]:
        """Copies of its areas, in order."""
        return list(self.processes.spaces.all_areas(self.space))

    @property
    def usage(self) -> Usage:
        """Its sizes in bytes; all 0 for a zombie."""
        usage = self.processes.meminfo(self.pid)
        return usage if isinstance(usage, Usage) else Usage(0, 0, 0, 0, 0, 0)

    @property
    def faults(self) -> dict[str, int]:
        """How many page faults it took, by kind."""
        return self.processes.spaces.faults(self.space)

    # --- its memory ---

    def read(self, vaddr: int, size: int) -> bytes:
        """`size` bytes at `vaddr`, as a program reads them. PageFaultError where it would get a signal."""
        start, length = as_u64(vaddr), as_u64(size)
        self.processes.switch(self.record_of_live())
        user = self.processes.user
        if not user.reach_all(start, length, ACCESS_READ):
            raise self._fault(ACCESS_READ)
        data = bytearray(length)
        if not user.load(start, memoryview(data)):
            raise self._fault(ACCESS_READ)
        return bytes(data)

    def write(self, vaddr: int, data: bytes | bytearray | memoryview) -> None:
        """Write `data` at `vaddr`, as a program does. PageFaultError, and then no byte was written."""
        start, view = as_u64(vaddr), memoryview(data).cast("B")
        self.processes.switch(self.record_of_live())
        if not self.processes.user.store(start, view):
            raise self._fault(ACCESS_WRITE)

    def fetch(self, vaddr: int, size: int = 1) -> bytes:
        """`size` bytes at `vaddr`, as the CPU fetches instructions."""
        start, length = as_u64(vaddr), as_u64(size)
        self.processes.switch(self.record_of_live())
        if not self.processes.user.reach_all(start, length, ACCESS_EXECUTE):
            raise self._fault(ACCESS_EXECUTE)
        return self.read(start, length)

    def peek(self, vaddr: int, size: int) -> bytes | None:
        """`size` bytes at `vaddr` as a debugger sees them: no fault, no accessed bit; None if a page is absent."""
        start, length = as_u64(vaddr), as_u64(size)
        parts = []
        done = 0
        while done < length:
            paddr = self.processes.tables.physical(self.root, start + done)
            if not paddr:
                return None
            part = min(length - done, FRAME_SIZE - (paddr & FRAME_MASK))
            parts.append(self.processes.ram.read(paddr, part))
            done += part
        return b"".join(parts)

    def record_of_live(self) -> int:
        """The record, after a check that the process lives."""
        record = self.record
        if not self.processes.get(record, P_SPACE):
            raise MisuseError(f"process {self.pid} has exited")
        return record

    def _fault(self, access: int) -> PageFaultError:
        """The signal of the fault that was just refused."""
        user = self.processes.user
        address, code, error = user.mmu.fault_address, user.mmu.fault_code, user.error
        reason = REASONS.get(-error, "it cannot be handled")
        message = f"process {self.pid}: {ACCESSES[access]} at {address:#x}: {reason}"
        return PageFaultError(message, address, code, error == -ENXIO, error)

    # --- its areas: addresses, 0 or a negative errno, as the system calls answer ---

    def map(
        self,
        vaddr: int,
        length: int,
        rights: int | str = "rw",
        flags: int = MAP_PRIVATE | MAP_ANONYMOUS,
        file: int | str = 0,
        offset: int = 0,
        kind: int = AREA_MAPPING,
    ) -> int:
        """Add an area, as mmap does; returns its address or a negative errno.

        `vaddr` is a hint (0: none) unless `flags` has MAP_FIXED; `rights` are PROT_* bits or "rwx"
        letters; `file` is a host path or a file of `kernel.files`, without MAP_ANONYMOUS. OSError if the
        host does not open the path.
        """
        files = self.processes.spaces.files
        number = files.open_host(file, flags & 3 != MAP_PRIVATE and as_rights(rights) & RIGHT_WRITE != 0) if isinstance(
            file, str
        ) else file  # fmt: skip
        if isinstance(file, str):
            flags &= ~MAP_ANONYMOUS
            if not number:
                return -ENOMEM
        values = [as_u64(value) for value in (vaddr, length, as_rights(rights), flags, number, offset, kind)]
        result = self.processes.mappings.map(self.space, *values)
        if isinstance(file, str):
            files.release(number)
        return result

    def map_stack(self, top: int, size: int = FRAME_SIZE) -> int:
        """Add a stack that ends at `top` and grows down by faults; its lowest address or a negative errno."""
        flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED_NOREPLACE
        return self.map(as_u64(top) - as_u64(size), size, "rw", flags, kind=AREA_STACK)

    def unmap(self, vaddr: int, length: int) -> int:
        """Take a range out, as munmap does."""
        return self.processes.mappings.unmap(self.space, as_u64(vaddr), as_u64(length))

    def protect(self, vaddr: int, length: int, rights: int | str) -> int:
        """Change rights, as mprotect does."""
        return self.processes.mappings.protect(self.space, as_u64(vaddr), as_u64(length), as_rights(rights))

    def remap(self, vaddr: int, old_length: int, length: int, flags: int = MREMAP_MAYMOVE, target: int = 0) -> int:
        """Resize or move, as mremap does; the new address or a negative errno."""
        values = [as_u64(value) for value in (vaddr, old_length, length, flags, target)]
        return self.processes.remapping.remap(self.space, *values)

    def brk(self, vaddr: int) -> int:
        """Move the end of the heap; returns where it is then."""
        return self.processes.mappings.brk(self.space, as_u64(vaddr))

    def set_brk_start(self, vaddr: int) -> None:
        """Where the heap begins: an address after the program's data, 0 before this is called."""
        self.processes.mappings.set_brk_start(self.space, as_u64(vaddr))

    def advise(self, vaddr: int, length: int, advice: int) -> int:
        """Give an advice, as madvise does."""
        return self.processes.advice.advise(self.space, as_u64(vaddr), as_u64(length), as_u64(advice))

    def sync(self, vaddr: int, length: int) -> int:
        """Write shared file pages to the host, as msync does."""
        return self.processes.residency.sync(self.space, as_u64(vaddr), as_u64(length))

    # --- its life ---

    def fork(self) -> Process:
        """A child with a copy-on-write copy of the memory. OSError (ENOMEM, EAGAIN), and nothing changed."""
        pid = self.processes.fork(self.pid if self.space else 0)
        if pid < 0:
            raise OSError(-pid, f"process {self.pid} cannot be forked")
        return Process(self.processes, pid, self.processes.get(self.processes.record(pid), P_SERIAL))

    def exit(self, status: int = 0) -> None:
        """End it; every frame of its own goes back."""
        if not self.is_alive or self.processes.exit(self.pid, status) == -ESRCH:
            raise MisuseError(f"process {self.pid} has exited")

    def wait(self, pid: int = -1) -> tuple[int, int]:
        """Take a zombie child: (pid, status); (0, 0) if all live, (-ECHILD, 0) if there is none."""
        return self.processes.wait(self.pid if self.record else 0, pid)

    def children(self) -> Iterator[Process]:
        """Its children, zombies too."""
        for pid in self.processes.children(self.pid):
            child = self.processes.find(pid)
            if child is not None:
                yield child
