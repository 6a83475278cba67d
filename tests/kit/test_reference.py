"""The correct implementation passes everything, misuse included. It has no TLB: tests/kit/test_tlb.py gives it one."""

from targets import REFERENCE

from coalmm.check.functions import FUNCTIONS
from coalmm.check.kit import Options, check_target
from coalmm.check.result import PASS


def test_every_check_passes_and_none_is_skipped():
    report = check_target(REFERENCE, Options(seconds=3.0, seed=1, strict=True))
    judged = [result for result in report.results if not result.check.endswith("-tlb")]
    assert [(result.check, result.message) for result in judged if result.status != PASS] == []
    assert len(report.results) - len(judged) == 6
    assert report.present == set(FUNCTIONS)
    assert report.calls > 10_000
