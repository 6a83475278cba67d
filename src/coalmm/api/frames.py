"""Physical Memory Management: the document's functions over the current kernel."""

from coalmm import current
from coalmm.api.structures import frame_stats_t, is_null
from coalmm.hardware.constants import FRAME_SIZE


def frame_alloc() -> int:
    """Allocate one frame of 4096 bytes, contents undefined; its physical address, 0 if there is none."""
    return current.require().frames.allocate()


def frame_free(frame: int) -> None:
    """Give back a frame of frame_alloc; while it is mapped it is handed to nobody.

    Raises DoubleFreeError or InvalidPointerError, with nothing changed, for any other address.
    """
    current.require().frames.free(frame)


def frame_get_total_memory() -> int:
    """Bytes of usable physical memory, the kernel's own included."""
    return current.require().frames.statistics().total * FRAME_SIZE


def frame_get_free_memory() -> int:
    """Bytes of free physical memory."""
    return current.require().frames.statistics().free * FRAME_SIZE


def frame_get_stats(stats: frame_stats_t) -> None:
    """Fill `stats`; None or 0 (NULL) is nothing."""
    if is_null(stats, frame_stats_t):
        return
    now = current.require().frames.statistics()
    stats.total_frames = now.total
    stats.free_frames = now.free
    stats.reserved_frames = now.reserved
    stats.user_frames = now.user
