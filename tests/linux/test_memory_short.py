"""Memory runs out anywhere: the program gets -ENOMEM or is ended with a report, and the machine goes on."""

import pytest
from guests import PAGING, program, run_on_ours


def fail(nth, counts):
    """From the program's start on, the nth request for memory fails; `counts` gets how many did."""

    def prepare(system, task):
        injection = system.kernel.failing(nth=nth)
        entered = injection.__enter__()
        close = system.close

        def close_after():
            counts.append(entered.failed)
            injection.__exit__(None, None, None)
            close()

        system.close = close_after

    return prepare


@pytest.mark.parametrize("first", range(4))
def test_any_request_may_fail(first):
    path = program("short", "64")
    counts = []
    for nth in range(1 + 6 * first, 160, 24):
        run = run_on_ours([path], ram="16M", timeout=30.0, prepare=fail(nth, counts))
        assert run.ended
        assert not run.oopses, run.oopses
        assert run.outcome.status or b"end" in run.outcome.stdout
    assert sum(counts) >= len(counts) - 1


@pytest.mark.parametrize("flavour", ["64", "32"])
@pytest.mark.parametrize("ram", ["4M", "6M", "8M"])
def test_a_small_machine_ends_programs_and_not_itself(flavour, ram):
    run = run_on_ours([program("greedy", flavour)], ram=ram, paging=PAGING[flavour], timeout=60.0)
    assert run.ended
    assert not run.oopses, run.oopses
    assert b"asked for" in run.outcome.stdout
    assert run.outcome.status == 9 or b"end" in run.outcome.stdout
