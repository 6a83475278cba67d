"""`coalmm replay TRACE`."""

import json
import os

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

import coalmm
from coalmm.typed import TYPE_CHECKING, TracebackType

if TYPE_CHECKING:
    from coalmm.kernel import Kernel
    from coalmm.replay.result import Result


PICTURES = (".png", ".svg", ".pdf", ".jpg", ".webp")


class Bar:
    """A progress bar on stderr by bytes of the file; nothing where stderr is not a terminal."""

    def __init__(self, size: int) -> None:
        console = Console(stderr=True)
        self.progress = Progress(
            TextColumn("replaying"),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[events]} events"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.task: TaskID = self.progress.add_task("replay", total=size or None, events="0")

    def update(self, position: int, events: int) -> None:
        """`position` bytes read, `events` done."""
        self.progress.update(self.task, completed=position, events=f"{events:,}")

    def __enter__(self) -> "Bar":
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()


def boot(ram: str, paging: str) -> "Kernel":
    """A machine for the replay. Raises UsageError for a size that cannot be booted."""
    try:
        return coalmm.boot(ram=ram, paging=paging)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--ram") from None


@click.command("replay")
@click.argument("trace", type=click.Path(allow_dash=True))
@click.option(
    "--allocator",
    type=click.Choice(["kmalloc", "buddy"]),
    default="kmalloc",
    show_default=True,
    help="What the program's requests go to. Page events of kernel traces always go to the buddy allocator.",
)
@click.option(
    "--ram", metavar="SIZE", default="1G", show_default=True, help="RAM of the machine: 64M, 4G, bytes. Sparse."
)
@click.option(
    "--paging",
    type=click.Choice(["i386", "pae", "x86_64", "la57"]),
    default="x86_64",
    show_default=True,
    help="The 32-bit modes give the heap at most 896 MiB.",
)
@click.option(
    "--check", metavar="N", type=click.IntRange(1), help="Validate every structure in RAM each N events (slow)."
)
@click.option(
    "--plot", metavar="FILE.png", type=click.Path(dir_okay=False), help="Draw memory, fragmentation and sizes."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report, with the samples over time, as JSON only.")
def command(
    trace: str, allocator: str, ram: str, paging: str, check: int | None, plot: str | None, as_json: bool
) -> None:
    """Run a real program's allocation trace on the allocators and report.

    TRACE is a file (or - for standard input) of glibc mtrace, valgrind --trace-malloc=yes, heaptrack --raw,
    the kernel's kmem events as text (perf script, trace-cmd report), a CS:APP .rep file, or memray. It may be
    plain, .gz, .xz, .zst or .bz2; what it is, is found by its content, and it is never held in memory whole.

    \b
    Examples:
      coalmm replay examples/count_words.mtrace.xz
      coalmm replay --allocator buddy --plot buddy.png cc1.mtrace.xz
      coalmm replay --json --check 10000 trace.raw.zst | jq .fragmentation

    The report says how much memory the allocator took for what the program asked for, what was lost to
    rounding (internal) and to scattered free objects (external fragmentation), which sizes were asked for,
    how fast it went, and what was still live at the end. Exit status 0 also when allocations failed: they
    are in the report.
    """
    if plot:
        check_picture(plot)
    result = run(trace, allocator, boot(ram, paging), check or 0)
    if plot:
        from coalmm.replay.plot import save_plot

        save_plot(result, plot)
    if as_json:
        click.echo(json.dumps(result.as_json(), indent=1))
    else:
        from coalmm.replay.report import print_report

        print_report(result, Console())


def check_picture(path: str) -> None:
    """UsageError for a picture that could not be written in the end."""
    folder, suffix = os.path.dirname(path) or ".", os.path.splitext(path)[1].lower()
    if suffix not in PICTURES:
        raise click.BadParameter(f"{path}: the name must end in {', '.join(PICTURES)}", param_hint="--plot")
    if not os.path.isdir(folder):
        raise click.BadParameter(f"{path}: there is no folder {folder}", param_hint="--plot")


def run(path: str, allocator: str, kernel: "Kernel", check: int) -> "Result":
    """Replay a file with a progress bar."""
    from coalmm.replay.run import replay
    from coalmm.traces import open_trace

    with kernel, open_trace(path) as trace, Bar(trace.source.size) as bar:
        return replay(trace, kernel, allocator == "buddy", check, bar.update)
