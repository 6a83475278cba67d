"""The correct implementation passes everything, misuse included."""

import pytest
from targets import REFERENCE

from coalmm.check.functions import FUNCTIONS
from coalmm.check.kit import Options, check_target
from coalmm.check.result import PASS, SKIP


@pytest.fixture(scope="module")
def report():
    return check_target(REFERENCE, Options(seconds=3.0, seed=1, strict=True))


def test_every_check_passes(report):
    assert [(result.check, result.message) for result in report.results if result.status not in (PASS, SKIP)] == []


def test_every_function_is_there(report):
    assert report.present == set(FUNCTIONS)


def test_no_check_is_skipped(report):
    assert [(result.check, result.message) for result in report.of(SKIP)] == []


def test_thousands_of_operations_are_judged(report):
    assert report.calls > 10_000
