"""Pseudo terminals: lines, echo, raw reads, job control and hanging up, and the programs that make terminals."""

import pytest
from guests import PAGING, assert_same, needs, program


@pytest.mark.parametrize("flavour", ["64", "32"])
def test_pseudo_terminals_are_those_of_linux(flavour):
    ours = assert_same([program("terminals", flavour)], paging=PAGING[flavour])
    assert not ours.unknown


SPAWN = "import pty; pty.spawn(['sh', '-c', 'tty >&2; stty size; stty -a | head -1; echo hi; exit 3'])"
TALK = """
import os, pty
pid, master = pty.fork()
if not pid: os.execvp("sh", ["sh", "-c", "read line; echo got $line; read line || echo end; stty -echo; kill -INT $$"])
os.write(master, b"word\\x7fk\\n\\x04")
text = b""
while True:
    try: more = os.read(master, 1000)
    except OSError as error: print(error.errno); break
    text += more
print(text, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
SCRIPTS = {
    "pty.spawn": ["python3", "-c", SPAWN.replace("tty >&2", "tty | cut -c 1-9")],
    "pty.fork": ["python3", "-c", TALK.replace("\\\\", "\\")],
    "script": ["script", "-qec", "echo hi; tty | cut -c 1-9; stty -a | grep -o icanon; exit 4", "/dev/null"],
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_program_on_a_terminal_prints_what_it_prints_on_linux(name):
    argv = SCRIPTS[name]
    needs(argv[0])
    ours = assert_same(["/bin/sh", "-c", '"$@"; echo $?', "sh", *argv])
    assert not ours.unknown
