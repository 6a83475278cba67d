"""What the README shows is what happens: its Python is run as doctests, its commands are run.

Where a change moves addresses or counts that are shown, `scripts/write_readme.py` writes them anew.
"""

import doctest
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from readme import ROOT, blocks, shell_lines

import coalmm
from coalmm.api import EFAULT, PAGE_PRESENT, PAGE_USER, PAGE_WRITABLE, kmalloc, paging_get_physical
from coalmm.tour.steps import STEPS
from debian import i386_root

README = ROOT / "README.md"
PYTHON = blocks(README, "python")
SESSION = "\n".join(block for block in PYTHON if ">>>" in block)
EXAMPLES = [block for block in PYTHON if ">>>" not in block]
COMMANDS = [line for line in shell_lines(README) if line.startswith("coalmm ")]
EXAMPLE_LINES = shell_lines(ROOT / "examples" / "README.md")
PAGE = 0x0080_0000


class PromptChecker(doctest.OutputChecker):
    """Takes doctest's name for the code that was typed for the one that a prompt has."""

    def check_output(self, want, got, optionflags):
        return super().check_output(want, re.sub(r"<doctest [^>]*>", "<stdin>", got), optionflags)


def run_session(name):
    """Run the README's prompt session in the current folder; every line's output must be the one shown."""
    test = doctest.DocTestParser().get_doctest(SESSION, {}, name, name, 0)
    told = []
    result = doctest.DocTestRunner(checker=PromptChecker()).run(test, out=told.append, clear_globs=False)
    test.globs["copy"].close()
    test.globs["kernel"].close()
    assert result.failed == 0, "".join(told)
    return result.attempted


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what the README's commands name: the examples, and the image that its session saves."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "examples", folder / "examples")
    before = Path.cwd()
    os.chdir(folder)
    try:
        run_session("README.md")
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def machine():
    with coalmm.boot(ram="16M") as kernel:
        yield kernel
        kernel.validate()


def environment():
    """The environment of a child that loads the coalmm of this process, in its mode."""
    return os.environ | {
        "PYTHONPATH": str(Path(coalmm.__file__).parents[1]),
        "COALMM_MODE": coalmm.MODE,
        "COLUMNS": "120",
    }


def run_command(folder, line):
    """Run a `coalmm ...` line of the shell there, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "coalmm", *shlex.split(line)[1:]],
        cwd=folder, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def example(name):
    """A function that one of the README's examples defines."""
    for text in EXAMPLES:
        names: dict[str, object] = {}
        exec(compile(text, "README.md", "exec"), names)
        if name in names and f"def {name}" in text:
            return names[name]
    raise AssertionError(f"the README has no {name}")


def test_every_line_typed_at_the_prompt_prints_what_is_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_session("README.md") > 50


def test_there_are_the_four_examples_of_the_document():
    assert len(EXAMPLES) == 4


def test_basic_allocation_leaves_nothing_allocated(machine):
    run = example("basic_allocation")
    assert run() == 0  # the first makes the class's slab
    before = machine.frames.statistics()
    assert run() == 0
    assert machine.frames.statistics() == before


def test_basic_allocation_without_memory_is_enomem(machine):
    with machine.failing(nth=1, points=("kmalloc",)):
        assert example("basic_allocation")() == -12


def test_slab_cache_usage_makes_a_cache_without_live_objects(machine):
    assert example("slab_cache_usage")(264) == 0
    cache = next(cache for cache in machine.slabs.caches() if cache.name == "process")
    assert (cache.object_size, cache.active, cache.allocations) == (264, 0, 1)


def test_page_mapping_maps_the_page(machine):
    assert example("page_mapping")(PAGE) == 0
    assert paging_get_physical(PAGE) != 0


def test_page_mapping_that_fails_gives_the_frame_back(machine):
    before = machine.frames.statistics()
    assert example("page_mapping")(PAGE + 1) == -22
    assert machine.frames.statistics() == before


def test_safe_user_access_copies_the_string(machine):
    flags = PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER
    assert machine.paging_map_page(PAGE, machine.frame_alloc(), flags) == 0
    assert machine.copy_to_user(PAGE + 5, b"a name\0", 7) == 0
    assert example("safe_user_access")(PAGE + 5) == "a name"


def test_safe_user_access_of_a_kernel_address_is_efault(machine):
    assert example("safe_user_access")(kmalloc(8)) == -EFAULT


ELSEWHERE = ("ls.mtrace", "debian-i386")  # what makes these files has a test of its own


@pytest.mark.parametrize("line", [line for line in COMMANDS if not any(name in line for name in ELSEWHERE)])
def test_command_shown_runs(folder, line):
    result = run_command(folder, line)
    assert result.returncode == 0, result.stderr
    assert result.stdout


def test_a_32_bit_program_runs_in_the_root_that_the_script_makes():
    root = i386_root()
    line = next(line for line in COMMANDS if "debian-i386" in line)
    assert f"--root {root.relative_to(ROOT)} " in line
    result = run_command(ROOT, line)
    assert (result.stdout, result.returncode) == ("3\n", 0)
    assert "i386 paging" in result.stderr


