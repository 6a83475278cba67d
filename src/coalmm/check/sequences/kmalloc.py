"""kmalloc, kmalloc_aligned, kzalloc, krealloc, kfree and kmalloc_size."""

from random import Random

from coalmm.check.recording import Recording
from coalmm.check.sequences.generator import Generator, Object
from coalmm.check.traits import Traits


class KmallocCalls(Generator):
    """Sizes of one scale in one run, so that each run puts stress on another part of the allocator."""

    needs = frozenset({"kmalloc", "kfree"})

    def __init__(self, recording: Recording, random: Random, traits: Traits) -> None:
        super().__init__(recording, random, traits)
        self.live: list[Object] = []
        self.most = random.choice([4, 16, 64, 256])
        self.scale = random.choice([16, 64, 256, 1024, 4096, 16384, 100_000, 1_000_000])
        self.kinds = ["kmalloc", "kmalloc"]
        self.kinds += [name for name in ("kmalloc_aligned", "kzalloc") if name in self.has and random.random() < 0.7]
        self.reallocates = "krealloc" in self.has and random.random() < 0.7

    def size(self) -> int:
        """A number of bytes: anything up to the scale, or next to a power of two."""
        size = self.random.randint(1, self.scale)
        if self.random.random() < 0.4:
            size = max(1, (1 << size.bit_length() - 1) + self.random.choice([-1, 0, 1]))
        return size

    def step(self) -> None:
        """Mostly allocate while few are live, mostly free when many are."""
        dice = self.random.random()
        if not self.live or (dice < 0.55 and len(self.live) < self.most):
            self.allocate(self.random.choice(self.kinds), self.size())
        elif dice < 0.7 and self.reallocates:
            self.reallocate(self.random.randrange(len(self.live)), self.size())
        elif dice < 0.75:
            self.ask(self.random.choice(self.live))
        elif dice < 0.8:
            self.look(self.random.choice(self.live))
        else:
            self.free(self.random.randrange(len(self.live)))

    def allocate(self, function: str, size: int) -> None:
        """A new object with a pattern."""
        if function == "kmalloc_aligned":
            op = self.add(function, size, 1 << self.random.randint(3, 9 if self.random.random() < 0.9 else 12))
        else:
            op = self.add(function, size)
        item = Object(op, size)
        if function == "kzalloc":
            self.add("nonzero", item.ref, size)
        self.fill(item)
        self.live.append(item)

    def reallocate(self, place: int, size: int) -> None:
        """An object grows or shrinks; the bytes that both have are looked at."""
        old = self.live[place]
        if old.before is not None:
            return  # whether the old one is still there is not known yet
        new = Object(self.add("krealloc", old.ref, size), size, before=old)
        new.size, new.seed = min(size, old.size), old.seed
        self.look(new)
        new.size = size
        self.fill(new)
        self.live[place] = new

    def ask(self, item: Object) -> None:
        """Its size."""
        if "kmalloc_size" in self.has and item.before is None:
            self.add("kmalloc_size", item.ref)

    def free(self, place: int) -> None:
        """Look at an object and give it back."""
        item = self.live[place]
        if item.before is not None:
            return
        self.live[place] = self.live[-1]
        self.live.pop()
        self.look(item)
        self.add("kfree", item.ref)

    def settle(self) -> None:
        """A krealloc that gave NULL left the old object."""
        kept = []
        for item in self.live:
            if not self.given(item) and item.before is not None:
                item = item.before
            item.before = None
            if self.given(item):
                kept.append(item)
        self.live = kept

    def finish(self) -> None:
        """Free all, in some order."""
        self.flush()
        self.random.shuffle(self.live)
        while self.live:
            self.free(len(self.live) - 1)
