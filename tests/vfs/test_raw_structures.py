"""The structures that calls fill, byte for byte as the host's kernel fills them, for both ABIs."""

import io
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

import coalmm

pytest.importorskip("unicorn")
from coalmm.linux.system import System

SOURCE = Path(__file__).parent / "raw_calls.c"


@pytest.fixture(params=["-m64", "-m32"])
def program(request, tmp_path):
    """The program, in a directory with files that it looks at."""
    if shutil.which("gcc") is None:
        pytest.skip("there is no gcc")
    name = tmp_path / "raw"
    flags = ["-nostdlib", "-static", "-ffreestanding", "-fno-stack-protector", "-O1", "-fno-pic", "-no-pie"]
    headers = ["-I/usr/include/x86_64-linux-gnu"]
    subprocess.run(["gcc", request.param, *flags, *headers, str(SOURCE), "-o", str(name)], check=True)
    (tmp_path / "file").write_text("contents\n" * 1000)
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "directory").mkdir()
    for inner in ("a", "bb", "c" * 30):
        (tmp_path / "directory" / inner).write_text(inner)
    (tmp_path / "directory/link").symlink_to("a")
    for path in [*tmp_path.rglob("*"), tmp_path]:  # a time of access that reading does not change
        os.utime(path, ns=(time.time_ns() + 10**12, 1_700_000_001_987_654_321), follow_symlinks=False)
    return name, request.param


STATS = [("stat", 160), ("lstat", 160), ("fstat", 160), ("statx", 280)]
PER_PATH = {
    8: [*STATS, ("newfstatat", 160), ("lseek", 0)],
    4: [
        *STATS,
        *[(name, 160) for name in ("stat64", "lstat64", "fstat64", "fstatat64")],
        ("_llseek", 16),
        ("pread", 16),
    ],
}
UNTOUCHED = 0xAA  # what the program fills its buffer with
HOST_ONLY = {"statx": [*range(56, 64), *range(144, 152)]}  # what the file system could tell, and the mount's number


def answers(output, word):
    """(name, result, bytes) of each call, in the order of raw_calls.c."""
    after = [("getdents", 400), ("getdents64", 400), ("F_GETFL", 0), ("F_SETLK", 0), ("F_GETLK", 0)]
    for name, size in [("start", 0), *3 * PER_PATH[word], *after]:
        yield name, int.from_bytes(output[:word], "little", signed=True), output[word : word + size]
        output = output[word + size :]
    yield "lock", 0, output[: 4 * word]
    yield "readlink", 0, output[4 * word :]


def compared(name, result, data, word):
    """The bytes that count; of a directory its records in any order, without the cookies."""
    if not name.startswith("getdents"):
        return [byte for at, byte in enumerate(data) if at not in HOST_ONLY.get(name, ())]
    head = 16 if name == "getdents64" else 2 * word
    records, data = [], data[:result]
    while data:
        length = int.from_bytes(data[head : head + 2], "little")
        record = data[:length]
        kind, text = (
            (record[head + 2], record[head + 3 :]) if name == "getdents64" else (record[-1], record[head + 2 :])
        )
        records.append((record[: min(head // 2, 8)], length, kind, text.split(b"\0")[0]))
        data = data[length:]
    return sorted(records)


def test_structures_are_those_of_the_host(program):
    name, word = program
    try:
        native = subprocess.run([str(name)], cwd=name.parent, capture_output=True, check=True).stdout
    except OSError:
        pytest.skip("the host does not run such programs")
    out = io.BytesIO()
    with coalmm.boot(ram="64M", paging="x86_64" if word == "-m64" else "i386") as kernel:
        system = System(kernel, "/", (), console=(io.BytesIO(), out, out))
        group = system.spawn([os.fsencode(name)], (), os.fsencode(name.parent)).group
        assert system.run(30)
        assert group.status == 0
        system.close()
    size = 8 if word == "-m64" else 4
    pairs = list(zip(answers(native, size), answers(out.getvalue(), size), strict=True))
    assert len(pairs) > 20
    for (call, expected, theirs), (_, got, mine) in pairs:
        assert got == expected, call
        one, other = compared(call, expected, theirs, size), compared(call, got, mine, size)
        different = [
            at for at, (host, ours) in enumerate(zip(one, other, strict=True)) if host not in (ours, UNTOUCHED)
        ]
        assert different == [], (call, different)
