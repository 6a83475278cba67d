"""RAM: sparse, and known to be; anonymous, or a memfd on request."""

import mmap

import pytest

from coalmm.hardware.ram import Ram

MIB = 1 << 20


@pytest.mark.parametrize("shared", [False, True])
def test_only_what_was_written_is_backed(shared):
    ram = Ram(1 << 36, shared=shared)
    for paddr in (0, 5 * MIB + 4000, (1 << 36) - 1):
        ram.write(paddr, b"x")
    backed = list(ram.extents())
    assert [start >> 12 for start, _ in backed] == [0, 5 * MIB >> 12, (1 << 36) - 4096 >> 12]
    assert ram.touched() == sum(end - start for start, end in backed) == 3 * 4096


@pytest.mark.parametrize("shared", [False, True])
def test_frames_that_lie_together_are_one_extent(shared):
    ram = Ram(4 * MIB, shared=shared)
    ram.fill(8192, 3 * 4096, 1)
    assert list(ram.extents()) == [(8192, 5 * 4096)]


def test_both_kinds_have_one_digest():
    rams = [Ram(2 * MIB), Ram(2 * MIB, shared=True)]
    for ram in rams:
        ram.write(12345, b"hello")
        ram.write(MIB, bytes(4096))  # backed, but zero
    assert rams[0].digest() == rams[1].digest() != Ram(2 * MIB).digest()


def test_shared_ram_can_be_mapped_again_and_other_ram_has_no_file():
    ram = Ram(MIB, shared=True)
    ram.write(4096, b"seen")
    with mmap.mmap(ram.fd, MIB) as again:
        assert again[4096:4100] == b"seen"
    assert Ram(MIB).fd == -1


def test_backing_makes_zero_frames_and_outside_of_ram_is_refused():
    ram = Ram(4 * MIB)
    ram.back(MIB, 64 * 4096)
    assert ram.touched() >= 64 * 4096  # a host that cannot do it ahead does it at the first touch: none did
    assert ram.read(MIB, 64 * 4096) == bytes(64 * 4096)
    with pytest.raises(IndexError):
        ram.back(4 * MIB, 4096)
