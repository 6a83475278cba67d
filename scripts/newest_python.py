"""Print the newest Python (3.11 or later) of this machine; nothing if it is the one that runs this.

Looked for on PATH and among pyenv's versions; one that does not start, or has no venv, does not count.
"""
import glob
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST, LATEST = 11, 20
QUESTION = "import venv, sys, sysconfig; print(*sys.version_info[:2], sysconfig.get_paths()['include'])"


def candidates() -> list[str]:
    """Interpreters that might be there."""
    on_path = [shutil.which(f"python3.{minor}") for minor in range(LATEST, OLDEST - 1, -1)]
    root = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    return [path for path in on_path if path] + sorted(glob.glob(f"{root}/versions/3.*/bin/python3"))


def version(python: str) -> tuple[int, int]:
    """Its version; (0, 0) if it does not start or lacks venv or the C headers."""
    try:
        answer = subprocess.run([python, "-c", QUESTION], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0, 0
    major, minor, include = answer.stdout.split(maxsplit=2)
    return (int(major), int(minor)) if Path(include.strip(), "Python.h").exists() else (0, 0)


best = max(((version(python), python) for python in candidates()), default=((0, 0), ""))
if best[0] > sys.version_info[:2]:
    print(best[1])
