"""What is wrong with a command line, or with what it names, is one line that says what to do: a table of mistakes."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

import coalmm
from coalmm.cli import main
from machines import run_python

HERE = os.path.dirname(__file__)
EXAMPLE = os.path.join(HERE, "../../examples/count_words.mtrace.xz")
USAGE = [  # arguments, what the line has; status 2
    ("nothing", "there is no command 'nothing'; there are check, compare, demo, info, replay, run, translate"),
    ("--nothing", "there is no option '--nothing'"),
    ("run", "PROGRAM is missing"),
    ("run --", "PROGRAM is missing"),
    ("run --nothing -- true", "there is no option '--nothing'"),
    ("run -- {empty}", "PROGRAM: the name is empty"),
    ("run --ram x -- true", "--ram: 'x' is not a size"),
    ("run --ram 0 -- true", "from 1 MiB to 64 TiB"),
    ("run --ram -5 -- true", "--ram: '-5' is not a size"),
    ("run --paging vax -- true", "--paging: 'vax' is not one of 'auto', 'i386'"),
    ("run --timeout x -- true", "--timeout: 'x' is not a number"),
    ("run --timeout nan -- true", "--timeout: 'nan' is not a number"),
    ("run --timeout -1 -- true", "--timeout: -1.0 is too small: 0 or more"),
    ("run --seed x -- true", "--seed: 'x' is not a whole number"),
    ("run --seed -3 -- true", "--seed: -3 is too small: 0 or more"),
    ("run --most-processes 0 -- true", "--most-processes: 0 is too small: 1 or more"),
    ("run --output-limit x -- true", "--output-limit: 'x' is not a size"),
    ("run --root {folder}/missing -- true", "--root: {folder}/missing is no directory"),
    ("run --write {folder}/text -- true", "--write: {folder}/text is no directory"),
    ("run --root {folder}/sub --write {folder} -- true", "{folder} is not below the root"),
    ("run --write /dev/shm -- true", "--write: /dev/shm: /dev, /proc and /sys of programs are not the host's"),
    ("run --cwd {folder}/missing -- true", "--cwd: {folder}/missing: no such file or directory"),
    ("run --cwd {folder}/text -- true", "--cwd: {folder}/text: not a directory"),
    ("run --env =1 -- true", "--env: '=1' names no variable: write NAME=VALUE"),
    ("run --report r.pdf -- true", "--report: r.pdf: the name must end in .txt, .json or .html"),
    ("run --report {folder}/missing/r.json -- true", "--report: {folder}/missing/r.json: no such file or directory"),
    ("replay", "TRACE is missing"),
    ("replay --allocator x {folder}/text", "--allocator: 'x' is not one of 'kmalloc', 'buddy'"),
    ("replay --ram x {folder}/text", "--ram: 'x' is not a size"),
    ("replay --check x {folder}/text", "--check: 'x' is not a whole number"),
    ("replay --plot {folder}/a.nonsense {example}", "--plot: {folder}/a.nonsense: the name must end in .png"),
    ("replay --plot {folder}/missing/a.png {example}", "--plot: {folder}/missing/a.png: there is no folder"),
    ("info", "IMAGE is missing"),
    ("translate {folder}/text", "VADDR is missing"),
    ("translate {folder}/text zz", "VADDR: 'zz' is no address: write 0xc0000000 or 3221225472"),
    ("translate {folder}/text 0x10000000000000000", "does not fit in 64 bits"),
    ("translate --pid x {folder}/text 0", "--pid: 'x' is not a whole number"),
    ("translate --pid 1 --directory 0x1000 {folder}/text 0", "give --directory or --pid, not both"),
    ("demo --paging vax", "--paging: 'vax' is not one of 'i386'"),
    ("demo x", "there is no place for 'x'"),
    ("compare", "name two reports or more, as in: coalmm compare A.json B.json"),
    ("compare {folder}/run.json", "name two reports or more"),
    ("compare {folder}/run.json {folder}/missing", "REPORT: {folder}/missing: no such file or directory"),
    ("compare {folder}/run.json {folder}", "REPORT: {folder}: is a directory"),
    ("compare {folder}/text {folder}/run.json", "{folder}/text is not JSON, or cut off: write one with `coalmm run"),
    ("compare {folder}/run.json {folder}/binary", "{folder}/binary is not JSON"),
    ("compare {folder}/run.json {folder}/empty", "{folder}/empty is not JSON"),
    ("compare {folder}/run.json {folder}/deep", "{folder}/deep is not JSON"),
    ("compare {folder}/run.json {folder}/list", "{folder}/list is no report of a run or a replay: write one with"),
    ("compare {folder}/run.json {folder}/flat", "{folder}/flat is no report of a run or a replay: write one with"),
    ("compare {folder}/run.json {folder}/replay.json", "replay.json is the report of a replay, {folder}/run.json of"),
    ("compare {folder}/run.json {folder}/words", "{folder}/words: faults.zero is no number of 64 bits"),
    ("compare {folder}/run.json {folder}/nan", "{folder}/nan: seconds is no number of 64 bits"),
    ("compare {folder}/run.json {folder}/huge", "{folder}/huge: memory.peak_used is no number of 64 bits"),
    ("check", "TARGET is missing"),
    ("check --time nan {folder}/text", "--time: 'nan' is not a number"),
    ("check --time x {folder}/text", "--time: 'x' is not a number"),
    ("check --junit {folder}/missing/x.xml {folder}/text", "--junit: {folder}/missing/x.xml: there is no folder"),
]
INPUT = [  # arguments, what the line has; status 1
    ("replay {folder}/missing", "{folder}/missing: no such file or directory"),
    ("replay {folder}", "{folder}: is a directory"),
    ("replay {folder}/text", "not a trace of a known format (glibc mtrace"),
    ("replay {folder}/empty", "{folder}/empty: the file is empty"),
    ("info {folder}/missing", "{folder}/missing: no such file or directory"),
    ("info {folder}", "{folder}: is a directory"),
    ("info {folder}/text", "{folder}/text: not a RAM image of coalmm"),
    ("translate {folder}/missing 0", "{folder}/missing: no such file or directory"),
    ("translate {folder}/text 0", "{folder}/text: not a RAM image of coalmm"),
    ("translate --pid 99 {folder}/image 0", "there is no process 99"),
    ("translate --directory 0x123 {folder}/image 0", "0x123 is no page directory"),
    ("check {folder}/missing", "no such file; name a .so, C sources or a folder with a check.toml"),
    ("check {folder}", "{folder}/check.toml is not TOML: expected '=' after a key"),
    ("check {folder}/text", "{folder}/text is no ELF file: name a shared library, a .c file or a folder"),
]
PROGRAMS = [  # what `coalmm run` is given, what the line has, its status
    ("no-such-program", "not on PATH", 127),
    ("{folder}/missing", "no such file or directory", 127),
    ("{folder}/script", "a text file without a #! line; name its interpreter, as in: sh FILE", 126),
    ("{folder}/no-interpreter", "the interpreter /no/such: no such file or directory", 127),
    ("{folder}/binary", "not an ELF image that can be run: no ELF header", 126),
    ("{folder}/empty-program", "the file is empty", 126),
    ("{folder}/text", "permission denied", 126),
    ("{folder}/cut", "program headers past the end of the file", 126),
    ("{folder}/cut-later", "the file ends before the segments that its header names", 126),
    ("{folder}/arm", "it is for another CPU, AArch64", 126),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wrong")
    program = Path("/bin/ls").read_bytes()
    contents = {
        "script": b"echo hello\n", "no-interpreter": b"#!/no/such\n", "binary": b"\x01\x02\0", "empty-program": b"",
        "cut": program[:100], "cut-later": program[:3000], "arm": program[:18] + b"\xb7" + program[19:],
    }  # fmt: skip
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o755)
    (folder / "text").write_text("some text\n")
    (folder / "empty").write_bytes(b"")
    (folder / "check.toml").write_text("nonsense")
    (folder / "sub").mkdir()
    write_reports(folder)
    with coalmm.boot(ram="2M") as kernel:
        kernel.save(folder / "image")
    return folder


def write_reports(folder):
    report = '{"faults": {"zero": %s}, "calls": {}, "machine": {}, "seconds": %s, "memory": {"peak_used": %s}}'
    reports = {
        "run.json": report % (1, 1.5, 4096), "words": report % ('"x"', 1, 1), "nan": report % (1, "NaN", 1),
        "huge": report % (1, 1, "9" * 400), "deep": "[" * 100_000, "list": "[1]",
        "flat": '{"faults": 1, "calls": 2, "machine": 3, "memory": 4}',
        "replay.json": '{"trace": {}, "memory": {}, "fragmentation": {}, "throughput": {}}',
    }  # fmt: skip
    for name, text in reports.items():
        (folder / name).write_text(text)


def run(folder, arguments):
    words = [word.format(folder=folder, example=EXAMPLE, empty="") for word in arguments.split(" ")]
    return CliRunner().invoke(main, words, prog_name="coalmm")


def one_line(result):
    assert result.stdout == "", result.stdout
    assert result.stderr.count("\n") == 1, result.stderr
    for raw in ("Traceback", "Errno", "Error(", "<class", "NoneType"):
        assert raw not in result.stderr
    return result.stderr


@pytest.mark.parametrize(("arguments", "text"), USAGE, ids=[arguments for arguments, _ in USAGE])
def test_wrong_usage_is_status_2(folder, arguments, text):
    result = run(folder, arguments)
    line = one_line(result)
    assert result.exit_code == 2
    assert line.startswith("Error: ") and "--help)" in line
    assert text.format(folder=folder) in line


@pytest.mark.parametrize(("arguments", "text"), INPUT, ids=[arguments for arguments, _ in INPUT])
def test_wrong_input_is_status_1(folder, arguments, text):
    result = run(folder, arguments)
    assert result.exit_code == 1
    assert text.format(folder=folder) in one_line(result)


@pytest.mark.parametrize(("program", "text", "status"), PROGRAMS, ids=[program for program, _, _ in PROGRAMS])
def test_what_cannot_be_run_is_told_as_by_a_shell(folder, program, text, status):
    result = run(folder, f"run -q --ram 16M -- {program}")
    line = one_line(result)
    assert line.startswith(f"coalmm: {program.format(folder=folder)}: ")
    assert result.exit_code == status
    assert text in line


def test_the_plain_form_of_run_says_the_same(folder):
    for words in (["--timeout", "nan", "--", "/bin/true"], ["-q", "--", f"{folder}/script"]):
        plain = run_python("-m", "coalmm", "run", *words)
        assert plain.stderr == CliRunner().invoke(main, ["run", *words], prog_name="coalmm").stderr


def test_a_time_limit_without_an_end_is_none(folder):
    for text in ("inf", "1e300"):
        assert run(folder, f"run -q --ram 16M --timeout {text} -- /bin/true").exit_code == 0


def test_ram_that_is_too_small_is_told(folder):
    deeper = ["run", "--ram", "1M", "--", "/bin/sh", "-c", "f() { f; }; f"]  # its stack may have 8 MiB
    result = CliRunner().invoke(main, deeper)
    assert result.exit_code == 128 + 9
    assert "--ram gives more" in result.stderr
