"""A RAM that cannot be had leaves the host process as it was."""

import os

import pytest

from coalmm.hardware.ram import Ram


@pytest.mark.parametrize("size", [0, 5, 1 << 60])
def test_a_refused_size_closes_no_file_of_the_process(size: int) -> None:
    reader, writer = os.pipe()
    saved = os.dup(0) if is_open(0) else -1
    os.dup2(reader, 0)
    try:
        with pytest.raises(ValueError):
            Ram(size)
        assert is_open(0)
    finally:
        if saved >= 0:
            os.dup2(saved, 0)
            os.close(saved)
        os.close(reader)
        os.close(writer)


def is_open(fd: int) -> bool:
    """Whether the process has a file descriptor of this number."""
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
