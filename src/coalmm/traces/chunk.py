"""A run of events as a struct of arrays: what the readers yield and the replay consumes."""

from array import array

from coalmm.typed import Iterator, NamedTuple


class Event(NamedTuple):
    """One event. `slot` is the block's number while it lives; numbers are used again after a free."""

    op: int
    slot: int
    size: int
    align: int
    label: int
    site: int
    time: float


class Chunk:
    """Columns of equal length; event i is row i.

    ops 'B': ALLOCATE ... PAGE_FREE of traces.constants. slots 'I': the block, below the peak number of
    live blocks. sizes 'Q': bytes asked for, 0 in frees. aligns 'I': bytes, 0 where the trace has none.
    labels 'I': index into `Trace.caches`, or the order in page events. sites 'I': index into
    `Trace.sites`, 0 where not known. times 'd': seconds, 0.0 where the format has no time.
    """

    __slots__ = ("aligns", "labels", "ops", "sites", "sizes", "slots", "times")

    def __init__(
        self,
        ops: "array[int]",
        slots: "array[int]",
        sizes: "array[int]",
        aligns: "array[int]",
        labels: "array[int]",
        sites: "array[int]",
        times: "array[float]",
    ) -> None:
        self.ops = ops
        self.slots = slots
        self.sizes = sizes
        self.aligns = aligns
        self.labels = labels
        self.sites = sites
        self.times = times

    def __len__(self) -> int:
        return len(self.ops)

    def __iter__(self) -> Iterator[Event]:
        columns = (self.ops, self.slots, self.sizes, self.aligns, self.labels, self.sites, self.times)
        return map(Event._make, zip(*columns, strict=True))
