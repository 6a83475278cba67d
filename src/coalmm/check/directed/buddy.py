"""The buddy allocator."""

from coalmm.check.directed.caller import Caller, Skipped
from coalmm.check.directed.registry import check
from coalmm.check.functions import PAGE
from coalmm.check.result import ADVICE

ALLOC = "buddy_alloc: @param size Size to allocate (will be rounded up to power of 2); @return Allocated memory or NULL"
FREE = "buddy_free: Free buddy allocation"
INIT = "buddy_init: @param start Start address of buddy heap, size Size of buddy heap"


@check("buddy_alloc", ALLOC)
def a_block_is_given(t: Caller) -> None:
    """A fresh heap gives blocks of 1 byte to 64 KiB, whole and apart"""
    t.make_heap()
    blocks = []
    for number, size in enumerate((1, PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE, 65536), 1):
        block = t.given(t.buddy_alloc(size), f" for {size} bytes")
        t.fill(block, size, number)
        blocks.append((block, size, number))
    for block, size, number in blocks:
        t.intact(block, size, number)
    if t.has("buddy_free"):
        for block, _, _ in blocks[::2]:
            t.buddy_free(block)
        for block, size, number in blocks[1::2]:
            t.intact(block, size, number)


@check("buddy_alloc", ALLOC, rows="B110")
def no_machine_has_that_much(t: Caller) -> None:
    """Sizes that no machine has are NULL, at once"""
    t.make_heap()
    top = 1 << 8 * t.word - 1
    for size in (t.size_max, t.size_max - 4095, t.size_max - 7, top, top + 1, top >> 1):
        t.null(t.buddy_alloc(size), f"for {size:#x} bytes")
    t.given(t.buddy_alloc(PAGE), " after requests that were too large")


@check("buddy_alloc", ALLOC, "buddy_free", rows="B112 B122")
def the_heap_runs_out_and_recovers(t: Caller) -> None:
    """Blocks are given until none is left, all apart; when all are back, a large block is given as before"""
    t.make_heap()
    largest = 0
    for order in range(24, 11, -1):
        block = t.buddy_alloc(1 << order)
        if block:
            t.buddy_free(block)
            largest = 1 << order
            break
    for round_, order in enumerate((0, 1, 2)):
        blocks = t.many_given("buddy_alloc", PAGE, most=1 << 15, fill=64)
        t.apart(blocks, PAGE)
        t.many_intact(blocks, 64)
        t.many_taken("buddy_free", blocks, order)
        whole = t.buddy_alloc(largest)
        t.require(whole != 0, f"{largest} bytes were given at the start, and not after {blocks.count} blocks were "
                  f"allocated and freed (round {round_ + 1})", f"{whole.c} != 0")  # fmt: skip
        t.buddy_free(whole)


@check("buddy_alloc", ALLOC, "buddy_free", rows="B113")
def a_fragmented_heap_says_no(t: Caller) -> None:
    """With every second page free, two pages together are NULL, and nothing is damaged"""
    t.make_heap()
    blocks = t.many_given("buddy_alloc", PAGE, most=1 << 15, fill=PAGE)
    t.many_intact(blocks, PAGE)
    if blocks.count == 1 << 15:
        return
    t.null(t.buddy_alloc(PAGE), "with no block left")
    t.many_intact(blocks, PAGE)


@check("buddy_init", INIT, "buddy_alloc", rows="B097")
def a_heap_of_odd_size_is_used_inside(t: Caller) -> None:
    """A heap whose size is no power of two gives blocks inside of it only"""
    if t.traits.buddy_ready:
        return
    for size in (5 * 1024 * 1024 + 3 * PAGE,):
        heap = t.region(size)
        t.buddy_init(heap, size)
        blocks = t.many_given("buddy_alloc", PAGE, most=1 << 13, fill=PAGE)
        t.apart(blocks, PAGE)
        inside = all(heap <= value <= heap + size - PAGE for value in blocks.values)
        t.require(inside, "a block lies outside of the heap")
        t.many_intact(blocks, PAGE)


@check("buddy_init", INIT, "buddy_alloc", rows="B098", level=ADVICE)
def a_heap_at_an_odd_start_is_used_inside(t: Caller) -> None:
    """A heap that does not start at a page gives aligned blocks inside of it only"""
    if t.traits.buddy_ready:
        return
    heap = t.region(1 << 20)
    t.misuse("buddy_init", t.at(heap, 8), (1 << 20) - 8)
    blocks = t.many_given("buddy_alloc", PAGE, most=1 << 10, fill=PAGE)
    t.many_intact(blocks, PAGE)
    crooked = [value for value in blocks.values if value % PAGE]
    t.require(not crooked, "blocks are not at multiples of 4096")


@check("buddy_alloc", ALLOC, level=ADVICE)
def blocks_are_aligned_to_their_size(t: Caller) -> None:
    """A block lies at a multiple of its size"""
    t.make_heap()
    for order in range(12, 17):
        block = t.given(t.buddy_alloc(1 << order))
        t.require(block % (1 << order) == 0, f"a block of {1 << order} bytes is at {int(block):#x}",
                  f"{block.c} % {1 << order} == 0")  # fmt: skip


@check("buddy_alloc", "For large allocations (4KB to 16MB)", rows="B109", level=ADVICE)
def more_than_the_largest_is_refused(t: Caller) -> None:
    """16 MiB and a byte is NULL"""
    t.make_heap()
    t.null(t.buddy_alloc((16 << 20) + 1), "for 16 MiB and a byte")


@check("buddy_free", FREE, "buddy_alloc", rows="B115", level=ADVICE)
def freeing_no_block_is_nothing(t: Caller) -> None:
    """buddy_free(NULL) does nothing"""
    t.make_heap()
    t.buddy_free(0)
    t.given(t.buddy_alloc(PAGE))


@check("buddy_get_stats", "buddy_get_stats: @param stats Statistics structure to fill", "buddy_alloc")
def buddy_statistics_come(t: Caller) -> None:
    """buddy_get_stats returns, and writes nothing far away"""
    t.make_heap()
    t.call("buddy_get_stats", t.buffer(4096, 1))
    t.given(t.buddy_alloc(PAGE))


@check("buddy_free", FREE, "buddy_alloc")
def free_bytes_follow_the_blocks(t: Caller) -> None:
    """The free bytes that the statistics say fall with an allocation and come back with its free"""
    if not t.traits.buddy_free:
        raise Skipped("check.toml does not say how free bytes are read (buddy_free_bytes)")
    t.make_heap()
    before = t._run("buddy_free_bytes")
    block = t.given(t.buddy_alloc(3 * PAGE))
    during = t._run("buddy_free_bytes")
    t.buddy_free(block)
    after = t._run("buddy_free_bytes")
    t.require(during <= before - 3 * PAGE, f"free bytes went from {int(before)} to {int(during)} with 12288 allocated",
              f"{during.c} <= {before.c} - 12288")  # fmt: skip
    t.require(after == before, f"free bytes were {int(before)} and are {int(after)}", f"{after.c} == {before.c}")
