"""The four formats: what the manual's tables of bits say about them."""

import pytest

from coalmm.hardware.constants import PAGE_NX
from coalmm.hardware.formats import FORMATS, I386, LA57, PAE, X86_64, bit_range, format_of_number


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_levels_cover_the_address_without_gap_or_overlap(form):
    shift = 12
    for level in reversed(form.levels):
        assert level.shift == shift
        shift += level.bits
    assert shift == form.vaddr_bits


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_every_table_but_a_pae_root_fills_a_frame(form):
    for level in form.levels:
        assert level.entries * form.entry_size == (32 if level.name == "PDPTE" and form is PAE else 4096)


def test_numbers_are_those_of_the_superblock():
    assert [format_of_number(number) for number in range(6)] == [None, I386, PAE, X86_64, LA57, None]


def test_huge_sizes():
    assert I386.huge_sizes == (4 << 20,)
    assert PAE.huge_sizes == (2 << 20,)
    assert X86_64.huge_sizes == LA57.huge_sizes == (2 << 20, 1 << 30)


def test_physical_limits():
    assert I386.physical_limit == 1 << 32
    assert PAE.physical_limit == X86_64.physical_limit == 1 << 52


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_both_ends_of_both_halves_are_canonical_and_what_lies_between_is_not(form):
    for vaddr in (0, form.user_top - 1, form.kernel_base):
        assert form.is_canonical(vaddr)
    first, last = form.hole
    assert form.is_canonical(first - 1) and not form.is_canonical(first)
    assert not form.is_canonical(last)
    assert form.is_canonical(last + 1) == (form.vaddr_bits > 32)
    assert not form.is_canonical(-1) and not form.is_canonical(1 << 64)


def test_non_canonical_addresses_of_the_manual():
    assert not X86_64.is_canonical(0x0000_8000_0000_0000)
    assert not X86_64.is_canonical(0xFFFF_7FFF_FFFF_F000)
    assert X86_64.is_canonical(0xFFFF_FFFF_FFFF_F000)
    assert LA57.is_canonical(0x0000_8000_0000_0000)
    assert not I386.is_canonical(0x1_0000_0000)


def test_reserved_bits_of_huge_leaves_leave_pat_out():
    pat = 1 << 12
    assert I386.reserved_bits(0x83 | bit_range(21, 12), 0) == bit_range(21, 13)
    assert X86_64.reserved_bits(0x83 | bit_range(20, 12), 2) == bit_range(20, 13)
    assert X86_64.reserved_bits(0x83 | bit_range(29, 12), 1) == bit_range(29, 13)
    assert PAE.reserved_bits(0x83 | pat, 1) == 0


def test_reserved_bits_by_level():
    assert X86_64.reserved_bits(0x83, 0) == 0x80  # no PML4E maps a page
    assert X86_64.reserved_bits(0x81 | 1 << 60, 3) == 0  # ignored in 64-bit entries
    assert PAE.reserved_bits(0x81 | 1 << 60, 2) == 1 << 60
    assert PAE.reserved_bits(0x1FF | 1 << 63, 0) == 0x1E6 | 1 << 63


def test_nx_is_reserved_while_it_is_off():
    assert X86_64.reserved_bits(PAGE_NX | 1, 3, nx=False) == PAGE_NX
    assert X86_64.reserved_bits(PAGE_NX | 1, 3, nx=True) == 0


def test_an_entry_in_words_names_its_bits():
    assert X86_64.describe_entry(0x1234_5067 | PAGE_NX, 3) == (
        "PTE 0x8000000012345067: 4 KiB page at 0x12345000 P W U A D NX"
    )
    assert X86_64.describe_entry(0x20_00E7, 2) == "PDE 0x2000e7: 2 MiB page at 0x200000 P W U A D PS"
    assert X86_64.describe_entry(0x3027, 0) == "PML4E 0x3027: table at 0x3000 P W U A"
    assert X86_64.describe_entry(0xFFF0, 3) == "PTE 0xfff0: not present"
    assert "RESERVED(0x80)" in X86_64.describe_entry(0x30A7, 0)
    assert I386.describe_entry(0x5081, 1) == "PTE 0x5081: 4 KiB page at 0x5000 P PAT"
