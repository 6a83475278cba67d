"""Bits of 64-bit words, and the check that a caller's number is one.

The compiled modules use the C forms in bits.pxd; both do the same.
"""

WORD_BITS = 64
ALL_ONES = 0xFFFF_FFFF_FFFF_FFFF


def ctz(word: int) -> int:
    """Count trailing zeros: the index of the lowest set bit, 64 for 0."""
    return (word & -word).bit_length() - 1 if word else WORD_BITS


def clz(word: int) -> int:
    """Count leading zeros of a 64-bit word, 64 for 0."""
    return WORD_BITS - word.bit_length()


def popcount(word: int) -> int:
    """How many bits of the word are set."""
    return word.bit_count()


def bit(index: int) -> int:
    """The word in which only bit `index` (modulo 64) is set."""
    return 1 << (index & 63)


def as_u64(value: object) -> int:
    """`value` as an unsigned 64-bit number.

    Raises TypeError for what is not an int, ValueError for what is negative or needs more than 64 bits.
    """
    if not isinstance(value, int):
        raise TypeError(f"an int is needed, not {type(value).__name__}")
    if not 0 <= value <= ALL_ONES:
        raise ValueError(f"{'negative' if value < 0 else 'more than 64 bits'}: {value:#x}")
    return value
