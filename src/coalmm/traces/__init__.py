"""Allocation traces of real programs, read as one stream of events.

    with coalmm.traces.open_trace("cc1.mtrace.xz") as trace:
        for chunk in trace.chunks():
            ...

The format is found by content, the file may be plain, .gz, .xz or .zst, and is never held whole.
"""

from coalmm.traces.chunk import Chunk
from coalmm.traces.trace import Trace, open_trace

__all__ = ["Chunk", "Trace", "open_trace"]
