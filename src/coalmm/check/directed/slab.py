"""Slab caches."""

from coalmm.check.directed.caller import Caller
from coalmm.check.directed.registry import check
from coalmm.check.functions import PAGE
from coalmm.check.result import ADVICE, SAFETY

CREATE = "slab_cache_create: @param size Object size, align Object alignment; @return Slab cache or NULL on failure"
ALLOC = "slab_alloc: Allocate from slab cache; @return Object pointer or NULL"
FREE = "slab_free: Free to slab cache"
CTOR = "@param ctor Constructor function (optional)"
DTOR = "@param dtor Destructor function (optional)"
SHRINK = "slab_shrink_caches: Shrink slab caches (reclaim memory); @return Number of pages reclaimed"
DESTROY = "slab_cache_destroy: Destroy slab cache"


@check("slab_alloc", ALLOC, "slab_cache_create", rows="B125")
def objects_of_each_size_are_apart(t: Caller) -> None:
    """Caches of 1 to 2000 bytes give objects that do not touch each other"""
    for size in (1, 3, 8, 24, 100, 256, 1000, 2000):
        cache = t.given(t.slab_cache_create(t.name(), size, 8, 0, 0))
        objects = t.many_given("slab_alloc", cache, most=200, fill=size)
        t.require(objects.count > 0, f"a cache for {size} bytes gives no object", f"${objects.op.out} > 0")
        t.apart(objects, size)
        t.many_intact(objects, size)


@check("slab_cache_create", CREATE, "slab_alloc")
def objects_are_aligned(t: Caller) -> None:
    """Objects have the alignment that was asked for, from 1 to 256"""
    for align in (1, 2, 4, 8, 16, 32, 64, 128, 256):
        for size in (1, 20, 100):
            cache = t.given(t.slab_cache_create(t.name(), size, align, 0, 0), f" for alignment {align}")
            for _ in range(5):
                t.given(t.slab_alloc(cache))


@check("slab_cache_create", CREATE, "slab_alloc", rows="B130", level=ADVICE)
def a_large_alignment_holds(t: Caller) -> None:
    """An alignment of a page or more is given, or refused"""
    for align in (PAGE, 2 * PAGE):
        cache = t.slab_cache_create(t.name(), 64, align, 0, 0)
        if cache:
            t.slab_alloc(cache)


@check("slab_alloc", CTOR, "slab_cache_create", "slab_free")
def objects_come_constructed(t: Caller) -> None:
    """The constructor ran for every object that is handed out, and what it wrote is there; again when it comes back"""
    size = 100
    ctor, dtor = t.hooks(1, size)
    cache = t.given(t.slab_cache_create(t.name(), size, 8, ctor, dtor))
    for _ in range(2):
        objects = [t.given(t.slab_alloc(cache)) for _ in range(60)]
        for one in objects:
            t.intact(one, size, 1001)
        for one in objects:
            t.slab_free(cache, one)


@check("slab_cache_destroy", DTOR, "slab_cache_create", "slab_alloc", "slab_free", rows="B144")
def constructed_objects_are_destructed_once(t: Caller) -> None:
    """When the cache is destroyed, the destructor has run once for each constructed object"""
    t.need_hook("dtor")
    ctor, dtor = t.hooks(2, 64)
    cache = t.given(t.slab_cache_create(t.name(), 64, 8, ctor, dtor))
    objects = [t.given(t.slab_alloc(cache)) for _ in range(150)]
    for one in objects:
        t.slab_free(cache, one)
    t.slab_cache_destroy(cache)


@check("slab_free", FREE, "slab_cache_create", "slab_alloc")
def objects_are_used_again(t: Caller) -> None:
    """Allocating and freeing 100,000 objects one at a time does not use memory up"""
    cache = t.given(t.slab_cache_create(t.name(), 512, 8, 0, 0))
    for round_ in range(100):
        objects = t.many_given("slab_alloc", cache, most=10)
        t.require(objects.count == 10, f"round {round_ + 1}: only {objects.count} objects", f"${objects.op.out} == 10")
        t.many_taken("slab_free", objects, round_ % 3, cache)


@check("slab_free", FREE, "slab_cache_create", "slab_alloc", rows="B146")
def a_cache_runs_out_and_recovers(t: Caller) -> None:
    """Objects are given until memory is used up; then a freed one can be allocated, and all come back each time"""
    size = 2048 if t.traits.frames < 20_000 else 32768
    cache = t.given(t.slab_cache_create(t.name(), size, 8, 0, 0))
    counts = []
    for order in (0, 1, 2, 0):
        objects = t.many_given("slab_alloc", cache, most=1 << 16, fill=64)
        counts.append(objects)
        if objects.count == 1 << 16 or not objects.count:
            return
        t.apart(objects, size)
        t.many_intact(objects, 64)
        t.many_taken("slab_free", objects, order, cache)
    two, three, four = (each.count for each in counts[1:])
    t.require(not two > three > four, f"{two}, then {three}, then {four} objects: objects are lost",
              f"${counts[3].op.out} >= ${counts[2].op.out}")  # fmt: skip


@check("slab_cache_create", "slab_cache_t: Slab cache or NULL on failure", "slab_alloc", rows="B126")
def an_impossible_size_is_refused(t: Caller) -> None:
    """A cache or an object of a size that no machine has is NULL"""
    for size in (t.size_max, t.size_max - 7, 1 << 8 * t.word - 1):
        cache = t.slab_cache_create(t.name(), size, 8, 0, 0)
        if cache:
            t.null(t.slab_alloc(cache), f"for an object of {size:#x} bytes")


