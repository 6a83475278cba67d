"""The kernel's kmem events as text: `perf script`, `trace-cmd report`, or ftrace's `trace` file.

    true 23182 [001]  1820.633128: kmem:kmalloc: call_site=... ptr=0xffff88810b08f000 bytes_req=4096 ...

Fields are `key=value` in any order and differ between kernel versions; keys that are not used here
are skipped. A kfree may end an object of a cache. mm_page_free_batched repeats an mm_page_free that
stands in the trace too, so it is not an event here.
"""

import re

from coalmm.traces.chunk import Chunk
from coalmm.traces.lines import LONGEST_EVENT, number, read_lines
from coalmm.traces.recorder import Recorder
from coalmm.traces.source import Source
from coalmm.typed import Iterator

ALLOCATIONS = ("kmalloc", "kmalloc_node", "kmem_cache_alloc", "kmem_cache_alloc_node")
EVENTS = frozenset((*ALLOCATIONS, "kfree", "kmem_cache_free", "mm_page_alloc", "mm_page_free"))
TIME = re.compile(r"\d+(?:\.\d+)?")
EVENT = re.compile(rf"(?:({TIME.pattern}):)?\s+(?:kmem:)?({'|'.join(EVENTS)}):\s(.*)")
EXAMPLE = re.compile(
    rb"^# tracer: |^\s*\S.{0,60} \[\d+\] [^:]{0,40}\d\.\d+: +\w+:"
    rb"|\b(?:kmalloc|kfree|kmem_cache_alloc|kmem_cache_free|mm_page_alloc|mm_page_free)(?:_node)?: .*="
)
FIELD = re.compile(r"(\w+)=(\S+)")
NULLS = ("(nil)", "(null)", "0", "0x0")
ORDERS = 52  # 4096 << 51 is the last that 64 bits hold


def recognises(head: bytes) -> bool:
    """Whether the first bytes of a file look like trace events."""
    return any(EXAMPLE.search(line) for line in head.split(b"\n") if len(line) <= LONGEST_EVENT)


def pointer(text: str) -> int:
    """A pointer as the kernel prints it, with or without 0x; (nil) is 0."""
    return 0 if text in NULLS else number(text.removeprefix("0x"), 16)


def split(line: str) -> tuple[str, str, str]:
    """Time, name and fields of an allocation event; the name is "" in any other line.

    `task [cpu] time: event: fields` is cut at the colons, which is quick; the pattern is for tasks with
    colons in their names and lines without a time.
    """
    if len(line) > LONGEST_EVENT:
        return "", "", ""
    head, _, rest = line.partition(": ")
    time = head[head.rfind(" ") + 1 :]
    if TIME.fullmatch(time):
        event, _, rest = rest.lstrip().partition(": ")
        event = event.removeprefix("kmem:")
        return (time, event, rest) if event in EVENTS else ("", "", "")
    found = EVENT.search(line)
    return (found[1] or "", found[2], found[3]) if found else ("", "", "")


class Reader:
    """Lines of events -> calls of the recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def take(self, line: str) -> bool:
        """One line; False if it is not an allocation event."""
        time, event, rest = split(line)
        if not event:
            return line.startswith("#")
        self.recorder.now = float(time) if time else 0.0
        fields = dict(FIELD.findall(rest))
        try:
            self.event(event, fields)
        except KeyError as missing:
            raise ValueError(f"no {missing}") from None
        return True

    def event(self, event: str, fields: dict[str, str]) -> None:
        """One event with its fields. KeyError if a field that it needs is not there."""
        if event == "mm_page_alloc":
            self.pages(fields)
        elif event == "mm_page_free":
            self.recorder.free_pages(self.physical(fields))
        elif event in ("kfree", "kmem_cache_free"):
            self.recorder.free(pointer(fields["ptr"]))
        else:
            self.object(fields)

    def object(self, fields: dict[str, str]) -> None:
        """kmalloc or kmem_cache_alloc, with or without _node."""
        address = pointer(fields["ptr"])
        size = number(fields["bytes_req"], 10)
        cache = self.recorder.cache(fields.get("name", ""))
        site = self.recorder.site(fields.get("call_site", ""))
        if "__GFP_ZERO" in fields.get("gfp_flags", ""):
            self.recorder.allocate_zeroed(address, size, cache, site)
        else:
            self.recorder.allocate(address, size, 0, cache, site)

    def pages(self, fields: dict[str, str]) -> None:
        """mm_page_alloc; no page is a failure."""
        order = number(fields["order"], 10)
        if order >= ORDERS:
            raise ValueError("order")
        address = self.physical(fields)
        if address:
            self.recorder.allocate_pages(address, order, 0)
        else:
            self.recorder.failed += 1

    def physical(self, fields: dict[str, str]) -> int:
        """Physical address of the first page; older kernels print the pfn in decimal."""
        text = fields["pfn"]
        if text in NULLS:
            return 0
        pfn = number(text[2:], 16) if text.startswith("0x") else number(text, 10)
        if pfn >> 51:
            raise ValueError("pfn")
        return pfn << 12


def read(source: Source, recorder: Recorder) -> Iterator[Chunk]:
    """The chunks of a whole file. TraceError at a line that cannot be read."""
    return read_lines(source, recorder, Reader(recorder).take)
