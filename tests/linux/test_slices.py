"""The end of a slice of time comes between instructions, never within one."""

from guests import assert_same, program


def shorten(system, task):
    """Slices as short as the ticker can make them."""
    step = system.scheduler.step
    system.scheduler.step = lambda *limit: step(100)


def test_an_instruction_is_done_once_whenever_a_slice_ends():
    assert_same([program("slices", "64")], prepare=shorten)
