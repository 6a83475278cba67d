"""What programs read of themselves in /proc has the form that it has on the host, key for key, column for column."""

import re
import shutil
import subprocess

import native
import pytest

CAT = shutil.which("cat")
MAY_BE_MISSING = {"x86_Thread_features", "x86_Thread_features_locked", "Speculation_Store_Bypass"}
MAY_BE_MISSING |= {"SpeculationIndirectBranch", "ProtectionKey"}

OF_A_PROCESS = ["maps", "smaps", "smaps_rollup", "status", "statm", "stat"]


def read(name, command):
    done = subprocess.run([*command, CAT, f"/proc/{name}"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(params=[*(f"self/{name}" for name in OF_A_PROCESS), "meminfo"])
def texts(request):
    """One text: its name, what the host says, what we say."""
    if shutil.which("setarch") is None:
        pytest.skip("needs setarch")
    name = request.param
    return name, read(name, ("setarch", "-R")), read(name, native.COALMM)


def keys(text):
    return [line.split(":")[0] for line in text.splitlines() if re.match(r"[\w()]+:", line)]


def test_the_keys_are_the_hosts_in_its_order(texts):
    _, theirs, ours = texts
    mine = keys(ours)
    wanted = [key for key in keys(theirs) if key not in MAY_BE_MISSING]
    if native.LINUX >= (6, 18):
        assert set(wanted) <= set(mine)
    both = dict.fromkeys(key for key in wanted if key in mine)
    assert list(dict.fromkeys(key for key in mine if key in both)) == list(both)


def columns(text):
    """Where the values of each key end: equal for all that have at most eight digits."""
    found = {}
    for line in text.splitlines():
        match = re.fullmatch(r"([\w()]+):\s+(\d{1,8})(?: kB)?", line)
        if match:
            found.setdefault(match[1], set()).add((match.end(2), line.endswith("kB")))
    return found


def test_a_value_stands_in_the_hosts_column(texts):
    name, theirs, ours = texts
    there, here = columns(theirs), columns(ours)
    both = [key for key in there if key in here and not key.startswith(("Cap", "Sig", "Shd", "Mems"))]
    if name in ("self/smaps", "self/smaps_rollup", "meminfo"):
        assert len(both) > 15
        assert {key: here[key] for key in both} == {key: there[key] for key in both}


def test_the_areas_of_a_program_are_the_hosts(texts):
    name, theirs, ours = texts
    if name != "self/maps":
        pytest.skip("one text tells of areas")
    of_program = [[line for line in text.splitlines() if line.endswith(CAT)] for text in (theirs, ours)]
    assert of_program[0] == of_program[1] and len(of_program[0]) >= 3
    for text in (theirs, ours):
        assert re.search(r"^[0-9a-f]{8,}-[0-9a-f]{8,} rw-p 00000000 00:00 0 {26}\[heap\]$", text, re.MULTILINE)
        assert re.search(r"^[0-9a-f]{8,}-[0-9a-f]{8,} rw-p 00000000 00:00 0 {26}\[stack\]$", text, re.MULTILINE)


def test_stat_and_statm_have_the_hosts_fields(texts):
    name, theirs, ours = texts
    if name not in ("self/stat", "self/statm"):
        pytest.skip("these are one line")
    assert len(ours.split()) == len(theirs.split()) == {"self/stat": 52, "self/statm": 7}[name]
    if name == "self/stat":  # startcode, endcode, start_data, end_data: the image lies where it does there
        assert [ours.split()[at] for at in (25, 26, 44, 45)] == [theirs.split()[at] for at in (25, 26, 44, 45)]
