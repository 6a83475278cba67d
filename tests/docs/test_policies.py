"""The example of docs/policies.md that compares two policies, typed as it stands."""

import re
import shutil

from readme import ROOT, shell_lines
from test_readme import run_command

PAGE = ROOT / "docs" / "policies.md"
STEADY = ("faults", "faults.file", "major_faults", "memory.frames.file")  # on any machine


def signs(text):
    """Whether each figure that matters is larger or smaller in the second report."""
    found = dict(re.findall(r"^([a-z_.]+) +[\d,]+ +[\d,]+ +([+-])[\d,]+ +[+-][\d.,]+$", text, re.MULTILINE))
    return {name: found[name] for name in STEADY}


def test_two_policies_compare_as_shown(tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    example = PAGE.read_text(encoding="utf-8").partition("## Compare two policies")[2]
    lines = [line for line in shell_lines(PAGE) if line in example]
    assert len(lines) == 3
    for line in lines:
        done = run_command(tmp_path, line)
        assert done.returncode == 0, done.stderr
    assert signs(done.stdout) == signs(example)
    assert done.stdout.splitlines()[0].split() == ["default", "one_page", "difference", "%"]
    assert "\n* a time of the host" in done.stdout
