"""Pseudo terminals: what both sides share, job control and the requests of ioctl. Source: ioctl_tty(2), pty(7)."""

from __future__ import annotations

import os
from errno import EINVAL, EIO, ENOTTY, EPERM, ESRCH

from coalmm.linux.registry import Blocked
from coalmm.linux.signals import deliver
from coalmm.linux.signals.numbers import (
    SI_KERNEL,
    SIG_IGN,
    SIGCONT,
    SIGHUP,
    SIGTTIN,
    SIGTTOU,
    SIGWINCH,
    bit,
)
from coalmm.linux.signals.state import Info
from coalmm.linux.vfs import termios
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.line_discipline import LineDiscipline
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.group import ThreadGroup
    from coalmm.linux.system import System
    from coalmm.linux.task import Task

TCGETS, TCSETS, TCSETSW, TCSETSF, TCSBRK, TCXONC, TCFLSH = 0x5401, 0x5402, 0x5403, 0x5404, 0x5409, 0x540A, 0x540B
TCGETS2, TCSETS2, TCSETSW2, TCSETSF2, TCSBRKP = 0x802C542A, 0x402C542B, 0x402C542C, 0x402C542D, 0x5425
TIOCEXCL, TIOCNXCL, TIOCSCTTY, TIOCGPGRP, TIOCSPGRP, TIOCOUTQ, TIOCSTI = (
    0x540C, 0x540D, 0x540E, 0x540F, 0x5410, 0x5411, 0x5412,
)  # fmt: skip
TIOCGWINSZ, TIOCSWINSZ, FIONREAD, TIOCNOTTY, TIOCGETD, TIOCGSID = 0x5413, 0x5414, 0x541B, 0x5422, 0x5424, 0x5429
SETTINGS = {
    TCSETS: termios.SIZE, TCSETSW: termios.SIZE, TCSETSF: termios.SIZE,
    TCSETS2: termios.SIZE_2, TCSETSW2: termios.SIZE_2, TCSETSF2: termios.SIZE_2,
}  # fmt: skip
CHANGES = (*SETTINGS, TCSBRK, TCSBRKP, TCXONC, TCFLSH, TIOCSPGRP)  # not for processes in the background
DEVICE = 136  # major number of /dev/pts


