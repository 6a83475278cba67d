"""kmalloc and its family."""

from coalmm.check.directed.caller import Caller
from coalmm.check.directed.registry import check
from coalmm.check.functions import PAGE
from coalmm.check.protocol import Ref
from coalmm.check.result import ADVICE, SAFETY

ALLOC = "kmalloc: Allocate kernel memory; @return Allocated memory or NULL"
ALIGNED = "kmalloc_aligned: @param align Alignment requirement; @return Allocated memory or NULL"
ZERO = "kzalloc: Allocate and zero kernel memory"
REALLOC = "krealloc: Reallocate kernel memory; @return Reallocated memory or NULL"
FREE = "kfree: Free kernel memory"
SIZE = "kmalloc_size: Get allocation size; @return Size of allocation"
SIZES = (1, 2, 7, 8, 9, 16, 31, 32, 33, 64, 100, 128, 129, 192, 256, 500, 512, 1000, 1024, 2047, 2048, 2049, 4095, 4096,
         4097, 8192, 10_000, 20_000)  # fmt: skip


@check("kmalloc", ALLOC, rows="B167")
def memory_of_each_size_is_apart(t: Caller) -> None:
    """Objects of 1 byte to 20,000 are given, hold their bytes, and do not touch each other"""
    objects = []
    for number, size in enumerate(SIZES * 2, 1):
        one = t.given(t.kmalloc(size), f" for {size} bytes")
        t.fill(one, size, number)
        objects.append((one, size, number))
    for one, size, number in objects:
        t.intact(one, size, number)
    if t.has("kfree"):
        for one, _, _ in objects[::2]:
            t.kfree(one)
        for one, size, number in objects[1::2]:
            t.intact(one, size, number)


@check("kmalloc", ALLOC, rows="B168 B169")
def impossible_sizes_are_null(t: Caller) -> None:
    """Sizes that no machine has are NULL, also those that wrap when they are rounded up"""
    top = 1 << 8 * t.word - 1
    for size in (t.size_max, t.size_max - 7, t.size_max - 8, t.size_max - 63, t.size_max - 4095, t.size_max - 4096, top,
                 top + 1):  # fmt: skip
        t.null(t.kmalloc(size), f"for {size:#x} bytes")
    t.given(t.kmalloc(64), " after requests that were too large")


@check("kzalloc", ZERO, rows="B175 B176")
def impossible_sizes_are_not_zeroed(t: Caller) -> None:
    """kzalloc of a size that no machine has is NULL"""
    for size in (t.size_max, t.size_max - 7, t.size_max - 4095, 1 << 8 * t.word - 1):
        t.null(t.kzalloc(size), f"for {size:#x} bytes")


@check("kmalloc_aligned", ALIGNED, rows="B186")
def impossible_sizes_are_not_aligned(t: Caller) -> None:
    """kmalloc_aligned of a size that no machine has is NULL, also where size and alignment wrap"""
    for size, align in ((t.size_max, 8), (t.size_max - 63, 64), (t.size_max - 4095, 4096), (t.size_max - 100, 256)):
        t.null(t.kmalloc_aligned(size, align), f"for {size:#x} bytes aligned to {align}")


@check("kfree", FREE, "kmalloc", rows="B169")
def kernel_memory_runs_out_and_recovers(t: Caller) -> None:
    """Memory is given until none is left; then NULL; when all is back, as much is given as before, each time"""
    size = 2048 if t.traits.frames < 20_000 else 64 * 1024
    counts = []
    for order in (0, 1, 2, 0):
        objects = t.many_given("kmalloc", size, most=1 << 16, fill=64)
        counts.append(objects)
        if objects.count == 1 << 16:
            return
        t.require(objects.count > 0, "kmalloc gave nothing", f"${objects.op.out} > 0")
        t.apart(objects, size)
        t.many_intact(objects, 64)
        t.many_taken("kfree", objects, order)
    two, three, four = (each.count for each in counts[1:])
    t.require(not two > three > four, f"{two}, then {three}, then {four} objects of {size} bytes: memory is lost",
              f"${counts[3].op.out} >= ${counts[2].op.out}")  # fmt: skip


@check("kfree", FREE, "kmalloc")
def memory_is_used_again(t: Caller) -> None:
    """Every size can be allocated and freed over and over"""
    for size in SIZES:
        for round_ in range(40):
            objects = t.many_given("kmalloc", size, most=4)
            t.require(objects.count == 4, f"kmalloc({size}) gave NULL in round {round_ + 1}", f"${objects.op.out} == 4")
            t.many_taken("kfree", objects, round_ % 3)


@check("kzalloc", ZERO, "kmalloc", "kfree", rows="B174")
def zeroed_memory_is_zero(t: Caller) -> None:
    """kzalloc gives zeros, also where something was written before"""
    for size in SIZES:
        old = t.many_given("kmalloc", size, most=6, fill=size)
        t.many_taken("kfree", old)
        for _ in range(6):
            t.zero(t.given(t.kzalloc(size)), size)


@check("kmalloc_aligned", ALIGNED, rows="B182 B183")
def memory_is_aligned(t: Caller) -> None:
    """Alignments from 8 to 4096 hold, for sizes smaller and larger than them"""
    for align in (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096):
        for size in (1, 24, 100, align, align + 1, 3 * align):
            one = t.given(t.kmalloc_aligned(size, align), f" for {size} bytes aligned to {align}")
            t.fill(one, size, align % 890 + 1)
            t.intact(one, size, align % 890 + 1)


