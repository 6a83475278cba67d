"""What is known of signals: actions of a process (shared by its threads), masks and queues."""

from __future__ import annotations

import struct

from coalmm.linux.abi import Abi
from coalmm.linux.signals.numbers import (
    FIRST_QUEUED,
    IGNORED,
    MOST,
    SIG_DFL,
    SIG_IGN,
    SS_DISABLE,
    UNBLOCKABLE,
    bit,
)
from coalmm.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from coalmm.linux.timers import PosixTimer

INFO_SIZE = 128


class Action(NamedTuple):
    """struct sigaction. `handler` is an address, SIG_DFL or SIG_IGN."""

    handler: int = SIG_DFL
    flags: int = 0
    restorer: int = 0
    mask: int = 0


class Info(NamedTuple):
    """struct siginfo: number, code, and the union as words (`address`) or ints (`fields`), whichever a code has."""

    signal: int
    code: int = 0
    fields: tuple[int, ...] = ()
    address: int | None = None
    value: int | None = None  # sigval, behind two fields
    timer: PosixTimer | None = None  # that sent it; it knows the fields when the signal is taken
    raw: bytes = b""  # what a program gave to rt_sigqueueinfo, all of it

    def pack(self, abi: Abi) -> bytes:
        """As it lies in memory: INFO_SIZE bytes."""
        if self.raw:
            return struct.pack("<i", self.signal) + self.raw[4:]
        head = struct.pack("<iii", self.signal, 0, self.code)
        if abi.word == 8:
            head += bytes(4)
        if self.address is not None:
            body = abi.pack_words(self.address)
        else:
            body = b"".join(struct.pack("<I", part & 0xFFFF_FFFF) for part in self.fields)
            if self.value is not None:
                body += abi.pack_words(self.value)
        return (head + body).ljust(INFO_SIZE, b"\0")


class Actions:
    """The actions of a thread group; CLONE_SIGHAND shares the object."""

    def __init__(self, by_signal: dict[int, Action] | None = None) -> None:
        self.by_signal = by_signal if by_signal is not None else {}

    def of(self, signal: int) -> Action:
        """What is to happen."""
        return self.by_signal.get(signal, DEFAULT)

    def copy(self) -> Actions:
        """For a child of fork."""
        return Actions(dict(self.by_signal))

    def reset(self) -> None:
        """execve: handlers are gone, what is ignored stays ignored."""
        self.by_signal = {
            signal: Action(SIG_IGN) for signal, action in self.by_signal.items() if action.handler == SIG_IGN
        }

    def ignores(self, signal: int) -> bool:
        """Whether a signal that nobody waits for would do nothing."""
        handler = self.of(signal).handler
        return handler == SIG_IGN or (handler == SIG_DFL and signal in IGNORED)


DEFAULT = Action()


class Queue:
    """Pending signals: one of each, but every real-time one."""

    def __init__(self) -> None:
        self.entries: list[Info] = []

    def add(self, info: Info) -> None:
        """One more, unless it is an ordinary one that is pending already."""
        if info.signal >= FIRST_QUEUED or all(entry.signal != info.signal for entry in self.entries):
            self.entries.append(info)

    @property
    def mask(self) -> int:
        """The bits of what is pending."""
        result = 0
        for entry in self.entries:
            result |= bit(entry.signal)
        return result

    def take(self, allowed: int) -> Info | None:
        """The lowest pending signal whose bit is in `allowed`, taken out."""
        best = min((entry for entry in self.entries if allowed & bit(entry.signal)), key=_order, default=None)
        if best is None:
            return None
        self.entries.remove(best)
        return best if best.timer is None else best._replace(fields=best.timer.taken(), timer=None)

    def drop(self, mask: int) -> None:
        """Forget the signals of a mask."""
        self.entries = [entry for entry in self.entries if not mask & bit(entry.signal)]


def _order(info: Info) -> int:
    """Faults come before what others sent, as on Linux; else the lowest number."""
    return info.signal - (MOST if info.code > 0 and info.signal < FIRST_QUEUED else 0)


class AlternateStack:
    """sigaltstack."""

    def __init__(self, start: int = 0, size: int = 0, flags: int = SS_DISABLE) -> None:
        self.start = start
        self.size = size
        self.flags = flags

    def holds(self, pointer: int) -> bool:
        """Whether a stack pointer is on it."""
        return not self.flags & SS_DISABLE and self.start < pointer <= self.start + self.size


def blockable(mask: int) -> int:
    """A mask without the signals that cannot be blocked."""
    return mask & ~UNBLOCKABLE & ((1 << MOST) - 1)
