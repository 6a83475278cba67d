"""Which physical addresses are usable RAM, as the firmware of a PC reports them (an e820 map).

The address range is `[0, top)`. What no usable range covers is reserved: a hole, a device, the
firmware; it may be mapped (memory-mapped input and output) but is never handed out.
"""

from coalmm.hardware.constants import FRAME_MASK
from coalmm.typed import Iterable, Iterator, NamedTuple

USABLE = "usable"
RESERVED = "reserved"
LOW_END = 640 << 10  # conventional memory ends here
EXTENDED_START = 1 << 20  # and goes on here, above the video memory and the firmware
DEVICE_START = 3 << 30  # 32-bit devices answer from here
DEVICE_END = 4 << 30


class Range(NamedTuple):
    """Physical addresses `[start, end)`, in bytes, of one kind: "usable" or "reserved"."""

    start: int
    end: int
    kind: str = USABLE

    @property
    def size(self) -> int:
        """Bytes."""
        return self.end - self.start


class MemoryMap:
    """Ranges of physical memory, in order of address and without overlap.

    Raises ValueError for a range that is empty, negative, of another kind, or overlaps its neighbour.
    """

    def __init__(self, ranges: Iterable[Range | tuple[int, int, str]]) -> None:
        listed = (item if isinstance(item, Range) else Range(*item) for item in ranges)
        self.ranges = tuple(sorted(listed, key=lambda item: item.start))
        end = 0
        for item in self.ranges:
            if item.kind not in (USABLE, RESERVED):
                raise ValueError(f"a range of memory is usable or reserved, not {item.kind!r}")
            if not end <= item.start < item.end:
                raise ValueError(f"the range {item.start:#x}-{item.end:#x} is empty or overlaps another")
            end = item.end

    @property
    def top(self) -> int:
        """The end of the last range rounded up to whole frames: how many bytes of address range there are."""
        return (self.ranges[-1].end + FRAME_MASK) & ~FRAME_MASK if self.ranges else 0

    def usable(self) -> Iterator[tuple[int, int]]:
        """The usable ranges `(start, end)` trimmed to whole frames, touching ones joined."""
        start = end = 0
        for item in self.ranges:
            if item.kind != USABLE:
                continue
            if item.start != end:
                yield from _whole_frames(start, end)
                start = item.start
            end = item.end
        yield from _whole_frames(start, end)

    def usable_bytes(self) -> int:
        """Bytes of whole usable frames."""
        return sum(end - start for start, end in self.usable())

    def kind(self, paddr: int) -> str:
        """What is at a physical address: "usable" or "reserved"."""
        return next((item.kind for item in self.ranges if item.start <= paddr < item.end), RESERVED)

    def __repr__(self) -> str:
        listed = ", ".join(f"{item.start:#x}-{item.end:#x} {item.kind}" for item in self.ranges)
        return f"MemoryMap({listed})"


def _whole_frames(start: int, end: int) -> Iterator[tuple[int, int]]:
    first = (start + FRAME_MASK) & ~FRAME_MASK
    last = end & ~FRAME_MASK
    if first < last:
        yield first, last


def pc_map(ram_bytes: int) -> MemoryMap:
    """The map of a PC with `ram_bytes` of memory.

    640 KiB, the hole up to 1 MiB (which hides as much memory), the rest; what does not fit below the
    devices at 3 GiB continues at 4 GiB.
    """
    ranges = [Range(0, min(ram_bytes, LOW_END))]
    if ram_bytes > EXTENDED_START:
        ranges.append(Range(LOW_END, EXTENDED_START, RESERVED))
        ranges.append(Range(EXTENDED_START, min(ram_bytes, DEVICE_START)))
    if ram_bytes > DEVICE_START:
        ranges.append(Range(DEVICE_START, DEVICE_END, RESERVED))
        ranges.append(Range(DEVICE_END, DEVICE_END + ram_bytes - DEVICE_START))
    return MemoryMap(ranges)
