"""Memory that is given back comes back: the same calls again and again leave as much to allocate as before.

How much there is, is counted by allocating all of it. One count may differ from the next for many reasons; only a count
that falls each time is a leak.
"""

from coalmm.check.directed.caller import Caller, Many, Skipped
from coalmm.check.directed.registry import check
from coalmm.check.protocol import Ref
from coalmm.typed import Callable

ROUNDS, LIVES = 5, 30
MOST = 1 << 14
SIZES = (64, 700, 5000)
KEEPS = "kfree: Free kernel memory"


def comes_back(t: Caller, size: int, life: Callable[[], None]) -> None:
    """`life` queues calls that give back what they take. Count objects of `size` bytes between many of them."""
    counts: list[Many] = []
    for _ in range(ROUNDS):
        for _ in range(LIVES):
            life()
        t.recording.flush()
        counts.append(t.many_given("kmalloc", size, most=MOST))
        if counts[-1].count == MOST:
            raise Skipped("it has too much memory to use it up")
        t.many_taken("kfree", counts[-1])
    found = [many.count for many in counts[1:]]
    t.require(not found[0] > found[1] > found[2] > found[3], f"{found[0]} objects of {size} bytes can be allocated, "
              f"then {found[1]}, {found[2]} and {found[3]}, between calls that give all back",
              f"${counts[-1].op.out} >= ${counts[-2].op.out}")  # fmt: skip


@check("krealloc", "krealloc: Reallocate kernel memory", "kmalloc", "kfree")
def reallocated_memory_comes_back(t: Caller) -> None:
    """Growing and shrinking memory with krealloc, and freeing it, loses nothing"""
    add = t.recording.add

    def life() -> None:
        one = add("kmalloc", 4000)
        two = add("krealloc", Ref(one.out), 9000)
        three = add("krealloc", Ref(two.out), 3000)
        add("kfree", Ref(three.out))

    comes_back(t, 4096, life)


@check("kzalloc", KEEPS, "kmalloc", "kfree")
def zeroed_memory_comes_back(t: Caller) -> None:
    """Memory of kzalloc that is freed can be allocated again"""

    def life() -> None:
        t.recording.add("kfree", Ref(t.recording.add("kzalloc", 4000).out))

    comes_back(t, 4000, life)


@check("kmalloc_aligned", KEEPS, "kmalloc", "kfree")
def aligned_memory_comes_back(t: Caller) -> None:
    """Memory of kmalloc_aligned that is freed can be allocated again"""

    def life() -> None:
        for size, align in ((100, 64), (4000, 4096), (3000, 512)):
            t.recording.add("kfree", Ref(t.recording.add("kmalloc_aligned", size, align).out))

    comes_back(t, 4000, life)


@check("kfree", KEEPS, "kmalloc")
def small_memory_comes_back(t: Caller) -> None:
    """Hundreds of small objects, freed in another order, leave as much for large ones"""

    def life() -> None:
        objects = [t.recording.add("kmalloc", size) for size in SIZES for _ in range(10)]
        for one in objects[::3] + objects[1::3] + objects[2::3]:
            t.recording.add("kfree", Ref(one.out))

    comes_back(t, 4096, life)
