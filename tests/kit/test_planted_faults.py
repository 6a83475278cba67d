"""A part of the planted faults is found by the suite too; `make kit-faults` measures all of them."""

import pytest
from fault_table import FAULTS
from faults import measure

EVERY = 10


@pytest.mark.parametrize("fault", FAULTS[::EVERY], ids=lambda fault: fault[0])
def test_a_planted_fault_is_found(fault):
    _seconds, result = measure(fault, 60.0, 1)
    assert result is not None


def test_there_are_at_least_thirty_faults_and_each_has_its_name():
    assert len({fault[0] for fault in FAULTS}) == len(FAULTS) >= 30
