"""The user's callbacks: told of page faults and system calls while programs run. See `Kernel.run`."""

from __future__ import annotations

from contextlib import contextmanager

from coalmm.linux.program import RunningProgram
from coalmm.linux.system import System
from coalmm.typed import Any, Iterator


@contextmanager
def watching(system: System, on_fault: Any, on_system_call: Any) -> Iterator[System]:
    """Have them called for the length of a `with` block; None for one that is not wanted."""

    def fault(vaddr: int, access: int, error: int) -> None:
        if before is not None:
            before(vaddr, access, error)
        if system.scheduler.running is not None:
            system.call_back(on_fault, RunningProgram(system.scheduler.running), vaddr, access, error)

    before = system.fill.on_fault
    if on_fault is not None:
        system.fill.on_fault = fault
    if on_system_call is not None:
        system.on_system_call = lambda task, name, arguments: on_system_call(RunningProgram(task), name, arguments)
    try:
        yield system
    finally:
        system.fill.on_fault, system.on_system_call = before, None
