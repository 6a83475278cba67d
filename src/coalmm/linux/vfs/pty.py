"""/dev/ptmx and /dev/pts: the two sides of pseudo terminals as files. Source: pty(7), pts(4)."""

from __future__ import annotations

import os
import stat
import time
from errno import EAGAIN, EBUSY, EINTR, EIO
from select import POLLERR, POLLHUP, POLLIN, POLLOUT

from coalmm.linux.registry import Blocked
from coalmm.linux.signals.numbers import SIGTTIN, SIGTTOU
from coalmm.linux.vfs import terminal as requests
from coalmm.linux.vfs import termios
from coalmm.linux.vfs.attributes import Attributes, of_new
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.node import Node, Place
from coalmm.linux.vfs.open_file import OpenFile
from coalmm.linux.vfs.terminal import Terminal, controlling
from coalmm.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coalmm.linux.task import Task
    from coalmm.linux.vfs.overlay import OverlayDirectory

TIOCGPTN, TIOCSPTLCK, TIOCGPTLCK, TIOCGPTPEER, TIOCSIG, FIONREAD, TIOCOUTQ = (
    0x80045430, 0x40045431, 0x80045439, 0x5441, 0x40045436, 0x541B, 0x5411,
)  # fmt: skip
PTS_DEVICE = 23  # st_dev of /dev/pts
TTY_GROUP = 5
MOST_TERMINALS = 4096
PIECE = 256  # bytes that are typed between two looks at the clock


class PtyFile(OpenFile):
    """What both sides have."""

    terminal: Terminal

    @property
    def activity(self) -> int:
        """For the edges of epoll."""
        return self.terminal.activity

    def consume(self, count: int) -> None:
        """Bytes were read."""


class Master(PtyFile):
    """The side of the program that shows the terminal."""

    def __init__(self, node: Node, place: Place | None, flags: int, terminal: Terminal) -> None:
        super().__init__(node, place, flags)
        self.terminal = terminal

    def peek(self, task: Task, size: int) -> bytes:
        terminal, screen = self.terminal, self.terminal.discipline.screen
        if not screen and size:
            if terminal.is_left:
                raise failure(EIO)
            if self.is_nonblocking:
                raise failure(EAGAIN)
            raise Blocked(lambda: screen or terminal.is_left)
        return bytes(screen[:size])

    def consume(self, count: int) -> None:
        del self.terminal.discipline.screen[:count]
        self.terminal.activity += 1

    def write(self, task: Task, data: bytes) -> int:
        terminal, discipline = self.terminal, self.terminal.discipline
        if terminal.is_left:
            raise failure(EIO)
        if data and not discipline.input_room:
            if self.is_nonblocking:
                raise failure(EAGAIN)
            raise Blocked(lambda: discipline.input_room or terminal.is_left)
        data = data[: discipline.input_room]
        terminal.activity += 1
        for at in range(0, len(data), PIECE):  # what erases a long line takes long
            if task.system.is_late:
                raise OSError(EINTR, "the time is over")
            discipline.receive(data[at : at + PIECE])
        return len(data)

    def poll(self) -> int:
        terminal = self.terminal
        found = POLLIN if terminal.discipline.screen else 0
        found |= POLLOUT if terminal.discipline.input_room else 0
        return found | (POLLHUP if terminal.is_left else 0)

    def ioctl(self, task: Task, request: int, argument: int) -> int:
        terminal = self.terminal
        if request == TIOCGPTN:
            task.write(argument, terminal.index.to_bytes(4, "little"))
        elif request == TIOCSPTLCK:
            terminal.is_locked = any(task.read(argument, 4))
        elif request == TIOCGPTLCK:
            task.write(argument, int(terminal.is_locked).to_bytes(4, "little"))
        elif request == TIOCGPTPEER:
            return self._open_peer(task, argument)
        elif request == TIOCSIG:
            terminal.signal(argument)
        elif request == FIONREAD:
            task.write(argument, len(terminal.discipline.screen).to_bytes(4, "little"))
        elif request == TIOCOUTQ:
            task.write(argument, bytes(4))
        else:
            return terminal.request(task, request, argument, is_master=True)
        return 0

    def _open_peer(self, task: Task, flags: int) -> int:
        """TIOCGPTPEER: a descriptor of the other side, whatever /dev is to the program."""
        folder = folder_of(task)
        name = b"%d" % self.terminal.index
        node = folder.changed[name]
        assert isinstance(node, PtsNode)
        file = node.open(Place(folder, name, node), flags & 0xFFFF_FFFF & ~os.O_CLOEXEC, task)
        return task.files.install(file, bool(flags & os.O_CLOEXEC))

    def release(self) -> None:
        terminal = self.terminal
        terminal.has_master = False
        terminal.hang_up(with_foreground=False)
        vfs = terminal.system.vfs
        del vfs.terminals[terminal.index]
        pts_folder(vfs).changed.pop(b"%d" % terminal.index, None)


