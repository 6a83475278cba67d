"""`#!` lines: which program runs a script, and with which arguments (Linux's fs/binfmt_script.c)."""

from errno import ENOEXEC

LONGEST_LINE = 256
MOST_SCRIPTS = 5  # one script may name another as its interpreter


def is_script(head: bytes) -> bool:
    """Whether a file begins like a script."""
    return head[:2] == b"#!"


def script_arguments(head: bytes, path: bytes, argv: list[bytes]) -> list[bytes]:
    """argv for the interpreter: its path, at most one argument, the script, and what followed argv[0].

    `head` is the file's first LONGEST_LINE bytes. OSError ENOEXEC for a line without a program, or cut
    within the program's name.
    """
    line, newline, _ = head[2:LONGEST_LINE].partition(b"\n")
    words = line.strip(b" \t").split(None, 1)
    if not words or (not newline and len(head) >= LONGEST_LINE and len(words) == 1):
        raise OSError(ENOEXEC, "the first line names no program")
    return [words[0], *(word.strip(b" \t") for word in words[1:]), path, *argv[1:]]
