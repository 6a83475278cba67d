"""`coalmm run` by a user who is not root: what the user may not, programs may not; errors say what is wrong."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from guests import ENVIRON, needs

from machines import run_python

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")

SCRIPT = Path(__file__).with_name("as_user.py")
USER = 65534
SCRIPTS = {
    "ids": "id; id -un; echo $UID $EUID",
    "what may not be read": "cat /etc/shadow; ls /root; cd /root; head -1 /etc/passwd; test -r /etc/shadow; echo $?",
    "what may not be changed": "echo x >/etc/new; rm /etc/passwd; chmod 777 /etc; chown 0 /tmp; mkdir /x; ln -s a /x",
    "own files": "umask 027; cd $(mktemp -d); echo a >a; mkdir -m 2750 b; chmod 4711 a; stat -c '%A %u %g' a b .; "
    "chown 0 a; chgrp 0 a; chmod 0 a; cat a; chmod 400 a; echo b >a; rm -r $PWD; echo $?",
    "sticky": "cd FOLDER/sticky; rm -f roots; mv roots x; touch mine; mv mine roots; ls",
    "signals": "sleep 9 & kill $!; wait $!; echo $?",
    "a program of root's alone": "FOLDER/program; echo $?",
    "a folder of root's alone": "cd FOLDER; ls closed; cat closed/x; echo closed/*; cd entered; ls; cat x",
}


@pytest.fixture
def folder():
    """With things that only root may use, in a place that all may enter."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    for name, mode in (("sticky", 0o1777), ("closed", 0o700), ("entered", 0o711)):
        (path / name).mkdir()
        (path / name).chmod(mode)
    (path / "sticky/roots").touch()
    (path / "closed/x").touch()
    (path / "entered/x").write_text("x\n")
    (path / "program").write_text("#!/bin/sh\n")
    (path / "program").chmod(0o700)
    yield path
    shutil.rmtree(path)


def run(*arguments):
    """`coalmm run` by the other user."""
    return run_python(SCRIPT, USER, "run", "-q", *arguments)


@pytest.mark.parametrize("name", SCRIPTS)
def test_programs_of_another_user_may_what_they_may_on_linux(name, folder):
    argv = ["/bin/bash", "-c", SCRIPTS[name].replace("FOLDER", str(folder))]
    needs(argv[0])
    environment = [word for item in ENVIRON.items() for word in ("--env", "=".join(item))]
    ours = run("--clear-env", *environment, "--cwd", "/", "--", *argv)
    native = subprocess.run(
        argv, user=USER, group=USER, extra_groups=[], env=ENVIRON, cwd="/", capture_output=True, text=True
    )
    assert (ours.stdout, ours.stderr, ours.returncode) == (native.stdout, native.stderr, native.returncode)


def test_errors_say_what_this_user_may_not(folder):
    for arguments, status, words in (
        (["--root", folder / "closed", "--", "/bin/true"], 2, ("--root", "closed")),
        (["--cwd", folder / "closed", "--", "/bin/true"], 2, ("--cwd", "closed")),
        (["--write", folder / "closed", "--", "/bin/true"], 2, ("--write", "closed")),
        (["--report", folder / "closed/x.json", "--", "/bin/true"], 2, ("--report", "closed")),
        (["--", folder / "program"], 126, ("permission denied",)),
        (["--", folder / "closed/x"], 126, ("permission denied",)),
    ):
        done = run(*arguments)
        assert done.returncode == status, (arguments, done.stderr)
        assert all(word in done.stderr for word in words), done.stderr
        assert "Traceback" not in done.stderr


def test_a_folder_to_write_to_that_is_not_this_users_stays_as_it_is(folder):
    script = f"cd {folder}; echo x >new; rm -r sticky; ls sticky"
    done = run("--write", folder, "--", "/bin/sh", "-c", script)
    assert done.stderr.count("ermission") + done.stderr.count("not permitted") >= 2, done.stderr
    assert (folder / "sticky/roots").exists() and not (folder / "new").exists()
