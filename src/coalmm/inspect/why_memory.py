"""Why there was no memory: fault injection, or how much is free and in what pieces. Reads only."""

from coalmm.hardware.constants import FRAME_SHIFT, FRAME_SIZE
from coalmm.inspect.machine import Machine
from coalmm.physical.constants import INJECT_EVERY, INJECT_NTH, INJECT_SEEN, SB_INJECT
from coalmm.sizes import format_size
from coalmm.virtual.constants import SB_CACHE_LISTED


def no_memory(machine: Machine, size: int, point: str, what: str = "") -> str:
    """What to say of an allocation of `size` bytes that failed; `what` names it."""
    if was_injected(machine):
        return "fault injection made it fail, as kernel.failing or injection.arm asked for"
    frames = machine.frames.statistics()
    wanted = what or f"{size} bytes"
    if size > frames.total << FRAME_SHIFT:
        return f"no memory for {wanted}: the machine has {format_size(frames.total << FRAME_SHIFT)} in all"
    state = f"{frames.free} of {frames.total} frames are free"
    cached = int(machine.ram.words[SB_CACHE_LISTED])
    if cached:
        state += f", {cached} hold pages of files (kernel.files.reclaim gives some up)"
    if point != "frame":
        largest = machine.buddy.statistics().largest_free_block
        state += f", the largest free block of the heap has {format_size(largest)}"
    if size > FRAME_SIZE and frames.free << FRAME_SHIFT >= size:
        state += ", but not enough of them side by side"
    return f"no memory for {wanted}: {state}; free some, or boot with more RAM"


def was_injected(machine: Machine) -> bool:
    """Whether the last allocation that fault injection saw was made to fail."""
    words = machine.ram.words
    seen, every = words[SB_INJECT + INJECT_SEEN], words[SB_INJECT + INJECT_EVERY]
    if not machine.injection.armed or not seen:
        return False
    return bool(seen == words[SB_INJECT + INJECT_NTH] or (every and seen % every == 0))
