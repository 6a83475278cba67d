"""The heap and the frames as tables: /proc/buddyinfo, /proc/slabinfo, and frames by kind."""

from coalmm.hardware.constants import FRAME_SHIFT
from coalmm.inspect.machine import Machine
from coalmm.inspect.names import printable
from coalmm.physical.constants import KIND_FREE, KIND_KEYS, KINDS, SB_FREE, SB_KINDS, SB_TOTAL

SLABINFO_HEADER = (
    "slabinfo - version: 2.1\n"
    "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
    " : tunables <limit> <batchcount> <sharedfactor>"
    " : slabdata <active_slabs> <num_slabs> <sharedavail>\n"
)
WHITE = " \t\n\x0b\x0c\r\x85\xa0"


def buddyinfo_text(machine: Machine) -> str:
    """The text of /proc/buddyinfo: free blocks of the buddy heap by order, 13 of them (4 KiB to 16 MiB)."""
    counts = "".join(f"{count:6} " for count in machine.buddy.statistics().free_blocks)
    return f"Node 0, zone {'Normal':>8} {counts}\n"


def slabinfo_text(machine: Machine, used_only: bool = False) -> str:
    """The text of /proc/slabinfo, version 2.1.

    White space in a cache's name is written \\xNN, or its columns would move. `used_only` leaves out caches
    that no object was ever taken from.
    """
    lines = [SLABINFO_HEADER]
    for cache in machine.slabs.caches():
        if used_only and not cache.allocations:
            continue
        name = printable(cache.name, WHITE) or "(unnamed)"
        lines.append(
            f"{name:<17} {cache.active:6} {cache.objects:6} {cache.stride:6} {cache.objects_per_slab:4} "
            f"{cache.pages_per_slab:4} : tunables {0:4} {0:4} {0:4} : slabdata "
            f"{cache.slabs - cache.empty_slabs:6} {cache.slabs:6} {0:6}\n"
        )
    return "".join(lines)


def frames_by_kind(machine: Machine) -> dict[str, int]:
    """Usable frames by what they are; the values sum to the total. "boot" is what boot placed."""
    words = machine.ram.words
    counts = {KIND_KEYS[kind]: int(words[SB_KINDS + kind]) for kind in range(KINDS)}
    counts[KIND_KEYS[KIND_FREE]] = int(words[SB_FREE])
    counts["boot"] = int(words[SB_TOTAL]) - sum(counts.values())
    return counts


def kinds_text(machine: Machine) -> str:
    """Frames by kind, a line each, in frames and KiB."""
    return "".join(
        f"{name:<16}{count:10} frames {count << FRAME_SHIFT >> 10:10} kB\n"
        for name, count in frames_by_kind(machine).items()
    )