class Slave(PtyFile):
    """The terminal as programs on it have it."""

    def __init__(self, node: Node, place: Place | None, flags: int, terminal: Terminal) -> None:
        super().__init__(node, place, flags)
        self.terminal = terminal
        self.hangups = terminal.hangups
        terminal.slaves += 1
        terminal.had_slave = True
        self.first_byte: float | None = None  # when the last byte came of those that VMIN and VTIME wait for

    @property
    def is_dead(self) -> bool:
        """Whether the line was hung up."""
        return self.hangups != self.terminal.hangups

    def _has_input(self, wanted: int) -> bool:
        """Whether a read that wants so many bytes can be answered."""
        discipline = self.terminal.discipline
        if discipline.has(termios.ICANON):
            return bool(discipline.lines)
        return len(discipline.line) >= wanted

    def peek(self, task: Task, size: int) -> bytes:
        if self.is_dead:
            return b""
        self.terminal.stop_background(task, SIGTTIN)
        if size:
            self._wait(task, size)
        return self.terminal.discipline.peek(size)

    def _wait(self, task: Task, size: int) -> None:
        """Wait for a line, or for as many bytes as VMIN says, or as long as VTIME does."""
        discipline = self.terminal.discipline
        least, tenths = discipline.settings.characters[termios.VMIN], discipline.settings.characters[termios.VTIME]
        is_raw = not discipline.has(termios.ICANON)
        wanted = min(max(least, 1), size) if is_raw else 1
        if self._has_input(wanted) or (is_raw and not least and not tenths):
            return
        if self.is_nonblocking:
            if not (is_raw and discipline.line):
                raise failure(EAGAIN)
            return
        deadline = self._deadline(task, least, tenths) if is_raw and tenths else None
        if deadline is not None and time.monotonic() >= deadline:
            return
        count = len(discipline.line)
        is_counting = is_raw and tenths and least

        def ready() -> bool:
            more = is_counting and len(discipline.line) != count
            return self.is_dead or self._has_input(wanted) or bool(more) or is_raw == discipline.has(termios.ICANON)

        raise Blocked(ready, deadline)

    def _deadline(self, task: Task, least: int, tenths: int) -> float | None:
        """VTIME: from the call on, or with VMIN from the last byte on."""
        count = len(self.terminal.discipline.line)
        before = task.resume
        if before is not None and before[0] == count:
            deadline: float | None = before[1]
            return deadline
        deadline = None if least and not count else time.monotonic() + tenths / 10
        task.resume = (count, deadline)
        return deadline

    def consume(self, count: int) -> None:
        if not self.is_dead:
            self.terminal.discipline.take(count)
            self.terminal.activity += 1

    def write(self, task: Task, data: bytes) -> int:
        terminal, discipline = self.terminal, self.terminal.discipline
        if self.is_dead:
            raise failure(EIO)
        if discipline.has(termios.TOSTOP):
            terminal.stop_background(task, SIGTTOU)
        if data and not discipline.room:
            if self.is_nonblocking:
                raise failure(EAGAIN)
            raise Blocked(lambda: discipline.room or self.is_dead)
        terminal.activity += 1
        return discipline.write(data)

    def poll(self) -> int:
        if self.is_dead:
            return POLLIN | POLLOUT | POLLERR | POLLHUP
        least = self.terminal.discipline.settings.characters
        wanted = 1 if least[termios.VTIME] else max(least[termios.VMIN], 1)
        return (POLLIN if self._has_input(wanted) else 0) | (POLLOUT if self.terminal.discipline.room else 0)

    def ioctl(self, task: Task, request: int, argument: int) -> int:
        if self.is_dead:
            raise failure(EIO)
        if request == FIONREAD:
            task.write(argument, self.terminal.discipline.readable.to_bytes(4, "little"))
            return 0
        if request == TIOCOUTQ:
            task.write(argument, bytes(4))
            return 0
        return self.terminal.request(task, request, argument, is_master=False)

    def release(self) -> None:
        self.terminal.slaves -= 1
        self.terminal.activity += 1


