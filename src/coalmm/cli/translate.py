"""`coalmm translate IMAGE VADDR`."""

import click
from rich.text import Text

from coalmm.cli.image import address, looking_at
from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT
from coalmm.hardware.steps import Walk
from coalmm.kernel import Kernel
from coalmm.physical.constants import KIND_DIRECTORY
from coalmm.tour.pieces import address_split, owners, walk_table
from coalmm.tour.show import console_for


@click.command("translate")
@click.argument("image", type=click.Path())
@click.argument("vaddr", type=address)
@click.option("--directory", type=address, metavar="PADDR", help="Walk from this directory. Default: the current one.")
@click.option("--pid", type=int, help="Walk from the page directory of this process.")
@click.option("--plain", is_flag=True, help="No colours.")
@click.pass_context
def command(ctx: click.Context, image: str, vaddr: int, directory: int | None, pid: int | None, plain: bool) -> None:
    """The page walk of one address in a saved image, entry by entry.

    IMAGE is a file that kernel.save wrote; it is only read. Shown are the address, cut into its indices;
    each entry on the way with where it is, what it points at and its bits by name (P present, W writable,
    U user, A accessed, D dirty, PS huge page, G global, COW copy-on-write, SHARED, NX no execute); then the
    physical address and what that frame is, or why there is none.

    \b
    Examples:
      coalmm translate machine.coal 0xc0000000
      coalmm translate --pid 1 machine.coal 0x8001000
      coalmm translate --directory 0x42000 machine.coal 0x400000

    Exit status: 0 if the address is mapped, 1 if it is not or the image cannot be read.
    """
    if directory is not None and pid is not None:
        raise click.UsageError("give --directory or --pid, not both")
    with looking_at(image) as kernel:
        root = root_of(kernel, directory, pid)
        walk = kernel.mmu.walker.walk(root, vaddr)
        show(kernel, walk, plain)
    ctx.exit(0 if walk.page_size else 1)


def root_of(kernel: Kernel, directory: int | None, pid: int | None) -> int:
    """The root to walk from. ClickException for a process that is not there, or a frame that is no directory."""
    if pid is not None:
        process = kernel.processes.find(pid)
        if process is None:
            known = ", ".join(str(each) for each in kernel.processes.pids()) or "none"
            raise click.ClickException(f"there is no process {pid}; there are: {known}")
        if not process.is_alive:
            raise click.ClickException(f"process {pid} has exited: it has no page directory")
        return process.root
    if directory is None:
        return kernel.mmu.cr3
    pfn = directory >> FRAME_SHIFT
    if directory & FRAME_MASK or pfn >= kernel.frames.pfn_limit or kernel.frames.kind(pfn) != KIND_DIRECTORY:
        raise click.ClickException(f"{directory:#x} is no page directory: {kernel.frames.describe(directory)}")
    return directory


def show(kernel: Kernel, walk: Walk, plain: bool) -> None:
    """Print a walk."""
    console = console_for(plain)
    console.print(f"{kernel.format.name} paging, page directory at {walk.root:#x}", soft_wrap=True)
    if kernel.format.is_canonical(walk.vaddr):
        console.print(address_split(kernel.format, walk.vaddr), soft_wrap=True)
    else:
        console.print(f"{walk.vaddr:#x}", soft_wrap=True)
    console.print(walk_table(kernel.format, walk))
    if walk.page_size:
        console.print(Text(owners(kernel, walk.paddr)), soft_wrap=True)
