"""What `mem_print_stats` prints: every layer, a paragraph each. Names are escaped: one line stays one line."""

from coalmm.heap.constants import KMALLOC_TABLE, TRACK_MISSED
from coalmm.inspect.machine import Machine
from coalmm.inspect.meminfo import memory_info
from coalmm.inspect.names import printable
from coalmm.inspect.zones import frames_by_kind
from coalmm.physical.constants import SB_KMALLOC
from coalmm.sizes import format_size


def statistics_text(machine: Machine) -> str:
    """The statistics of every layer, now. Changes nothing."""
    parts = (memory, frames, buddy, kmalloc, slabs, paging, processes, tracking)
    return "\n".join("\n".join(part(machine)) + "\n" for part in parts)


def memory(machine: Machine) -> list[str]:
    """The memory by use."""
    info = memory_info(machine)
    uses = ", ".join(
        f"{name} {format_size(getattr(info, name))}" for name in ("free", "kernel", "user", "cache", "buffer")
    )
    return [f"Memory: {format_size(info.total)}: {uses}"]


def frames(machine: Machine) -> list[str]:
    """The frames by kind."""
    stats = machine.frames.statistics()
    lines = [f"Frames: {stats.total} total, {stats.free} free, {stats.reserved} reserved, {stats.user} user"]
    return lines + [f"  {name:<16}{count:10}" for name, count in frames_by_kind(machine).items() if count]


def buddy(machine: Machine) -> list[str]:
    """The buddy heap: calls, and free blocks by size."""
    stats = machine.buddy.statistics()
    lines = [
        f"Buddy: {format_size(stats.total_bytes)}, {format_size(stats.free_bytes)} free; "
        f"{stats.alloc_count} allocated, {stats.free_count} freed, {stats.failed_alloc_count} failed; "
        f"largest free block {format_size(stats.largest_free_block)}"
    ]
    for order, count in enumerate(stats.free_blocks):
        if count:
            lines.append(f"  {format_size(4096 << order):<16}{count:10} free")
    return lines


def kmalloc(machine: Machine) -> list[str]:
    """kmalloc, all classes together."""
    if machine.ram.words[SB_KMALLOC + KMALLOC_TABLE] == 0:
        return ["kmalloc: there is no heap"]
    stats = machine.heap.statistics()
    return [
        f"kmalloc: {stats.live} live, {format_size(stats.live_bytes)}; {stats.allocations} allocated, "
        f"{stats.failures} failed; {stats.large} large, {format_size(stats.large_bytes)}"
    ]


def slabs(machine: Machine) -> list[str]:
    """The slab caches that were ever used."""
    caches = list(machine.slabs.caches())
    used = [cache for cache in caches if cache.allocations or cache.slabs]
    lines = [f"Slab caches: {len(caches)}, {len(used)} used (name, size, live, objects, slabs, allocated, failed)"]
    for cache in used:
        numbers = (cache.object_size, cache.active, cache.objects, cache.slabs, cache.allocations, cache.failures)
        name = printable(cache.name) or "(unnamed)"
        lines.append(f"  {name:<24}" + "".join(f"{number:10}" for number in numbers))
    return lines


def paging(machine: Machine) -> list[str]:
    """The paging mode and the TLB."""
    tlb = machine.mmu.tlb
    return [
        f"Paging: {machine.format.name}, directory {machine.mmu.cr3:#x}; "
        f"TLB {tlb.hits} hits, {tlb.misses} misses since this program attached"
    ]


def processes(machine: Machine) -> list[str]:
    """Every process: its sizes and faults."""
    lines = [f"Processes: {len(machine.processes)}"]
    for process in machine.processes:
        usage = process.usage
        line = f"  {process.pid:<6}{printable(process.name):<18}{process.state:<8}"
        if process.is_alive:
            faults = ", ".join(f"{name} {count}" for name, count in process.faults.items() if count)
            line += f"virtual {format_size(usage.virt)}, resident {format_size(usage.rss)}; faults: {faults or 'none'}"
        lines.append(line)
    return lines


def tracking(machine: Machine) -> list[str]:
    """Allocation tracking and fault injection."""
    state = "on" if machine.tracking.enabled else "off"
    missed = machine.tracking.get(TRACK_MISSED)
    injection = machine.injection
    armed = f"armed, {injection.seen} seen, {injection.failed} failed" if injection.armed else "off"
    return [
        f"Tracking: {state}, {machine.tracking.live_count()} live, {missed} without a record",
        f"Fault injection: {armed}",
    ]
