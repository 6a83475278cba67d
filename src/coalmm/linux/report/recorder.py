"""Listens to a system while programs run, and keeps what is gone when they have ended.

Cheap: a process costs a look at its counters when its memory goes, a slice of time one sum. With
`details` the page faults are timed, and the areas of each process are kept with their pages.
"""

from __future__ import annotations

import time

from coalmm.hardware.constants import FRAME_SHIFT
from coalmm.physical.constants import KINDS, SB_FREE, SB_KINDS
from coalmm.typed import TYPE_CHECKING, Any
from coalmm.virtual.address_space import FAULT_KINDS
from coalmm.virtual.constants import S_PEAK_RSS, S_PEAK_VIRTUAL, S_VIRTUAL

if TYPE_CHECKING:
    from coalmm.inspect.area_pages import AreaPages
    from coalmm.linux.group import ThreadGroup
    from coalmm.linux.system import System
    from coalmm.linux.task import Task

MOST_PROCESSES = 1000  # that are kept one by one; the rest is counted together
MOST_DETAILED = 24


class ProcessRecord:
    """One process: sizes in bytes, of the last program that it ran; faults of all of them."""

    def __init__(self, group: ThreadGroup) -> None:
        self.group = group
        self.pid = group.pid
        self.parent = group.parent.pid if group.parent is not None else 0
        self.name = ""
        self.arguments: list[bytes] = []
        self.programs: list[str] = []
        self.status: int | None = None  # as wait4 has it
        self.faults = dict.fromkeys(FAULT_KINDS, 0)
        self.resident = self.virtual = self.peak_resident = self.peak_virtual = 0
        self.areas = 0
        self.page_tables: int | None = None
        self.pages: list[AreaPages] = []
        self.seconds = 0.0

    def take(self, task: Task, details: bool) -> None:
        """Add what the memory of `task` did; it is about to go, or is looked at while it runs."""
        process = task.process
        spaces = process.processes.spaces
        space = process.space
        for kind, count in spaces.faults(space).items():
            self.faults[kind] += count
        self.name = process.name
        self.programs.append(process.name)
        self.arguments = task.group.arguments
        self.virtual = spaces.get(space, S_VIRTUAL) << FRAME_SHIFT
        self.resident = spaces.rss(space) << FRAME_SHIFT
        self.peak_resident = max(self.peak_resident, spaces.get(space, S_PEAK_RSS) << FRAME_SHIFT, self.resident)
        self.peak_virtual = max(self.peak_virtual, spaces.get(space, S_PEAK_VIRTUAL) << FRAME_SHIFT, self.virtual)
        self.areas = spaces.areas.count(spaces.table(space))
        if details:
            from coalmm.inspect.area_pages import pages_of_areas
            from coalmm.inspect.proc import tables_of

            self.pages = pages_of_areas(task.system.kernel, process)
            self.page_tables = tables_of(task.system.kernel, process.root) + 1


    def as_it_is_now(self, task: Task, details: bool) -> ProcessRecord:
        """A copy, with what the memory of `task` has done up to now."""
        now = ProcessRecord(self.group)
        vars(now).update(vars(self), faults=dict(self.faults), programs=list(self.programs))
        now.take(task, details)
        return now


class Recorder:
    """The record of one run. Made before the first program is spawned."""

    def __init__(self, system: System, details: bool = False) -> None:
        self.system = system
        self.details = details
        self.started = time.perf_counter()
        self.records: dict[int, ProcessRecord] = {}  # by pid; a pid that comes again keeps the first
        self.processes: list[ProcessRecord] = []
        self.others = 0
        self.words = system.kernel.ram.words
        self.least_free = self.words[SB_FREE]
        self.kinds_at_peak = list(self.words[SB_KINDS : SB_KINDS + KINDS])
        self.times: Any = None
        if details:
            from coalmm.linux.report.times import FaultTimes

            self.times = FaultTimes(system)
            system.fill.on_fault = self.times
        system.listeners.append(self.memory_goes)
        system.on_tick = self.sample

    def sample(self) -> None:
        """Look whether more frames are in use than ever before."""
        free = self.words[SB_FREE]
        if free < self.least_free:
            self.least_free = free
            self.kinds_at_peak = list(self.words[SB_KINDS : SB_KINDS + KINDS])

    def memory_goes(self, task: Task) -> None:
        """A process is about to lose its memory: it ends, or runs another program."""
        self.sample()
        record = self.record_of(task.group)
        record.take(task, self.details and len(self.processes) <= MOST_DETAILED)

    def record_of(self, group: ThreadGroup) -> ProcessRecord:
        """The record of a process, a new one for a new process."""
        record = self.records.get(group.pid)
        if record is None or record.group is not group:
            record = ProcessRecord(group)
            if len(self.processes) < MOST_PROCESSES:
                self.records[group.pid] = record
                self.processes.append(record)
            else:
                self.others += 1
        return record

    def records_now(self) -> list[ProcessRecord]:
        """The records of all processes; of those that still live, as they are now."""
        self.sample()
        self.seconds = time.perf_counter() - self.started
        records = {id(record): record for record in self.processes}
        for group in self.system.groups.values():
            if group.leader is not None and group.status is None:
                record = self.record_of(group)
                if id(record) in records or group.pid in self.records:
                    details = self.details and len(records) <= MOST_DETAILED
                    records[id(record)] = record.as_it_is_now(group.leader, details)
        for record in records.values():
            record.status, record.seconds = record.group.status, record.group.user_time
        if self.times is not None:
            self.times.bucket()
        return sorted(records.values(), key=lambda record: record.pid)
