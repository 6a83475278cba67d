"""What the generators have in common: they queue operations, and see the answers when a batch has run."""

from dataclasses import dataclass
from random import Random

from coalmm.check.protocol import Op, Ref
from coalmm.check.recording import Recording
from coalmm.check.traits import Traits


@dataclass(slots=True)
class Object:
    """Something that was asked for. Until the batch has run it may yet be NULL; the driver then skips its uses."""

    op: Op
    size: int
    seed: int = 0  # of the pattern in it; 0: none
    home: object = None  # its cache
    before: "Object | None" = None  # what krealloc was given

    @property
    def ref(self) -> Ref:
        """The pointer."""
        return Ref(self.op.out)


class Generator:
    """Operations of one group. A run is `start`, `step` many times, `finish`: then nothing is live."""

    needs: frozenset[str] = frozenset()  # functions without which it does nothing

    def __init__(self, recording: Recording, random: Random, traits: Traits) -> None:
        self.recording = recording
        self.random = random
        self.traits = traits
        self.has = traits.present
        self.add = recording.add
        self.seeds = 0

    @classmethod
    def possible(cls, traits: Traits) -> bool:
        """Whether the target has what it needs."""
        return cls.needs <= traits.present

    def start(self) -> None:
        """Once, before the first step."""

    def step(self) -> None:
        """Queue an operation or a few."""
        raise NotImplementedError

    def settle(self) -> None:
        """The queue has run: drop what was not given."""

    def finish(self) -> None:
        """Give everything back."""

    def flush(self) -> None:
        """Run the queue now."""
        self.recording.flush()
        self.settle()

    def seed(self) -> int:
        """The number of a pattern that is not in use."""
        self.seeds += 1
        return self.seeds % 900 + 1

    def fill(self, item: Object) -> None:
        """Write a pattern of its own into an object."""
        item.seed = self.seed()
        self.add("fill", item.ref, item.size, item.seed)

    def look(self, item: Object) -> None:
        """Have its pattern looked at."""
        if item.seed:
            self.add("differs", item.ref, item.size, item.seed)

    def given(self, item: Object) -> bool:
        """Whether it was given (after a flush)."""
        return self.recording.value(item.op) != 0
