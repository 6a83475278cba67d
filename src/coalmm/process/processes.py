"""The process table: pids, and the life of a process from create or fork to exit and wait.

    superblock --> pid table [0][record of 1][record of 2][0]...
                                    |
                   record (slab "process"): pid, parent, state, status, address space, name

A process that exits gives its address space back at once; its record stays as a zombie until its parent
waits for it, or goes too if it has no parent. Calls answer with a pid, 0, or a negative errno.
"""

from __future__ import annotations

import struct

from coalmm.errors import EAGAIN, ECHILD, ENOMEM, ESRCH, CorruptionError
from coalmm.physical.constants import (
    SB_CURRENT_PROCESS,
    SB_KERNEL_BASE,
    SB_KERNEL_DIRECTORY,
    SB_TOTAL,
)
from coalmm.process.constants import (
    FRAMES_PER_PID,
    NAME_SIZE,
    P_NAME,
    P_PARENT,
    P_PID,
    P_SERIAL,
    P_SPACE,
    P_STATE,
    P_STATUS,
    PIDS_LEAST,
    PIDS_MOST,
    PROCESS_LIVE,
    PROCESS_SIZE,
    PROCESS_ZOMBIE,
    SB_PROCESS_COUNT,
    SB_PROCESS_LAST,
    SB_PROCESS_LIMIT,
    SB_PROCESS_SERIAL,
    SB_PROCESS_SLAB,
    SB_PROCESS_TABLE,
)
from coalmm.process.process import Process
from coalmm.typed import TYPE_CHECKING, Any, Callable, Iterator
from coalmm.virtual.address_space import AddressSpaces, Usage
from coalmm.virtual.constants import RECLAIM, S_REFERENCES
from coalmm.virtual.mappings import Mappings
from coalmm.virtual.page_tables import PageTables
from coalmm.virtual.records import Records
from coalmm.virtual.user_access import UserAccess

if TYPE_CHECKING:
    from coalmm.virtual.advice import Advice
    from coalmm.virtual.locks import Locks
    from coalmm.virtual.remapping import Remapping
    from coalmm.virtual.residency import Residency


