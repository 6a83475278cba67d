"""One run as a dict: what `--report FILE.json` writes, and what the other forms are made from.

Sizes are in bytes, times in seconds, addresses numbers. `status` and `signal` of a process: one of them is
None; both are for one that was still running.
"""

from __future__ import annotations

import os

from coalmm.hardware.constants import FRAME_SHIFT
from coalmm.linux.dispatch import by_count
from coalmm.physical.constants import KIND_TABLE, SB_RAM_SIZE
from coalmm.typed import TYPE_CHECKING, Any
from coalmm.virtual.address_space import FAULT_KINDS
from coalmm.virtual.constants import SB_RECLAIMED

if TYPE_CHECKING:
    from coalmm.linux.report.recorder import ProcessRecord, Recorder

TITLES = {
    "zero": "demand-zero",
    "file": "file",
    "copy": "copy-on-write",
    "spurious": "spurious",
    "refused": "refused",
}
KINDS = ("zero", "file", "copy", "spurious", "refused")  # each fault is of one of them


def result_of(recorder: Recorder, timed_out: bool = False) -> dict[str, Any]:
    """Everything that was kept of a run, up to now."""
    system = recorder.system
    kernel, dispatcher = system.kernel, system.dispatcher
    processes = recorder.records_now()
    counts = {kind: sum(record.faults[kind] for record in processes) for kind in FAULT_KINDS}
    result: dict[str, Any] = {
        "program": [os.fsdecode(text) for text in system.first_arguments],
        **ending(next((record.status for record in processes if record.pid == system.first_group), None)),
        "timed_out": timed_out,
        "seconds": round(recorder.seconds, 6),
        "program_seconds": round(sum(record.seconds for record in processes), 6),
        "machine": {"ram": int(kernel.ram.words[SB_RAM_SIZE]), "paging": kernel.format.name},
        **faults(counts),
        "tlb": {"misses": system.fill.misses, "flushes": system.fill.flushes},
        "memory": memory(recorder, processes),
        "calls": dispatcher.calls_by_name(),
        "unknown_calls": by_count(dispatcher.unknown),
        "crashes": list(system.crashes),
        "kernel_failures": [oops._asdict() for oops in system.oopses],
        "processes": [process(record) for record in processes],
        "processes_not_listed": recorder.others,
    }
    if recorder.times is not None:
        result["faults_over_time"] = {
            "unit": "system calls and page faults", "width": recorder.times.width, "kinds": kinds_over_time(recorder),
        }  # fmt: skip
    return result


def kinds_over_time(recorder: Recorder) -> dict[str, list[int]]:
    """Faults by kind, as the programs went on."""
    counts = recorder.times.by_kind()
    return {kind: counts[kind] for kind in KINDS}


def faults(counts: dict[str, int]) -> dict[str, Any]:
    """`faults` by kind, whose sum is all of them; of those, how many read a file (major ones), or grew a stack."""
    kinds = {kind: counts[kind] for kind in KINDS}
    return {"faults": kinds, "major_faults": counts["read"], "stack_growths": counts["stack"]}


def ending(status: int | None) -> dict[str, int | None]:
    """A status of wait4 as exit status and signal."""
    if status is None:
        return {"status": None, "signal": None}
    if status & 0x7F:
        return {"status": None, "signal": status & 0x7F}
    return {"status": status >> 8, "signal": None}


def memory(recorder: Recorder, processes: list[ProcessRecord]) -> dict[str, Any]:
    """Frames when the most were in use, and the largest process."""
    kernel = recorder.system.kernel
    from coalmm.physical.constants import KIND_KEYS

    kinds = recorder.kinds_at_peak
    return {
        "peak_resident": max((record.peak_resident for record in processes), default=0),
        "peak_virtual": max((record.peak_virtual for record in processes), default=0),
        "peak_used": (kernel.frames.statistics().total - recorder.least_free) << FRAME_SHIFT,
        "page_tables": kinds[KIND_TABLE],
        "reclaimed": int(kernel.ram.words[SB_RECLAIMED]),  # pages of files, to make room
        "frames": {KIND_KEYS[kind]: count for kind, count in enumerate(kinds) if count and kind},
    }


def process(record: ProcessRecord) -> dict[str, Any]:
    """One process."""
    shown: dict[str, Any] = {
        "pid": record.pid,
        "parent": record.parent,
        "name": record.name,
        "programs": record.programs,
        "arguments": [os.fsdecode(text) for text in record.arguments],
        **ending(record.status),
        "seconds": round(record.seconds, 6),
        **faults(record.faults),
        "resident": record.resident,
        "virtual": record.virtual,
        "peak_resident": record.peak_resident,
        "peak_virtual": record.peak_virtual,
        "areas": record.areas,
    }
    if record.pages:
        shown["page_tables"] = record.page_tables
        shown["address_space"] = [area.as_dict() for area in record.pages]
    return shown
