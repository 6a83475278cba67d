"""Slab caches: objects of one size, constructed and destructed as often as each other."""

from dataclasses import dataclass, field

from coalmm.check.model.call import Call
from coalmm.check.model.heap import aligned
from coalmm.check.model.objects import Objects
from coalmm.check.protocol import SLOT_CTORS, SLOT_DTORS
from coalmm.check.violation import Illegal, Violation

CONSTRUCTED = 1000  # seed of the pattern that constructor 0 writes


@dataclass(slots=True)
class Cache:
    """A cache as its creator knows it. Constructors are numbered by the driver, -1: none."""

    out: int
    size: int
    align: int
    ctor: int = -1
    dtor: int = -1
    live: set[int] = field(default_factory=set)
    constructed: set[int] = field(default_factory=set)
    dirty: set[int] = field(default_factory=set)  # given back in another state than the constructed one


class Slabs:
    """All caches; `hooks` are the addresses of the driver's constructors and destructors."""

    def __init__(self, objects: Objects, word: int, memory_limit: int) -> None:
        self.objects = objects
        self.word = word
        self.limit = memory_limit
        self.caches: dict[int, Cache] = {}
        self.hooks: dict[int, int] = {}
        self.hook_sizes: dict[int, int] = {}
        self.takes = frozenset({"align", "ctor", "dtor"})  # the parameters that the target has a use for

    def know_hooks(self, slots: list[int]) -> None:
        """The driver's first slots, with the addresses of its constructors."""
        self.hooks = {slots[SLOT_CTORS + k]: k for k in range(4)} | {slots[SLOT_DTORS + k]: k for k in range(4)}

    def object_size(self, call: Call) -> None:
        """What a constructor of the driver is told to write."""
        hook, size = call.args
        if any(cache.ctor == hook for cache in self.caches.values()):
            raise Illegal("the constructor of a live cache")
        self.hook_sizes[hook] = size

    def slab_cache_create(self, call: Call) -> None:
        """A cache, or NULL."""
        _, size, align, ctor, dtor = call.args
        if ctor in self.hooks and self.hook_sizes.get(self.hooks[ctor]) != size:
            raise Illegal("a constructor for objects of another size")
        if call.value:
            if call.value in self.caches:
                other = self.caches[call.value].out
                raise Violation("overlap", "slab_cache_create gave a cache that is live already",
                                f"${call.out} != ${other}", "@return Slab cache or NULL")  # fmt: skip
            align, ctor, dtor = (value if name in self.takes else 0
                                 for name, value in (("align", align), ("ctor", ctor), ("dtor", dtor)))  # fmt: skip
            self.caches[call.value] = Cache(call.out, size, align, self.hooks.get(ctor, -1), self.hooks.get(dtor, -1))
        self._settle(call)

    def find(self, address: int) -> Cache:
        """A live cache."""
        if address not in self.caches:
            raise Illegal(f"{address:#x} is no live cache")
        return self.caches[address]

    def slab_alloc(self, call: Call) -> None:
        """An object of the cache's size and alignment, constructed."""
        cache = self.find(call.args[0])
        self._settle(call)
        if call.value == 0:
            return
        if cache.size > self.limit:
            raise Violation("impossible", f"slab_alloc gave an object of {cache.size:#x} bytes", f"${call.out} == 0",
                            "@return Object pointer or NULL")  # fmt: skip
        if cache.align:
            aligned(call, cache.align, "@param align Object alignment")
        live = self.objects.add(call, "slab", cache.size, call.args[0])
        cache.live.add(call.value)
        if cache.ctor >= 0:
            if call.value not in cache.constructed:
                raise Violation("constructor", f"slab_alloc gave {call.value:#x}, for which the constructor never ran",
                                f"constructed(${call.out})", "@param ctor Constructor function (optional)")  # fmt: skip
            if call.value not in cache.dirty:
                live.pattern = (cache.size, CONSTRUCTED + cache.ctor)

    def slab_free(self, call: Call) -> None:
        """Back to its own cache."""
        cache = self.find(call.args[0])
        live = self.objects.find(call.args[1], "slab")
        if live.cache != call.args[0]:
            raise Illegal("an object of another cache")
        self.objects.remove(call.args[1], "slab")
        cache.live.discard(live.start)
        if cache.ctor >= 0 and live.pattern != (cache.size, CONSTRUCTED + cache.ctor):
            cache.dirty.add(live.start)
        else:
            cache.dirty.discard(live.start)
        self._settle(call)

    def slab_cache_destroy(self, call: Call) -> None:
        """An empty cache; every object that was constructed is destructed."""
        if call.args[0] == 0:
            return
        cache = self.find(call.args[0])
        if cache.live:
            raise Illegal("a cache with live objects")
        self._settle(call)
        del self.caches[call.args[0]]
        if cache.dtor >= 0 and cache.ctor >= 0 and cache.constructed:
            raise Violation(
                "destructor", f"slab_cache_destroy left {len(cache.constructed)} constructed objects without their "
                "destructor", f"constructions({cache.ctor}) == 0", "@param dtor Destructor function (optional)",
            )  # fmt: skip

    def slab_shrink_caches(self, call: Call) -> None:
        """May destruct objects that are free."""
        self._settle(call)

    def _settle(self, call: Call) -> None:
        """Follow the constructor calls that an operation caused."""
        for address, kind in call.outcome.events:
            number, destructs = kind >> 1, kind & 1
            for cache in self.caches.values():
                if (cache.dtor if destructs else cache.ctor) == number:
                    self._event(call, cache, address, bool(destructs))

    def _event(self, call: Call, cache: Cache, address: int, destructs: bool) -> None:
        what = "destructor" if destructs else "constructor"
        live = address in cache.live and not (call.op.name == "slab_free" and call.args[1] == address)
        if live:
            raise Violation(what, f"the {what} ran for {address:#x}, which is a live object, in {call.op.name}",
                            f"intact(${self.objects.at[address].out})", f"@param {what[0]}tor")  # fmt: skip
        if not destructs:
            cache.constructed.add(address)
            cache.dirty.discard(address)
        elif cache.ctor >= 0:
            if address not in cache.constructed:
                raise Violation(what, f"the destructor ran for {address:#x}, which is not constructed",
                                f"constructions({cache.ctor}) >= 0", "@param dtor Destructor function")  # fmt: skip
            cache.constructed.discard(address)
