"""The numbers that are written down here are those of the installed Unicorn."""

import pytest
from unicorn import unicorn_const, x86_const

from coalmm.linux.cpu import unicorn_numbers

CONSTANTS = {name: value for name, value in vars(unicorn_numbers).items() if name.startswith("UC_")}


@pytest.mark.parametrize(("name", "value"), CONSTANTS.items(), ids=list(CONSTANTS))
def test_a_constant_is_that_of_its_headers(name, value):
    assert getattr(x86_const if name.startswith("UC_X86") else unicorn_const, name) == value


def test_registers_have_its_numbers():
    theirs = {name: getattr(x86_const, f"UC_X86_REG_{name.upper()}") for name in unicorn_numbers.REGISTERS}
    assert theirs == unicorn_numbers.REGISTERS
