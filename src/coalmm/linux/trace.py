"""System calls as lines of text, in the manner of strace(1)."""

from __future__ import annotations

import os
from errno import errorcode

from coalmm.errors import CoalError
from coalmm.linux.dispatch import Dispatcher
from coalmm.typed import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from coalmm.linux.system import System
    from coalmm.linux.task import Task

# The argument that is a path.
PATHS = dict.fromkeys(
    ("open", "execve", "access", "stat", "lstat", "stat64", "lstat64", "statfs", "readlink", "chdir", "mkdir", "rmdir",
     "unlink", "rename", "creat", "chmod", "chown", "truncate", "symlink", "link"), 0,
) | dict.fromkeys(
    ("openat", "newfstatat", "fstatat64", "faccessat", "faccessat2", "statx", "readlinkat", "unlinkat", "mkdirat",
     "execveat", "fchmodat", "fchownat", "utimensat"), 1,
)  # fmt: skip
LONGEST = 64  # of a path that is shown
ADDRESS = 1 << 16  # results from here on are shown in hex


class TracingDispatcher(Dispatcher):
    """Writes a line for each call when its result is there; one that waits has two, as strace has them."""

    def __init__(self, system: System, write: Callable[[str], object]) -> None:
        super().__init__(system)
        self.where: Callable[[str], object] | None = write
        self.waiting: set[int] = set()

    def write(self, text: str) -> None:
        """Tell, as long as somebody reads it."""
        try:
            if self.where is not None:
                self.where(text)
        except OSError:
            self.where = None

    def perform(self, task: Task, number: int, arguments: tuple[int, ...]) -> int | None:
        """Do one call, and tell."""
        number &= 0xFFFF_FFFF
        name = self.name(task.abi, number)
        call = self.call(task, number, name, arguments)
        resumed = task.tid in self.waiting
        result = super().perform(task, number, arguments)
        if result is None and task.wait is not None and not task.is_dead:
            if not resumed:
                self.waiting.add(task.tid)
                self.write(f"[{task.tid}] {call} <unfinished ...>\n")
            return result
        self.waiting.discard(task.tid)
        start = f"<... {name} resumed>" if resumed else call
        self.write(f"[{task.tid}] {start}) = {self.outcome(task, name, result)}\n")
        return result

    def call(self, task: Task, number: int, name: str, arguments: tuple[int, ...]) -> str:
        """The name and the arguments, those that the call has; all six for one that is unknown."""
        entry = self.find(task.abi.word, number)
        values = arguments[: entry.arguments] if entry is not None else arguments
        shown = [f"{value & task.abi.mask:#x}" for value in values]
        place = PATHS.get(name, len(shown))
        if place < len(shown):
            shown[place] = self.path(task, values[place] & task.abi.mask) or shown[place]
        return f"{name}({', '.join(shown)}"

    def path(self, task: Task, vaddr: int) -> str:
        """The string there, quoted; "" if it cannot be read."""
        try:
            text = os.fsdecode(task.read_path(vaddr))
        except (OSError, CoalError):
            return ""
        quoted = text[:LONGEST].replace("\\", "\\\\").replace('"', '\\"').encode("unicode_escape", "surrogateescape")
        return f'"{quoted.decode("ascii", "replace")}"' + "..." * (len(text) > LONGEST)

    def outcome(self, task: Task, name: str, result: int | None) -> str:
        """A result as strace shows it."""
        if result is None:
            return "0" if name.startswith("execve") and not task.is_dead else "?"
        if -4096 < result < 0:
            return f"-1 {errorcode.get(-result, -result)} ({os.strerror(-result)})"
        return f"{result:#x}" if result >= ADDRESS else str(result)

    def interrupted(self, task: Task) -> int:
        """A waiting call ends because of a signal."""
        result = super().interrupted(task)
        self.waiting.discard(task.tid)
        self.write(f"[{task.tid}] <... resumed>) = -1 EINTR (a signal came)\n")
        return result
