"""Machines with processes, from the virtual layer's tests."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "virtual"))

from machine import Machine


@pytest.fixture
def machine():
    machine = Machine()
    yield machine
    machine.injection.disarm()
    assert machine.ledger() == 0


@pytest.fixture
def process(machine):
    return machine.processes.create("test")
