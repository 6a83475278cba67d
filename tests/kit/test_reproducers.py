"""Every program that is printed compiles, and fails as the check did."""

import pytest
from fault_table import FAULTS
from targets import faulty, reproduced

from coalmm.check.kit import Options, check_target

NAMES = ("clone takes no hold", "order rounded down", "realloc leaks", "last object not destructed")


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault[0] in NAMES], ids=lambda fault: fault[0])
def test_programs_of_directed_checks_fail_as_they_did(tmp_path, fault):
    report = check_target(faulty(tmp_path, *fault[1:]), Options(seconds=0.0, strict=True))
    assert report.failed
    for result in report.of("fail"):
        ended = reproduced(tmp_path, result)
        assert ended.returncode != 0, result.check
        if result.kind == "directed":
            assert result.message.split(":")[0] in ended.stdout
