"""A running program as Python sees it: its memory while it stands still, its status afterwards."""

from __future__ import annotations

from coalmm.linux.signals.deliver import send
from coalmm.linux.signals.numbers import SI_USER
from coalmm.linux.signals.state import Info
from coalmm.process.process import Process
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task


class RunningProgram(Process):
    """A process that executes instructions: what `Kernel.spawn` returns, and callbacks get.

    Everything of `Process` works between slices: `read` and `write`, `areas`, `usage`, `faults`. When it
    has ended its memory is gone; `returncode` and `is_alive` still answer.
    """

    def __init__(self, task: Task) -> None:
        super().__init__(task.process.processes, task.process.pid, task.process.serial)
        self.task = task
        self.group = task.group

    @property
    def returncode(self) -> int | None:
        """None while it runs; then its exit status, or -N if signal N ended it (as `subprocess` has it)."""
        status = self.group.status
        if status is None:
            return None
        return -(status & 0x7F) if status & 0x7F else status >> 8

    def write(self, vaddr: int, data: bytes | bytearray | memoryview) -> None:
        """As `Process.write`; code that was there is not run any more."""
        super().write(vaddr, data)
        self.task.system.wrote(vaddr, len(data))

    @property
    def registers(self) -> dict[str, int]:
        """The general registers by name, of the thread that was spawned. MisuseError when it has ended."""
        self.space  # noqa: B018 - raises for a process that has ended
        task, scheduler = self.task, self.task.system.scheduler
        if scheduler.running is not task:
            task.system.must_stand_still("registers of another process")
            scheduler.switch(task)
        return {name: task.cpu.get(name) for name in task.cpu.form.general}

    def send_signal(self, signal: int) -> None:
        """Send it a signal, as kill(2); nothing if it has ended."""
        send(self.group, Info(signal, SI_USER))
