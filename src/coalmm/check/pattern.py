"""The patterns of driver/patterns.h, computed here."""

PERIOD, STEP = 4099, 61


def _table() -> bytes:
    x, table = 1, bytearray()
    for _ in range(PERIOD):
        x = (x * 1664525 + 1013904223) & 0xFFFF_FFFF
        table.append(x >> 24)
    return bytes(table)


TABLE = _table()


def pattern(seed: int, size: int) -> bytes:
    """The first bytes of pattern `seed`."""
    start = seed * STEP % PERIOD
    return (TABLE * ((start + size) // PERIOD + 1))[start : start + size]
