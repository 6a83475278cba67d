"""pidfd: a descriptor that names a process, whatever becomes of its number. Source: pidfd_open(2)."""

from __future__ import annotations

import os
from select import POLLHUP, POLLIN

from coalmm.linux.vfs.events import AnonymousFile, AnonymousNode
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.group import ThreadGroup
    from coalmm.linux.task import Task


class PidFile(AnonymousFile):
    """A process; or one thread of it (PIDFD_THREAD)."""

    def __init__(self, group: ThreadGroup, flags: int, thread: Task | None = None) -> None:
        super().__init__(AnonymousNode("[pidfd]"), None, os.O_RDWR | flags)
        self.group = group
        self.thread = thread

    @property
    def has_ended(self) -> bool:
        """Whether it is a zombie, or gone."""
        return self.group.status is not None if self.thread is None else self.thread.is_dead

    def details(self) -> str:
        pid = -1 if self.group.is_reaped else self.group.pid
        return f"Pid:\t{pid}\nNSpid:\t{pid}\n"

    def poll(self) -> int:
        if not self.has_ended:
            return 0
        return POLLIN | (POLLHUP if self.group.is_reaped else 0)

    @property
    def activity(self) -> int:  # type: ignore[override]
        """Changes when it ends."""
        return int(self.has_ended)
