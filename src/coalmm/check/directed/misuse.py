"""Calls that the document does not allow. A target may end the program on them; if it goes on, nothing is damaged."""

from coalmm.check.directed.caller import Caller, Value
from coalmm.check.directed.registry import check
from coalmm.check.functions import PAGE
from coalmm.check.protocol import Ref
from coalmm.check.result import SAFETY

FRAME = "frame_free: @param frame Physical address of frame to free"
KFREE = "kfree: @param ptr Memory to free"
SLAB = "slab_free: @param cache Cache to free to, ptr Object to free"
BUDDY = "buddy_free: @param ptr Pointer to free"
DIRECTORY = "paging_free_directory: @param dir Page directory to free"


def distinct(t: Caller, function: str, *args: int | Value, times: int = 4, size: int = 1) -> None:
    """Several results of a function do not overlap; the model says so where they do."""
    for number in range(times):
        value = t.call(function, *args)
        if value and size > 1:
            t.fill(value, size, number + 1)


def frames_sound(t: Caller, before: Value | None) -> None:
    """Frames are counted as before, and none is given twice."""
    t.same_free(before, "after a call that must change nothing")
    distinct(t, "frame_alloc", times=8)


@check("frame_free", FRAME, "frame_alloc", rows="B009", level=SAFETY)
def a_frame_freed_twice_is_free_once(t: Caller) -> None:
    """A second frame_free of a frame is reported, or does nothing"""
    frame = t.given(t.frame_alloc())
    t.frame_free(frame)
    before = t.free_memory()
    t.misuse("frame_free", frame)
    frames_sound(t, before)


@check("frame_free", FRAME, "frame_alloc", rows="B010", level=SAFETY)
def frame_zero_stays_away(t: Caller) -> None:
    """frame_free(0) is reported, or does nothing"""
    before = t.free_memory()
    t.misuse("frame_free", 0)
    frames_sound(t, before)


@check("frame_free", FRAME, "frame_alloc", rows="B011", level=SAFETY)
def an_address_inside_a_frame_is_no_frame(t: Caller) -> None:
    """frame_free of an address inside a live frame is reported, or leaves the frame allocated"""
    frame = t.given(t.frame_alloc())
    before = t.free_memory()
    for distance in (1, 8, 4095):
        t.misuse("frame_free", t.at(frame, distance))
    frames_sound(t, before)


@check("frame_free", FRAME, "frame_alloc", rows="B012 B013", level=SAFETY)
def an_address_behind_all_memory_is_no_frame(t: Caller) -> None:
    """frame_free of an address that no frame has is reported, or does nothing"""
    before = t.free_memory()
    top = t.size_max - 4095
    for address in (top, 1 << 8 * t.word - 1, t.size_max):
        t.misuse("frame_free", address)
    frames_sound(t, before)


@check("frame_get_stats", "@param stats Pointer to statistics structure", rows="B019", level=SAFETY)
def statistics_for_nobody(t: Caller) -> None:
    """frame_get_stats(NULL) is reported, or does nothing"""
    t.misuse("frame_get_stats", 0)


@check("kfree", KFREE, "kmalloc", rows="B199", level=SAFETY)
def memory_freed_twice_is_free_once(t: Caller) -> None:
    """A second kfree of an object is reported, or does nothing"""
    for size in (40, 3000, 30_000):
        one = t.given(t.kmalloc(size))
        t.kfree(one)
        t.misuse("kfree", one)
        distinct(t, "kmalloc", size, size=size)


