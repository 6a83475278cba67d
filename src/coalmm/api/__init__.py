"""The document, name for name: the memory management API of Coal OS over the current kernel."""

from coalmm.api.barriers import mb, rmb, wmb
from coalmm.api.frames import *  # noqa: F403
from coalmm.api.heap import *  # noqa: F403
from coalmm.api.structures import buddy_stats_t, frame_stats_t, meminfo_t, proc_meminfo_t

NULL = 0