def test_the_walk_shown_is_the_one_that_translate_prints(folder):
    line = next(line for line in COMMANDS if line.startswith("coalmm translate"))
    shown = next(block for block in blocks(README, "text") if block.startswith("i386 paging"))
    printed = run_command(folder, f"{line} --plain").stdout
    assert [text.rstrip() for text in printed.splitlines()] == shown.splitlines()


def test_the_tour_has_as_many_steps_as_is_said():
    assert f"tour of {len(STEPS)} steps" in README.read_text()


def test_the_report_shown_is_the_one_of_make_run(folder):
    line = next(line for line in COMMANDS if line.endswith("replay examples/count_words.mtrace.xz"))
    shown = next(block for block in blocks(README, "text") if block.startswith("examples/count_words"))
    assert line.removeprefix("coalmm ") in (ROOT / "Makefile").read_text()
    printed = [text.rstrip() for text in run_command(folder, line).stdout.splitlines()]
    for text in shown.splitlines():
        if not re.match(r" (events|reading|allocating) |   \.\.\.", text):  # these are times
            assert text in printed


def labels(text):
    """The words at the start of a report's lines; numbers differ between machines."""
    return re.findall(r"^  ([a-zA-Z][a-zA-Z ]*?)  +[\d,.]+", text, re.MULTILINE)


def test_the_report_shown_has_the_lines_that_run_prints(folder):
    shown = next(block for block in blocks(README, "text") if block.startswith("$ coalmm run"))
    command, output, *report = shown.splitlines()
    result = run_command(folder, command.removeprefix("$ "))
    assert result.stdout == f"{output}\n"
    assert result.stderr.startswith(report[0].partition(": exit")[0])
    assert len(labels(shown)) >= 4 and labels(result.stderr) == labels(shown)
    assert "pid process" in shown and "pid process" in result.stderr


def test_make_run_shows_that_program():
    shown = next(block for block in blocks(README, "text") if block.startswith("$ coalmm run"))
    example = (ROOT / "examples" / "run_program.py").read_text()
    assert shown.splitlines()[0].partition("'")[2].rstrip("'") in example


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
def test_the_program_that_make_run_compiles_where_there_is_none_runs(tmp_path):
    program = tmp_path / "touch_pages"
    source = ROOT / "examples" / "touch_pages.c"
    subprocess.run(["gcc", "-O1", "-static", "-nostdlib", "-o", program, source], check=True)
    result = run_command(tmp_path, f"coalmm run --report report.json -- {program}")
    assert (result.stdout, result.returncode) == ("64 pages touched, one copied by a child\n", 0)
    faults = json.loads((tmp_path / "report.json").read_text())["faults"]
    assert faults["zero"] >= 64 and faults["copy"] >= 1


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
def test_a_trace_recorded_as_shown_is_replayed(folder):
    lines = shell_lines(README)
    compile_line = next(line for line in lines if line.startswith("gcc "))
    record_line = next(line for line in lines if line.startswith("MALLOC_TRACE="))
    subprocess.run(compile_line, shell=True, cwd=folder, check=True)
    done = subprocess.run(record_line, shell=True, cwd=folder, capture_output=True, text=True)
    if not (folder / "ls.mtrace").exists():
        pytest.skip(f"no libc_malloc_debug here: {done.stderr}")
    result = run_command(folder, "coalmm replay ls.mtrace")
    assert result.returncode == 0, result.stderr
    assert "(mtrace) on kmalloc" in result.stdout


@pytest.mark.parametrize("path", [README, ROOT / "examples" / "README.md"], ids=["README", "examples"])
def test_make_targets_named_exist(path):
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"(?:^|`)make ([a-z][a-z-]*)", path.read_text(), re.MULTILINE))
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_readme_names_the_two_main_targets():
    assert {"make run", "make test"} <= set(shell_lines(README))


def test_the_example_trace_is_what_the_examples_readme_says():
    text = (ROOT / "examples" / "README.md").read_text()
    size = (ROOT / "examples" / "count_words.mtrace.xz").stat().st_size
    assert f"({round(size / 1000)} KB, 51,659 lines)" in text
    assert "coalmm replay count_words.mtrace.xz" in EXAMPLE_LINES


@pytest.mark.parametrize("path", [README, ROOT / "docs" / "architecture.md", ROOT / "examples" / "README.md"])
def test_links_lead_to_files(path):
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_the_debugger_stops_in_the_source_shown(folder):
    shown = next(block for block in blocks(README, "text") if "COALMM_MODE" in block)
    typed = "".join(text.removeprefix(">>> ") + "\n" for text in shown.splitlines() if text.startswith(">>> "))
    result = subprocess.run(
        [sys.executable, "-i", "-c", ""], input=typed + "step\nnext\ncontinue\n", cwd=folder,
        env=environment() | {"COALMM_MODE": "interpreted"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    for text in shown.splitlines():
        if text.startswith("-> "):
            assert text in result.stdout
