"""What the tests of the kit check: the correct implementation, and changes of it."""

import re
import shutil
import subprocess
from pathlib import Path

REFERENCE = Path(__file__).parent / "reference"


def faulty(folder, *changes):
    """A copy of the correct implementation, changed: see `change`. The copy's folder."""
    target = folder / "target"
    shutil.copytree(REFERENCE, target)
    change(target, *changes)
    return target


def change(target, file, *texts):
    """Replace pieces of text in a file of a target (old, new, old, new...)."""
    path = target / file
    text = path.read_text()
    for old, new in zip(texts[::2], texts[1::2], strict=True):
        assert text.count(old) == 1, (file, old, text.count(old))
        text = text.replace(old, new)
    path.write_text(text)


def reproduced(folder, result):
    """Compile and run a result's program as its command says; how it ended."""
    (folder / "reproduce.c").write_text(result.reproducer)
    command = re.search(r"^ \* (gcc .*) && ./reproduce$", result.reproducer, re.MULTILINE)[1]
    compiled = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True)
    assert compiled.returncode == 0, compiled.stderr
    return subprocess.run([folder / "reproduce"], cwd=folder, capture_output=True, text=True, timeout=60)
