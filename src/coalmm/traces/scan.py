"""Searching and reading numbers in a block of bytes. The caller's ranges are half-open, inside `data`.

The compiled modules use the C forms in scan.pxd; both do the same.
"""

import re

ALL_ONES = 0xFFFF_FFFF_FFFF_FFFF
HEX = re.compile(rb"(?:0x)?[0-9a-fA-F]{1,16}")


def find_byte(data: bytes, start: int, end: int, byte: int) -> int:
    """Index of the first `byte` in [start, end), or -1."""
    return data.find(byte, start, end)


def find_last_byte(data: bytes, start: int, end: int, byte: int) -> int:
    """Index of the last `byte` in [start, end), or -1."""
    return data.rfind(byte, start, end)


def is_hex(data: bytes, start: int, end: int) -> bool:
    """Whether the range is a number that hex_value reads."""
    return HEX.fullmatch(data, start, end) is not None or data[start:end] == b"(nil)"


def hex_value(data: bytes, start: int, end: int) -> int:
    """The hexadecimal number in the range, at most 16 digits, with or without 0x; "(nil)" is 0.

    ALL_ONES for anything else, which is_hex tells from the number of that value.
    """
    if HEX.fullmatch(data, start, end) is not None:
        return int(data[start:end], 16)
    return 0 if data[start:end] == b"(nil)" else ALL_ONES


def same_bytes(data: bytes, start: int, end: int, other: bytes) -> bool:
    """Whether the range holds exactly `other`."""
    return data[start:end] == other
