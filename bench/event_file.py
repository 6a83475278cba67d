"""The file of events that the replayers read; events.py writes it, replay.c and replay_coal.py read it.

    header   8 words: magic "COALEV01", events, slots, peak live bytes, peak live blocks, skipped, 0, 0
    event    u32 slot | operation << 30, u32 size     (0 allocate, 1 resize, 2 free)
"""

import struct
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"COALEV01"
HEADER = struct.Struct("<8s7Q")


@dataclass(frozen=True)
class Header:
    """What a file of events says about itself; sizes in bytes."""

    events: int
    slots: int
    peak_bytes: int
    peak_blocks: int
    skipped: int


def read_header(path: Path) -> Header:
    """The header of a file of events. ValueError if it is none."""
    with path.open("rb") as file:
        raw = file.read(HEADER.size)
    if len(raw) < HEADER.size or not raw.startswith(MAGIC):
        raise ValueError(f"{path} is not a file of events")
    return Header(*HEADER.unpack(raw)[1:6])
