"""Machines to misuse."""

import pytest
from scene import Scene

import coalmm


@pytest.fixture
def paging():
    return "i386"


@pytest.fixture
def kernel(paging):
    with coalmm.boot(ram="16M", paging=paging) as kernel:
        yield kernel
        kernel.injection.disarm()
        kernel.validate()


@pytest.fixture
def scene(kernel):
    """A machine with live objects, checked at the end too."""
    scene = Scene(kernel)
    yield scene
    scene.check()


@pytest.fixture
def bare():
    """A machine whose heap was never given memory."""
    with coalmm.boot(ram="8M", heap=False) as kernel:
        yield Scene(kernel, busy=False)
        kernel.validate()


@pytest.fixture
def debug():
    """A machine with red zones and poison."""
    with coalmm.boot(ram="16M", debug=True) as kernel:
        scene = Scene(kernel)
        yield scene
        kernel.validate()
