"""What a terminal makes of the bytes that go through it: lines, echo, erasing, signals. Source: termios(3), n_tty.c.

`receive` takes what was typed, `write` what a program prints. Both put what the screen shows into `screen`.
Bytes that were typed are processed at once, also those that Linux keeps aside while nobody reads.
"""

from __future__ import annotations

from collections import deque

from coalmm.linux.signals.numbers import SIGINT, SIGQUIT, SIGTSTP
from coalmm.linux.vfs import termios as t
from coalmm.linux.vfs.termios import Termios
from coalmm.typed import Callable

LONGEST_LINE = 4095
MOST_INPUT, MOST_OUTPUT = 20480, 16384  # about what Linux's buffers hold
MOST_SCREEN = MOST_OUTPUT + 4096  # with the echo of what is typed: N_TTY_BUF_SIZE
NEWLINE, RETURN, TAB, BACKSPACE, BELL, DELETE = 10, 13, 9, 8, 7, 127
ERASED = b"\b \b"
ERASERS = (t.VERASE, t.VKILL, t.VWERASE)
SIGNALS = ((t.VINTR, SIGINT), (t.VQUIT, SIGQUIT), (t.VSUSP, SIGTSTP))


def is_control(byte: int) -> bool:
    """iscntrl."""
    return byte < 32 or byte == DELETE


