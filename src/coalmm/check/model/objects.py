"""Live kernel objects: where they are, that they are apart, and what is written in them."""

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass

from coalmm.check.model.call import Call
from coalmm.check.violation import Illegal, Violation


@dataclass(slots=True)
class Live:
    """An object that was handed out and not given back."""

    start: int
    size: int  # bytes that the caller may use
    kind: str  # the allocator: buddy, slab, kmalloc
    out: int
    function: str
    pattern: tuple[int, int] | None = None  # (bytes, seed) that were written
    cache: int = 0


class Objects:
    """All live objects of one address space, by address."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.at: dict[int, Live] = {}

    def add(self, call: Call, kind: str, size: int, cache: int = 0) -> Live:
        """A new object. Violation if it overlaps a live one."""
        live = Live(call.value, size, kind, call.out, call.op.name, cache=cache)
        self.apart(live)
        insort(self.starts, live.start)
        self.at[live.start] = live
        return live

    def apart(self, live: Live) -> None:
        """Violation if another live object shares a byte with this one."""
        place = bisect_right(self.starts, live.start)
        for near in self.starts[max(place - 1, 0) : place + 1]:
            other = self.at[near]
            if other.out != live.out and live.start < other.start + other.size and other.start < live.start + live.size:
                raise Violation(
                    "overlap",
                    f"{live.function} gave {live.start:#x} ({live.size} bytes), which is inside the live object of "
                    f"{other.function} at {other.start:#x} ({other.size} bytes)",
                    f"disjoint(${live.out}, {live.size}, ${other.out}, {other.size})",
                    "Allocated memory or NULL",
                )

    def find(self, address: int, kind: str) -> Live:
        """The live object at an address. Illegal where there is none of this kind."""
        live = self.at.get(address)
        if live is None or live.kind != kind:
            raise Illegal(f"{address:#x} is no live object of {kind}")
        return live

    def remove(self, address: int, kind: str) -> Live:
        """An object is given back."""
        live = self.find(address, kind)
        del self.at[address]
        del self.starts[bisect_left(self.starts, address)]
        return live

    def holder(self, address: int) -> Live | None:
        """The live object that a byte is in."""
        place = bisect_right(self.starts, address) - 1
        if place < 0:
            return None
        live = self.at[self.starts[place]]
        return live if address < live.start + live.size else None

    def of(self, kind: str) -> list[Live]:
        """The live objects of an allocator."""
        return [live for live in self.at.values() if live.kind == kind]
