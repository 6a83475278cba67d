"""Clones of directories: fork."""

from coalmm.check.directed.caller import RO, Caller, Value
from coalmm.check.directed.registry import check
from coalmm.check.functions import PAGE

CLONE = "paging_clone_directory: Clone page directory (for fork); PAGE_COW: Copy-on-write"
NEEDS = ("paging_create_directory", "paging_switch_directory", "paging_map_page", "frame_alloc", "copy_to_user",
         "copy_from_user")  # fmt: skip


def forked(t: Caller, pages: int = 3) -> tuple[Value, Value]:
    """A directory with pages full of patterns, and its clone."""
    parent = t.directory()
    assert parent is not None
    for page in range(pages):
        t.map(page)
        t.write(t.user(page), PAGE, page + 1)
    return parent, t.given(t.paging_clone_directory(parent))


def look(t: Caller, pages: int = 3) -> None:
    """Read the pages; the model knows what is in them."""
    for page in range(pages):
        t.read(t.user(page), PAGE)


@check("paging_clone_directory", CLONE, *NEEDS)
def a_clone_has_the_same_bytes(t: Caller) -> None:
    """The clone finds what its source wrote"""
    parent, child = forked(t)
    t.paging_switch_directory(child)
    look(t)
    t.paging_switch_directory(parent)
    look(t)


@check("paging_clone_directory", CLONE, *NEEDS, rows="B074 B244")
def a_write_in_the_source_is_not_seen_in_the_clone(t: Caller) -> None:
    """After the clone, what the source writes stays its own"""
    parent, child = forked(t)
    t.write(t.user(1, 100), 500, 40)
    look(t)
    t.paging_switch_directory(child)
    look(t)
    t.write(t.user(1, 2000), 10, 41)
    t.paging_switch_directory(parent)
    look(t)


@check("paging_clone_directory", CLONE, *NEEDS, rows="B074 B244")
def a_write_in_the_clone_is_not_seen_in_the_source(t: Caller) -> None:
    """After the clone, what the clone writes stays its own"""
    parent, child = forked(t)
    t.paging_switch_directory(child)
    t.write(t.user(0, 4000), 200, 50)
    look(t)
    t.paging_switch_directory(parent)
    look(t)
    t.write(t.user(0), 16, 51)
    t.paging_switch_directory(child)
    look(t)


@check("paging_clone_directory", CLONE, *NEEDS, rows="B075")
def many_generations_are_apart(t: Caller) -> None:
    """A clone of a clone, twelve times: each sees its own bytes"""
    parent, child = forked(t, 1)
    family = [parent, child]
    for _ in range(10):
        family.append(t.given(t.paging_clone_directory(family[-1])))
    for number, directory in enumerate(family):
        t.paging_switch_directory(directory)
        t.write(t.user(0, 8 * number), 8, 100 + number)
    for directory in family:
        t.paging_switch_directory(directory)
        look(t, 1)


@check("paging_clone_directory", CLONE, *NEEDS, rows="B076")
def a_read_only_page_stays_read_only(t: Caller) -> None:
    """A page that was not writable is not writable in the clone, and not in the source after it"""
    parent = t.directory()
    assert parent is not None
    t.map(0, RO)
    child = t.given(t.paging_clone_directory(parent))
    t.write(t.user(0), 4, 7)
    t.paging_switch_directory(child)
    t.write(t.user(0), 4, 7)


@check("paging_free_directory", "paging_free_directory: Free page directory", *NEEDS, "paging_clone_directory",
       rows="B086")  # fmt: skip
def a_freed_clone_leaves_its_source(t: Caller) -> None:
    """When the clone is freed, the source keeps its bytes and its right to write, also after new frames were used"""
    _, child = forked(t)
    t.paging_free_directory(child)
    others = [t.frame_alloc() for _ in range(8)]
    for page, frame in enumerate(others, 10):
        if frame and t.paging_map_page(t.user(page), frame, 7) == 0:
            t.write(t.user(page), PAGE, 60 + page)
    look(t)
    t.write(t.user(2), PAGE, 99)
    look(t)


@check("paging_free_directory", "paging_free_directory: Free page directory", *NEEDS, "paging_clone_directory",
       rows="B086")  # fmt: skip
def a_freed_source_leaves_its_clone(t: Caller) -> None:
    """When the source is freed, the clone keeps its bytes, also after new frames were used"""
    parent, child = forked(t)
    t.paging_switch_directory(child)
    t.paging_free_directory(parent)
    others = [t.frame_alloc() for _ in range(8)]
    for page, frame in enumerate(others, 10):
        if frame and t.paging_map_page(t.user(page), frame, 7) == 0:
            t.write(t.user(page), PAGE, 60 + page)
    look(t)
    t.write(t.user(2), PAGE, 99)
    look(t)


@check("paging_clone_directory", CLONE, *NEEDS, "paging_free_directory", "frame_get_free_memory", "frame_free",
       "paging_unmap_page", rows="B318")  # fmt: skip
def clones_come_back(t: Caller) -> None:
    """Cloning, writing on both sides and freeing loses no memory"""
    home = t.directory()
    assert home is not None
    reads, stats = [], []
    for _ in range(6):
        parent = t.directory()
        frames = [t.map(page) for page in range(3)]
        for page in range(3):
            t.write(t.user(page), 100, page + 1)
        child = t.given(t.paging_clone_directory(parent))
        t.write(t.user(0), 8, 20)
        t.paging_switch_directory(child)
        t.write(t.user(1), 8, 21)
        t.paging_switch_directory(home)
        t.paging_free_directory(child)
        t.paging_free_directory(parent)
        if not t.traits.directory_frees:
            for frame in frames:
                t.frame_free(frame)
        reads.append(t.frame_get_free_memory())
        if t.has("frame_get_stats"):
            stats.append(t.frame_get_stats())
    t.require(not reads[2] > reads[3] > reads[4] > reads[5], f"free memory fell from {int(reads[2])} to "
              f"{int(reads[5])} bytes in three rounds", f"{reads[5].c} >= {reads[4].c}")  # fmt: skip
    t.require(not reads[2] < reads[3] < reads[4] < reads[5], f"free memory rose from {int(reads[2])} to "
              f"{int(reads[5])} bytes in three rounds", f"{reads[5].c} <= {reads[4].c}")  # fmt: skip
    user = [each.fields[3] for each in stats[2:]]
    drifts = len(user) == 4 and (user[0] > user[1] > user[2] > user[3] or user[0] < user[1] < user[2] < user[3])
    t.require(not drifts, f"user_frames went from {user[:1]} to {user[-1:]} in three rounds that gave all back",
              f"{stats[-1].c}.3 == {stats[-2].c}.3" if stats else "")  # fmt: skip