@check("kmalloc_aligned", ALIGNED, "kfree", rows="B187")
def aligned_memory_goes_where_other_memory_goes(t: Caller) -> None:
    """What kmalloc_aligned gave can be freed, and asked for its size"""
    for _ in range(30):
        objects = [t.given(t.kmalloc_aligned(size, align)) for size in (10, 100, 1000, 5000) for align in (16, 64, 512)]
        for one in objects:
            if t.has("kmalloc_size"):
                t.kmalloc_size(one)
            t.kfree(one)


@check("kmalloc_aligned", "Alignment requirement", rows="B181", level=SAFETY)
def a_crooked_alignment_is_refused(t: Caller) -> None:
    """An alignment that is no power of two is NULL"""
    for align in (3, 6, 48, 100):
        t.null(t.misuse("kmalloc_aligned", 100, align), f"for alignment {align}")


@check("krealloc", REALLOC, "kmalloc", rows="B191")
def reallocation_keeps_the_bytes(t: Caller) -> None:
    """What fits in both sizes is kept, growing and shrinking"""
    for old, new in ((10, 11), (16, 17), (100, 100), (100, 5000), (5000, 100), (4000, 9000), (9000, 40), (64, 65),
                     (2000, 2100), (1, 300), (300, 299)):  # fmt: skip
        one = t.given(t.kmalloc(old))
        t.fill(one, old, 3)
        two = t.krealloc(one, new)
        t.given(two, f" for {old} to {new} bytes")
        t.intact(two, min(old, new), 3)
        t.fill(two, new, 4)
        if t.has("kmalloc_size"):
            t.kmalloc_size(two)


@check("krealloc", REALLOC, "kmalloc", rows="B192")
def a_failed_reallocation_leaves_the_old(t: Caller) -> None:
    """krealloc to a size that no machine has is NULL, and the old memory is as it was"""
    for size in (10, 3000, 20_000):
        one = t.given(t.kmalloc(size))
        t.fill(one, size, 9)
        for huge in (t.size_max, t.size_max - 4095, 1 << 8 * t.word - 1):
            t.null(t.krealloc(one, huge), f"for {huge:#x} bytes")
        t.intact(one, size, 9)
        other = t.given(t.kmalloc(size))
        t.fill(other, size, 10)
        t.intact(one, size, 9)


@check("krealloc", REALLOC, rows="B189", level=ADVICE)
def reallocating_nothing_allocates(t: Caller) -> None:
    """krealloc(NULL, n) is kmalloc(n)"""
    one = t.given(t.krealloc(0, 100))
    t.fill(one, 100, 5)


@check("krealloc", REALLOC, "kmalloc", rows="B190", level=ADVICE)
def reallocating_to_nothing_frees(t: Caller) -> None:
    """krealloc(p, 0) frees p, over and over"""
    for _ in range(500):
        one = t.kmalloc(8000)
        t.require(one != 0, "kmalloc gave NULL after krealloc(p, 0)", f"{one.c} != 0")
        two = t.krealloc(one, 0)
        if two:
            return


@check("kmalloc_size", SIZE, "kmalloc", rows="B212")
def the_size_covers_the_request(t: Caller) -> None:
    """kmalloc_size is at least what was asked for, and all of it may be written"""
    objects = []
    for number, size in enumerate(SIZES * 3, 1):
        one = t.given(t.kmalloc(size))
        usable = t.kmalloc_size(one)
        live = t.recording.model.objects.at[int(one)]
        live.size = max(live.size, min(int(usable), 1 << 20))
        t.fill(one, live.size, number)
        objects.append((one, live.size, number))
    for one, size, number in objects:
        t.intact(one, size, number)
        t.kmalloc_size(one)


@check("kmalloc_size", SIZE, rows="B208", level=ADVICE)
def nothing_has_no_size(t: Caller) -> None:
    """kmalloc_size(NULL) is 0"""
    t.equal(t.misuse("kmalloc_size", 0), 0, "for NULL")


@check("kfree", FREE, "kmalloc", rows="B198", level=SAFETY)
def freeing_nothing_is_nothing(t: Caller) -> None:
    """kfree(NULL) does nothing"""
    t.kfree(0)
    one = t.given(t.kmalloc(50))
    t.fill(one, 50, 1)
    t.kfree(0)
    t.intact(one, 50, 1)


@check("kmalloc", ALLOC, rows="B166", level=ADVICE)
def no_bytes_can_be_freed(t: Caller) -> None:
    """kmalloc(0) is NULL, or a pointer that kfree takes"""
    t.need("kfree")
    for _ in range(1000):
        one = t.recording.add("kmalloc", 0, misuse=True)
        t.recording.add("kfree", Ref(one.out), misuse=True)
    t.recording.flush()
    t.given(t.kmalloc(16), " after kmalloc(0) and kfree")


@check("kmalloc", ALLOC, level=ADVICE)
def large_memory_is_given(t: Caller) -> None:
    """64 KiB and 100,000 bytes are given, where there is that much"""
    free = t.free_memory()
    if free is not None and free < 1 << 20:
        return
    for size in (65536, 100_000, 16 * PAGE + 1):
        t.fill(t.given(t.kmalloc(size), f" for {size} bytes"), size, 2)
