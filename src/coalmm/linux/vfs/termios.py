"""struct termios: the settings of a terminal. Source: termios(3), asm-generic/termbits.h."""

from __future__ import annotations

import struct

IGNBRK, BRKINT, PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IXON, IXANY, IUTF8 = (
    0x1, 0x2, 0x8, 0x20, 0x40, 0x80, 0x100, 0x400, 0x800, 0x4000,
)  # fmt: skip
OPOST, OLCUC, ONLCR, OCRNL, ONOCR, ONLRET, XTABS = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x1800
ISIG, ICANON, ECHO, ECHOE, ECHOK, ECHONL, NOFLSH, TOSTOP = 0x1, 0x2, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100
ECHOCTL, ECHOKE, IEXTEN = 0x200, 0x800, 0x8000
VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSTART, VSTOP, VSUSP, VEOL = 0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11
VREPRINT, VWERASE, VLNEXT, VEOL2 = 12, 14, 15, 16
B38400, CS8, CREAD = 0xF, 0x30, 0x80
FIRST_CHARACTERS = bytes((3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0))
SPEED = 38400
SIZE, SIZE_2 = 36, 44  # of struct termios, and of struct termios2 with its speeds


class Termios:
    """Settings; those of a new terminal."""

    def __init__(self) -> None:
        self.input = ICRNL | IXON
        self.output = OPOST | ONLCR
        self.control = B38400 | CS8 | CREAD
        self.local = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN
        self.line = 0
        self.characters = FIRST_CHARACTERS
        self.speeds = (SPEED, SPEED)

    def pack(self, size: int = SIZE) -> bytes:
        """As a program has it."""
        head = struct.pack("<IIIIB19s", self.input, self.output, self.control, self.local, self.line, self.characters)
        return head if size == SIZE else head + struct.pack("<II", *self.speeds)

    def unpack(self, data: bytes) -> None:
        """What a program sets."""
        form = "<IIIIB19s"
        parts = struct.unpack_from(form, data)
        self.input, self.output, self.control, self.local, self.line, self.characters = parts
        if len(data) == SIZE_2:
            self.speeds = struct.unpack_from("<II", data, SIZE)

    def is_character(self, which: int, byte: int) -> bool:
        """Whether a byte is a special character; one that is 0 is switched off."""
        return byte != 0 and self.characters[which] == byte
