"""An open trace: its format, its chunks of events, and what was counted while reading them."""

import os

from coalmm.errors import TraceError
from coalmm.traces import detect
from coalmm.traces.chunk import Chunk
from coalmm.traces.recorder import Recorder
from coalmm.traces.source import Source
from coalmm.typed import Iterator, TracebackType


class Trace:
    """One trace file, read once from start to end.

    format: a name of detect.FORMATS. source: the file, with `position` of `size` bytes read. recorder:
    the counts so far. sites, caches: names by the numbers in the events' columns; they grow while reading.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.source = Source(path)
        try:
            self.format = detect.find_format(self.source)
        except BaseException:
            self.source.close()
            raise
        self.recorder = Recorder()
        self.sites = self.recorder.sites
        self.caches = self.recorder.caches

    def chunks(self) -> Iterator[Chunk]:
        """The events, in chunks. TraceError where the file cannot be read on, or has no event at all."""
        yield from detect.read(self.format, self.source, self.recorder)
        if not self.recorder.recognised():
            raise TraceError(f"{self.source.name}: looks like {self.format}, but has no allocation in it")

    def close(self) -> None:
        """Give the file back."""
        self.source.close()

    def __enter__(self) -> "Trace":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_trace(path: str | os.PathLike[str]) -> Trace:
    """Open a trace file ("-" is standard input). TraceError if it is unreadable or of no known format."""
    return Trace(path)