class PtsNode(Node):
    """/dev/pts/N."""

    kind = stat.S_IFCHR
    is_terminal = True
    is_mount = True

    def __init__(self, terminal: Terminal, user: int) -> None:
        self.terminal = terminal
        self.status = of_new(PTS_DEVICE, 3 + terminal.index, stat.S_IFCHR | 0o620)
        self.status.uid, self.status.gid = user, TTY_GROUP
        self.status.rdev = os.makedev(requests.DEVICE, terminal.index)

    def attributes(self) -> Attributes:
        return self.status

    def set_mode(self, mode: int) -> None:
        self.status.mode = stat.S_IFCHR | mode & 0o7777

    def set_owner(self, uid: int, gid: int) -> None:
        self.status.uid = self.status.uid if uid < 0 else uid
        self.status.gid = self.status.gid if gid < 0 else gid

    def truncate(self, size: int) -> None:
        """Nothing, as of all terminals."""

    def open(self, place: Place, flags: int, task: Any = None) -> OpenFile:
        """The terminal; it becomes the controlling one of a session that has none, if its leader opens it."""
        terminal = self.terminal
        if terminal.is_locked or not terminal.has_master:
            raise failure(EIO)
        if terminal.is_exclusive and not task.credentials.is_root:
            raise failure(EBUSY)
        file = Slave(self, place, flags & ~os.O_NOCTTY, terminal)
        is_leader = task.group.session == task.group.pid
        if not flags & os.O_NOCTTY and is_leader and not terminal.session and controlling(task) is None:
            terminal.take(task)
        return file


def pts_folder(vfs: Any) -> OverlayDirectory:
    """/dev/pts of a run."""
    folder: OverlayDirectory = vfs.root.lookup(b"dev").lookup(b"pts")
    return folder


def folder_of(task: Task) -> OverlayDirectory:
    """/dev/pts of a task's run."""
    return pts_folder(task.system.vfs)


def open_master(node: Node, place: Place, flags: int, task: Task) -> OpenFile:
    """Opening /dev/ptmx: a new terminal, locked."""
    terminals = task.system.vfs.terminals
    index = next(number for number in range(MOST_TERMINALS + 1) if number not in terminals)
    if index == MOST_TERMINALS:
        raise failure(EAGAIN)
    terminal = Terminal(task.system, index)
    terminals[index] = terminal
    folder_of(task).changed[b"%d" % index] = PtsNode(terminal, task.credentials.user.file)
    return Master(node, place, flags & ~os.O_NOCTTY, terminal)


def open_controlling(node: Node, place: Place, flags: int, task: Task) -> OpenFile | None:
    """Opening /dev/tty; None if the task has no controlling terminal."""
    terminal = controlling(task)
    return None if terminal is None else Slave(node, place, flags & ~os.O_NOCTTY, terminal)
