"""Writes what the README shows anew, from what its lines print now: PYTHONPATH=build/lib python scripts/write_readme.py

For after a change that moves addresses or counts. Read the difference then: it is what users see.
"""

import contextlib
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```(?:python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def typed(source: str, names: dict[str, object]) -> str:
    """What a prompt prints for one statement; an exception in the form that doctest wants."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(source, "<stdin>", "single"), names)
        except Exception as error:
            kind = f"{type(error).__module__}.{type(error).__qualname__}"
            print(f"Traceback (most recent call last):\n    ...\n{kind}: {error}")
    return out.getvalue()


def session(block: str, names: dict[str, object]) -> str:
    """A block of the prompt session with its outputs."""
    text = ""
    for example in doctest.DocTestParser().get_examples(block):
        first, *more = example.source.splitlines()
        text += "".join(f"{line}\n" for line in [f">>> {first}"] + [f"... {line}" for line in more])
        text += typed(example.source, names)
    return text


def printed(line: str) -> list[str]:
    """The lines that a command prints."""
    arguments = [sys.executable, "-m", "coalmm", *shlex.split(line)[1:]]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    return [text.rstrip() for text in done.stdout.rstrip().splitlines()]


def renewed(block: str, text: str, names: dict[str, object]) -> str:
    """What a block shows now; `text` is the whole README, which has the commands."""
    if block.startswith(">>> "):
        return session(block, names)
    if block.startswith("examples/count_words"):
        lines = printed("coalmm replay examples/count_words.mtrace.xz")
        return "\n".join([*lines[: len(block.splitlines()) - 1], "   ...", ""])
    if block.startswith("$ coalmm run"):
        done = subprocess.run([sys.executable, "examples/run_program.py"], check=True, capture_output=True, text=True)
        return done.stdout + done.stderr
    if block.startswith("i386 paging"):
        line = re.findall(r"^coalmm translate .*$", text, re.MULTILINE)[0]
        return "\n".join([*printed(f"{line} --plain"), ""])
    return block


def main() -> None:
    """Write README.md."""
    text = README.read_text(encoding="utf-8")
    names: dict[str, object] = {}
    os.environ["PYTHONPATH"] = os.pathsep.join(os.path.abspath(path) for path in sys.path if path)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.symlink(README.parent / "examples", "examples")
        new = BLOCK.sub(lambda found: found[0].replace(found[1], renewed(found[1], text, names)), text)
    README.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
