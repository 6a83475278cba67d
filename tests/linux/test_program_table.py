"""A table of the machine's programs, in programs.txt: each prints and ends as it does natively, and misses no call."""

import shutil
from pathlib import Path

import pytest
from guests import ENVIRON, assert_same

import coalmm

SECTIONS = (Path(__file__).parent / "programs.txt").read_text().split("\n=== ")[1:]
# A directory that the native run leaves as it was: ours begins with the same one.
IN_A_FOLDER = "folder=$(mktemp -d) && cd $folder && ({script}\n)\nstatus=$?; rm -rf $folder; exit $status"


@pytest.mark.skipif(coalmm.MODE == "interpreted", reason="minutes without compiled modules")
@pytest.mark.parametrize("section", SECTIONS, ids=[text.partition("\n")[0].partition(" |")[0] for text in SECTIONS])
def test_programs_do_what_they_do_on_linux(section):
    title, _, script = section.partition("\n")
    for tool in title.partition("|")[2].split():
        if not shutil.which(tool, path=ENVIRON["PATH"]):
            pytest.skip(f"needs {tool}")
    ours = assert_same(["/bin/bash", "-c", IN_A_FOLDER.replace("{script}", script)], ram="1G")
    assert not ours.unknown
