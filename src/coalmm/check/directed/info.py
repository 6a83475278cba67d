"""Memory information and memory debugging."""

from coalmm.check.directed.caller import Caller, Skipped
from coalmm.check.directed.registry import check
from coalmm.check.functions import PAGE
from coalmm.check.result import ADVICE, SAFETY

MEMINFO = "get_meminfo: Get system memory information"
PROCESS = "get_proc_meminfo: @return 0 on success, negative error code on failure"
LEAKS = "mem_check_leaks: Check for memory leaks; @return Number of leaked allocations"
DUMP = "mem_dump: Dump memory region"
TRACK = "mem_enable_tracking: Enable allocation tracking"


@check("get_meminfo", MEMINFO, rows="B296")
def memory_information_adds_up(t: Caller) -> None:
    """The parts are not more than the total, and free memory is what the frame allocator says"""
    info = t.get_meminfo()
    t.require(info.fields[0] > 0, "total_memory is 0", f"{info.c}.0 > 0")
    t.free_memory()
    if t.has("frame_alloc"):
        for _ in range(10):
            t.frame_alloc()
            t.get_meminfo()
            t.free_memory()
    if t.has("kmalloc"):
        for size in (100, 5000, 100_000):
            t.kmalloc(size)
            t.get_meminfo()
            t.free_memory()


@check("get_meminfo", "total_memory: Total system memory", "frame_get_total_memory", level=ADVICE)
def the_totals_are_the_same(t: Caller) -> None:
    """total_memory is what frame_get_total_memory says"""
    info, total = t.get_meminfo(), t.frame_get_total_memory()
    t.require(info.fields[0] == total, f"total_memory is {info.fields[0]}, frame_get_total_memory {int(total)}",
              f"{info.c}.0 == {total.c}")  # fmt: skip


@check("get_proc_meminfo", PROCESS, rows="B297")
def no_process_no_information(t: Caller) -> None:
    """A process that does not exist is a negative error"""
    for pid in (-1, 0x7FFF_FFFF):
        t.negative(t.get_proc_meminfo(pid), f"for process {pid}")


@check("get_proc_meminfo", PROCESS, rows="B301")
def process_information_adds_up(t: Caller) -> None:
    """For a process that exists it is 0, and no part is more than the virtual size"""
    if not t.traits.pid:
        raise Skipped("check.toml names no process (pid)")
    info = t.get_proc_meminfo(t.traits.pid)
    t.equal(info, 0, f"for process {t.traits.pid}")
    virtual, rss, _, text, data, stack = info.fields
    t.require(rss <= virtual, f"rss {rss} is more than virt_size {virtual}")
    t.require(text + data + stack <= virtual, f"text, data and stack are together more than virt_size {virtual}")


@check("mem_check_leaks", LEAKS, "mem_enable_tracking", "kmalloc", "kfree")
def what_is_freed_is_no_leak(t: Caller) -> None:
    """With tracking on, memory that is allocated and freed is not counted; again and again"""
    t.mem_enable_tracking()
    before = t.mem_check_leaks()
    for size in (16, 100, 5000):
        for _ in range(20):
            t.kfree(t.given(t.kmalloc(size)))
    after = t.mem_check_leaks()
    t.require(after == before, f"{int(before)} leaks, and {int(after)} after 60 objects were allocated and freed",
              f"{after.c} == {before.c}")  # fmt: skip


@check("mem_check_leaks", LEAKS, "mem_enable_tracking", "kmalloc", "kfree", rows="B309 B310")
def memory_from_before_tracking_is_no_leak(t: Caller) -> None:
    """Memory from before tracking is not counted, and freeing it does not count below 0"""
    old = [t.given(t.kmalloc(64)) for _ in range(5)]
    t.mem_enable_tracking()
    before = t.mem_check_leaks()
    for one in old:
        t.kfree(one)
    after = t.mem_check_leaks()
    t.require(after <= before, f"{int(before)} leaks, and {int(after)} after memory from before was freed",
              f"{after.c} <= {before.c}")  # fmt: skip


@check("mem_check_leaks", LEAKS, "mem_enable_tracking", "kmalloc", level=ADVICE)
def live_memory_is_counted(t: Caller) -> None:
    """With tracking on, three live objects are three"""
    t.mem_enable_tracking()
    before = t.mem_check_leaks()
    for _ in range(3):
        t.given(t.kmalloc(100))
    after = t.mem_check_leaks()
    t.require(after == before + 3, f"{int(before)} leaks, and {int(after)} with three objects more",
              f"{after.c} == {before.c} + 3")  # fmt: skip


@check("mem_check_leaks", LEAKS, rows="B308", level=ADVICE)
def without_tracking_there_are_no_leaks(t: Caller) -> None:
    """Before mem_enable_tracking it is 0"""
    t.equal(t.mem_check_leaks(), 0, "before tracking")


@check("mem_enable_tracking", TRACK, "kmalloc", "kfree", rows="B312 B313")
def tracking_changes_nothing_else(t: Caller) -> None:
    """With tracking enabled twice, allocation works as before"""
    one = t.given(t.kmalloc(200))
    t.fill(one, 200, 1)
    t.mem_enable_tracking()
    t.mem_enable_tracking()
    two = t.given(t.kmalloc(200))
    t.fill(two, 200, 2)
    t.intact(one, 200, 1)
    t.kfree(one)
    t.intact(two, 200, 2)
    t.kfree(two)


@check("mem_dump", DUMP, "kmalloc")
def a_dump_changes_nothing(t: Caller) -> None:
    """Dumping memory returns, and leaves the memory as it was"""
    one = t.given(t.kmalloc(300))
    t.fill(one, 300, 6)
    for size in (300, 1, 17, 256):
        t.mem_dump(one, size)
    t.intact(one, 300, 6)


@check("mem_dump", DUMP, "kmalloc", rows="B303", level=SAFETY)
def an_empty_dump_returns(t: Caller) -> None:
    """Dumping 0 bytes returns"""
    t.mem_dump(t.given(t.kmalloc(64)), 0)


@check("mem_print_stats", "mem_print_stats: Print allocation statistics")
def statistics_are_printed(t: Caller) -> None:
    """Statistics can be printed, with and without live memory"""
    t.mem_print_stats()
    if t.has("kmalloc"):
        t.kmalloc(PAGE)
        t.mem_print_stats()


@check("mem_print_stats", "mem_print_stats: Print allocation statistics", level=ADVICE)
def statistics_are_not_empty(t: Caller) -> None:
    """mem_print_stats prints something"""
    t.mem_print_stats()
    t.recording.process.take_output()
    t.require(t.recording.process.printed > 0, "nothing was printed")
