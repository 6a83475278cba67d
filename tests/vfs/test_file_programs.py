"""Programs of the machine that work on files, natively and on ours, with equal output and status."""

import io
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

import coalmm

pytest.importorskip("unicorn")
from coalmm.linux.system import System

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/", "TZ": "UTC"}

COMMANDS = {
    section.partition("\n")[0]: section.partition("\n")[2]
    for section in (Path(__file__).parent / "file_commands.sh").read_text().split("\n## ")[1:]
}


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """The tree that each command starts with; times are whole and in the past."""
    tree = tmp_path_factory.mktemp("pristine") / "here"
    (tree / "sub/deeper").mkdir(parents=True)
    (tree / "empty").mkdir()
    (tree / "words").write_text("one\ntwo\nthree\nfour\n")
    (tree / "numbers").write_text("".join(f"{number * 37 % 101}\n" for number in range(100)))
    (tree / "sub/a.txt").write_text("alpha\n")
    (tree / "sub/b.txt").write_text("")
    (tree / "sub/deeper/c").write_text("hello\n" * 1000)
    (tree / ".hidden").write_text("h\n")
    (tree / "link").symlink_to("words")
    (tree / "script").write_text('#!/bin/sh\necho "script $0"; exit 7\n')
    (tree / "script").chmod(0o755)
    for path in sorted(tree.rglob("*"), reverse=True):
        os.utime(path, (10**9, 10**9), follow_symlinks=False)
    return tree


def copy(pristine, target):
    """A copy with the same times."""
    subprocess.run(["cp", "-a", str(pristine), str(target)], check=True)
    return target


def natively(command, cwd):
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=cwd, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def on_ours(command, cwd, writable=()):
    out, err = io.BytesIO(), io.BytesIO()
    with coalmm.boot(ram="256M", paging="x86_64") as kernel:
        system = System(kernel, "/", writable, console=(io.BytesIO(), out, err))
        try:
            environ = [f"{name}={value}".encode() for name, value in ENVIRONMENT.items()]
            group = system.spawn([b"/bin/sh", b"-c", command.encode()], environ, os.fsencode(cwd)).group
            assert system.run(30), "it hangs"
            status = group.status
        finally:
            system.close()
        kernel.files.drop_unused()
        kernel.validate()
    return os.waitstatus_to_exitcode(status), out.getvalue(), err.getvalue()


def lasting(output):
    """What of an output does not depend on the host's file system: not how many blocks files take there."""
    return re.sub(r"(?m)^total \d+$", "total", output.decode())


@pytest.fixture(autouse=True)
def limited_time():
    """A call that waits for ever on the host is an error here, and no silence."""

    def late(number, frame):
        raise TimeoutError("the manager itself waits")

    signal.signal(signal.SIGALRM, late)
    signal.alarm(40)
    yield
    signal.alarm(0)


def contents(tree):
    """Everything below a directory that lasts: kinds, modes, sizes, targets and bytes."""
    found = {}
    for path in sorted(tree.rglob("*")):
        status = path.lstat()
        data = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(tree))] = (status.st_mode, status.st_nlink if path.is_file() else 0, data)
    return found


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("where", ["overlay", "write"])
def test_programs_do_with_files_what_they_do_natively(pristine, tmp_path, name, where):
    if not shutil.which("sh"):
        pytest.skip("there is no shell")
    first, second = (tmp_path / side for side in ("native", "ours"))
    first.mkdir()
    second.mkdir()
    mine, theirs = copy(pristine, first / "here"), copy(pristine, second / "here")
    expected = natively(COMMANDS[name], mine)
    got = on_ours(COMMANDS[name], theirs, [str(second)] if where == "write" else ())
    assert lasting(got[1]) == lasting(expected[1])
    assert lasting(got[2]) == lasting(expected[2])
    assert got[0] == expected[0]
    assert contents(theirs) == (contents(mine) if where == "write" else contents(pristine))


PROC = """
cat /proc/self/comm
cat /proc/self/cmdline | tr '\\0' ' '
cat /proc/self/environ | tr '\\0' '\\n' | grep -v PWD | sort
readlink /proc/self/exe /proc/self/cwd /proc/self/root /proc/self /proc/mounts | sed 's/^[0-9]*$/pid/;s,/.*/here$,here,'
cut -d' ' -f2,3 /proc/self/stat
cat /proc/self/stat | wc -w
cat /proc/self/statm | wc -w
grep -c . /proc/self/limits
grep -E '^(Name|State|Threads)' /proc/self/status
exec 7<words
readlink /proc/self/fd/7 | sed 's,.*/,,'
cat /proc/self/fd/7
cat /dev/fd/7
od -An -tu8 -N16 /proc/self/auxv | wc -w
grep -c heap /proc/self/maps
grep -q '^Rss:' /proc/self/smaps && echo smaps
head -c 9 /proc/nothing
echo x >/proc/self/nothing
ls -d /proc/self/task/*/comm | wc -l
test -w /proc/self/mem && echo writable
cat /proc/sys/kernel/ostype /proc/sys/vm/overcommit_memory
ls /sys/kernel/mm/transparent_hugepage/enabled
"""


def test_what_proc_says_has_the_form_that_it_has_natively(pristine, tmp_path):
    for side in ("native", "ours"):
        (tmp_path / side).mkdir()
    mine, theirs = (copy(pristine, tmp_path / side / "here") for side in ("native", "ours"))
    expected, got = natively(PROC, mine), on_ours(PROC, theirs)
    assert got[1].decode().splitlines() == expected[1].decode().splitlines()
    assert got[2] == expected[2]
