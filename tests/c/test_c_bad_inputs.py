"""Every M row of the bad-input table that makes sense in C, through C: the hook is called once, nothing changes."""

import re

import pytest
from c_programs import PROGRAMS, names_in, needs_library

from machines import PAGING, PROJECT

FILES = ("bad_paging.c", "bad_heap.c", "bad_user.c")
CASES = [(file, paging, test) for file in FILES for paging in PAGING for test in names_in(file)]
NOT_IN_C = {
    "B018": "types of Python", "B114": "types of Python", "B170": "types of Python", "B177": "types of Python",
    "B227": "types of Python", "B242": "types of Python",
    "B056": "needs a CPU that executes", "B326": "needs a CPU that executes",
    "B077": "shared areas are not in coalmm.h", "B079": "a C program cannot fill a reference counter",
}  # fmt: skip


@needs_library
@pytest.mark.parametrize(("file", "paging", "test"), CASES, ids=["-".join(case) for case in CASES])
def test_bad_input(results, file, paging, test):
    results.check(file, test, f"ram=4M paging={paging}")


def test_every_row_that_makes_sense_in_c_is_there():
    rows = (PROJECT / "tests" / "bad_inputs" / "ids.txt").read_text(encoding="utf-8").splitlines()
    wanted = {row.split()[0] for row in rows if " M " in row}
    found = {row.upper() for file in FILES for row in re.findall(r"b\d{3}", " ".join(names_in(file)))}
    assert wanted - found == set(NOT_IN_C)
    assert all("TEST(" in (PROGRAMS / file).read_text(encoding="utf-8") for file in FILES)
