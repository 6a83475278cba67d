"""`coalmm replay` as a user meets it: what is on stdout and stderr, and the exit status."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coalmm.cli import main

EXAMPLE = Path(__file__).parents[2] / "examples" / "count_words.mtrace.xz"
SAMPLES = Path(__file__).parents[1] / "traces" / "samples"


def coalmm(*arguments: object) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_report_has_what_matters() -> None:
    result = coalmm("replay", EXAMPLE)
    assert result.exit_code == 0
    assert result.stderr == ""
    for text in ("mtrace, xz", "peak live", "peak footprint", "internal", "external", "50,947", "failures", "1,941"):
        assert text in result.stdout


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.iterdir()))
def test_every_format_is_replayed(sample: str) -> None:
    result = coalmm("replay", SAMPLES / sample, "--check", "10")
    assert result.exit_code == 0
    assert "events" in result.stdout


def test_json_is_all_there_is_on_stdout() -> None:
    result = coalmm("replay", "--json", EXAMPLE)
    report = json.loads(result.stdout)
    assert result.stderr == ""
    assert report["events"] == 50_947
    assert report["memory"]["peak_live_bytes"] == 1_332_725
    assert report["memory"]["footprint_over_live"] > 1
    assert 0 <= report["fragmentation"]["internal"] < 1
    assert report["leaks"] == []
    assert len(report["samples"]["events"]) == len(report["samples"]["live"]) > 1000


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_plot_is_a_picture(tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / f"replay.{suffix}"
    assert coalmm("replay", EXAMPLE, "--plot", path).exit_code == 0
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG") if suffix == "png" else b"footprint" in content
    assert len(content) > 20_000


def test_a_plot_of_a_trace_without_any_live_block(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    trace = tmp_path / "trace"
    trace.write_text("@ [0x1] - 0x10\n")
    result = coalmm("replay", trace, "--plot", tmp_path / "a.png")
    assert result.exit_code == 0
    assert "unknown frees" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["{folder}/nothing"], 1, "no such file"),
        (["{folder}"], 1, "directory"),
        (["{folder}/garbage"], 1, "not a trace of a known format"),
        (["{folder}/cut"], 1, "cut off"),
        ([EXAMPLE, "--ram", "nonsense"], 2, "--ram"),
        ([EXAMPLE, "--ram", "1K"], 2, "--ram"),
        ([EXAMPLE, "--allocator", "tcmalloc"], 2, "--allocator"),
        ([EXAMPLE, "--check", "0"], 2, "--check"),
        ([EXAMPLE, "--plot", "{folder}/missing/a.png"], 2, "there is no folder"),
        ([EXAMPLE, "--plot", "{folder}/a.nonsense"], 2, "nonsense"),
        ([], 2, "TRACE"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path, arguments: list[object], status: int, message: str
) -> None:
    (tmp_path / "garbage").write_bytes(b"\x00\x01\x02" * 100)
    (tmp_path / "cut").write_bytes(EXAMPLE.read_bytes()[:50_000])
    result = coalmm("replay", *[str(argument).format(folder=tmp_path) for argument in arguments])
    assert result.exit_code == status
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    error = result.stderr.strip().splitlines()[-1]
    assert error.startswith("Error: ")
    assert message in error


def test_a_small_machine_reports_failures_and_succeeds() -> None:
    result = coalmm("replay", EXAMPLE, "--ram", "2M", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["failures"] > 0


def run_module(*arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """`python -m coalmm` in a process of its own, in the mode of this one."""
    return subprocess.run(
        [sys.executable, "-m", "coalmm", *arguments], input=stdin, capture_output=True, check=False, env=os.environ
    )


def test_standard_input_in_a_process_of_its_own() -> None:
    done = run_module("replay", "--json", "-", stdin=EXAMPLE.read_bytes())
    assert done.returncode == 0
    assert json.loads(done.stdout)["trace"]["file"] == "standard input"


def test_help_and_version_load_no_command() -> None:
    code = "import sys; from coalmm.cli import main; main(sys.argv[1:], standalone_mode=False); "
    code += "print(sorted({'rich', 'matplotlib', 'numpy', 'memray', 'coalmm.replay'} & set(sys.modules)))"
    for option in ("--help", "--version"):
        done = subprocess.run([sys.executable, "-c", code, option], capture_output=True, check=True, text=True)
        assert done.stdout.endswith("[]\n")


def test_help_names_the_formats_and_every_option() -> None:
    text = " ".join(coalmm("replay", "--help").stdout.split())
    for word in ("mtrace", "valgrind", "heaptrack --raw", "perf script", ".rep", "memray", ".zst", "--plot", "--check"):
        assert word in text
    assert "replay" in coalmm("--help").stdout
    assert coalmm("--version").stdout.startswith("coalmm, version ")
