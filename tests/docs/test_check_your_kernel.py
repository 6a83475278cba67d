"""The tutorial about `coalmm check`, typed as it stands."""

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields

import pytest
from readme import BLOCK, ROOT, blocks
from test_readme import environment

from coalmm.check.config import Config

PAGE = ROOT / "docs" / "check-your-kernel.md"
TEXT = PAGE.read_text(encoding="utf-8")
BROKEN = ("buddy", "slab", "paging*")  # in the order in which they are mended

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")


def test_the_tutorial_as_typed(tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    mended = []
    for kind, text in BLOCK.findall(TEXT):
        if kind == "diff":
            (tmp_path / "fix.diff").write_text(text)
        elif kind == "sh":
            for line in text.splitlines():
                words = shlex.split(line)
                if words[0] == "git":
                    subprocess.run(words, cwd=tmp_path, check=True)
                    mended.append(words[-1])
                    continue
                done = run(tmp_path, words)
                group = words[words.index("--only") + 1] if "--only" in words else ""
                expected = 1 if group in BROKEN[len(mended) :] else 0
                assert done.returncode == expected, done.stdout + done.stderr
    assert len(mended) == 3
    assert "4 warnings" in done.stdout


def run(folder, words):
    """A `coalmm ...` command in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "coalmm", *words[1:]], cwd=folder, env=environment(), capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip


def test_the_command_of_the_readme_is_one_of_the_tutorial():
    section = (ROOT / "README.md").read_text().partition("## Check your kernel")[2].partition("\n## ")[0]
    commands = re.findall(r"^\$ (coalmm check .*)$", section, re.MULTILINE)
    assert len(commands) == 1
    assert commands[0] in "".join(blocks(PAGE, "sh")).splitlines()


def test_the_check_toml_shown_is_the_toy_kernels():
    toy, higher = blocks(PAGE, "toml")
    assert toy == (ROOT / "examples" / "toykernel" / "check.toml").read_text()
    whole = (ROOT / "examples" / "higherhalf" / "check.toml").read_text()
    assert all(line in whole.splitlines() for line in higher.splitlines())


def test_every_key_of_check_toml_is_explained():
    table = TEXT.partition("## The keys of check.toml")[2]
    explained = set(re.findall(r"`\[?(\w+)\]?`", "".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE))))
    assert explained == {field.name for field in fields(Config)} - {"folder", "reports"}


def test_every_option_shown_exists(tmp_path):
    help_text = run(tmp_path, ["coalmm", "check", "--help"]).stdout
    for option in set(re.findall(r"(?<![-\w(])--[a-z]+", TEXT)):
        assert option in help_text


def test_links_lead_to_files():
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", TEXT):
        assert (PAGE.parent / target).exists(), target