@check("slab_cache_create", CREATE, rows="B124", level=ADVICE)
def a_size_of_zero_is_refused(t: Caller) -> None:
    """A cache for objects of 0 bytes is NULL"""
    t.null(t.misuse("slab_cache_create", t.name(), 0, 8, 0, 0), "for objects of 0 bytes")


@check("slab_cache_create", CREATE, rows="B128", level=SAFETY)
def an_alignment_of_no_power_is_refused(t: Caller) -> None:
    """An alignment that is no power of two is NULL"""
    for align in (3, 12, 24):
        t.null(t.misuse("slab_cache_create", t.name(), 64, align, 0, 0), f"for alignment {align}")


@check("slab_cache_create", "@param name Cache name for debugging", "slab_alloc", rows="B133")
def any_name_will_do(t: Caller) -> None:
    """A cache may have an empty name, a name of 10,000 bytes, and a name that another one has"""
    for number in (2, 3, 0, 0):
        cache = t.slab_cache_create(t.name(number), 40, 8, 0, 0)
        if cache:
            t.given(t.slab_alloc(cache))
    if t.has("mem_print_stats"):
        t.mem_print_stats()


@check("slab_shrink_caches", SHRINK, "slab_cache_create", "slab_alloc", rows="B162")
def shrinking_keeps_live_objects(t: Caller) -> None:
    """Shrinking with live objects leaves them and their bytes"""
    cache = t.given(t.slab_cache_create(t.name(), 200, 8, 0, 0))
    objects = t.many_given("slab_alloc", cache, most=100, fill=200)
    t.slab_shrink_caches()
    t.many_intact(objects, 200)
    more = t.many_given("slab_alloc", cache, most=100, fill=200)
    t.many_intact(objects, 200)
    t.many_intact(more, 200)


@check("slab_shrink_caches", SHRINK, "slab_cache_create", "slab_alloc", "slab_free", rows="B165")
def shrinking_ends(t: Caller) -> None:
    """Shrinking again and again finds nothing more"""
    cache = t.given(t.slab_cache_create(t.name(), 400, 8, 0, 0))
    objects = t.many_given("slab_alloc", cache, most=300)
    t.many_taken("slab_free", objects, 0, cache)
    for _ in range(4):
        last = t.slab_shrink_caches()
    t.equal(last, 0, "the fourth time in a row")
    t.given(t.slab_alloc(cache), " after the caches were shrunk")


@check("slab_shrink_caches", SHRINK, "slab_cache_create", "slab_alloc", "slab_free", level=ADVICE)
def shrinking_reclaims_empty_slabs(t: Caller) -> None:
    """After all objects of a cache are freed, there is something to reclaim, or it was given back before"""
    t.slab_shrink_caches()
    before = t.free_memory()
    cache = t.given(t.slab_cache_create(t.name(), 400, 8, 0, 0))
    objects = t.many_given("slab_alloc", cache, most=500)
    t.many_taken("slab_free", objects, 0, cache)
    pages = t.slab_shrink_caches()
    after = t.free_memory()
    back = before is not None and after is not None and after >= before
    t.require(pages > 0 or back, "500 objects were freed, and no page was reclaimed", f"{pages.c} > 0")


@check("slab_cache_destroy", DESTROY, "slab_cache_create", "slab_alloc", "slab_free")
def caches_come_back(t: Caller) -> None:
    """Creating, using and destroying a cache loses no memory"""
    counts = []
    for _ in range(6):
        for _ in range(40):
            cache = t.given(t.slab_cache_create(t.name(), 300, 8, 0, 0), " after caches were destroyed")
            objects = t.many_given("slab_alloc", cache, most=30)
            t.require(objects.count == 30, f"only {objects.count} objects after caches were destroyed",
                      f"${objects.op.out} == 30")  # fmt: skip
            t.many_taken("slab_free", objects, 2, cache)
            t.slab_cache_destroy(cache)
        if t.has("slab_shrink_caches"):
            t.slab_shrink_caches()
        counts.append(t.free_memory())
    one, two, three, four = counts[2:]
    if one is not None and two is not None and three is not None and four is not None:
        t.require(not one > two > three > four, f"free memory fell from {int(one)} to {int(four)} bytes in 120 rounds",
                  f"{four.c} >= {three.c}")  # fmt: skip


@check("slab_cache_destroy", DESTROY, rows="B138", level=ADVICE)
def destroying_no_cache_is_nothing(t: Caller) -> None:
    """slab_cache_destroy(NULL) does nothing"""
    t.slab_cache_destroy(0)


@check("slab_alloc", ALLOC, rows="B145", level=SAFETY)
def no_cache_no_object(t: Caller) -> None:
    """slab_alloc(NULL) is NULL"""
    t.null(t.misuse("slab_alloc", 0), "for no cache")


@check("slab_alloc", ALLOC, "slab_cache_create", "slab_cache_destroy", "slab_free")
def caches_do_not_share_objects(t: Caller) -> None:
    """Two caches of one size give different objects, and one lives on when the other is destroyed"""
    one = t.given(t.slab_cache_create(t.name(0), 96, 8, 0, 0))
    two = t.given(t.slab_cache_create(t.name(1), 96, 8, 0, 0))
    mine = t.many_given("slab_alloc", one, most=80, fill=96)
    others = [t.given(t.slab_alloc(two)) for _ in range(40)]
    for other in others:
        t.fill(other, 96, 5)
        holder = next((i for i, value in enumerate(mine.values) if abs(value - int(other)) < 96), None)
        t.require(holder is None, "two caches gave the same memory")
    for other in others:
        t.slab_free(two, other)
    t.slab_cache_destroy(two)
    t.many_intact(mine, 96)
