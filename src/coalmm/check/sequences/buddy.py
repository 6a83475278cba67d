"""buddy_alloc and buddy_free; at the end the heap must be as whole as at first."""

from random import Random

from coalmm.check.functions import PAGE
from coalmm.check.protocol import Ref
from coalmm.check.recording import Recording
from coalmm.check.sequences.generator import Generator, Object
from coalmm.check.traits import Traits

LARGEST = 16 << 20
MOST_LARGEST = 16


class BuddyCalls(Generator):
    """Blocks of a few orders. As many of the largest ones as at first must be there when all are back."""

    needs = frozenset({"buddy_alloc", "buddy_free"})

    def __init__(self, recording: Recording, random: Random, traits: Traits) -> None:
        super().__init__(recording, random, traits)
        self.live: list[Object] = []
        self.most = random.choice([3, 8, 32, 128])
        self.orders = random.choice([1, 3, 6, 12])
        self.largest = 0

    def start(self) -> None:
        """Find out how large a block can be, and how many of them there are."""
        size = LARGEST
        while size >= PAGE and not self.largest:
            item = Object(self.add("buddy_alloc", size), size)
            self.flush()
            if self.given(item):
                self.largest = size
                self.add("buddy_free", item.ref)
            size >>= 1
        self.take_all()

    def take_all(self) -> None:
        """Allocate and free all of the largest blocks: the model knows how many there were."""
        blocks = [self.add("buddy_alloc", self.largest) for _ in range(MOST_LARGEST if self.largest else 0)]
        for block in blocks:
            self.add("buddy_free", Ref(block.out))

    def step(self) -> None:
        """Allocate, look, free."""
        dice = self.random.random()
        if not self.live or (dice < 0.5 and len(self.live) < self.most):
            self.allocate()
        elif dice < 0.6:
            self.look(self.random.choice(self.live))
        else:
            self.free(self.random.randrange(len(self.live)))

    def allocate(self) -> None:
        """A power of two or something below it."""
        size = PAGE << self.random.randrange(self.orders)
        if self.random.random() < 0.3:
            size -= self.random.randrange(size // 2)
        item = Object(self.add("buddy_alloc", size), size)
        self.fill(item)
        self.live.append(item)

    def free(self, place: int) -> None:
        """Look at a block and give it back."""
        item = self.live.pop(place)
        self.look(item)
        self.add("buddy_free", item.ref)

    def settle(self) -> None:
        """Forget what was NULL."""
        self.live = [item for item in self.live if self.given(item)]

    def finish(self) -> None:
        """Free all in some order, and ask for the largest again."""
        self.flush()
        while self.live:
            self.free(self.random.randrange(len(self.live)))
        self.take_all()
