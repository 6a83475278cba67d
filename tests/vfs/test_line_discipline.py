"""What a terminal keeps is bounded, whatever is typed and however little is read."""

import pytest

from coalmm.linux.vfs import termios
from coalmm.linux.vfs.line_discipline import MOST_INPUT, MOST_SCREEN, LineDiscipline

END, REPRINT, STOP, START = 4, 18, 19, 17


@pytest.fixture
def terminal():
    return LineDiscipline(lambda signal: None)


def type_all(terminal, data):
    """Type as the master's write does; how many bytes there was room for."""
    done = 0
    while done < len(data) and terminal.input_room:
        part = data[done : done + terminal.input_room]
        terminal.receive(part)
        done += len(part)
    return done


def test_ends_of_a_file_take_room_as_bytes_do(terminal):
    assert type_all(terminal, bytes([END]) * 100_000) == MOST_INPUT
    terminal.take(0)
    assert terminal.input_room == 1
    assert len(terminal.lines) == MOST_INPUT - 1


@pytest.mark.parametrize("text", [b"a", b"\x01\x02", bytes([STOP, *b"long" * 2000, START])])
def test_echo_that_nobody_reads_is_lost_in_the_end(terminal, text):
    terminal.receive(text * (100_000 // len(text)))
    assert len(terminal.screen) + len(terminal.held) <= 2 * MOST_SCREEN


def test_a_line_is_not_shown_again_where_there_is_no_room(terminal):
    terminal.receive(b"a" * 4000 + bytes([REPRINT]) * 100)
    assert len(terminal.screen) <= MOST_SCREEN + 2


@pytest.mark.parametrize("line", [b"\t", b"ab\t", b"12345678\t", b"\t1\x01\t", b"12\t3\t4567\t"])
def test_an_erased_tab_takes_its_columns_back(terminal, line):
    terminal.receive(b"\n" + line)
    width = 0
    for byte in line[:-1]:
        width += 8 - width % 8 if byte == 9 else 2 if byte < 32 else 1
    shown = len(terminal.screen)
    terminal.receive(b"\x7f")
    assert terminal.screen[shown:] == b"\b" * (8 - width % 8)


def test_the_room_comes_back_as_lines_are_read(terminal):
    terminal.receive(b"one\ntwo\n" + bytes([END]) + b"rest")
    assert terminal.waiting == 4 + 4 + 1 + 4
    terminal.take(2)
    assert terminal.waiting == 11
    terminal.take(2)
    terminal.take(4)
    terminal.take(0)
    assert terminal.waiting == 4
    terminal.receive(b"\n")
    settings = terminal.settings
    settings.local &= ~termios.ICANON
    raw = settings.pack()
    settings.local |= termios.ICANON
    terminal.set(raw)
    assert terminal.waiting == 5 == terminal.readable
    terminal.flush_input()
    assert terminal.waiting == 0
