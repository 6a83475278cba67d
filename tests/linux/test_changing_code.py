"""Translations of code are never stale, in whatever way the code changes; and what the CPU did to page tables."""

import pytest
from guests import PAGING, assert_same, program


@pytest.mark.parametrize("flavour", ["64", "32"])
def test_what_runs_is_what_was_written_last(flavour):
    assert_same([program("changing_code", flavour)], paging=PAGING[flavour])


def test_what_runs_is_what_was_written_last_with_other_page_tables():
    assert_same([program("changing_code", "32")], paging="pae")
    assert_same([program("changing_code", "64")], paging="la57")
