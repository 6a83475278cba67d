"""Allocations that fail inside of a call: the call says so, leaves everything as it was, and works when tried again.

Where check.toml has `fail_nth`, each allocation of a call is made to fail in turn; elsewhere memory is used up.
"""

from functools import partial
from itertools import pairwise

from coalmm.check.directed.caller import Caller, Skipped, Value
from coalmm.check.directed.frames import all_frames
from coalmm.check.directed.registry import check
from coalmm.check.functions import PAGE
from coalmm.check.protocol import Ref
from coalmm.typed import Callable

NO_MEMORY = "-ENOMEM: Out of memory"
CLONE = ("paging_create_directory", "paging_switch_directory", "paging_map_page", "frame_alloc", "frame_free",
         "copy_to_user", "copy_from_user")  # fmt: skip
MOST = 40  # allocations in one call
TRIES = 4


def each_fails(
    t: Caller, call: Callable[[], Value], failed: Callable[[Value], bool], look: Callable[[], object]
) -> Value:
    """Make the 1st, 2nd, ... allocation inside `call` fail, each a few times, until none of them is reached.

    `look` is called after each failure. A call that fails in each of several rounds loses no memory. The answer of the
    call that succeeded.
    """
    if not t.traits.can_fail:
        raise Skipped("check.toml has no `fail_nth`")
    for nth in range(1, MOST):
        reads = []
        for _ in range(TRIES):
            t.fail(nth)
            value = call()
            t.fail(0)
            if not failed(value):
                return value
            look()
            reads.append(t.free_memory())
        lost = all(one is not None and two is not None and one > two for one, two in pairwise(reads))
        last = reads[-1]
        t.require(not lost, f"free memory fell with each of {TRIES} calls that failed at their allocation {nth}",
                  f"{last.c} >= {reads[-2].c}" if last is not None and reads[-2] is not None else "")  # fmt: skip
    raise Skipped(f"a call makes more than {MOST} allocations")


def null(value: Value) -> bool:
    """Whether a pointer is NULL."""
    return value == 0


def nothing() -> None:
    """There is nothing to look at."""


@check("paging_map_page", NO_MEMORY, "frame_alloc", "paging_get_physical", rows="B046 B324")
def a_mapping_that_fails_leaves_nothing(t: Caller) -> None:
    """Whichever allocation fails in paging_map_page, nothing is mapped; tried again, it works"""
    t.directory()
    frame = t.given(t.frame_alloc())
    at = t.user(5000)
    each_fails(t, lambda: t.paging_map_page(at, frame, 7), lambda value: value < 0, partial(t.paging_get_physical, at))
    t.paging_get_physical(at)


@check("paging_map_page", NO_MEMORY, "frame_alloc", "frame_free", "frame_get_free_memory", rows="B046 B324")
def a_mapping_that_fails_holds_no_frame(t: Caller) -> None:
    """A frame that could not be mapped can be freed, and is free then"""
    if not t.traits.can_fail:
        raise Skipped("check.toml has no `fail_nth`")
    t.directory()
    reads = []
    for _ in range(TRIES):
        frame = t.given(t.frame_alloc())
        t.fail(1)
        result = t.paging_map_page(t.user(9000), frame, 7)
        t.fail(0)
        if result == 0:
            raise Skipped("paging_map_page allocates nothing")
        t.frame_free(frame)
        reads.append(t.frame_get_free_memory())
    t.require(not all(one > two for one, two in pairwise(reads)), f"free memory fell with each of {TRIES} frames that "
              "could not be mapped and were freed", f"{reads[-1].c} >= {reads[-2].c}")  # fmt: skip


@check("paging_clone_directory", "@return Cloned page directory or NULL on failure", *CLONE, rows="B073 B318 B324")
def a_clone_that_fails_leaves_its_source(t: Caller) -> None:
    """Whichever allocation fails in paging_clone_directory, it is NULL, and the source has its bytes and rights"""
    parent = t.directory()
    for page in (0, 1, 1500):
        t.map(page)
        t.write(t.user(page), 64, page % 800 + 1)

    def look() -> None:
        for page in (0, 1, 1500):
            t.read(t.user(page), 64)

    child = each_fails(t, lambda: t.paging_clone_directory(parent), null, look)
    t.write(t.user(0), 64, 70)
    t.paging_switch_directory(child)
    look()


@check("paging_clone_directory", "@return Cloned page directory or NULL on failure", *CLONE, "frame_get_free_memory",
       rows="B073 B318")  # fmt: skip
