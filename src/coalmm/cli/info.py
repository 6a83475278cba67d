"""`coalmm info IMAGE`."""

import json

import click

from coalmm.cli.image import looking_at
from coalmm.inspect.meminfo import meminfo_text, meminfo_values, memory_info
from coalmm.inspect.names import printable
from coalmm.inspect.proc import maps_text
from coalmm.inspect.zones import buddyinfo_text, frames_by_kind, kinds_text, slabinfo_text
from coalmm.kernel import Kernel
from coalmm.physical.superblock import usable_ranges
from coalmm.sizes import format_size


@click.command("info")
@click.argument("image", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON, with sizes in bytes.")
@click.option("--maps", is_flag=True, help="Also the areas of every process, as /proc/PID/maps has them.")
def command(image: str, as_json: bool, maps: bool) -> None:
    """Memory, free blocks, slab caches and processes of a saved image.

    IMAGE is a file that kernel.save wrote; it is only read, and checked whole first. The parts have the form
    of Linux's /proc/meminfo, /proc/buddyinfo and /proc/slabinfo, so programs that read those read these.
    Slab caches that were never used are left out.

    \b
    Examples:
      coalmm info machine.coal
      coalmm info --json machine.coal | jq .memory.free
    """
    with looking_at(image) as kernel:
        text = json.dumps(as_data(kernel), indent=1) if as_json else as_text(kernel, maps)
    click.echo(text, nl=as_json)


def as_data(kernel: Kernel) -> dict[str, object]:
    """Everything about a machine, for JSON."""
    return {
        "paging": kernel.format.name,
        "ram": kernel.ram.size,
        "usable": usable_ranges(kernel.ram),
        "directory": kernel.mmu.cr3,
        "memory": memory_info(kernel)._asdict(),
        "meminfo": meminfo_values(kernel),
        "frames": kernel.frames.statistics()._asdict(),
        "frames_by_kind": frames_by_kind(kernel),
        "buddy": kernel.buddy.statistics()._asdict(),
        "slab_caches": [cache._asdict() for cache in kernel.slabs.caches()],
        "processes": [
            {
                "pid": process.pid,
                "name": process.name,
                "parent": process.parent,
                "state": process.state,
                **process.usage._asdict(),
            }
            for process in kernel.processes
        ],
    }


def as_text(kernel: Kernel, maps: bool) -> str:
    """The same for people."""
    parts = [
        f"{kernel.format.name} paging, RAM {format_size(kernel.ram.size)}, page directory at {kernel.mmu.cr3:#x}\n",
        meminfo_text(kernel),
        buddyinfo_text(kernel),
        slabinfo_text(kernel, used_only=True),
        kinds_text(kernel),
        processes_text(kernel, maps),
    ]
    return "\n".join(parts)


def processes_text(kernel: Kernel, maps: bool) -> str:
    """A line for each process, sizes in kB; with `maps`, its areas behind it."""
    lines = [f"{'PID':>6} {'PPID':>6} {'STATE':<7} {'VIRT':>10} {'RSS':>10} {'SHARED':>10}  NAME\n"]
    for process in kernel.processes:
        usage = process.usage
        sizes = " ".join(f"{size >> 10:>10}" for size in (usage.virt, usage.rss, usage.shared))
        name = printable(process.name)
        lines.append(f"{process.pid:>6} {process.parent:>6} {process.state:<7} {sizes}  {name}\n")
        if maps:
            lines.append(maps_text(kernel, process))
    return "".join(lines)