class Processes:
    """The processes of one machine."""

    def __init__(
        self, spaces: AddressSpaces, mappings: Mappings, user: UserAccess, tables: PageTables, heap: Any, slabs: Any
    ) -> None:
        self.ram = spaces.frames.ram
        self.words = self.ram.words
        self.spaces = spaces
        self.mappings = mappings
        self.user = user
        self.tables = tables
        self.heap = heap
        self.records = Records(self.ram, slabs, "process", PROCESS_SIZE, SB_PROCESS_SLAB)
        self.kernel_base = int(self.words[SB_KERNEL_BASE])

    # --- parts that few programs need, loaded when they are asked for; none has a state of its own ---

    @property
    def remapping(self) -> Remapping:
        """mremap."""
        from coalmm.virtual.remapping import Remapping

        return Remapping(self.mappings)

    @property
    def advice(self) -> Advice:
        """madvise."""
        from coalmm.virtual.advice import Advice

        return Advice(self.mappings)

    @property
    def locks(self) -> Locks:
        """mlock and its family."""
        from coalmm.virtual.locks import Locks

        return Locks(self.mappings)

    @property
    def residency(self) -> Residency:
        """mincore and msync."""
        from coalmm.virtual.residency import Residency

        return Residency(self.mappings)

    def __repr__(self) -> str:
        return f"<Processes: {len(self)}, pids {', '.join(map(str, self.pids())) or 'none'}>"

    # --- looking ---

    def record(self, pid: int) -> int:
        """The paddr of a process's record, 0 for a pid that nobody has (any int will do)."""
        if not 0 < pid < self.words[SB_PROCESS_LIMIT]:
            return 0
        return int(self.words[self._slot(pid)])

    def get(self, record: int, field: int) -> int:
        """One word (P_*) of a record."""
        return int(self.words[(record >> 3) + field])

    def find(self, pid: int) -> Process | None:
        """The process with a pid, living or zombie; None if there is none. TypeError for what is no int."""
        if not isinstance(pid, int):
            raise TypeError(f"a pid is an int, not {type(pid).__name__}")
        record = self.record(pid)
        return Process(self, pid, self.get(record, P_SERIAL)) if record else None

    def __iter__(self) -> Iterator[Process]:
        for pid in self.pids():
            process = self.find(pid)
            if process is not None:
                yield process

    def __len__(self) -> int:
        return int(self.words[SB_PROCESS_COUNT])

    def pids(self) -> list[int]:
        """All pids, zombies' too, in order."""
        limit = int(self.words[SB_PROCESS_LIMIT])
        left = self.words[SB_PROCESS_COUNT]
        words, first = self.words, self._slot(0)
        found: list[int] = []
        pid = 1
        while left and pid < limit:  # pids are given in order, so the last one is seldom far
            if words[first + pid]:
                found.append(pid)
                left -= 1
            pid += 1
        return found

    @property
    def current(self) -> Process | None:
        """The process whose directory was switched to last, None if it was none or has ended."""
        record = int(self.words[SB_CURRENT_PROCESS])
        return self.find(self.get(record, P_PID)) if record else None

    def name(self, record: int) -> str:
        """The name in a record."""
        return self.ram.read(record + P_NAME * 8, NAME_SIZE).rstrip(b"\0").decode("utf-8", "replace")

    def meminfo(self, pid: int) -> Usage | int:
        """What get_proc_meminfo tells: sizes in bytes, all 0 for a zombie; -ESRCH for a pid that nobody has."""
        record = self.record(pid)
        if not record:
            return -ESRCH
        space = self.get(record, P_SPACE)
        return self.spaces.usage(space) if space else Usage(0, 0, 0, 0, 0, 0)

    # --- life ---

    def create(self, name: str = "", parent: int = 0) -> Process:
        """A process with an empty address space. OSError (ENOMEM, EAGAIN) if it cannot be had."""
        return self._view(self.create_pid(name, parent))

    def create_pid(self, name: str = "", parent: int = 0) -> int:
        """As `create`; its pid, -ENOMEM, or -EAGAIN when all pids are in use. TypeError for what is no name or pid."""
        if not isinstance(name, str) or not isinstance(parent, int):
            raise TypeError(f"a process has a name and the pid of its parent, not {name!r} and {parent!r}")
        space = self.spaces.create()
        return self._start(space, name, parent) if space else -ENOMEM

    def fork(self, pid: int) -> int:
        """A child with a copy-on-write copy of the address space: its pid.

        -ESRCH, -ENOMEM, -EAGAIN, and the parent is as it was.
        """
        record = self.record(pid)
        if not record or not self.get(record, P_SPACE):
            return -ESRCH
        space = self.spaces.clone(self.get(record, P_SPACE))
        while not space and not self.spaces.frames.injection.armed and self.spaces.files.reclaim(RECLAIM):
            space = self.spaces.clone(self.get(record, P_SPACE))
        return self._start(space, self.name(record), pid) if space else -ENOMEM

    def share(self, pid: int) -> int:
        """A child in the same address space, as a thread or vfork has it: its pid, or as `fork`."""
        record = self.record(pid)
        if not record or not self.get(record, P_SPACE):
            return -ESRCH
        self.spaces.hold(self.get(record, P_SPACE))
        return self._start(self.get(record, P_SPACE), self.name(record), pid)

    def renew(self, pid: int, before: Callable[[], object] | None = None) -> bool:
        """Give a process a new, empty address space in place of its own, as execve does; False for no memory.

        `before` is called when nothing can fail any more, and the old one is still there.
        """
        record = self.record(pid)
        space = self.spaces.create()
        if not space:
            return False
        if before is not None:
            before()
        self.leave(record)
        old = self.get(record, P_SPACE)
        self.words[(record >> 3) + P_SPACE] = space
        self.spaces.release(old)
        return True

    def _start(self, space: int, name: str, parent: int) -> int:
        """Give a new space a process; the space goes again if that fails."""
        record = self.records.allocate()
        pid = self._free_pid() if record else -ENOMEM
        if pid < 0:
            if record:
                self.records.free(record)
            self.spaces.release(space)
            return pid
        word = record >> 3
        self.words[SB_PROCESS_SERIAL] += 1
        for field, value in (
            (P_PID, pid),
            (P_PARENT, parent),
            (P_STATE, PROCESS_LIVE),
            (P_SPACE, space),
            (P_SERIAL, self.words[SB_PROCESS_SERIAL]),
        ):
            self.words[word + field] = value
        self.rename(record, name)
        self.words[self._slot(pid)] = record
        self.words[SB_PROCESS_COUNT] += 1
        self.words[SB_PROCESS_LAST] = pid
        return pid

    def rename(self, record: int, name: str) -> None:
        """Set the name in a record: its first 15 bytes."""
        self.ram.write(record + P_NAME * 8, struct.pack(f"{NAME_SIZE}s", name.encode()[: NAME_SIZE - 1]))

    def exit(self, pid: int, status: int = 0) -> int:
        """End a process: its address space goes, its children have no parent any more. 0 or -ESRCH."""
        record = self.record(pid)
        if not record or self.get(record, P_STATE) != PROCESS_LIVE:
            return -ESRCH
        self.leave(record)
        word = record >> 3
        self.spaces.release(self.get(record, P_SPACE))
        self.words[word + P_SPACE] = 0
        self.words[word + P_STATE] = PROCESS_ZOMBIE
        self.words[word + P_STATUS] = status & 0xFFFF_FFFF_FFFF_FFFF
        self._orphan(pid)
        if not self.get(record, P_PARENT):
            self._reap(pid, record)
        return 0

    def wait(self, parent: int, pid: int = -1) -> tuple[int, int]:
        """Take a zombie child (any, or `pid`): its pid and status; (0, 0) if all live, (-ECHILD, 0) for none."""
        children = [each for each in self.children(parent) if pid in (-1, each)]
        for child in children:
            record = self.record(child)
            if self.get(record, P_STATE) == PROCESS_ZOMBIE:
                status = self.get(record, P_STATUS)
                self._reap(child, record)
                return child, status
        return (0, 0) if children else (-ECHILD, 0)

    def reap(self, pid: int) -> bool:
        """Take a zombie, whoever its parent is; False if there is none of that pid."""
        record = self.record(pid)
        if not record or self.get(record, P_STATE) != PROCESS_ZOMBIE:
            return False
        self._reap(pid, record)
        return True

    def adopt(self, pid: int, parent: int) -> None:
        """Give a process another parent, 0 for none."""
        self.words[(self.record(pid) >> 3) + P_PARENT] = parent

    def children(self, parent: int) -> list[int]:
        """The pids of a process's children, zombies too."""
        words, first = self.words, self._slot(0)
        return [pid for pid in self.pids() if words[(words[first + pid] >> 3) + P_PARENT] == parent]

    def switch(self, record: int) -> None:
        """Make a process's directory the current one, as a context switch does."""
        root = self.spaces.root(self.get(record, P_SPACE))
        if self.user.mmu.cr3 != root:
            self.tables.switch(root)
        self.words[SB_CURRENT_PROCESS] = record

    def leave(self, record: int) -> None:
        """Switch to the kernel's directory if this process's is the current one and about to go."""
        space = self.get(record, P_SPACE)
        if self.user.mmu.cr3 == self.spaces.root(space) and self.spaces.get(space, S_REFERENCES) == 1:
            self.tables.switch(int(self.words[SB_KERNEL_DIRECTORY]))
        if self.words[SB_CURRENT_PROCESS] == record:
            self.words[SB_CURRENT_PROCESS] = 0

    def _orphan(self, parent: int) -> None:
        """A process is gone: nobody waits for its children, so its zombies go."""
        for pid in self.children(parent):
            record = self.record(pid)
            self.words[(record >> 3) + P_PARENT] = 0
            if self.get(record, P_STATE) == PROCESS_ZOMBIE:
                self._reap(pid, record)

    def _reap(self, pid: int, record: int) -> None:
        """Give back the record and the pid of a zombie; the table goes with the last one."""
        self.words[self._slot(pid)] = 0
        self.records.free(record)
        self.words[SB_PROCESS_COUNT] -= 1
        if self.words[SB_PROCESS_COUNT] == 0:
            self.heap.kfree(self.words[SB_PROCESS_TABLE])
            self.words[SB_PROCESS_TABLE] = self.words[SB_PROCESS_LIMIT] = 0

    def _view(self, pid: int) -> Process:
        """The process that a call made, or OSError with what it answered."""
        if pid < 0:
            raise OSError(-pid, "no memory for a process" if pid == -ENOMEM else "no process")
        return Process(self, pid, self.get(self.record(pid), P_SERIAL))

    # --- the pid table ---

    def _slot(self, pid: int) -> int:
        """The word (index into RAM) of a pid. There is a table."""
        return ((int(self.words[SB_PROCESS_TABLE]) - self.kernel_base) >> 3) + pid

    def _free_pid(self) -> int:
        """The next pid that nobody has, after the one given last; -EAGAIN, or -ENOMEM for no table."""
        if not self.words[SB_PROCESS_LIMIT] and not self._make_table():
            return -ENOMEM
        limit = self.words[SB_PROCESS_LIMIT]
        last = self.words[SB_PROCESS_LAST]
        for step in range(1, limit):
            pid = (last - 1 + step) % (limit - 1) + 1
            if not self.words[self._slot(pid)]:
                return int(pid)
        return -EAGAIN

    def _make_table(self) -> bool:
        """Room for one pid to every eight frames of RAM, within limits."""
        limit = max(PIDS_LEAST, min(PIDS_MOST, self.words[SB_TOTAL] // FRAMES_PER_PID))
        kaddr = self.heap.kmalloc(limit * 8)
        if not kaddr:
            return False
        self.ram.fill(kaddr - self.kernel_base, limit * 8, 0)
        self.words[SB_PROCESS_TABLE] = kaddr
        self.words[SB_PROCESS_LIMIT] = limit
        return True

    # --- checking ---

    def validate(self) -> None:
        """Check the table and every address space; raises CorruptionError."""
        limit = int(self.words[SB_PROCESS_LIMIT])
        pids = [pid for pid in range(1, limit) if self.words[self._slot(pid)]]
        if len(pids) != self.words[SB_PROCESS_COUNT]:
            raise CorruptionError(f"process table: says {self.words[SB_PROCESS_COUNT]}, has {len(pids)}")
        for pid in pids:
            record = self.record(pid)
            state, space = self.get(record, P_STATE), self.get(record, P_SPACE)
            if self.get(record, P_PID) != pid or (state == PROCESS_LIVE) != (space != 0):
                raise CorruptionError(f"process record at {record:#x}: not of process {pid}", record)
            if space:
                self.spaces.validate(space)
