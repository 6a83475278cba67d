"""The report in each of its forms, and the command."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as Xml
from pathlib import Path

import pytest
from click.testing import CliRunner
from targets import REFERENCE, faulty

import coalmm
from coalmm.check.build import Workshop
from coalmm.check.campaign import random_run
from coalmm.check.config import read_config
from coalmm.check.directed import all_checks
from coalmm.check.directed.registry import CHECKS
from coalmm.check.kit import Options, check_target
from coalmm.check.report.machine import as_json, as_junit, as_tap
from coalmm.check.rows import ROWS
from coalmm.check.sequences.mixed import SOURCES
from coalmm.check.traits import learn
from coalmm.cli import main
from coalmm.cli.check import save

FAULT = ("kmalloc.c", "memset(ptr, 0, size);", "memset(ptr, 0, size - 1);")
WORDS = ["--time", "0", "--seed", "1"]


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    return faulty(tmp_path_factory.mktemp("report"), *FAULT)


@pytest.fixture(scope="module")
def report(target):
    return check_target(target, Options(only=("kmalloc",), seconds=0.0, seed=1))


def test_json_has_every_result(report):
    data = json.loads(as_json(report))
    assert data["failed"] is True
    failed = [result for result in data["results"] if result["status"] == "fail"]
    assert [result["check"] for result in failed] == ["zeroed-memory-is-zero"]
    assert "int main(void)" in failed[0]["reproducer"] and failed[0]["rows"] == ["B174"]
    assert set(data["present"]) == report.present


def test_junit_counts_what_failed(report):
    root = Xml.fromstring(as_junit(report))
    assert root.get("failures") == "1" and int(root.get("tests")) == len(report.results)
    failure = root.find(".//testcase[@name='zeroed-memory-is-zero']/failure")
    assert "not zero" in failure.get("message") and "int main(void)" in failure.text


def test_tap_has_a_line_for_each_result(report):
    lines = as_tap(report).splitlines()
    assert lines[0] == "TAP version 13" and lines[1] == f"1..{len(report.results)}"
    numbered = [line for line in lines if line.startswith(("ok ", "not ok "))]
    assert len(numbered) == len(report.results)
    assert [line.split(" - ")[1] for line in numbered if line.startswith("not ok")] == ["zeroed-memory-is-zero"]


def test_programs_are_saved(report, tmp_path):
    save(report, tmp_path / "found")
    assert [path.name for path in (tmp_path / "found").iterdir()] == ["zeroed-memory-is-zero.c"]
    text = (tmp_path / "found" / "zeroed-memory-is-zero.c").read_text()
    assert "-o zeroed-memory-is-zero zeroed-memory-is-zero.c" in text


def test_the_list_says_what_each_check_and_each_row_asks_for():
    all_checks()
    used = {row for check in CHECKS.values() for row in check.rows}
    assert used == set(ROWS)
    text = CliRunner().invoke(main, ["check", "--list"]).stdout
    assert "memory-freed-twice-is-free-once: kfree, safety (B199)" in text
    assert all(f"\n{row} {ROWS[row]}\n" in text for row in used)


def test_rows_are_explained_with_what_is_found(target):
    result = CliRunner().invoke(main, ["check", *WORDS, "--only", "kzalloc", str(target)])
    assert "B174: kzalloc: every byte is zero" in result.stdout


def test_a_program_of_a_note_is_called_one(tmp_path):
    report = check_target(
        faulty(tmp_path, "paging.c", "ADDRESS(*entry) + vaddr % PAGE : 0", "ADDRESS(*entry) : 0"),
        Options(only=("physical-has-the-offset",), seconds=0.0),
    )
    save(report, tmp_path / "found")
    path = tmp_path / "found" / "note-physical-has-the-offset.c"
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert path.read_text().startswith("/* NOTE: good practice") and f"-o {path.stem} {path.name}" in path.read_text()


def test_names_of_checks_are_whole_in_a_file(tmp_path):
    target = faulty(tmp_path, "paging.c", "        frame_free(ADDRESS(dir->entry[i]));\n", "")
    result = CliRunner().invoke(main, ["check", *WORDS, "--only", "paging_free_directory", str(target)])
    table = result.stdout.partition("\nfail ")[0]
    assert "a-freed-directory-gives-its-tables-back" in table and "…" not in table


def test_the_command_prints_a_table_and_the_program_and_says_1(target):
    result = CliRunner().invoke(main, ["check", *WORDS, "--only", "kzalloc", str(target)])
    assert result.exit_code == 1
    assert "zeroed-memory-is-zero" in result.stdout and "int main(void)" in result.stdout
    assert "1 do not hold" in result.stdout


def test_the_command_says_0_where_all_holds():
    result = CliRunner().invoke(main, ["check", *WORDS, "--only", "kzalloc", "--only", "B199", str(REFERENCE)])
    assert result.exit_code == 0
    assert "0 do not hold" in result.stdout and "memory-freed-twice" not in result.stderr


@pytest.mark.parametrize(("form", "start"), [("--json", "{"), ("--tap", "TAP version 13")])
def test_forms_for_programs_are_alone_on_stdout(form, start, tmp_path):
    path = tmp_path / "report.xml"
    result = CliRunner().invoke(main, ["check", *WORDS, "--only", "kfree", form, "--junit", str(path), str(REFERENCE)])
    assert result.exit_code == 0 and result.stdout.startswith(start)
    assert Xml.parse(path).getroot().get("failures") == "0"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gone"], "gone: no such file"),
        ([str(REFERENCE / "mm.h")], "is no ELF file"),
        (["--only", "nothing", str(REFERENCE)], "names no check"),
        (["--time", "-1", str(REFERENCE)], "--time"),
    ],
)
def test_what_cannot_be_checked_is_one_line(words, said):
    result = CliRunner().invoke(main, ["check", *words])
    assert result.exit_code in (1, 2)
    assert said in result.stderr and result.stderr.count("\n") == 1


def test_the_seed_repeats_the_sequences():
    with Workshop() as shop:
        built = shop.build(read_config(REFERENCE))
        traits = learn(built)
        runs = [random_run(built, traits, SOURCES["mixed"], seed)[1] for seed in (9, 9, 10)]
    calls = [[(op.name, op.args) for op in ops] for ops in runs]
    assert calls[0] == calls[1] != calls[2]


def test_a_shared_library_is_checked_without_a_toml(tmp_path):
    library = tmp_path / "mine.so"
    sources = sorted(str(path) for path in REFERENCE.glob("*.c"))
    start = tmp_path / "start.c"
    start.write_text("void mm_init(void); __attribute__((constructor)) static void start(void) { mm_init(); }")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, *sources, start], check=True)
    environment = os.environ | {"PYTHONPATH": str(Path(coalmm.__file__).parents[1]), "COALMM_MODE": coalmm.MODE}
    words = [sys.executable, "-m", "coalmm", "check", "--time", "0.5", "--strict", "mine.so"]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "39 of the document's 39 functions, 64-bit" in done.stdout
