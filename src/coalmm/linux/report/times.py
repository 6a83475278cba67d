"""Page faults as the programs go on: counts by kind in buckets, which grow wider with the run.

The measure is what programs do, system calls and page faults, so that a slow host draws the same picture.
"""

from __future__ import annotations

from coalmm.typed import TYPE_CHECKING
from coalmm.virtual.address_space import FAULT_KINDS
from coalmm.virtual.constants import S_FAULTS_ZERO

if TYPE_CHECKING:
    from coalmm.linux.system import System

FIRST_WIDTH = 4  # system calls and faults in a bucket
MOST_BUCKETS = 240
MOST_SPACES = 4096
COUNTERS = len(FAULT_KINDS)
NOTHING = [0] * COUNTERS


class FaultTimes:
    """Called after each fault of a program; which kind it was is read from the counters of its address space."""

    def __init__(self, system: System) -> None:
        kernel = system.kernel
        self.calls = system.dispatcher.counts
        self.faults = 0
        self.spaces = kernel.processes.spaces
        self.mmu = kernel.mmu
        self.words = kernel.ram.words
        self.width = FIRST_WIDTH
        self.buckets: list[list[int]] = [list(NOTHING)]
        self.before: dict[int, list[int]] = {}

    def __call__(self, vaddr: int, access: int, error: int) -> None:
        """One fault more, of the current directory."""
        space = self.spaces.space_of(self.mmu.cr3)
        if not space:
            return
        first = (space >> 3) + S_FAULTS_ZERO
        now = [self.words[at] for at in range(first, first + COUNTERS)]
        before = self.before.get(space, NOTHING)
        if sum(now) < sum(before):  # another space, in the same place
            before = NOTHING
        if len(self.before) >= MOST_SPACES:
            self.before.clear()
        self.before[space] = now
        self.faults += 1
        bucket = self.bucket()
        for kind in range(COUNTERS):
            bucket[kind] += now[kind] - before[kind]

    def bucket(self) -> list[int]:
        """The counts of this moment."""
        place = (self.faults + sum(sum(counts.values()) for counts in self.calls.values())) // self.width
        while place >= MOST_BUCKETS:
            pairs = zip(self.buckets[::2], [*self.buckets[1::2], NOTHING], strict=False)
            self.buckets = [[a + b for a, b in zip(*pair, strict=True)] for pair in pairs]
            self.width *= 2
            place //= 2
        while len(self.buckets) <= place:
            self.buckets.append(list(NOTHING))
        return self.buckets[place]

    def by_kind(self) -> dict[str, list[int]]:
        """Faults in each bucket, by kind."""
        return {kind: [bucket[number] for bucket in self.buckets] for number, kind in enumerate(FAULT_KINDS)}
