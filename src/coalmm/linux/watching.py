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
        task = system.scheduler.running
        if task is not None:
            system.call_back(on_fault, RunningProgram(task), vaddr, access, error)
            if system.kernel.mmu.cr3 != task.process.root:
                system.enter(task)  # it has looked at another process

    system.must_stand_still("run or step")
    for function in (on_fault, on_system_call):
        if function is not None and not callable(function):
            raise TypeError(f"{function!r} cannot be called")
    before = system.fill.on_fault
    if on_fault is not None:
        system.fill.on_fault = fault
    if on_system_call is not None:
        system.on_system_call = lambda task, name, arguments: on_system_call(RunningProgram(task), name, arguments)
    try:
        yield system
    finally:
        system.fill.on_fault, system.on_system_call = before, None