class Terminal:
    """One pair of a master and a terminal. `session` has it as controlling terminal; 0: none."""

    def __init__(self, system: System, index: int) -> None:
        self.system = system
        self.index = index
        self.discipline = LineDiscipline(self.signal)
        self.window = bytes(8)  # struct winsize
        self.session = self.foreground = 0
        self.is_locked = True
        self.is_exclusive = False
        self.has_master = True
        self.slaves = 0  # open files
        self.had_slave = False
        self.hangups = 0  # a file that was opened before the last one is dead
        self.activity = 0

    @property
    def number(self) -> int:
        """As /proc/PID/stat has it: st_rdev."""
        return os.makedev(DEVICE, self.index)

    @property
    def is_left(self) -> bool:
        """Whether the last program has closed it: the master's reads fail."""
        return self.had_slave and not self.slaves

    def is_of(self, task: Task) -> bool:
        """Whether it is the controlling terminal of a task."""
        return self.session != 0 and task.group.session == self.session

    # --- signals ---

    def members(self, number: int) -> list[ThreadGroup]:
        """The processes of a process group."""
        return [each for each in self.system.groups.values() if each.process_group == number]

    def signal(self, signal: int) -> None:
        """A signal for the foreground process group."""
        if self.foreground:
            for each in self.members(self.foreground):
                deliver.send(each, Info(signal, SI_KERNEL))

    def hang_up(self, with_foreground: bool) -> None:
        """The line is gone: open files are dead, and the session's leader is told, or all in the foreground."""
        leader = self.system.groups.get(self.session)
        if leader is not None and leader.status is None:
            deliver.send(leader, Info(SIGHUP, SI_KERNEL))
            deliver.send(leader, Info(SIGCONT, SI_KERNEL))
        if with_foreground:
            self.signal(SIGHUP)
        self.session = self.foreground = 0
        self.hangups += 1
        self.activity += 1
        self.discipline.flush_input()
        self.discipline.settings = termios.Termios()

    def is_background(self, task: Task) -> bool:
        """Whether job control keeps a task from it."""
        return self.is_of(task) and self.foreground not in (0, task.group.process_group)

    def stop_background(self, task: Task, signal: int) -> None:
        """A task in the background reads, or changes settings: SIGTTIN, SIGTTOU for its process group, and it waits.

        A signal that cannot stop it: SIGTTOU lets it do what it wants, SIGTTIN is EIO.
        """
        if not self.is_background(task):
            return
        group = task.group
        if group.actions.of(signal).handler == SIG_IGN or task.mask & bit(signal):
            if signal == SIGTTIN:
                raise failure(EIO)
            return
        if deliver.is_orphaned(group):
            raise failure(EIO)
        for each in self.members(group.process_group):
            deliver.send(each, Info(signal, SI_KERNEL))
        raise Blocked(lambda: not self.is_background(task))

    # --- who has it ---

    def take(self, task: Task, force: bool = False) -> None:
        """TIOCSCTTY: become the controlling terminal of a session. EPERM."""
        group = task.group
        if group.session == group.pid == self.session:
            return
        if group.session != group.pid or controlling(task) is not None:
            raise failure(EPERM)
        if self.session and not (force and task.credentials.is_root):
            raise failure(EPERM)
        self.session, self.foreground = group.session, group.process_group

    def leave(self, task: Task) -> None:
        """TIOCNOTTY: the session has no terminal any more. ENOTTY."""
        if not self.is_of(task):
            raise failure(ENOTTY)
        if task.group.pid == self.session:
            self.signal(SIGHUP)
            self.signal(SIGCONT)
            self.session = self.foreground = 0

    def set_foreground(self, task: Task, number: int) -> None:
        """TIOCSPGRP. ENOTTY, EINVAL, ESRCH, EPERM."""
        if not self.is_of(task):
            raise failure(ENOTTY)
        if number < 0:
            raise failure(EINVAL)
        members = self.members(number)
        if not members:
            raise failure(ESRCH)
        if not any(each.session == self.session for each in members):
            raise failure(EPERM)
        self.foreground = number

    # --- requests ---

    def request(self, task: Task, request: int, argument: int, is_master: bool) -> int:
        """ioctl of either side. ENOTTY."""
        if request in CHANGES and not is_master:
            self.stop_background(task, SIGTTOU)
        if request in SETTINGS:
            self.discipline.set(task.read(argument, SETTINGS[request]))
            if request in (TCSETSF, TCSETSF2):
                self.discipline.flush_input()
            self.activity += 1
        elif request in (TCGETS, TCGETS2):
            size = termios.SIZE if request == TCGETS else termios.SIZE_2
            task.write(argument, self.discipline.settings.pack(size))
        elif request == TIOCSCTTY:
            self.take(task, argument == 1)
        elif request == TIOCNOTTY:
            self.leave(task)
        elif request in (TIOCGPGRP, TIOCSPGRP, TIOCGSID):
            self._session_request(task, request, argument, is_master)
        else:
            self._line_request(task, request, argument)
        return 0

    def _session_request(self, task: Task, request: int, argument: int, is_master: bool) -> None:
        """Process groups and sessions."""
        if request == TIOCSPGRP:
            self.set_foreground(task, int.from_bytes(task.read(argument, 4), "little", signed=True))
            return
        if not is_master and not self.is_of(task):
            raise failure(ENOTTY)
        if request == TIOCGSID and not self.session:
            raise failure(ENOTTY)
        number = self.foreground if request == TIOCGPGRP else self.session
        task.write(argument, number.to_bytes(4, "little"))

    def _line_request(self, task: Task, request: int, argument: int) -> None:
        """The window, and what waits."""
        discipline = self.discipline
        if request == TIOCGWINSZ:
            task.write(argument, self.window)
        elif request == TIOCSWINSZ:
            before, self.window = self.window, task.read(argument, 8)
            if before != self.window:
                self.signal(SIGWINCH)
        elif request == TCFLSH:
            self._flush(argument & 0xFFFF_FFFF)
        elif request == TCXONC:
            self._flow(argument & 0xFFFF_FFFF)
        elif request in (TIOCEXCL, TIOCNXCL):
            self.is_exclusive = request == TIOCEXCL
        elif request == TIOCSTI:
            if not (self.is_of(task) or task.credentials.is_root):
                raise failure(EPERM)
            discipline.receive(task.read(argument, 1)[: discipline.input_room])
        elif request == TIOCGETD:
            task.write(argument, bytes(4))
        elif request not in (TCSBRK, TCSBRKP):  # what is printed has arrived at once
            raise failure(ENOTTY)

    def _flush(self, which: int) -> None:
        """TCFLSH: input, output, both."""
        if which > 2:
            raise failure(EINVAL)
        if which in (0, 2):
            self.discipline.flush_input()
        if which in (1, 2):
            self.discipline.screen.clear()

    def _flow(self, which: int) -> None:
        """TCXONC: stop and start what programs print."""
        if which > 3:
            raise failure(EINVAL)
        if which < 2:
            self.discipline.stop(which == 0)


def controlling(task: Task) -> Terminal | None:
    """The controlling terminal of a task."""
    terminals: list[Terminal] = list(task.system.vfs.terminals.values())
    return next((each for each in terminals if each.is_of(task)), None)


def session_ends(system: System, number: int) -> None:
    """The leader of a session has ended: its terminal is hung up."""
    for terminal in list(system.vfs.terminals.values()):
        if terminal.session == number:
            terminal.hang_up(with_foreground=True)
