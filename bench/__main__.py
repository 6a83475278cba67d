"""The harness: builds the peers, runs the rows, prints the table and writes build/bench.json.

The exit status says whether everything ran, never how fast it was.
"""

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import machine, table
from bench.build import ROOT, build
from bench.peers import Peer, find_all
from bench.program_rows import program_rows
from bench.result import Result
from bench.rows import SIZES, Row, all_rows, find_traces, trace_folder
from bench.runner import Runner, SideFailedError

REPORT = ROOT / "build" / "bench.json"


def run_rows(console: Console, rows: list[Row]) -> tuple[list[Result], dict[str, str]]:
    """The results of all rows, and why those that could not be measured were not."""
    results: list[Result] = []
    failures: dict[str, str] = {}
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=sum(row.rounds * len(row.sides) for row in rows), completed=0)
        for row in rows:
            start = progress.tasks[task].completed
            runner = Runner(row.rounds, lambda label: progress.update(task, description=label, advance=1))
            try:
                results += row.conclude(runner.interleave(row.name, row.sides))
            except (SideFailedError, KeyError) as error:
                failures[row.name] = str(error) or repr(error)
            progress.update(task, completed=start + row.rounds * len(row.sides))
    return results, failures


def say_missing(console: Console, peers: list[Peer]) -> None:
    for peer in peers:
        if not peer.path:
            console.print(f"[yellow]{peer.name} is not installed[/] and not compared with: {peer.install}")


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Only rows whose name starts with NAME; may be repeated.")
@click.option("--quick", "size", flag_value="quick", help="Three rounds and fewer repetitions: about a minute.")
@click.option("--tiny", "size", flag_value="tiny", help="Only whether everything runs; the numbers mean nothing.")
@click.option("--full", "size", flag_value="full", default=True, help="Seven rounds (the default).")
@click.option("--traces", default="", metavar="DIR", help="Folder of *.mtrace logs (also $COALMM_TRACES).")
@click.option("--mimalloc", default="", metavar="FILE", help="libmimalloc.so, where ldconfig does not know it.")
@click.option("--markdown", is_flag=True, help="Print the table as Markdown too.")
@click.option("--readme", is_flag=True, help="Write the table into README.md.")
@click.option("--json", "report", default=str(REPORT), metavar="FILE", show_default=True, help="Where the report goes.")
def main(
    only: tuple[str, ...], size: str, traces: str, mimalloc: str, markdown: bool, readme: bool, report: str
) -> None:
    """Measure coalmm against its peers, as ratios taken in one run on this machine.

    Rows: replay-TRACE, c-replay-TRACE, footprint-TRACE, pair, c-pair, frames, boot, walks,
    pages (clone and fault), tlb, fork, programs, start.
    """
    console = Console(width=None if sys.stdout.isatty() else 160)
    about = machine.describe()
    try:
        build()
        peers = find_all(mimalloc)
        rows = all_rows(SIZES[size], find_traces(trace_folder(traces)), peers) + program_rows(size, SIZES[size])
    except (RuntimeError, SideFailedError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    rows = [row for row in rows if not only or row.name.startswith(only)]
    if not rows:
        raise click.ClickException("no row has such a name")
    for name, value in about.items():
        console.print(f"{name:>12}: {value}", highlight=False)
    say_missing(console, peers)
    if machine.load() > 0.5:
        console.print(f"[yellow]the machine is busy[/] (load {machine.load():.1f}): the numbers will be noisy")
    results, failures = run_rows(console, rows)
    table.print_table(console, results)
    table.write_json(Path(report), results, about, failures)
    if readme:
        table.write_readme(ROOT / "README.md", table.markdown(results, about))
    if markdown:
        print(table.markdown(results, about))
    for name, reason in failures.items():
        console.print(f"[bold red]{name} did not run:[/] {reason}", highlight=False)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
