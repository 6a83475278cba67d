"""The patterns of driver/patterns.h, computed here."""

PERIOD, STEP, TEXT = 4099, 61, 5000


def _table() -> bytes:
    x, table = 1, bytearray()
    for _ in range(PERIOD):
        x = (x * 1664525 + 1013904223) & 0xFFFF_FFFF
        table.append(x >> 24)
    return bytes(table)


TABLE = _table()
TEXT_TABLE = bytes(byte | 1 for byte in TABLE)


def pattern(seed: int, size: int) -> bytes:
    """The first bytes of pattern `seed`. From 5000 on there is no zero byte in them."""
    start = seed * STEP % PERIOD
    return ((TEXT_TABLE if seed >= TEXT else TABLE) * ((start + size) // PERIOD + 1))[start : start + size]
