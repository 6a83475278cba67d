"""Slab caches: created, used, shrunk, destroyed; with and without constructors."""

from dataclasses import dataclass, field
from random import Random

from coalmm.check.model.slabs import CONSTRUCTED
from coalmm.check.protocol import SLOT_CTORS, SLOT_DTORS, SLOT_NAMES, Op, Ref
from coalmm.check.recording import Recording
from coalmm.check.sequences.generator import Generator, Object
from coalmm.check.traits import Traits


@dataclass(slots=True)
class Home:
    """A cache and its live objects."""

    op: Op
    size: int
    hook: int  # which constructor, -1: none
    objects: list[Object] = field(default_factory=list)


class SlabCalls(Generator):
    """A few caches at a time."""

    needs = frozenset({"slab_cache_create", "slab_alloc", "slab_free"})

    def __init__(self, recording: Recording, random: Random, traits: Traits) -> None:
        super().__init__(recording, random, traits)
        self.caches: list[Home] = []
        self.most = random.choice([2, 20, 100, 400])
        self.most_caches = random.choice([1, 2, 6])
        self.scale = random.choice([32, 128, 1024, 3000])
        self.hooked = random.choice([0.0, 0.5])
        self.shrinks = "slab_shrink_caches" in self.has and random.random() < 0.7
        self.destroys = "slab_cache_destroy" in self.has and random.random() < 0.7
        self.names = 0

    def step(self) -> None:
        """Mostly allocate and free; now and then a cache comes or goes."""
        dice = self.random.random()
        if not self.caches or (dice < 0.03 and len(self.caches) < self.most_caches):
            self.create()
        elif dice < 0.05 and self.shrinks:
            self.add("slab_shrink_caches")
        elif dice < 0.07 and self.destroys:
            self.destroy(self.random.choice(self.caches))
        else:
            self.use(self.random.choice(self.caches))

    def create(self) -> None:
        """A cache, with a constructor of its own or none."""
        free = [k for k in range(4) if all(cache.hook != k for cache in self.caches)]
        hook = self.random.choice(free) if free and self.random.random() < self.hooked else -1
        size = self.random.randint(1, self.scale)
        align = self.random.choice([1, 2, 4, 8, 8, 8, 16, 32, 64, 128])
        hooks: tuple[int | Ref, int | Ref] = (0, 0)
        if hook >= 0:
            self.add("object_size", hook, size)
            hooks = (Ref(SLOT_CTORS + hook), Ref(SLOT_DTORS + hook))
        self.names = 1 - self.names
        op = self.add("slab_cache_create", Ref(SLOT_NAMES + self.names), size, align, *hooks)
        self.caches.append(Home(op, size, hook))

    def use(self, cache: Home) -> None:
        """Allocate from a cache, look at an object, or free one."""
        dice = self.random.random()
        if not cache.objects or (dice < 0.5 and len(cache.objects) < self.most):
            self.allocate(cache)
        elif dice < 0.55:
            self.look(self.random.choice(cache.objects))
        elif dice < 0.57:
            for _ in range(len(cache.objects)):
                self.free(cache, -1)
        else:
            self.free(cache, self.random.randrange(len(cache.objects)))

    def allocate(self, cache: Home) -> None:
        """An object; its constructed state is looked at before it is used."""
        item = Object(self.add("slab_alloc", Ref(cache.op.out)), cache.size, home=cache)
        if cache.hook >= 0:
            item.seed = CONSTRUCTED + cache.hook
            self.look(item)
        if cache.hook < 0 or self.random.random() < 0.5:
            self.fill(item)
        cache.objects.append(item)

    def free(self, cache: Home, place: int) -> None:
        """Look at an object and give it back, constructed as it came."""
        item = cache.objects.pop(place)
        self.look(item)
        if cache.hook >= 0 and item.seed != CONSTRUCTED + cache.hook:
            self.add("fill", item.ref, cache.size, CONSTRUCTED + cache.hook)
        self.add("slab_free", Ref(cache.op.out), item.ref)

    def destroy(self, cache: Home) -> None:
        """Empty a cache and destroy it."""
        self.caches.remove(cache)
        while cache.objects:
            self.free(cache, -1)
        self.add("slab_cache_destroy", Ref(cache.op.out))

    def settle(self) -> None:
        """Forget what was NULL."""
        self.caches = [cache for cache in self.caches if self.recording.value(cache.op)]
        for cache in self.caches:
            cache.objects = [item for item in cache.objects if self.given(item)]

    def finish(self) -> None:
        """Free all objects, and destroy the caches where that can be."""
        self.flush()
        for cache in list(self.caches):
            self.random.shuffle(cache.objects)
            if "slab_cache_destroy" in self.has:
                self.destroy(cache)
            while cache.objects:
                self.free(cache, -1)
