"""Memory debugging between allocations: tracking, leak counts, dumps and statistics change nothing."""

from random import Random

from coalmm.check.recording import Recording
from coalmm.check.sequences.kmalloc import KmallocCalls
from coalmm.check.traits import Traits

MOST_DUMPED = 64  # bytes


class DebugCalls(KmallocCalls):
    """kmalloc's calls, and those that look at them."""

    needs = frozenset({"kmalloc", "kfree", "mem_check_leaks"})

    def __init__(self, recording: Recording, random: Random, traits: Traits) -> None:
        super().__init__(recording, random, traits)
        self.scale = min(self.scale, 4096)
        self.lookers = [name for name in ("mem_check_leaks", "mem_enable_tracking") if name in self.has]
        self.dumps = "mem_dump" in self.has

    def step(self) -> None:
        """Mostly as kmalloc's."""
        dice = self.random.random()
        if dice < 0.05:
            self.add(self.random.choice(self.lookers))
        elif dice < 0.08 and self.dumps and self.live:
            item = self.random.choice(self.live)
            if item.before is None:
                self.add("mem_dump", item.ref, min(item.size, MOST_DUMPED))
        else:
            super().step()
