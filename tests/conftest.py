"""What every test stands on: the mode that was asked for, small machines, and no lost frame."""

import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import coalmm
import rounds
from machines import PAGING, Ledger

TESTS = Path(__file__).parent
COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck), "print_blob": True}
settings.register_profile("suite", derandomize=True, max_examples=30, stateful_step_count=40, **COMMON)
settings.register_profile("deep", max_examples=400, stateful_step_count=120, **COMMON)
settings.load_profile("deep" if os.environ.get("COALMM_TESTS") == "deep" else "suite")


def pytest_collection_modifyitems(config, items):
    """What another run has is left out. What takes long comes first, so that no worker still has it at the end."""
    kept, left, numbers, long = [], [], Counter(), []
    for item in items:
        path = item.path.relative_to(TESTS).as_posix()
        is_left = rounds.is_left_out(path, numbers[path])
        (left if is_left else long if rounds.is_in(path, rounds.LONG) else kept).append(item)
        numbers[path] += 1
    items[:] = long + kept
    config.hook.pytest_deselected(items=left)


def pytest_configure(config):
    """A suite that ran in another mode than the one asked for has tested nothing."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background jobs ignore these, and
    for number in (signal.SIGQUIT, signal.SIGHUP):  # programs natively run would, too
        signal.signal(number, signal.SIG_DFL)
    asked = os.environ.get("COALMM_MODE")
    if asked and asked != coalmm.MODE:
        pytest.exit(f"COALMM_MODE is {asked}, but the modules loaded are {coalmm.MODE}", returncode=3)


def pytest_report_header(config):
    return f"coalmm {coalmm.__version__}, {coalmm.MODE}"


@pytest.fixture
def keep_frames():
    """`keep_frames(kernel)` has that machine checked when it is closed: every frame must come back."""
    kept = []

    def keep(kernel):
        ledger, close = Ledger(kernel), kernel.close

        def check_and_close():
            if not kernel.closed:
                kernel.close = close
                ledger.close()
                close()

        kernel.close = check_and_close
        kept.append(kernel)
        return kernel

    yield keep
    for kernel in kept:
        kernel.close()


@pytest.fixture
def kernel(keep_frames):
    """A machine of 4 MiB that must not lose a frame."""
    with coalmm.boot(ram="4M") as machine:
        yield keep_frames(machine)


@pytest.fixture(params=PAGING)
def each_kernel(request, keep_frames):
    """One in each paging mode."""
    with coalmm.boot(ram="4M", paging=request.param) as machine:
        yield keep_frames(machine)


@pytest.fixture
def debug_kernel(keep_frames):
    """One with red zones and poison."""
    with coalmm.boot(ram="4M", paging="x86_64", debug=True) as machine:
        yield keep_frames(machine)
