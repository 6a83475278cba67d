"""Sizes as people write them: 64M, 1.5G, 4096."""

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
ENDINGS = [f"{unit}{ending}" for unit in "KMGT" for ending in ("IB", "B", "")] + ["IB", "B", ""]


def parse_size(text: str | int) -> int:
    """Bytes of "64M", "1.5GiB", "4096" or a number; ValueError for anything else, TypeError for other types."""
    if isinstance(text, int):
        return text
    if not isinstance(text, str):
        raise TypeError(f"a size is an int or a str like '64M', not {type(text).__name__}")
    whole = text.strip().upper()
    ending = next(ending for ending in ENDINGS if whole.endswith(ending))
    number = whole.removesuffix(ending).rstrip()
    digits, point, rest = number.partition(".")
    if not (digits.isascii() and digits.isdigit()) or (point and not (rest.isascii() and rest.isdigit())):
        raise ValueError(f"{text!r} is not a size: write 4096, 512K, 64M or 1.5G")
    unit = UNITS[ending.removesuffix("IB").removesuffix("B")]
    return int(float(number) * unit) if point else int(number) * unit


def format_size(size: int) -> str:
    """Bytes in the largest unit that leaves at least 1: "64.0 MiB"."""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024:
            return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
