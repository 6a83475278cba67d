"""What the tests of the readers share: a file made of text or bytes, and its events."""

from pathlib import Path

from coalmm.traces import Trace, open_trace
from coalmm.traces.chunk import Event

SAMPLES = Path(__file__).parent / "samples"


def write(folder: Path, content: str | bytes, name: str = "trace") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: str | Path) -> tuple[Trace, list[Event]]:
    """The trace, read to its end and closed, and all its events."""
    with open_trace(path) as trace:
        return trace, [event for chunk in trace.chunks() for event in chunk]


def steps(events: list[Event]) -> list[tuple[int, int, int]]:
    """(op, slot, size) of each."""
    return [(event.op, event.slot, event.size) for event in events]
