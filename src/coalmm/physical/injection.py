"""Fault injection: make chosen allocations fail, to see that every caller copes.

The settings and counters are words of the superblock, so that they are the same in both modes and
travel with an image. The allocators ask only while HOOK_INJECT is set.
"""


import cython

from coalmm.hardware.bits import as_u64

if not cython.compiled:
    from coalmm.hardware.bits import ALL_ONES
    from coalmm.physical.constants import (
        HOOK_INJECT,
        INJECT_EVERY,
        INJECT_FAILED,
        INJECT_HIGH,
        INJECT_LOW,
        INJECT_NTH,
        INJECT_POINTS,
        INJECT_SEEN,
        SB_HOOKS,
        SB_INJECT,
    )

POINTS = {"frame": 1, "buddy": 2, "slab": 4, "kmalloc": 8}


class Injection:
    """The fault injection of one machine."""

    def __init__(self, words: memoryview) -> None:
        self.words = words

    def __repr__(self) -> str:
        if not self.armed:
            return "<Injection: off>"
        return f"<Injection: {self.seen} allocations seen, {self.failed} made to fail>"

    def should_fail(self, point: int, size: int) -> bool:
        """Whether this allocation of `size` bytes at `point` (a POINT_* bit) is to fail; counts it."""
        at = SB_INJECT
        if not self.words[at + INJECT_POINTS] & point:
            return False
        if not self.words[at + INJECT_LOW] <= size <= self.words[at + INJECT_HIGH]:
            return False
        seen = self.words[at + INJECT_SEEN] + 1
        self.words[at + INJECT_SEEN] = seen
        every = self.words[at + INJECT_EVERY]
        if seen == self.words[at + INJECT_NTH] or (every != 0 and seen % every == 0):
            self.words[at + INJECT_FAILED] += 1
            return True
        return False

    @property
    def seen(self) -> int:
        """Allocations that matched since injection was armed."""
        return int(self.words[SB_INJECT + INJECT_SEEN])

    @property
    def failed(self) -> int:
        """How many of them were made to fail."""
        return int(self.words[SB_INJECT + INJECT_FAILED])

    @property
    def armed(self) -> bool:
        """Whether injection is on."""
        return (self.words[SB_HOOKS] & HOOK_INJECT) != 0

    def arm(
        self,
        nth: int = 0,
        every: int = 0,
        points: tuple[str, ...] = ("frame", "buddy", "slab", "kmalloc"),
        smallest: int = 0,
        largest: int = ALL_ONES,
    ) -> None:
        """Fail the `nth` allocation seen from now, and every `every`-th; 0 is off.

        Only allocations at `points` ("frame", "buddy", "slab", "kmalloc") of `smallest` to `largest`
        bytes are seen. With both 0, allocations are counted and none fails. ValueError for an unknown point.
        """
        mask = 0
        for point in (points,) if isinstance(points, str) else points:
            if point not in POINTS:
                raise ValueError(f"no injection point {point!r}; there are {', '.join(POINTS)}")
            mask |= POINTS[point]
        settings = [mask, as_u64(nth), as_u64(every), as_u64(smallest), as_u64(largest), 0, 0]
        for index, value in enumerate(settings):
            self.words[SB_INJECT + index] = value
        self.words[SB_HOOKS] |= HOOK_INJECT

    def disarm(self) -> None:
        """Let every allocation succeed that can."""
        for index in range(INJECT_FAILED + 1):
            self.words[SB_INJECT + index] = 0
        self.words[SB_HOOKS] &= ALL_ONES ^ HOOK_INJECT

    def failing(
        self,
        nth: int = 0,
        every: int = 0,
        points: tuple[str, ...] = ("frame", "buddy", "slab", "kmalloc"),
        smallest: int = 0,
        largest: int = ALL_ONES,
    ) -> "Failing":
        """`arm` for the length of a `with` block; it gives this object, whose `failed` says what happened."""
        return Failing(self, (nth, every, points, smallest, largest))


class Failing:
    """The `with` block of `Injection.failing`."""

    def __init__(self, injection: Injection, settings: tuple[int, int, tuple[str, ...], int, int]) -> None:
        self.injection = injection
        self.settings = settings

    def __enter__(self) -> Injection:
        self.injection.arm(*self.settings)
        return self.injection

    def __exit__(self, *error: object) -> None:
        self.injection.disarm()
