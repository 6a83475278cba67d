"""Programs for tests: compiled once a session, run natively and on ours, compared."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import coalmm
from coalmm.linux.system import System
from coalmm.virtual.constants import SB_RECLAIMED
from machines import Ledger

SOURCES = Path(__file__).parent / "c"
FLAVOURS = {
    "64": ("-m64", "-static"),
    "64-dynamic": ("-m64",),
    "32": ("-m32", "-static"),
    "32-dynamic": ("-m32",),
}
PAGING = {"64": "x86_64", "32": "pae"}  # i386 tables have no NX, which Linux has on the machines of today
ENVIRON = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/proc/nowhere", "PWD": "/"}
TIMEOUT = 120.0


@dataclass(frozen=True)
class Outcome:
    """What a run gave. `status` is as wait4 has it: the exit status << 8, or the signal."""

    stdout: bytes
    stderr: bytes
    status: int


@dataclass
class OurRun:
    """A run on our machine, and what it left."""

    outcome: Outcome
    crashes: list[str] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)
    oopses: list = field(default_factory=list)
    idle: float = 0.0
    ended: bool = True
    reclaimed: int = 0


def cache_folder() -> Path:
    """Where compiled programs are kept: for all workers of a session, and the next ones."""
    folder = Path(tempfile.gettempdir()) / f"coalmm-test-programs-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def compile_text(text: str, name: str, *flags: str) -> str:
    """The path of a program made from C source by gcc with `flags`; skips the test if gcc cannot make such ones."""
    headers = b"".join(path.read_bytes() for path in sorted(SOURCES.glob("*.h")))
    key = hashlib.sha256("\0".join((text, *flags)).encode() + headers).hexdigest()[:16]
    path = cache_folder() / f"{name}-{key}"
    with open(cache_folder() / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            options = ["-O1", "-w", "-I", str(SOURCES), *flags, "-x", "c", "-", "-lpthread", "-lm"]
            command = ["gcc", "-o", f"{path}.new", *options]
            try:
                made = subprocess.run(command, input=text.encode(), capture_output=True)
            except FileNotFoundError:
                pytest.skip("needs gcc")
            if made.returncode:
                if "-m32" in flags and b"cannot find" in made.stderr:
                    pytest.skip("needs gcc-multilib: this gcc makes no 32-bit programs with a C library")
                raise AssertionError(made.stderr.decode())
            os.rename(f"{path}.new", path)
    return str(path)


def program(name: str, flavour: str) -> str:
    """The path of `c/NAME.c`, compiled in one of FLAVOURS."""
    return compile_text((SOURCES / f"{name}.c").read_text(), f"{name}-{flavour}", *FLAVOURS[flavour])


def needs(path: str) -> None:
    """Skip the test where a program is not installed."""
    if not shutil.which(path):
        pytest.skip(f"needs {path}")


@contextmanager
def alone(path: str) -> Iterator[None]:
    """No other flavour of a compiled program runs natively meanwhile: names of sockets and keys are the host's."""
    if Path(path).parent != cache_folder():
        yield
        return
    with open(cache_folder() / f"{Path(path).name.partition('-')[0]}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run_natively(argv: list[str], stdin: bytes = b"", environ: dict[str, str] = ENVIRON, cwd: str = "/") -> Outcome:
    """The program on the machine that the tests run on."""
    with alone(argv[0]):
        done = subprocess.run(
            argv, input=stdin, capture_output=True, env=environ, cwd=cwd, timeout=TIMEOUT, process_group=0
        )
    status = done.returncode << 8 if done.returncode >= 0 else -done.returncode
    return Outcome(done.stdout, done.stderr, status)


def run_on_ours(
    argv: list[str],
    stdin: bytes = b"",
    environ: dict[str, str] = ENVIRON,
    cwd: str = "/",
    *,
    ram: str = "256M",
    paging: str = "x86_64",
    timeout: float = TIMEOUT,
    root: str = "/",
    prepare=None,
    **options,
) -> OurRun:
    """The program on a machine of ours, of which every frame and object must come back and every structure be sound."""
    with (
        coalmm.boot(ram=ram, paging=paging) as kernel,
        tempfile.TemporaryFile() as source,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        source.write(stdin)
        source.seek(0)
        ledger = Ledger(kernel)
        system = System(kernel, root, console=(source.fileno(), out.fileno(), err.fileno()), **options)
        try:
            task = system.spawn(
                [os.fsencode(each) for each in argv],
                [os.fsencode(f"{name}={value}") for name, value in environ.items()],
                os.fsencode(cwd),
            )
            group = task.group
            if prepare is not None:
                prepare(system, task)
            ended = system.run(timeout)
            idle = system.scheduler.idle
            kernel.validate()
        finally:
            system.close()
        reclaimed = int(kernel.ram.words[SB_RECLAIMED])
        kernel.files.drop_unused()
        ledger.assert_all_is_back()
        contents = [os.pread(stream.fileno(), os.fstat(stream.fileno()).st_size, 0) for stream in (out, err)]
        unknown = dict(system.dispatcher.unknown)
        outcome = Outcome(*contents, group.status or 0)
        return OurRun(outcome, system.crashes, unknown, system.oopses, idle, ended, reclaimed)


def assert_same(argv: list[str], stdin: bytes = b"", paging: str = "x86_64", **options) -> OurRun:
    """Run it on both; stdout, stderr and status must be equal."""
    native = run_natively(argv, stdin, **{key: options[key] for key in ("environ", "cwd") if key in options})
    ours = run_on_ours(argv, stdin, paging=paging, **options)
    assert ours.ended, (ours.outcome, native)
    assert not ours.oopses, ours.oopses
    assert ours.outcome == native, ours.crashes
    return ours
