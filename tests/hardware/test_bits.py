"""Numbers of callers: what is taken as an unsigned 64-bit number, at every length of an int in CPython."""

import pytest

import coalmm
from coalmm import api

EDGES = sorted({edge for shift in (0, 1, 29, 30, 31, 59, 60, 61, 63, 64) for edge in (1 << shift, (1 << shift) - 1)})


class Number(int):
    """An int of another type."""


@pytest.fixture(scope="module")
def kernel():
    with coalmm.boot("4M") as kernel:
        yield kernel


@pytest.mark.parametrize("number", [edge for edge in EDGES if edge < 1 << 64])
@pytest.mark.parametrize("kind", [int, Number])
def test_a_64_bit_number_is_named_whole_in_the_error(kernel, number, kind):
    if number:
        with pytest.raises(coalmm.MisuseError, match=rf"^{number:#x}\b"):
            api.kfree(kind(number))


@pytest.mark.parametrize("number", [-1, -(1 << 30), -(1 << 60), 1 << 64, 1 << 90, -(1 << 64)])
def test_what_needs_a_sign_or_more_bits_is_refused(kernel, number):
    with pytest.raises(ValueError, match="negative" if number < 0 else "64 bits"):
        api.kfree(number)


@pytest.mark.parametrize("what", [None, 1.0, "1", b"1", [], float("nan"), object()])
def test_what_is_no_int_is_refused(kernel, what):
    with pytest.raises(TypeError, match="an int is needed"):
        api.kmalloc(what)


def test_true_is_one(kernel):
    address = api.kmalloc(True)
    assert api.kmalloc_size(address) >= 1
    api.kfree(address)


def test_two_machines_hand_out_the_same_address_as_equal_ints():
    with coalmm.boot("4M"):
        first = api.kmalloc(64)
    with coalmm.boot("4M"):
        assert api.kmalloc(64) == first
        assert api.kmalloc(64) != first
