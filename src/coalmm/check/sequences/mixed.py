"""All groups at once on one target: what one allocator holds, no other may hand out."""

from random import Random

from coalmm.check.recording import Recording
from coalmm.check.sequences.buddy import BuddyCalls
from coalmm.check.sequences.debug import DebugCalls
from coalmm.check.sequences.frames import FrameCalls
from coalmm.check.sequences.generator import Generator
from coalmm.check.sequences.kmalloc import KmallocCalls
from coalmm.check.sequences.paging import PagingCalls
from coalmm.check.sequences.slab import SlabCalls
from coalmm.check.traits import Traits

GROUPS: dict[str, type[Generator]] = {
    "frames": FrameCalls,
    "paging": PagingCalls,
    "buddy": BuddyCalls,
    "slab": SlabCalls,
    "kmalloc": KmallocCalls,
    "debug": DebugCalls,
}


class MixedCalls(Generator):
    """Runs of calls of each group in turn."""

    def __init__(self, recording: Recording, random: Random, traits: Traits) -> None:
        super().__init__(recording, random, traits)
        kinds = [kind for kind in GROUPS.values() if kind.possible(traits)]
        self.parts = [kind(recording, random, traits) for kind in kinds]
        self.turn = self.parts[0] if self.parts else self

    @classmethod
    def possible(cls, traits: Traits) -> bool:
        """Where there are at least two groups."""
        return sum(kind.possible(traits) for kind in GROUPS.values()) > 1

    def start(self) -> None:
        """The parts in the order of the layers."""
        for part in self.parts:
            part.start()

    def step(self) -> None:
        """A step of the group whose turn it is."""
        if self.random.random() < 0.2:
            self.turn = self.random.choice(self.parts)
        self.turn.step()

    def settle(self) -> None:
        """Each part its own."""
        for part in self.parts:
            part.settle()

    def finish(self) -> None:
        """Each part its own."""
        self.flush()
        for part in self.parts:
            part.finish()


SOURCES: dict[str, type[Generator]] = GROUPS | {"mixed": MixedCalls}
