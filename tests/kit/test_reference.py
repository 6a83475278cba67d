"""The correct implementation passes everything, misuse included."""

from targets import REFERENCE

from coalmm.check.functions import FUNCTIONS
from coalmm.check.kit import Options, check_target
from coalmm.check.result import PASS


def test_every_check_passes_and_none_is_skipped():
    report = check_target(REFERENCE, Options(seconds=3.0, seed=1, strict=True))
    assert [(result.check, result.message) for result in report.results if result.status != PASS] == []
    assert report.present == set(FUNCTIONS)
    assert report.calls > 10_000
