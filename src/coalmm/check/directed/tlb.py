"""What the TLB may still hold when an entry has changed: the page must be flushed (invlpg, a load of cr3, a function
under `flush`). Only for targets that have one of these.
"""

from coalmm.check.directed.caller import RO, RW, Caller, Skipped, Value
from coalmm.check.directed.registry import check
from coalmm.check.functions import PAGE
from coalmm.check.result import ADVICE

STALE = ("Intel SDM 3A, 4.10.4.2: software that lowers rights in a present entry, or changes its address, "
         "should invalidate the TLB")  # fmt: skip
NEEDS = ("paging_map_page", "frame_alloc")
CLONE = ("paging_create_directory", "paging_switch_directory", "paging_get_physical", *NEEDS)
NOTHING = ("it has no invlpg and no load of cr3, and check.toml names no function under `flush`: if yours is in "
           "assembler, name it there")  # fmt: skip
STAYS = "was not flushed from the TLB: no invlpg of it, no load of cr3"


def need_flushes(t: Caller) -> None:
    """Skip what cannot be seen."""
    if not t.traits.flushes:
        raise Skipped(NOTHING)


def started(t: Caller) -> Value:
    """From here on flushes are looked at."""
    return t.primitive("flushes")


def require_flushed(t: Caller, mark: Value, page: int, what: str) -> None:
    """Violation unless a page was flushed since then."""
    flushed = t.primitive("flushed", mark, t.user(page))
    t.require(flushed == 1, f"{what}, and {t.user(page):#x} {STAYS}", f"{flushed.c} == 1")


@check("paging_unmap_page", STALE, "paging_map_page", "frame_alloc", rows="B056 B057")
def an_unmapped_page_leaves_the_tlb(t: Caller) -> None:
    """paging_unmap_page flushes the page that it unmaps"""
    need_flushes(t)
    t.directory()
    for page in (0, 1, 2):
        t.map(page)
    for page in (1, 0, 2):
        mark = started(t)
        t.paging_unmap_page(t.user(page))
        require_flushed(t, mark, page, "paging_unmap_page took the entry away")


@check("paging_map_page", STALE, "frame_alloc", "paging_get_physical", rows="B033")
def a_page_that_gets_another_frame_leaves_the_tlb(t: Caller) -> None:
    """Where paging_map_page replaces the frame of a mapped page, it flushes the page"""
    need_flushes(t)
    t.directory()
    t.map(0)
    other = t.given(t.frame_alloc())
    mark = started(t)
    if t.misuse("paging_map_page", t.user(0), other, RW) == 0:
        t.recording.model.paging.current.pages[t.user(0)].frame = int(other)
        require_flushed(t, mark, 0, "paging_map_page changed the frame of a mapped page")


@check("paging_map_page", STALE, "frame_alloc", "copy_to_user", rows="B034")
def a_page_that_loses_rights_leaves_the_tlb(t: Caller) -> None:
    """Where paging_map_page makes a mapped page read-only, it flushes the page"""
    need_flushes(t)
    t.directory()
    frame = t.map(0)
    mark = started(t)
    if t.misuse("paging_map_page", t.user(0), frame, RO) == 0:
        t.recording.model.paging.current.pages[t.user(0)].flags = RO
        flushed = t.primitive("flushed", mark, t.user(0))
        written = t.misuse("copy_to_user", t.user(0), t.buffer(8, 1), 8)
        t.require(written == 0 or flushed == 1, f"paging_map_page made a mapped page read-only, and it {STAYS}",
                  f"{written.c} == 0 || {flushed.c} == 1")  # fmt: skip


@check("paging_clone_directory", STALE, *CLONE, rows="B074")
def pages_that_a_clone_shares_leave_the_tlb(t: Caller) -> None:
    """Where a clone of the current directory shares writable pages, they are flushed: their source may not write on"""
    need_flushes(t)
    source = t.directory()
    frame = t.map(0)
    mark = started(t)
    clone = t.given(t.paging_clone_directory(source))
    flushed = t.primitive("flushed", mark, t.user(0))
    t.paging_switch_directory(clone)
    physical = t.paging_get_physical(t.user(0))
    t.require(physical != frame or flushed == 1, "paging_clone_directory shares the frame of a writable page, and "
              f"{t.user(0):#x} of its source {STAYS}", f"{physical.c} != {frame.c} || {flushed.c} == 1")  # fmt: skip


@check("copy_to_user", STALE, "paging_clone_directory", *CLONE)
def a_page_that_gets_a_frame_of_its_own_leaves_the_tlb(t: Caller) -> None:
    """Where copy_to_user gives a shared page a frame of its own, it flushes the page"""
    need_flushes(t)
    source = t.directory()
    t.map(0)
    t.write(t.user(0), PAGE, 1)
    t.given(t.paging_clone_directory(source))
    before, mark = t.paging_get_physical(t.user(0)), started(t)
    t.write(t.user(0), 8, 2)
    flushed, after = t.primitive("flushed", mark, t.user(0)), t.paging_get_physical(t.user(0))
    t.require(before == after or flushed == 1, f"copy_to_user changed the frame of {t.user(0):#x}, and it {STAYS}",
              f"{before.c} == {after.c} || {flushed.c} == 1")  # fmt: skip


@check("paging_unmap_page", STALE, *NEEDS, level=ADVICE)
def code_with_privileged_instructions_flushes_the_tlb(t: Caller) -> None:
    """A kernel that has privileged instructions has one that flushes the TLB"""
    if not t.traits.privileged:
        raise Skipped("it has no privileged instructions")
    t.require(t.traits.flushes, NOTHING)
