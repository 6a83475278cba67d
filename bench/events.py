"""Turns an allocation trace into the file of events that every replayer of the bench reads.

    python -m bench.events TRACE FILE

What the file looks like is in event_file.py. A slot is a place in a table of live blocks, the one freed
last is used first, so that the table of the replayer stays small. A request for 0 bytes becomes one for
1 byte: C and the Coal API answer it differently. Frees of blocks that the trace never allocated are left
out and counted as skipped. Reads every format that coalmm.traces does; events of a page allocator have no
place in malloc and are an error.
"""

import json
import sys
from array import array
from dataclasses import asdict
from pathlib import Path

from bench.event_file import HEADER, MAGIC, read_header
from coalmm.traces import Chunk, open_trace
from coalmm.traces.constants import ALLOCATE, ALLOCATE_ZEROED, FREE, REALLOCATE

OPERATIONS = {ALLOCATE: 0, ALLOCATE_ZEROED: 0, REALLOCATE: 1 << 30, FREE: 2 << 30}


class Packer:
    """Packs chunks of a trace into events, and follows the live bytes on the way."""

    def __init__(self) -> None:
        self.events = array("I")
        self.sizes: list[int] = []  # of the live block in each slot, 0 for none
        self.bytes = self.peak_bytes = 0

    def add(self, chunk: Chunk) -> None:
        """Append the events of one chunk. ValueError for events of a page allocator or of 4 GiB and more."""
        for op, slot, size in zip(chunk.ops, chunk.slots, chunk.sizes, strict=True):
            if op not in OPERATIONS or size >= 1 << 32:
                raise ValueError(f"an event of kind {op}, {size} bytes: not for malloc")
            if op != FREE and size == 0:
                size = 1
            while slot >= len(self.sizes):
                self.sizes.append(0)
            self.bytes += size - self.sizes[slot]
            self.sizes[slot] = size
            self.peak_bytes = max(self.peak_bytes, self.bytes)
            self.events.append(OPERATIONS[op] | slot)
            self.events.append(size)

    def write(self, path: Path, skipped: int) -> None:
        """Write the file; it appears under its name only when it is whole."""
        slots = len(self.sizes)
        header = HEADER.pack(MAGIC, len(self.events) // 2, slots, self.peak_bytes, slots, skipped, 0, 0)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            file.write(header)
            self.events.tofile(file)
        part.replace(path)


def prepare(trace: str, path: Path) -> None:
    """Write the events of `trace` to `path`. TraceError or ValueError if it has none."""
    packer = Packer()
    with open_trace(trace) as source:
        for chunk in source.chunks():
            packer.add(chunk)
        skipped = source.recorder.unknown_frees
    if not packer.events:
        raise ValueError(f"{trace}: no event in it")
    packer.write(path, skipped)


if __name__ == "__main__":
    prepare(sys.argv[1], Path(sys.argv[2]))
    print(json.dumps(asdict(read_header(Path(sys.argv[2])))))
