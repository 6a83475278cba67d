"""The table of system calls: a function for each name.

A call is a function of a task and of up to six unsigned registers (cut to the word of the program's
ABI; `abi.signed` makes an int of one), which returns the result, or a negative errno:

    @system_call("lseek")
    def lseek(task: Task, fd: int, offset: int, whence: int) -> int: ...

It may also raise: OSError (its errno is the answer), PageFaultError (-EFAULT), MemoryError (-ENOMEM),
or `Blocked`: the task sleeps and the call is made again, with the same registers, when it may go on.
A call that is made again finds what it left in `task.resume` (None the first time).
"""

from __future__ import annotations

from coalmm.typed import Any, Callable

SystemCall = Callable[..., int]


class Registered:
    """A call and how many registers it takes. `stopped`: it is made when the CPU stands still."""

    def __init__(self, function: SystemCall, stopped: bool = False) -> None:
        self.function = function
        self.stopped = stopped
        self.arguments = function.__code__.co_argcount - 1  # without the task


CALLS: dict[str, Registered] = {}
CALLS_32: dict[str, Registered] = {}  # what i386 does otherwise than the call of the same name


def system_call(
    *names: str, only_32: bool = False, stopped: bool = False
) -> Callable[[SystemCall], SystemCall]:
    """Register a function under the names of calls, as asm/unistd.h has them (without __NR_).

    `stopped` is for calls that read or replace all of a task's registers.
    """

    def register(function: SystemCall) -> SystemCall:
        table = CALLS_32 if only_32 else CALLS
        for name in names:
            if name in table:
                raise ValueError(f"system call {name} is registered twice")
            table[name] = Registered(function, stopped)
        return function

    return register


class Blocked(Exception):
    """The call cannot go on yet: `ready()` says when; `deadline` (seconds, monotonic clock) ends the wait too.

    `done` is what the call returns if a signal ends the wait; None: -EINTR. `stopped_by_signal` is called when
    one does, and when the task ends. Only SIGKILL ends a wait that is not `interruptible`; one that does not restart
    ends with -EINTR even for a handler with SA_RESTART.
    """

    done: int | None = None

    def __init__(
        self,
        ready: Callable[[], Any],
        deadline: float | None = None,
        stopped_by_signal: Callable[[], object] | None = None,
        interruptible: bool = True,
        restarts: bool = True,
    ) -> None:
        super().__init__("the call waits")
        self.ready = ready
        self.deadline = deadline
        self.stopped_by_signal = stopped_by_signal
        self.interruptible = interruptible
        self.restarts = restarts
