"""frame_alloc, frame_free and the counts of frames."""

from coalmm.check.directed.caller import Caller, Many, Skipped
from coalmm.check.directed.registry import check
from coalmm.check.functions import PAGE
from coalmm.check.protocol import SLOT_BUFFER_END, Ref
from coalmm.check.result import ADVICE
from coalmm.check.traits import MOST_FRAMES

ALLOC = "frame_alloc: Allocate a physical frame; @return Physical address of frame or 0 on failure"
FREE = "frame_free: Free a physical frame"
FREE_MEMORY = "frame_get_free_memory: Get free physical memory; @return Free memory in bytes"
STATS = "frame_stats_t: total, currently free, reserved by kernel, allocated to user space"


def all_frames(t: Caller) -> Many:
    """Every frame there is."""
    if t.traits.frames >= MOST_FRAMES:
        raise Skipped("it has too many frames to allocate them all")
    frames = t.many_given("frame_alloc", most=MOST_FRAMES)
    if frames.count == MOST_FRAMES:
        raise Skipped("it has too many frames to allocate them all")
    return frames


@check("frame_alloc", ALLOC)
def frame_is_given(t: Caller) -> None:
    """A fresh target gives a frame, page-aligned, and gives another one next"""
    one = t.given(t.frame_alloc())
    two = t.given(t.frame_alloc())
    t.require(one != two, "frame_alloc gave the same frame twice", f"{one.c} != {two.c}")


@check("frame_alloc", ALLOC, rows="B001 B004")
def frames_run_out_cleanly(t: Caller) -> None:
    """Frames are given until none is left; all are different, and then 0 comes again and again"""
    frames = all_frames(t)
    t.require(frames.count > 0, "frame_alloc gave no frame at all", f"${frames.op.out} > 0")
    t.apart(frames, PAGE)
    for _ in range(3):
        again = t.frame_alloc()
        t.require(again == 0, f"frame_alloc gave {int(again):#x} after it had none left", f"{again.c} == 0")


