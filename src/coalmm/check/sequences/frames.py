"""frame_alloc and frame_free, and the numbers between them."""

from random import Random

from coalmm.check.functions import PAGE
from coalmm.check.protocol import FLAG_PHYSICAL, Ref
from coalmm.check.recording import Recording
from coalmm.check.sequences.generator import Generator, Object
from coalmm.check.traits import Traits

READERS = ("frame_get_free_memory", "frame_get_stats", "get_meminfo", "frame_get_total_memory")


class FrameCalls(Generator):
    """Single frames; where the target lets them be reached, each holds a pattern."""

    needs = frozenset({"frame_alloc", "frame_free"})

    def __init__(self, recording: Recording, random: Random, traits: Traits) -> None:
        super().__init__(recording, random, traits)
        self.live: list[Object] = []
        self.most = min(random.choice([2, 16, 100, 1000]), max(traits.frames, 2))
        self.readers = [name for name in READERS if name in self.has and random.random() < 0.8]

    def start(self) -> None:
        """Alone with the frames, the counts may be followed exactly."""
        self.recording.model.frames.exact = self.traits.exact_frames

    def step(self) -> None:
        """Allocate, free, read the numbers."""
        dice = self.random.random()
        if self.readers and dice < 0.25:
            self.read()
        elif not self.live or (dice < 0.65 and len(self.live) < self.most):
            item = Object(self.add("frame_alloc"), PAGE)
            if self.traits.reads_frames and self.random.random() < 0.5:
                item.seed = self.seed()
                self.add("fill", item.ref, PAGE, item.seed, flags=FLAG_PHYSICAL)
            self.live.append(item)
        else:
            self.free(self.random.randrange(len(self.live)))

    def read(self) -> None:
        """Numbers, one after the other, so that they can be compared."""
        for name in self.random.sample(self.readers, min(2, len(self.readers))):
            self.add(name, *structure(name, self.traits.word))

    def free(self, place: int) -> None:
        """Look at a frame and give it back."""
        item = self.live.pop(place)
        if item.seed:
            self.add("differs", item.ref, PAGE, item.seed, flags=FLAG_PHYSICAL)
        self.add("frame_free", item.ref)

    def settle(self) -> None:
        """Forget what was 0."""
        self.live = [item for item in self.live if self.given(item)]

    def finish(self) -> None:
        """Free all."""
        self.flush()
        while self.live:
            self.free(self.random.randrange(len(self.live)))
        if self.readers:
            self.read()


def structure(name: str, word: int) -> tuple[Ref, ...]:
    """Where a function fills its structure in: the last bytes before the guard page of the driver's buffer."""
    from coalmm.check.functions import FUNCTIONS, STRUCTURES
    from coalmm.check.protocol import SLOT_BUFFER_END

    kind = FUNCTIONS[name].structure
    return (Ref(SLOT_BUFFER_END, -word * len(STRUCTURES[kind])),) if kind else ()
