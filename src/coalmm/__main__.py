"""`python -m coalmm` and `coalmm`: the command line as a process of its own, which starts fast and ends at once.

The garbage collector, as Python sets it, would look through what is being imported again and again; and taking down
a few hundred modules one by one, at the end, gives back nothing that the end of the process does not. `coalmm run` in
its plain form does without the library that reads command lines: that takes longer than a small program.
"""

import gc
import os
import sys

from coalmm.errors import CoalError, one_line
from coalmm.typed import NoReturn

COLLECT_EVERY = 100_000  # new objects
INTERRUPTED = 130


def entry() -> NoReturn:
    """Do what the command line says; does not return."""
    gc.set_threshold(COLLECT_EVERY)
    try:
        if not run_plainly():
            from coalmm.cli import main

            main(prog_name="coalmm")
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        status = INTERRUPTED
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass  # nobody reads it
    os._exit(status)


def run_plainly() -> bool:
    """`coalmm run` in its plain form; False if that is not what is asked for, or it cannot be done."""
    if sys.argv[1:2] != ["run"]:
        return False
    from coalmm.runner.arguments import read_arguments
    from coalmm.runner.program import prepare

    arguments = read_arguments(sys.argv[2:])
    if arguments is None:
        return False
    try:
        session = prepare(**arguments)
    except Exception:
        return False  # nothing has happened yet: the full command does it again, and says what is wrong
    try:
        raise SystemExit(session.go())
    except (CoalError, OSError, MemoryError) as error:
        sys.stderr.write(f"Error: {one_line(error)}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    entry()