@check("frame_alloc", FREE_MEMORY, "frame_get_free_memory", rows="B001 B295")
def no_free_memory_after_the_last_frame(t: Caller) -> None:
    """Free memory reads about 0 when no frame is left"""
    before = t.frame_get_free_memory()
    frames = all_frames(t)
    after = t.frame_get_free_memory()
    slack = max(before // 20, 8 * PAGE)  # a reserve may be kept back
    t.require(after <= slack, f"free memory reads {int(after)} of {int(before)} with every frame allocated",
              f"{after.c} <= {slack}")  # fmt: skip
    taken = frames.count * PAGE
    t.require(taken <= before + slack, f"{frames.count} frames were given, and free memory read {int(before)} before",
              f"${frames.op.out} * 4096 <= {before.c} + {slack}")  # fmt: skip


@check("frame_free", FREE, rows="B002")
def a_freed_frame_is_given_again(t: Caller) -> None:
    """With no frame left, one that is freed can be allocated"""
    frames = all_frames(t)
    t.require(frames.count > 2, "there are not three frames", f"${frames.op.out} > 2")
    for place in (frames.count // 2, 0, frames.count - 1):
        t.recording.model.frames.live[frames.values[place]] = frames.op.out + place
        t.frame_free(Ref(frames.op.out + place))
        again = t.frame_alloc()
        t.require(again != 0, "a frame was freed, and frame_alloc still gives 0", f"{again.c} != 0")
        others = frames.values[:place] + frames.values[place + 1 :]
        if again in others:
            out = frames.op.out + frames.values.index(int(again))
            t.require(False, f"frame_alloc gave {int(again):#x}, which is allocated already",
                      f"{again.c} != (uintptr_t)${out}")  # fmt: skip
        t.recording.model.frames.live.pop(int(again), None)
        frames.values[place] = int(again)


@check("frame_free", FREE, "frame_alloc", rows="B003")
def all_frames_come_back(t: Caller) -> None:
    """Exhausting and freeing all gives the same number of frames each time"""
    counts: list[Many] = []
    for order in (0, 1, 2):
        counts.append(all_frames(t))
        t.apart(counts[-1], PAGE)
        t.many_taken("frame_free", counts[-1], order)
    one, two, three = counts
    t.require(not one.count > two.count > three.count, f"{one.count} frames, then {two.count}, then {three.count}: "
              "frames are lost", f"${three.op.out} >= ${two.op.out}")  # fmt: skip
    t.require(not one.count < two.count < three.count, f"{one.count} frames, then {two.count}, then {three.count}: "
              "frames are given twice", f"${three.op.out} <= ${two.op.out}")  # fmt: skip


@check("frame_get_stats", STATS, rows="B021")
def frame_statistics_add_up(t: Caller) -> None:
    """free + reserved + user is never more than total; free frames are what free memory says"""
    stats = t.frame_get_stats()
    t.require(stats.fields[0] > 0, "frame_get_stats says there are 0 frames", f"{stats.c}.0 > 0")
    t.free_memory()
    if t.has("frame_alloc"):
        for _ in range(20):
            t.frame_alloc()
            t.frame_get_stats()
            t.free_memory()


@check("frame_get_stats", STATS, "frame_alloc")
def free_frames_follow_allocation(t: Caller) -> None:
    """Free frames are fewer after 200 are allocated, and as many as before when they are back"""
    t.need("frame_free")
    most = min(200, t.traits.frames // 2 or 200)
    warm = t.many_given("frame_alloc", most=most)
    t.many_taken("frame_free", warm)
    before = t.frame_get_stats()
    frames = t.many_given("frame_alloc", most=most)
    during = t.frame_get_stats()
    t.many_taken("frame_free", frames)
    after = t.frame_get_stats()
    t.require(during.fields[1] < before.fields[1], f"{frames.count} frames were allocated, and free_frames went from "
              f"{before.fields[1]} to {during.fields[1]}", f"{during.c}.1 < {before.c}.1")  # fmt: skip
    t.require(after.fields[1] == before.fields[1], f"free_frames was {before.fields[1]}, and is {after.fields[1]} "
              f"after {frames.count} frames were allocated and freed", f"{after.c}.1 == {before.c}.1")  # fmt: skip


@check("frame_get_total_memory", "Get total physical memory size; @return Total memory in bytes")
def total_memory_is_total(t: Caller) -> None:
    """Total memory is not 0, not less than free memory, and does not change"""
    total = t.frame_get_total_memory()
    t.require(total > 0, "total memory reads 0", f"{total.c} > 0")
    free = t.free_memory()
    if free is not None:
        t.require(free <= total, f"free memory {int(free)} is more than the total {int(total)}",
                  f"{free.c} <= {total.c}")  # fmt: skip
    if t.has("frame_alloc"):
        t.frame_alloc()
    t.frame_get_total_memory()


@check("frame_get_total_memory", "total_frames: Total physical frames", "frame_get_stats", level=ADVICE)
def total_memory_is_total_frames(t: Caller) -> None:
    """total_frames is total memory in frames"""
    total, stats = t.frame_get_total_memory(), t.frame_get_stats()
    t.require(stats.fields[0] == total // PAGE, f"total_frames is {stats.fields[0]}, total memory {int(total)} bytes",
              f"{stats.c}.0 == {total.c} / 4096")  # fmt: skip


@check("frame_alloc", ALLOC, "frame_free")
def frames_are_apart_from_each_other(t: Caller) -> None:
    """Bytes written into a frame stay, whatever is written into others"""
    if not t.traits.reads_frames:
        raise Skipped("check.toml has no `physical`, so frames cannot be written")
    frames = [t.given(t.frame_alloc()) for _ in range(min(64, t.traits.frames // 2))]
    for number, frame in enumerate(frames):
        t.fill_frame(frame, number + 1)
    for frame in frames[::2]:
        t.frame_free(frame)
    for number, frame in enumerate(frames[1::2]):
        t.frame_intact(frame, 2 * number + 2)


@check("frame_get_stats", "frame_get_stats: @param stats Pointer to statistics structure", rows="B020", level=ADVICE)
def frame_statistics_at_an_odd_address(t: Caller) -> None:
    """The structure may lie at an address that is no multiple of the word size"""
    where = Ref(SLOT_BUFFER_END, -(4 * t.word + 1))
    odd = t.frame_get_stats(where)
    plain = t.frame_get_stats()
    t.require(odd.fields[0] == plain.fields[0], "total_frames differs at an odd address", f"{odd.c}.0 == {plain.c}.0")