class LineDiscipline:
    """One terminal's. `signal` sends a signal to the foreground process group."""

    def __init__(self, signal: Callable[[int], object]) -> None:
        self.settings = Termios()
        self.signal = signal
        self.lines: deque[bytearray] = deque()  # complete ones
        self.in_lines = 0  # bytes of those, an empty one counts as one
        self.line = bytearray()  # the one that is typed; without ICANON, all that was typed
        self.screen = bytearray()  # for the other side
        self.held = bytearray()  # echo for it, while it is stopped
        self.column = 0
        self.start = 0  # the column in which the line began that is typed
        self.is_stopped = False  # by ^S
        self.is_literal = False  # the next character is no special one

    def has(self, flag: int) -> bool:
        """Whether a flag of c_lflag is set."""
        return bool(self.settings.local & flag)

    # --- what programs print ---

    @property
    def room(self) -> int:
        """Bytes that may be printed."""
        return 0 if self.is_stopped else max(MOST_OUTPUT - len(self.screen), 0)

    def write(self, data: bytes) -> int:
        """Print; how many bytes there was room for."""
        if not self.settings.output & t.OPOST:
            data = data[: self.room]
            self.screen += data
            return len(data)
        done = 0
        for byte in data:
            if not self.room:
                break
            self.put(byte)
            done += 1
        return done

    def put(self, byte: int) -> None:
        """One character with the processing of c_oflag."""
        output, screen = self.settings.output, self.held if self.is_stopped else self.screen
        if len(screen) >= MOST_SCREEN:
            return  # nobody reads what is echoed
        if not output & t.OPOST:
            screen.append(byte)
        elif byte == NEWLINE:
            self.column = 0 if output & (t.ONLCR | t.ONLRET) else self.column
            screen += b"\r\n" if output & t.ONLCR else b"\n"
        elif byte == RETURN:
            self._return(output, screen)
        elif byte == TAB:
            spaces = 8 - (self.column & 7)
            self.column += spaces
            screen += b" " * spaces if output & t.XTABS == t.XTABS else b"\t"
        else:
            self.column += -1 if byte == BACKSPACE and self.column else 0 if is_control(byte) else 1
            screen += bytes((byte,)).upper() if output & t.OLCUC else bytes((byte,))

    def _return(self, output: int, screen: bytearray) -> None:
        """A carriage return."""
        if output & t.ONOCR and self.column == 0:
            return
        if output & t.OCRNL:
            screen += b"\n"
            self.column = 0 if output & t.ONLRET else self.column
            return
        screen += b"\r"
        self.column = 0

    def stop(self, is_stopped: bool) -> None:
        """Stop what is printed and echoed, or let it go on."""
        self.is_stopped = is_stopped
        if not is_stopped:
            self.screen += self.held[: max(MOST_SCREEN - len(self.screen), 0)]
            self.held.clear()

    # --- what is typed ---

    @property
    def input_room(self) -> int:
        """Bytes that may be typed; a line that is too long takes any number, and loses them."""
        if self.has(t.ICANON) and not self.lines:
            return MOST_INPUT
        return max(MOST_INPUT - self.waiting, 0)

    @property
    def waiting(self) -> int:
        """Bytes that were typed; the end of a file is one."""
        return self.in_lines + len(self.line)

    def receive(self, data: bytes) -> None:
        """Type."""
        for byte in data:
            self.receive_byte(byte)

    def receive_byte(self, byte: int) -> None:
        """One character, in the order in which Linux looks."""
        settings = self.settings
        if self.is_literal:
            self.is_literal = False
            self._add(byte)
            return
        byte &= 0x7F if settings.input & t.ISTRIP else 0xFF
        if self._is_flow_control(byte) or (self.has(t.ISIG) and self._is_signal(byte)):
            return
        if byte == RETURN:
            if settings.input & t.IGNCR:
                return
            byte = NEWLINE if settings.input & t.ICRNL else byte
        elif byte == NEWLINE and settings.input & t.INLCR:
            byte = RETURN
        if not (self.has(t.ICANON) and self._edit(byte)):
            self._add(byte)

    def _add(self, byte: int) -> None:
        """An ordinary character. One that is too much for a line is echoed, and lost."""
        self._echo(byte)
        if len(self.line) >= (LONGEST_LINE if self.has(t.ICANON) else MOST_INPUT):
            return
        self.line.append(byte)
        if byte == 0xFF and self.settings.input & t.PARMRK:
            self.line.append(byte)

    def _is_flow_control(self, byte: int) -> bool:
        """^S and ^Q."""
        settings = self.settings
        if not settings.input & t.IXON:
            return False
        is_start, is_stop = settings.is_character(t.VSTART, byte), settings.is_character(t.VSTOP, byte)
        if is_start or (self.is_stopped and settings.input & t.IXANY and not is_stop):
            self.stop(False)
        elif is_stop:
            self.stop(True)
        return is_start or is_stop

    def _is_signal(self, byte: int) -> bool:
        """^C, ^\\ and ^Z."""
        for which, signal in SIGNALS:
            if self.settings.is_character(which, byte):
                if not self.has(t.NOFLSH):
                    self.flush_input()
                    self.screen.clear()
                self.stop(False)
                self._echo(byte)
                self.signal(signal)
                return True
        return False

    def _edit(self, byte: int) -> bool:
        """The special characters of ICANON; whether it was one."""
        settings, extended = self.settings, self.has(t.IEXTEN)
        if any(settings.is_character(which, byte) for which in (ERASERS if extended else ERASERS[:2])):
            self._erase(byte)
        elif extended and settings.is_character(t.VLNEXT, byte):
            self.is_literal = True
            if self.has(t.ECHO) and self.has(t.ECHOCTL):
                self._show(b"^\b")
        elif extended and self.has(t.ECHO) and settings.is_character(t.VREPRINT, byte):
            self._echo(byte)
            self.put(NEWLINE)
            for each in self.line[: self.room]:
                self._echo(each)
        elif byte == NEWLINE:
            if self.has(t.ECHO | t.ECHONL):
                self.put(NEWLINE)
            self._end_line(b"\n")
        elif settings.is_character(t.VEOF, byte):
            self._end_line(b"")
        elif settings.is_character(t.VEOL, byte) or (extended and settings.is_character(t.VEOL2, byte)):
            self._echo(byte)
            self._end_line(bytes((byte,)))
        else:
            return False
        return True

    def _end_line(self, last: bytes) -> None:
        """A line can be read; an empty one is the end of the file."""
        self.line += last
        self.lines.append(self.line)
        self.in_lines += len(self.line) or 1
        self.line = bytearray()

    # --- echo ---

    def _show(self, text: bytes) -> None:
        for byte in text:
            self.put(byte)

    def _echo(self, byte: int) -> None:
        """Show what was typed."""
        if not self.has(t.ECHO):
            return
        if not self.line:
            self.start = self.column
        if byte in (NEWLINE, TAB) or not (is_control(byte) and self.has(t.ECHOCTL)):
            self.put(byte)
        else:
            self._show(bytes((ord("^"), byte ^ 0x40)))

    def _erase(self, byte: int) -> None:
        """Take back a character, a word or the line."""
        settings = self.settings
        is_word, is_line = settings.is_character(t.VWERASE, byte), settings.is_character(t.VKILL, byte)
        if not self.line:
            return
        if is_line and not (self.has(t.ECHO) and self.has(t.ECHOK) and self.has(t.ECHOKE) and self.has(t.ECHOE)):
            self.line.clear()
            self._echo(byte)
            if self.has(t.ECHO) and self.has(t.ECHOK):
                self.put(NEWLINE)
            return
        in_word = False
        while self.line:
            size = self._last_size()
            character = self.line[-size]
            if is_word:
                if bytes((character,)).isalnum() or character == ord("_"):
                    in_word = True
                elif in_word:
                    return
            del self.line[-size:]
            self._unshow(character, byte, is_word or is_line)
            if not (is_word or is_line):
                return

    def _last_size(self) -> int:
        """Bytes of the last character."""
        size = 1
        if self.settings.input & t.IUTF8:
            while self.line[-size] & 0xC0 == 0x80 and size < len(self.line):
                size += 1
        return size

    def _unshow(self, character: int, byte: int, is_many: bool) -> None:
        """Take an echo back from the screen."""
        if not self.has(t.ECHO):
            return
        if not is_many and not self.has(t.ECHOE):
            self._echo(byte)
        elif character == TAB:
            self._show(b"\b" * self._tab_width())
        else:
            twice = is_control(character) and self.has(t.ECHOCTL)
            if twice or not is_control(character):
                self._show(ERASED * (2 if twice else 1))

    def _tab_width(self) -> int:
        """Columns of the tab behind what is left of the line. After a tab before it a column begins that 8 divides."""
        last = self.line.rfind(TAB)
        width = self.start if last < 0 else 0
        for byte in self.line[last + 1 :]:
            if is_control(byte):
                width += 2 if self.has(t.ECHOCTL) else 0
            elif not (self.settings.input & t.IUTF8 and byte & 0xC0 == 0x80):
                width += 1
        return 8 - (width & 7)

    # --- what programs read ---

    @property
    def readable(self) -> int:
        """FIONREAD."""
        return sum(map(len, self.lines)) if self.has(t.ICANON) else self.waiting

    def peek(self, size: int) -> bytes:
        """What a read gets."""
        if self.has(t.ICANON):
            return bytes(self.lines[0][:size]) if self.lines else b""
        return bytes(self.line[:size])

    def take(self, count: int) -> None:
        """It was read."""
        if not self.has(t.ICANON):
            del self.line[:count]
        elif self.lines:
            self.in_lines -= min(count, len(self.lines[0])) or not self.lines[0]
            del self.lines[0][:count]
            if not self.lines[0]:
                self.lines.popleft()

    def flush_input(self) -> None:
        """Forget what was typed."""
        self.lines.clear()
        self.in_lines = 0
        self.line.clear()

    def set(self, data: bytes) -> None:
        """Other settings; between ICANON and without what was typed stays."""
        before = self.has(t.ICANON)
        self.settings.unpack(data)
        if not self.settings.input & t.IXON:
            self.stop(False)
        if before and not self.has(t.ICANON):
            self.line = bytearray(b"".join((*self.lines, self.line)))
            self.lines.clear()
            self.in_lines = 0
        elif not before and self.has(t.ICANON) and self.line:
            self._end_line(b"")