def a_clone_without_memory_leaves_its_source(t: Caller) -> None:
    """With 0, 1, 2, ... frames free, a clone is NULL and loses none of them, or it is whole"""
    parent = t.directory()
    for page in (0, 1500):
        t.map(page)
        t.write(t.user(page), 64, page % 800 + 1)
    frames = all_frames(t)
    for number in range(min(12, frames.count)):
        reads = [t.frame_get_free_memory()]
        for _ in range(TRIES):
            child = t.paging_clone_directory(parent)
            if child:
                t.paging_switch_directory(child)
            for page in (0, 1500):
                t.read(t.user(page), 64)
            if child:
                return
            reads.append(t.frame_get_free_memory())
        t.require(not all(one > two for one, two in pairwise(reads)),
                  f"free memory fell with each clone that failed, from {int(reads[0])} to {int(reads[-1])}",
                  f"{reads[-1].c} >= {reads[-2].c}")  # fmt: skip
        t.recording.model.frames.live[frames.values[number]] = frames.op.out + number
        t.frame_free(Ref(frames.op.out + number))


@check("copy_to_user", "@return 0 on success, -EFAULT on failure", *CLONE, "paging_clone_directory", rows="B238")
def a_copy_on_write_that_fails_changes_nothing(t: Caller) -> None:
    """A write that finds no frame for its copy is an error and changes nothing; tried again, it works"""
    parent = t.directory()
    for page in range(2):
        t.map(page)
        t.write(t.user(page), PAGE, page + 1)
    child = t.given(t.paging_clone_directory(parent))
    t.recording.model.paging.short = True

    def look() -> None:
        t.paging_switch_directory(child)
        for page in range(2):
            t.read(t.user(page), PAGE)
        t.paging_switch_directory(parent)
        t.recording.model.paging.short = True

    each_fails(t, lambda: t.write(t.user(0, 4000), 200, 9), lambda value: value < 0, look)
    look()
    t.read(t.user(0), 2 * PAGE)


@check("paging_create_directory", "Create new page table for process", rows="B066 B324")
def a_directory_that_fails_is_null(t: Caller) -> None:
    """Whichever allocation fails in paging_create_directory, it is NULL; tried again, it works"""
    each_fails(t, t.paging_create_directory, null, nothing)


@check("kmalloc", "@return Allocated memory or NULL", rows="B172 B324")
def an_allocation_that_fails_is_null(t: Caller) -> None:
    """Whichever allocation fails in kmalloc, it is NULL, and others keep their bytes; tried again, it works"""
    old = t.given(t.kmalloc(100))
    t.fill(old, 100, 1)
    for size in (24, 700, 3000, 20_000):
        one = each_fails(t, partial(t.kmalloc, size), null, lambda: t.intact(old, 100, 1))
        t.fill(one, size, 2)
    t.intact(old, 100, 1)


@check("krealloc", "@return Reallocated memory or NULL", "kmalloc", rows="B193 B324")
def a_reallocation_that_fails_leaves_the_old(t: Caller) -> None:
    """Whichever allocation fails in krealloc, it is NULL and the old memory is as it was; tried again, it works"""
    for old_size, size in ((24, 700), (700, 20_000), (3000, 60_000)):
        old = t.given(t.kmalloc(old_size))
        t.fill(old, old_size, 3)
        one = each_fails(t, partial(t.krealloc, old, size), null, partial(t.intact, old, old_size, 3))
        t.intact(one, old_size, 3)


@check("slab_alloc", "@return Object pointer or NULL", "slab_cache_create", rows="B136 B146 B148 B324")
def an_object_that_fails_is_null(t: Caller) -> None:
    """Whichever allocation fails for a cache or an object, it is NULL; tried again, it works"""
    cache = each_fails(t, lambda: t.slab_cache_create(t.name(), 300, 8, 0, 0), null, nothing)
    for _ in range(40):
        one = each_fails(t, partial(t.slab_alloc, cache), null, nothing)
        t.fill(one, 300, 4)


@check("buddy_alloc", "@return Allocated memory or NULL", rows="B324")
def a_block_that_fails_is_null(t: Caller) -> None:
    """Whichever allocation fails in buddy_alloc, it is NULL; tried again, it works"""
    t.make_heap()
    for size in (PAGE, 5 * PAGE):
        one = each_fails(t, partial(t.buddy_alloc, size), null, nothing)
        t.fill(one, size, 5)


@check("frame_alloc", "@return Physical address of frame or 0 on failure", rows="B007")
def a_frame_that_fails_is_zero(t: Caller) -> None:
    """A frame_alloc that is made to fail is 0, and loses no frame; tried again, it works"""
    each_fails(t, t.frame_alloc, null, nothing)