@check("kfree", KFREE, "kmalloc", rows="B201 B202", level=SAFETY)
def an_address_inside_an_object_is_no_object(t: Caller) -> None:
    """kfree of an address inside an object is reported, or leaves the object"""
    for size in (64, 3000, 30_000):
        one = t.given(t.kmalloc(size))
        t.fill(one, size, 1)
        for distance in (1, 8, 16, size // 2):
            t.misuse("kfree", t.at(one, distance))
        distinct(t, "kmalloc", size, size=size)
        t.intact(one, size, 1)


@check("kfree", KFREE, "kmalloc", rows="B203", level=SAFETY)
def foreign_memory_is_not_freed(t: Caller) -> None:
    """kfree of memory that is not the target's is reported, or does nothing"""
    other = t.region(2 * PAGE)
    t.misuse("kfree", t.at(other, 64))
    distinct(t, "kmalloc", 64, size=64)


@check("krealloc", "@param ptr Original pointer", "kmalloc", "kfree", rows="B194", level=SAFETY)
def freed_memory_is_not_reallocated(t: Caller) -> None:
    """krealloc of freed memory is reported, or NULL"""
    one = t.given(t.kmalloc(100))
    t.kfree(one)
    t.null(t.misuse("krealloc", one, 200), "for freed memory")
    distinct(t, "kmalloc", 100, size=100)


@check("slab_free", SLAB, "slab_cache_create", "slab_alloc", rows="B153", level=SAFETY)
def an_object_freed_twice_is_free_once(t: Caller) -> None:
    """A second slab_free of an object is reported, or does nothing"""
    cache = t.given(t.slab_cache_create(t.name(), 80, 8, 0, 0))
    one = t.given(t.slab_alloc(cache))
    t.slab_free(cache, one)
    t.misuse("slab_free", cache, one)
    distinct(t, "slab_alloc", cache, size=80)


@check("slab_free", SLAB, "slab_cache_create", "slab_alloc", rows="B154", level=SAFETY)
def an_object_freed_again_later_is_free_once(t: Caller) -> None:
    """slab_free of A, of B, and of A again is reported, or does nothing the third time"""
    cache = t.given(t.slab_cache_create(t.name(), 80, 8, 0, 0))
    one, two = t.given(t.slab_alloc(cache)), t.given(t.slab_alloc(cache))
    t.slab_free(cache, one)
    t.slab_free(cache, two)
    t.misuse("slab_free", cache, one)
    distinct(t, "slab_alloc", cache, size=80)


@check("slab_free", SLAB, "slab_cache_create", "slab_alloc", rows="B155", level=SAFETY)
def an_address_inside_a_slab_object_is_none(t: Caller) -> None:
    """slab_free of an address inside an object is reported, or leaves the object"""
    cache = t.given(t.slab_cache_create(t.name(), 80, 8, 0, 0))
    one = t.given(t.slab_alloc(cache))
    t.fill(one, 80, 1)
    for distance in (1, 8, 40):
        t.misuse("slab_free", cache, t.at(one, distance))
    distinct(t, "slab_alloc", cache, size=80)
    t.intact(one, 80, 1)


@check("slab_free", SLAB, "slab_cache_create", "slab_alloc", rows="B156", level=SAFETY)
def an_object_of_another_cache_is_not_taken(t: Caller) -> None:
    """slab_free to another cache of the same size is reported, or leaves the object"""
    one = t.given(t.slab_cache_create(t.name(0), 80, 8, 0, 0))
    two = t.given(t.slab_cache_create(t.name(1), 80, 8, 0, 0))
    mine = t.given(t.slab_alloc(one))
    t.fill(mine, 80, 1)
    t.misuse("slab_free", two, mine)
    distinct(t, "slab_alloc", two, size=80)
    distinct(t, "slab_alloc", one, size=80)
    t.intact(mine, 80, 1)


@check("slab_cache_destroy", "slab_cache_destroy: @param cache Cache to destroy", "slab_cache_create", "slab_alloc",
       rows="B139", level=SAFETY)  # fmt: skip
def a_cache_in_use_is_not_destroyed(t: Caller) -> None:
    """Destroying a cache with live objects is reported, or leaves them"""
    cache = t.given(t.slab_cache_create(t.name(), 80, 8, 0, 0))
    one = t.given(t.slab_alloc(cache))
    t.fill(one, 80, 1)
    t.misuse("slab_cache_destroy", cache)
    other = t.slab_cache_create(t.name(1), 80, 8, 0, 0)
    if other and other != cache:
        distinct(t, "slab_alloc", other, size=80)
    t.intact(one, 80, 1)


@check("buddy_free", BUDDY, "buddy_alloc", rows="B116", level=SAFETY)
def a_block_freed_twice_is_free_once(t: Caller) -> None:
    """A second buddy_free of a block is reported, or does nothing"""
    t.make_heap()
    one = t.given(t.buddy_alloc(PAGE))
    t.buddy_free(one)
    t.misuse("buddy_free", one)
    distinct(t, "buddy_alloc", PAGE, size=PAGE, times=6)


@check("buddy_free", BUDDY, "buddy_alloc", rows="B121", level=SAFETY)
def a_block_freed_again_after_joining_is_free_once(t: Caller) -> None:
    """buddy_free of a block that has become part of a larger one is reported, or does nothing"""
    t.make_heap()
    blocks = [t.given(t.buddy_alloc(PAGE)) for _ in range(4)]
    for block in blocks:
        t.buddy_free(block)
    for block in blocks:
        t.misuse("buddy_free", block)
    distinct(t, "buddy_alloc", PAGE, size=PAGE, times=8)


@check("buddy_free", BUDDY, "buddy_alloc", rows="B117", level=SAFETY)
def an_address_inside_a_block_is_no_block(t: Caller) -> None:
    """buddy_free of an address inside a block is reported, or leaves the block"""
    t.make_heap()
    one = t.given(t.buddy_alloc(2 * PAGE))
    t.fill(one, 2 * PAGE, 1)
    for distance in (1, PAGE):
        t.misuse("buddy_free", t.at(one, distance))
    distinct(t, "buddy_alloc", PAGE, size=PAGE, times=6)
    t.intact(one, 2 * PAGE, 1)


@check("paging_clone_directory", "@return Cloned page directory or NULL on failure", rows="B070", level=SAFETY)
def nothing_is_not_cloned(t: Caller) -> None:
    """paging_clone_directory(NULL) is reported, or NULL"""
    t.null(t.misuse("paging_clone_directory", 0), "for NULL")


@check("paging_free_directory", DIRECTORY, "paging_create_directory", "paging_switch_directory", rows="B083",
       level=SAFETY)  # fmt: skip
def the_current_directory_is_not_freed(t: Caller) -> None:
    """Freeing the current directory is reported, or refused: it works on"""
    t.need("paging_map_page", "frame_alloc", "paging_get_physical")
    directory = t.directory()
    assert directory is not None
    t.map(0)
    t.misuse("paging_free_directory", directory)
    t.paging_get_physical(t.user(0))
    distinct(t, "frame_alloc", times=8)
    distinct(t, "paging_create_directory")
    t.paging_get_physical(t.user(0))


@check("paging_free_directory", DIRECTORY, "paging_create_directory", rows="B081 B082", level=SAFETY)
def a_directory_freed_twice_is_free_once(t: Caller) -> None:
    """A second paging_free_directory, or one of NULL, is reported, or does nothing"""
    directory = t.given(t.paging_create_directory())
    t.paging_free_directory(directory)
    t.paging_free_directory(0)
    before = t.free_memory()
    t.misuse("paging_free_directory", directory)
    t.same_free(before, "after a directory was freed twice")
    distinct(t, "paging_create_directory")


@check("paging_switch_directory", "@param dir Page directory to switch to", rows="B088", level=SAFETY)
def there_is_always_a_directory(t: Caller) -> None:
    """paging_switch_directory(NULL) is reported, or does nothing"""
    t.need("paging_create_directory", "paging_map_page", "frame_alloc", "paging_get_physical")
    t.directory()
    t.map(0)
    t.misuse("paging_switch_directory", 0)
    t.paging_get_physical(t.user(0))


@check("get_meminfo", "@param info Memory info structure to fill", rows="B294", level=SAFETY)
def information_for_nobody(t: Caller) -> None:
    """get_meminfo(NULL) is reported, or does nothing"""
    t.misuse("get_meminfo", Ref(0))
