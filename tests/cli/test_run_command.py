"""`coalmm run`: output, exit status, options, signals and the report, of programs of this machine."""

import html.parser
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import coalmm

ENVIRONMENT = os.environ | {
    "PYTHONPATH": str(Path(coalmm.__file__).parents[1]),
    "COALMM_MODE": coalmm.MODE,
    "LC_ALL": "C",
}
UNKNOWN_CALLS = r"""
static long call(long number)
{
    long result;
    asm volatile("syscall" : "=a"(result) : "a"(number), "D"(0L) : "rcx", "r11", "memory");
    return result;
}

void _start(void)
{
    long bad = call(425) != -38 || call(425) != -38 || call(9999) != -38;
    asm volatile("syscall" : : "a"(231L), "D"(bad));
    __builtin_unreachable();
}
"""
COMMAND = [sys.executable, "-m", "coalmm", "run"]


def run(*arguments, **options):
    """A finished `coalmm run` with these arguments."""
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 120} | options
    return subprocess.run([*COMMAND, *map(str, arguments)], env=ENVIRONMENT, **options)


def start(*arguments):
    """One that runs."""
    return subprocess.Popen(
        [*COMMAND, *arguments], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def sh(text):
    return ["--", "/bin/sh", "-c", text]


# --- what the program does ---


@pytest.mark.parametrize(
    "text",
    ["echo out; echo err >&2; exit 7", "printf 'no newline'", "pwd; echo $0 $HOME", "ls -l /usr | sort -r | head -3",
     "kill -SEGV $$"],
)  # fmt: skip
def test_output_and_exit_status_are_those_of_linux(text):
    native = subprocess.run(["/bin/sh", "-c", text], capture_output=True, text=True, env=ENVIRONMENT)
    ours = run("-q", *sh(text))
    assert (ours.stdout, ours.stderr) == (native.stdout, native.stderr)
    assert ours.returncode == (native.returncode if native.returncode >= 0 else 128 - native.returncode)


def test_a_program_is_found_on_the_path_that_it_gets(tmp_path):
    (tmp_path / "tool").write_text("#!/bin/sh\necho mine\n")
    (tmp_path / "tool").chmod(0o755)
    assert run("-q", "--env", f"PATH={tmp_path}", "--", "tool").stdout == "mine\n"


@pytest.mark.parametrize(
    ("program", "status"), [("no-such-program", 127), ("/nothing/there", 127), ("/etc/passwd", 126), ("/usr", 126)]
)
def test_what_cannot_be_run_has_the_status_of_a_shell_and_one_line(program, status):
    ours = run("--", program)
    assert (ours.returncode, ours.stdout) == (status, "")
    assert ours.stderr.startswith(f"coalmm: {program}: ") and ours.stderr.count("\n") == 1


def test_a_file_that_is_no_program_is_status_126(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(b"\x7fELF" + bytes(200))
    path.chmod(0o755)
    ours = run("--", path)
    assert ours.returncode == 126 and "not an ELF image" in ours.stderr and ours.stderr.count("\n") == 1


def test_a_closed_output_ends_the_program_as_sigpipe_does():
    process = start("-q", "--", "yes")
    assert process.stdout.readline() == "y\n"
    process.stdout.close()
    assert process.wait(60) == 128 + signal.SIGPIPE
    assert process.stderr.read() == ""


# --- options ---


def test_timeout_ends_a_program_that_waits_and_one_that_spins():
    for text in ("sleep 60", "while :; do :; done"):
        started = time.monotonic()
        assert run("-q", "--timeout", 0.5, *sh(text)).returncode == 124
        assert time.monotonic() - started < 30


def test_environment_is_passed_on_set_or_cleared():
    assert "COALMM_MODE=" in run("-q", "--", "env").stdout
    cleared = run("-q", "--clear-env", "--env", "A=b=c", "--env", "LC_ALL", "--", "/usr/bin/env").stdout
    assert sorted(cleared.splitlines()) == ["A=b=c", "LC_ALL=C"]


def test_working_directory():
    assert run("-q", "--cwd", "/usr", "--", "/bin/pwd").stdout == "/usr\n"


def test_writes_reach_the_host_below_a_write_directory_only(tmp_path):
    text = f"echo x >{tmp_path}/new; cat {tmp_path}/new"
    assert run("-q", *sh(text)).stdout == "x\n"
    assert not (tmp_path / "new").exists()
    assert run("-q", "--write", tmp_path, *sh(text)).stdout == "x\n"
    assert (tmp_path / "new").read_text() == "x\n"


def test_output_limit_ends_the_program():
    ours = run("-q", "--output-limit", 10, "--", "yes")
    assert (ours.stdout, ours.returncode) == ("y\n" * 5, 128 + signal.SIGXFSZ)


def test_a_limit_of_processes_makes_fork_fail():
    ours = run("-q", "--most-processes", 1, *sh("/bin/true; echo not reached"))
    assert ours.returncode != 0 and "fork" in ours.stderr.lower()


def test_addresses_are_fixed_or_come_from_the_seed():
    def maps(*options):
        return run("-q", *options, "--", "/bin/cat", "/proc/self/maps").stdout

    assert maps() == maps()
    assert maps("--seed", 1) == maps("--seed", 1) != maps("--seed", 2)


@pytest.mark.parametrize(
    "options",
    [["--ram", "lots"], ["--ram", "1K"], ["--paging", "pae"], ["--root", "/nowhere"], ["--write", "/nowhere"],
     ["--cwd", "/nowhere"], ["--output-limit", "x"], ["--timeout", "-1"], ["--most-processes", "0"],
     ["--report", "report.pdf"], ["--report", "/nowhere/report.txt"], ["--nothing"], ["--seed", "x"]],
    ids=lambda options: " ".join(options),
)  # fmt: skip
def test_a_wrong_option_is_one_line_and_status_2_and_nothing_runs(options):
    ours = run(*options, "--", "/bin/echo", "ran")
    assert (ours.returncode, ours.stdout) == (2, "")
    assert options[0] in ours.stderr and ours.stderr.count("\n") == 1


def test_options_of_the_program_are_its_own():
    assert run("-q", "/bin/echo", "--ram", "-q").stdout == "--ram -q\n"


# --- signals ---


def interrupted(text, most=1):
    """Exit status and output of a shell that is interrupted, up to `most` times, when it has printed "ready"."""
    process = start("-q", *sh(text))
    assert process.stdout.readline() == "ready\n"
    for _ in range(most):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
    return process.communicate(timeout=60)[0], process.returncode


def test_ctrl_c_goes_to_the_program():
    assert interrupted("echo ready; sleep 10") == ("", 128 + signal.SIGINT)
    assert interrupted("trap 'echo caught; exit 3' INT; echo ready; while :; do :; done") == ("caught\n", 3)


def test_repeated_ctrl_c_ends_a_program_that_ignores_it():
    assert interrupted("trap '' INT; echo ready; while :; do :; done", 100) == ("", 128 + signal.SIGINT)


# --- the report ---


def test_the_report_is_on_stderr_and_quiet_silences_it():
    loud = run("--", "/bin/echo", "hi")
    assert loud.stdout == "hi\n"
    assert loud.stderr.startswith("coalmm: /bin/echo hi: exit status 0, ")
    for word in ("page faults", "demand-zero", "copy-on-write", "peak resident", "TLB misses", "system calls"):
        assert word in loud.stderr
    assert "\x1b" not in loud.stderr
    assert run("-q", "--", "/bin/echo", "hi").stderr == ""


def test_json_has_every_process_and_sums_that_agree(tmp_path):
    path = tmp_path / "report.json"
    ours = run("--report", path, *sh("echo 3 | /bin/cat; /bin/cat /dev/null; exit 3"))
    assert (ours.stdout, ours.stderr, ours.returncode) == ("3\n", "", 3)
    report = json.loads(path.read_text())
    assert report["program"][:2] == ["/bin/sh", "-c"]
    assert (report["status"], report["signal"], report["timed_out"]) == (3, None, False)
    assert len(report["processes"]) >= 3
    assert report["processes"][0]["status"] == 3
    for kind, count in report["faults"].items():
        assert count == sum(process["faults"][kind] for process in report["processes"])
    resolved = sum(report["faults"][kind] for kind in ("zero", "file", "copy", "spurious"))
    assert report["faults"]["copy"] > 0 and resolved <= report["tlb"]["misses"]
    over_time = report["faults_over_time"]["kinds"]
    assert 0 < sum(over_time["zero"]) <= report["faults"]["zero"]
    assert report["calls"]["execve"] >= 1 and report["calls"]["exit_group"] == len(report["processes"])
    assert report["memory"]["page_tables"] > 0


def test_the_faults_over_time_of_two_runs_are_the_same(tmp_path):
    told = []
    for name in ("one.json", "two.json"):
        run("--report", tmp_path / name, "--", "/bin/true")
        told.append(json.loads((tmp_path / name).read_text())["faults_over_time"])
    assert told[0] == told[1] and told[0]["unit"] == "system calls and page faults"
    events = len(told[0]["kinds"]["zero"]) * told[0]["width"]
    assert 0 < sum(map(sum, told[0]["kinds"].values())) <= events


def test_json_shows_the_pages_of_each_area(tmp_path):
    path = tmp_path / "report.json"
    run("--report", path, "--", "/bin/true")
    (process,) = json.loads(path.read_text())["processes"]
    areas = process["address_space"]
    assert len(areas) == process["areas"]
    assert "[stack]" in [area["name"] for area in areas]
    assert sum(area["pages"] for area in areas) * 4096 == process["virtual"]
    resident = sum(area["resident_own"] + area["resident_file"] for area in areas)
    assert resident * 4096 == process["resident"]
    assert all(sum(map(sum, area["cells"])) == area["resident_own"] + area["resident_file"] for area in areas)


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def test_html_has_both_pictures_and_nothing_of_the_program_unescaped(tmp_path):
    path = tmp_path / "report.html"
    run("--report", path, "--", "/bin/echo", "<script>alert(1)</script>")
    page = Page(path.read_text())
    assert page.tags.count("svg") == 2 and "script" not in page.tags
    assert "<script>alert(1)</script>" in page.text
    assert "[stack]" in page.text and "demand-zero" in page.text and page.tags.count("rect") > 20


def test_the_text_in_a_file_is_that_of_stderr_without_colour(tmp_path):
    path = tmp_path / "report.txt"
    assert run("--report", path, *sh("/bin/true; exit 1")).stderr == ""
    text = path.read_text()
    assert "exit status 1" in text and "page faults" in text and "pid process" in text


def test_a_crash_is_in_the_report_with_signal_and_address(tmp_path):
    ours = run(*sh("kill -SEGV $$"))
    assert ours.returncode == 128 + signal.SIGSEGV
    assert "ended by SIGSEGV" in ours.stderr and "sh (1): SIGSEGV" in ours.stderr


def test_a_program_that_does_not_end_is_reported_as_it_was(tmp_path):
    path = tmp_path / "report.json"
    run("--timeout", 1, "--report", path, *sh("sleep 60"))
    report = json.loads(path.read_text())
    assert report["timed_out"] and report["status"] is None and report["signal"] is None
    assert report["faults"]["file"] > 0 and report["processes"][0]["resident"] > 0


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
def test_unknown_calls_are_named_and_counted(tmp_path):
    source = tmp_path / "calls.c"
    source.write_text(UNKNOWN_CALLS)
    subprocess.run(["gcc", "-nostdlib", "-static", "-O1", "-o", tmp_path / "calls", source], check=True)
    path = tmp_path / "report.json"
    assert run("--report", path, "--", tmp_path / "calls").returncode == 0
    assert json.loads(path.read_text())["unknown_calls"] == {"io_uring_setup": 2, "call 9999": 1}


# --- --trace ---


def test_trace_names_calls_paths_and_results():
    ours = run("-q", "--trace", *sh("/bin/sleep 0.3; /bin/cat /nothing"))  # the shell waits for the first
    lines = ours.stderr.splitlines()
    assert any('execve("/bin/cat", ' in line and line.endswith(" = 0") for line in lines)
    assert any('"/nothing"' in line and "= -1 ENOENT (No such file or directory)" in line for line in lines)
    assert any(line.endswith("<unfinished ...>") and " wait" in line for line in lines)
    assert any("<... wait4 resumed>) = 2" in line or "resumed>) = 2" in line for line in lines)
    assert any("exit_group(0x1) = ?" in line for line in lines)


@pytest.mark.skipif(coalmm.MODE != "compiled", reason="cython's decorators load more")
def test_a_small_program_starts_without_modules_that_are_slow_to_load():
    code = "import sys; from coalmm.__main__ import run_plainly; run_plainly()"
    command = [sys.executable, "-X", "importtime", "-c", code, "run", "--", "/bin/true"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "coalmm.linux.system" in loaded
    slow = {"typing", "re", "enum", "dataclasses", "contextlib", "random", "signal", "click", "unicorn"}
    slow |= {"ctypes", "importlib", "warnings", "weakref"}
    assert not loaded & slow
