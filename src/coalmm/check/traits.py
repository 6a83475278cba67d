"""What is learned about a target before it is checked: its functions, and where the document leaves it a choice."""

import contextlib
from dataclasses import dataclass

from coalmm.check.build import Built
from coalmm.check.functions import PAGE, PAGE_PRESENT, PAGE_USER, PAGE_WRITABLE
from coalmm.check.protocol import EXTRA_BUDDY_FREE, EXTRA_FAIL, EXTRA_PHYSICAL, Ref
from coalmm.check.recording import Recording
from coalmm.check.violation import Illegal, Violation

MOST_FRAMES = 1 << 17  # no more are counted by allocating them


@dataclass(frozen=True)
class Traits:
    """What the target has and how it decided."""

    present: frozenset[str]
    extras: int
    word: int
    frames: int = 0  # free frames at the start, 0: unknown
    exact_frames: bool = False  # each frame_alloc and frame_free moves free memory by a page
    unmap_frees: bool = False  # paging_unmap_page gives the frame back itself
    directory_frees: bool = False  # paging_free_directory gives the frames that it maps back
    buddy_ready: bool = True  # the start made the buddy heap
    buddy_heap: int = 0  # bytes for buddy_init otherwise
    user_start: int = 0
    user_end: int = 0
    pid: int = 0
    efault: int = 14
    privileged: bool = False  # it has privileged instructions
    flushes: bool = False  # it can flush the TLB

    def extra(self, bit: int) -> bool:
        """Whether check.toml gave something of EXTRA_..."""
        return bool(self.extras & bit)

    @property
    def reads_frames(self) -> bool:
        """Frames can be written through `physical`."""
        return self.extra(EXTRA_PHYSICAL)

    @property
    def can_fail(self) -> bool:
        """Allocations can be made to fail."""
        return self.extra(EXTRA_FAIL)

    @property
    def buddy_free(self) -> bool:
        """The buddy heap's free bytes can be read."""
        return self.extra(EXTRA_BUDDY_FREE)


def learn(built: Built, patience: float = 1.0) -> Traits:
    """Start the target a few times and see. What goes wrong here is found again by the checks.

    TargetError if it does not load or start.
    """
    config = built.config
    with Recording(built, patience) as recording:
        present, extras, word = recording.process.present, recording.process.extras, recording.word
    found: dict[str, object] = {}
    for question in (_frames, _unmap_frees, _directory_frees, _buddy):
        with contextlib.suppress(Violation, Illegal), Recording(built, patience) as recording:
            found |= question(recording, present, config.buddy_heap)
    user_end = config.user_end if word == 8 else min(config.user_end, 0xBFFF_F000)
    return Traits(present, extras, word, user_start=config.user_start, user_end=user_end, pid=config.pid,
                  efault=config.efault, privileged=built.privileged,
                  flushes=built.flushes, **found)  # type: ignore[arg-type]  # fmt: skip


def _frames(recording: Recording, present: frozenset[str], heap: int) -> dict[str, object]:
    """How many frames are free, and whether the count follows each call."""
    if not {"frame_alloc", "frame_free"} <= present:
        return {}
    if "frame_get_free_memory" not in present:
        given = recording.add("many_given", 0, MOST_FRAMES, 0, 0, 0, 0, slots=MOST_FRAMES)
        recording.flush()
        return {"frames": recording.value(given)}
    reads, frames = [recording.add("frame_get_free_memory")], []
    for _ in range(16):
        frames.append(recording.add("frame_alloc"))
        reads.append(recording.add("frame_get_free_memory"))
    for frame in frames:
        recording.add("frame_free", Ref(frame.out))
        reads.append(recording.add("frame_get_free_memory"))
    recording.flush()
    values = [recording.value(read) for read in reads]
    expected = [values[0] - PAGE * (16 - abs(16 - i)) for i in range(33)]
    return {"frames": values[0] // PAGE, "exact_frames": values == expected}


def _unmap_frees(recording: Recording, present: frozenset[str], heap: int) -> dict[str, object]:
    """Whether a frame that was mapped and unmapped is given back without frame_free."""
    needed = {"frame_alloc", "frame_get_free_memory", "paging_map_page", "paging_unmap_page"}
    if not needed <= present:
        return {}
    flags = PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER
    vaddr = 0x0100_0000
    if "paging_create_directory" in present and "paging_switch_directory" in present:
        directory = recording.add("paging_create_directory")
        recording.add("paging_switch_directory", Ref(directory.out))
    other = recording.add("frame_alloc")
    recording.add("paging_map_page", vaddr, Ref(other.out), flags)  # so that the table stays
    before = recording.add("frame_get_free_memory")
    frame = recording.add("frame_alloc")
    recording.add("paging_map_page", vaddr + PAGE, Ref(frame.out), flags)
    recording.add("paging_unmap_page", vaddr + PAGE)
    after = recording.add("frame_get_free_memory")
    recording.flush()
    return {"unmap_frees": recording.value(after) >= recording.value(before)}


def _directory_frees(recording: Recording, present: frozenset[str], heap: int) -> dict[str, object]:
    """Whether a mapped frame is given back with its directory."""
    needed = {"paging_create_directory", "paging_switch_directory", "paging_free_directory", "paging_map_page"}
    if not needed | {"frame_alloc", "frame_get_free_memory"} <= present:
        return {}
    home = recording.add("paging_create_directory")
    recording.add("paging_switch_directory", Ref(home.out))
    frames, reads = [recording.add("frame_alloc") for _ in range(5)], []
    for pages in (1, 1, 3):
        directory = recording.add("paging_create_directory")
        recording.add("paging_switch_directory", Ref(directory.out))
        for page in range(pages):
            vaddr = 0x0100_0000 + page * PAGE
            recording.add("paging_map_page", vaddr, Ref(frames.pop().out), PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER)
        recording.add("paging_switch_directory", Ref(home.out))
        recording.add("paging_free_directory", Ref(directory.out))
        reads.append(recording.add("frame_get_free_memory"))
    recording.flush()
    first, one, three = (recording.value(read) for read in reads)
    return {"directory_frees": three - one > one - first + PAGE}  # a table that is lost is lost each time


def _buddy(recording: Recording, present: frozenset[str], heap: int) -> dict[str, object]:
    """Whether the buddy heap is there at the start; if the kit makes it, what it gives."""
    if "buddy_alloc" not in present:
        return {}
    ready = heap == 0 or "buddy_init" not in present
    if not ready:
        try:
            first = recording.add("buddy_alloc", PAGE)
            recording.flush()
            ready = recording.value(first) != 0
        except Violation:
            ready = False
    return {"buddy_ready": ready, "buddy_heap": heap}
