"""The architecture page names files, functions and superblock words that exist."""

import ast
import re

import pytest
from readme import ROOT

from coalmm.physical import constants

TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SOURCE = ROOT / "src" / "coalmm"
NAMED = sorted(set(re.findall(r"`([\w/.]+\.py)(?::([\w.]+))?`", TEXT)))


def defined(path):
    """The names of a module's classes and functions, methods as Class.method."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)}
    return names


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_each_file_and_function_named_exists(file, name):
    if file in ("x.py", "constants.py"):  # any module; any of the constants modules
        return
    path = SOURCE / file if (SOURCE / file).exists() else ROOT / file
    assert path.exists()
    assert not name or name in defined(path)


def test_the_path_of_a_fault_names_functions_of_four_layers():
    path = TEXT.partition("## The path of one page fault")[2].partition("\n## ")[0]
    assert {file.partition("/")[0] for file, name in NAMED if f"`{file}:{name}`" in path} == {
        "hardware", "physical", "virtual", "process",
    }  # fmt: skip


def test_superblock_words_are_where_the_map_of_ram_says():
    rows = re.findall(r"^\| ([\d, ]+) \| (`SB_.*?`) \|", TEXT, re.MULTILINE)
    assert len(rows) > 10
    for numbers, names in rows:
        for number, name in zip(numbers.split(", "), re.findall(r"\w+", names), strict=True):
            assert getattr(constants, name) == int(number), name


def test_kinds_of_frames_named_exist_and_are_all_of_them():
    named = set(re.findall(r"`(KIND_\w+)`", TEXT))
    kinds = {name for name in vars(constants) if name.startswith("KIND_")}
    assert named == kinds - {"KIND_FREE", "KIND_KEYS", "KIND_MASK"}


def test_the_functions_without_bounds_checks_are_the_ones_named():
    found = set()
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        names = re.findall(r"boundscheck\(False\)\n(?:\s*@.*\n)*\s*def (\w+)", text)
        assert len(names) == text.count("boundscheck(False)")
        found |= {f"{path.relative_to(SOURCE)}:FastPath.{name}" for name in names}
    section = TEXT.partition("**Bounds checks stay on**")[2].partition("\n\n")[0]
    assert found == set(re.findall(r"`([\w/]+\.py:[\w.]+)`", section))
    assert not any("boundscheck" in path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.pxd"))


def test_the_limits_named_for_them_are_in_the_source():
    source = (SOURCE / "heap" / "fast_path.py").read_text(encoding="utf-8")
    table = TEXT.partition("| index | limit |")[2].partition("\n\n")[0]
    limits = re.findall(r"\| `(\w+)`", table)
    assert len(limits) == 5
    assert all(name in source for name in limits)


def test_every_folder_of_the_source_is_in_the_picture():
    picture = TEXT.partition("```text")[2].partition("```")[0]
    for folder in SOURCE.iterdir():
        if (folder / "__init__.py").exists():
            assert re.search(rf"\b{folder.name}\b", picture), folder.name
