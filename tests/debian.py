"""A root of 32-bit Debian packages, made once below build/ as the README says."""

import fcntl
import re
import shlex
import shutil
import subprocess

import pytest

from machines import PROJECT

NOT_TO_BE_HAD = 100  # apt's exit status


def shown_command():
    """The README's line that makes the root."""
    return re.search(r"^sh scripts/debian_root.sh (i386 .*)$", (PROJECT / "README.md").read_text(), re.MULTILINE)[0]


def i386_root():
    """Its path. Skips the test where apt has no such packages."""
    command = shlex.split(shown_command())
    root = PROJECT / command[3]
    root.parent.mkdir(exist_ok=True)
    with open(root.parent / "debian-root.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            for tool in ("apt-get", "dpkg-deb"):
                if not shutil.which(tool):
                    pytest.skip(f"needs {tool} for 32-bit packages")
            made = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=600)
            if made.returncode == NOT_TO_BE_HAD:
                pytest.skip(f"apt could not get 32-bit packages: {made.stderr.strip().splitlines()[-1]}")
            assert made.returncode == 0, made.stderr
    return root
