"""Mapping, unmapping and cloning in every format: the first facts. More stands beside it by subject."""

import pytest
from paging_machine import MIB, RW, PagingMachine

from coalmm.hardware.formats import FORMATS

PAGE = 0x40_0000


@pytest.fixture(params=FORMATS)
def machine(request):
    return PagingMachine(request.param)


def test_a_mapped_page_translates_and_an_unmapped_one_does_not(machine):
    frame = machine.frame()
    free = machine.free
    assert machine.map(PAGE, frame) == 0
    assert machine.physical(PAGE + 0x123) == frame + 0x123
    machine.validate()
    assert machine.unmap(PAGE) == 0
    assert machine.physical(PAGE) == 0
    assert machine.free == free  # the tables went back
    machine.validate()


def test_ram_is_mapped_in_the_kernel_half(machine):
    for paddr in (0, 0x1234, machine.ram.size - 1):
        assert machine.physical(machine.form.kernel_base + paddr) == paddr
    assert machine.physical(machine.form.kernel_base + 16 * MIB) == 0


def test_a_clone_shares_pages_copy_on_write_and_goes_back_whole(machine):
    free = machine.free
    frame = machine.frame()
    machine.map(PAGE, frame)
    copy = machine.tables.clone(machine.root)
    assert machine.entry(PAGE) == machine.entry(PAGE, copy) == frame | RW & ~2 | 0x200
    machine.validate()
    machine.tables.free(copy)
    machine.unmap(PAGE)
    machine.frames.free(frame)
    assert machine.free == free
    machine.validate()
