"""Each row of the bad-input table that must hold has a test named after its id."""

import re

from machines import PROJECT

IDS = PROJECT / "tests" / "bad_inputs" / "ids.txt"
ELSEWHERE = {
    "B317": "class HeapMachine",  # random calls beside models: the state machines of each layer
}


def named():
    """The ids in the names of tests; `b001_to_b003` names a range."""
    found = set()
    for path in (PROJECT / "tests").rglob("test_*.py"):
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8")):
            found |= {int(number) for number in re.findall(r"_b(\d{3})", name)}
            for first, last in re.findall(r"_b(\d{3})_to_b(\d{3})", name):
                found |= set(range(int(first), int(last) + 1))
    return {f"B{number:03}" for number in found}


def test_every_row_that_must_hold_has_a_test():
    rows = [line.split() for line in IDS.read_text(encoding="utf-8").splitlines() if line.startswith("B")]
    must = {row[0] for row in rows if row[1] == "M"}
    assert len(must) > 200
    assert must - named() - set(ELSEWHERE) == set()


def test_what_is_tested_elsewhere_is_there():
    sources = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "tests").rglob("test_*.py"))
    assert all(text in sources for text in ELSEWHERE.values())
