"""Mappings of single pages, and directories."""

from coalmm.check.directed.caller import RO, RW, Caller, Skipped
from coalmm.check.directed.registry import check
from coalmm.check.functions import PAGE, PAGE_COW, PAGE_PRESENT, PAGE_USER
from coalmm.check.result import ADVICE, SAFETY

MAP = "paging_map_page: Map a virtual page to physical frame; @return 0 on success, negative error code on failure"
UNMAP = "paging_unmap_page: Unmap a virtual page"
PHYSICAL = "paging_get_physical: @return Physical address or 0 if not mapped"
CREATE = "paging_create_directory: Create new page table for process"
SWITCH = "paging_switch_directory: Switch to page directory"
FREE = "paging_free_directory: Free page directory"
ALIGNED = "@param vaddr Virtual address (page-aligned), paddr (page-aligned); -EINVAL: Invalid parameter"


@check("paging_map_page", MAP, "paging_get_physical", "frame_alloc")
def a_mapped_page_translates(t: Caller) -> None:
    """A mapped page translates to its frame, and the pages beside it do not"""
    t.directory()
    t.map(3)
    for page in (2, 3, 4, 1027, 3 + 1024):
        t.paging_get_physical(t.user(page))


@check("paging_map_page", MAP, "paging_get_physical", "frame_alloc", rows="B047")
def many_pages_translate(t: Caller) -> None:
    """Pages at many distances translate each to its own frame, before and after others are unmapped"""
    t.directory()
    room = (t.traits.user_end - t.traits.user_start) // PAGE
    pages = [page for page in (0, 1, 2, 511, 512, 513, 1023, 1024, 1025, 4096, 5000, 70_000, 200_000) if page < room]
    pages = pages[: max(t.traits.frames // 4, 1) if t.traits.frames else None]
    for page in pages:
        t.map(page)
    for page in pages:
        t.paging_get_physical(t.user(page))
    if t.has("paging_unmap_page"):
        for page in pages[::2]:
            t.paging_unmap_page(t.user(page))
        for page in pages:
            t.paging_get_physical(t.user(page))


@check("paging_unmap_page", UNMAP, "paging_map_page", "paging_get_physical", "frame_alloc", rows="B052")
def an_unmapped_page_does_not_translate(t: Caller) -> None:
    """After paging_unmap_page the address is not mapped; a second time nothing happens"""
    t.directory()
    t.map(0)
    t.map(1)
    t.paging_unmap_page(t.user(0))
    t.paging_get_physical(t.user(0))
    t.paging_unmap_page(t.user(0))
    t.paging_get_physical(t.user(0))
    t.paging_get_physical(t.user(1))


@check("paging_unmap_page", UNMAP, rows="B051")
def unmapping_nothing_is_nothing(t: Caller) -> None:
    """A page that was never mapped can be unmapped"""
    before = t.free_memory()
    t.directory()
    held = t.free_memory() if before is not None else None
    t.paging_unmap_page(t.user(9))
    t.same_free(held, "after a page that was not mapped was unmapped")


@check("paging_unmap_page", UNMAP, "paging_map_page", "paging_get_physical", "frame_alloc")
def a_page_can_be_mapped_again(t: Caller) -> None:
    """After paging_unmap_page the page can be mapped to another frame"""
    t.directory()
    t.map(0)
    t.paging_unmap_page(t.user(0))
    t.map(0)
    t.paging_get_physical(t.user(0))


@check("paging_get_physical", PHYSICAL, rows="B060")
def nothing_mapped_is_zero(t: Caller) -> None:
    """A fresh directory maps no user page"""
    if t.directory() is None:
        raise Skipped("it has no paging_create_directory and paging_switch_directory")
    for page in (0, 1, 1024, 5000):
        t.paging_get_physical(t.user(page))


@check("paging_get_physical", PHYSICAL, "paging_map_page", "frame_alloc", rows="B062", level=ADVICE)
def physical_has_the_offset(t: Caller) -> None:
    """The physical address of a byte inside a page has the byte's offset"""
    t.directory()
    frame = t.map(0)
    t.equal(t.paging_get_physical(t.user(0, 0x123)), frame + 0x123, "for offset 0x123 in a page")


@check("paging_switch_directory", SWITCH, "paging_create_directory", "paging_map_page", "paging_get_physical",
       "frame_alloc", rows="B048 B093")  # fmt: skip
def directories_are_apart(t: Caller) -> None:
    """The same page in two directories has a frame in each; one is not seen in the other"""
    one = t.directory()
    assert one is not None
    t.map(0)
    t.map(1)
    t.directory()
    t.paging_get_physical(t.user(1))
    t.map(0)
    t.paging_get_physical(t.user(0))
    two_only = t.user(2)
    t.map(2)
    t.paging_switch_directory(one)
    t.paging_get_physical(t.user(0))
    t.paging_get_physical(t.user(1))
    t.paging_get_physical(two_only)
    t.paging_switch_directory(one)
    t.paging_get_physical(t.user(0))


@check("paging_create_directory", CREATE, "paging_free_directory", "frame_get_free_memory", rows="B068")
def directories_come_back(t: Caller) -> None:
    """Creating and freeing a directory a thousand times loses no memory"""
    reads = []
    for _ in range(4):
        for _ in range(250):
            directory = t.given(t.paging_create_directory())
            t.paging_free_directory(directory)
        reads.append(t.frame_get_free_memory())
    lost = reads[1] > reads[2] > reads[3]
    t.require(not lost, f"free memory fell from {int(reads[1])} to {int(reads[3])} bytes in 500 rounds",
              f"{reads[3].c} >= {reads[2].c}")  # fmt: skip


@check("paging_free_directory", FREE, "paging_create_directory", "paging_switch_directory", "paging_map_page",
       "frame_alloc", "frame_free", "frame_get_free_memory")  # fmt: skip
def a_freed_directory_gives_its_tables_back(t: Caller) -> None:
    """Mapping pages far apart in a directory and freeing it loses no memory"""
    home = t.directory()
    assert home is not None
    reads = []
    room = (t.traits.user_end - t.traits.user_start) // PAGE
    for _ in range(5):
        directory = t.directory()
        frames = [t.map(page) for page in (0, 1, 1500, 5000, 40_000) if page < room]
        t.paging_switch_directory(home)
        t.paging_free_directory(directory)
        if not t.traits.directory_frees:
            for frame in frames:
                t.frame_free(frame)
        reads.append(t.frame_get_free_memory())
    t.require(not reads[2] > reads[3] > reads[4], f"free memory fell from {int(reads[2])} to {int(reads[4])} bytes in "
              "two rounds", f"{reads[4].c} >= {reads[3].c}")  # fmt: skip
    t.require(not reads[2] < reads[3] < reads[4], f"free memory rose from {int(reads[2])} to {int(reads[4])} bytes in "
              "two rounds", f"{reads[4].c} <= {reads[3].c}")  # fmt: skip


@check("paging_unmap_page", UNMAP, "paging_map_page", "frame_alloc", "frame_free", "frame_get_free_memory")
def mapping_and_unmapping_loses_nothing(t: Caller) -> None:
    """Frames that are allocated, mapped, unmapped and freed come back"""
    t.directory()
    reads = []
    for _ in range(5):
        frames = [t.map(page) for page in range(8)]
        for page in range(8):
            t.paging_unmap_page(t.user(page))
        if not t.traits.unmap_frees:
            for frame in frames:
                t.frame_free(frame)
        reads.append(t.frame_get_free_memory())
    t.require(not reads[2] > reads[3] > reads[4], f"free memory fell from {int(reads[2])} to {int(reads[4])} bytes in "
              "two rounds", f"{reads[4].c} >= {reads[3].c}")  # fmt: skip


@check("paging_map_page", MAP, "frame_alloc", rows="B046")
def no_room_for_a_table_is_an_error(t: Caller) -> None:
    """Without a frame for a page table, paging_map_page returns an error or succeeds, and nothing is half mapped"""
    t.need("frame_free", "paging_get_physical")
    if not 0 < t.traits.frames < 1 << 17:
        raise Skipped("it has too many frames to allocate them all")
    t.directory()
    frame = t.given(t.frame_alloc())
    rest = t.many_given("frame_alloc", most=1 << 17)
    result = t.paging_map_page(t.user(0), frame, RW)
    t.require(result <= 0, f"paging_map_page returned {int(result)}", f"{result.c} <= 0")
    t.paging_get_physical(t.user(0))
    if result < 0:
        t.many_taken("frame_free", rest)
        again = t.paging_map_page(t.user(0), frame, RW)
        t.equal(again, 0, "after frames were freed again")
        t.paging_get_physical(t.user(0))


@check("paging_map_page", ALIGNED, "frame_alloc", "paging_get_physical", rows="B022", level=SAFETY)
def an_unaligned_page_is_refused(t: Caller) -> None:
    """An address that is not page-aligned is -EINVAL, and nothing is mapped"""
    t.directory()
    frame = t.given(t.frame_alloc())
    for offset in (1, 8, 2048, 4095):
        result = t.misuse("paging_map_page", t.user(0, offset), frame, RW)
        t.negative(result, f"for an address with offset {offset}")
        t.paging_get_physical(t.user(0))
        t.paging_get_physical(t.user(1))


@check("paging_map_page", ALIGNED, "frame_alloc", "paging_get_physical", rows="B023", level=SAFETY)
def an_unaligned_frame_is_refused(t: Caller) -> None:
    """A frame address that is not page-aligned is -EINVAL, and nothing is mapped"""
    t.directory()
    frame = t.given(t.frame_alloc())
    for offset in (1, 4095):
        t.negative(t.misuse("paging_map_page", t.user(0), t.at(frame, offset), RW), f"for a frame address + {offset}")
        t.paging_get_physical(t.user(0))


@check("paging_map_page", MAP, "frame_alloc", "paging_get_physical", rows="B033", level=SAFETY)
def a_mapped_page_is_not_lost(t: Caller) -> None:
    """Mapping a page that is mapped to another frame is refused, or replaces it"""
    t.directory()
    one, two = t.map(0), t.given(t.frame_alloc())
    result = t.misuse("paging_map_page", t.user(0), two, RW)
    if result == 0:
        t.recording.model.paging.current.pages[t.user(0)].frame = int(two)
    physical = t.paging_get_physical(t.user(0))
    expected = two if result == 0 else one
    t.require(physical == expected, f"it returned {int(result)}, and the page is at {int(physical):#x}",
              f"{physical.c} == {expected.c}")  # fmt: skip


@check("paging_map_page", MAP, "frame_alloc", "frame_free", "paging_unmap_page", "frame_get_free_memory", rows="B033",
       level=SAFETY)  # fmt: skip
def a_page_mapped_twice_loses_no_frame(t: Caller) -> None:
    """After a page was mapped to one frame and then to another, both can be freed"""
    t.directory()
    reads = []
    for _ in range(5):
        one, two = t.map(0), t.given(t.frame_alloc())
        result = t.misuse("paging_map_page", t.user(0), two, RW)
        t.paging_unmap_page(t.user(0))
        t.recording.model.paging.current.pages.pop(t.user(0), None)
        if not t.traits.unmap_frees:
            t.frame_free(one)
            t.frame_free(two)
        elif result:
            t.frame_free(two)
        reads.append(t.frame_get_free_memory())
    t.require(not reads[1] > reads[2] > reads[3] > reads[4], f"free memory fell from {int(reads[1])} to "
              f"{int(reads[4])} in three rounds", f"{reads[4].c} >= {reads[3].c}")  # fmt: skip


@check("paging_map_page", "PAGE_PRESENT: Page is present in memory", "frame_alloc", "paging_get_physical", rows="B035",
       level=ADVICE)  # fmt: skip
def a_page_that_is_not_present_does_not_translate(t: Caller) -> None:
    """Flags without PAGE_PRESENT are refused, or the page does not translate"""
    t.directory()
    frame = t.given(t.frame_alloc())
    result = t.misuse("paging_map_page", t.user(0), frame, 0)
    physical = t.paging_get_physical(t.user(0))
    t.require(result < 0 or physical == 0, f"it returned {int(result)}, and the page is at {int(physical):#x}",
              f"{result.c} < 0 || {physical.c} == 0")  # fmt: skip


@check("paging_map_page", "Page Flags: 0x001 to 0x200", "frame_alloc", "paging_get_physical", rows="B036", level=SAFETY)
def flags_do_not_change_the_address(t: Caller) -> None:
    """Flag bits from 12 on are refused, or do not get into the frame's address"""
    t.directory()
    frame = t.given(t.frame_alloc())
    for flags in (0x0000_1000 | RW, 0xFFFF_F000 | RW):
        result = t.misuse("paging_map_page", t.user(0), frame, flags)
        physical = t.recording.add("paging_get_physical", t.user(0), misuse=True)
        t.recording.flush()
        found = t.recording.value(physical)
        t.require(result < 0 or found == frame, f"flags {flags:#x} gave {int(result)}, and the page is at {found:#x}",
                  f"{result.c} < 0 || ${physical.out} == {frame.c}")  # fmt: skip
        if result == 0:
            return


@check("paging_map_page", "PAGE_COW: Copy-on-write (software flag)", "frame_alloc", "paging_get_physical", level=ADVICE)
def the_copy_on_write_flag_can_be_given(t: Caller) -> None:
    """A page can be mapped with PAGE_COW"""
    t.directory()
    frame = t.given(t.frame_alloc())
    result = t.paging_map_page(t.user(0), frame, PAGE_PRESENT | PAGE_USER | PAGE_COW)
    t.equal(result, 0, "for PAGE_COW")


@check("paging_map_page", "PAGE_PRESENT: Page is present in memory", "frame_alloc", "paging_get_physical")
def each_kind_of_page_translates(t: Caller) -> None:
    """Pages that are writable or not translate alike"""
    t.directory()
    for page, flags in enumerate((RW, RO, PAGE_PRESENT | 0x002)):
        t.map(page, flags)
    for page in range(3):
        t.paging_get_physical(t.user(page))
