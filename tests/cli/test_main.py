"""The command itself: help, version, wrong usage, and `python -m coalmm`."""

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

import coalmm
from coalmm.cli import COMMANDS, main


def test_help_names_every_command():
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name, what in COMMANDS.items():
        assert name in result.stdout and what.split()[0] in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name):
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert f"coalmm {name}" in result.stdout.partition("Usage:")[2].partition("\n")[2]


def test_version():
    assert CliRunner().invoke(main, ["--version"]).stdout == f"coalmm, version {coalmm.__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["--nothing"], ["nothing"], ["info"], ["demo", "--paging", "vax"], ["demo", "x"]]
)
def test_wrong_usage_is_one_line_and_status_2(arguments):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1


def test_python_m_coalmm_is_the_command(tmp_path):
    path = tmp_path / "machine.coal"
    with coalmm.boot(ram="2M") as kernel:
        kernel.save(path)
    library = os.path.dirname(os.path.dirname(coalmm.__file__))
    environment = os.environ | {"PYTHONPATH": library, "COALMM_MODE": coalmm.MODE}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "coalmm", *arguments], env=environment, capture_output=True, text=True, check=False
        )

    assert run("info", str(path)).stdout.startswith("i386 paging, RAM 2.0 MiB")
    failed = run("info", str(tmp_path / "missing"))
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1 and "Traceback" not in failed.stderr


def test_a_machine_that_is_current_at_exit_says_nothing(tmp_path):
    test = tmp_path / "test_nothing.py"
    test.write_text("import coalmm\n\n\ndef test_nothing():\n    coalmm.boot(ram='2M')\n")
    library = os.path.dirname(os.path.dirname(coalmm.__file__))
    environment = os.environ | {"PYTHONPATH": library, "COALMM_MODE": coalmm.MODE}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 0
    assert ended.stderr == ""
