"""Machines whose frames are all accounted for at the end."""

import pytest

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
