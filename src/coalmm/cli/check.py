"""`coalmm check TARGET`."""

import random
import re
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from coalmm.cli.numbers import Seconds
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.check.kit import Options
    from coalmm.check.result import Report


def run(target: Path, options: "Options") -> "Report":
    """Check with a progress bar on stderr; nothing where stderr is not a terminal."""
    from coalmm.check.kit import check_target

    console = Console(stderr=True)
    columns = (TextColumn("checking"), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=1.0)
        return check_target(target, options, lambda what, done: progress.update(task, description=what, completed=done))


WIDE = 160  # columns where stdout is no terminal: names of checks are not cut
NOTED = "/* NOTE: good practice, no failure. The API leaves it open, and this program may exit with 0.\n * "


def save(report: "Report", folder: Path) -> None:
    """Write the programs that reproduce what does not hold, a file for each check; those of notes say so."""
    folder.mkdir(parents=True, exist_ok=True)
    for result in report.results:
        if result.reproducer:
            noted = result.status == "note"
            name = f"note-{result.check}" if noted else result.check
            text = re.sub(r"\breproduce\b", name, result.reproducer)
            text = text.replace("/* ", NOTED, 1) if noted else text
            (folder / f"{name}.c").write_text(text, encoding="utf-8")


def print_list(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:
    """Print every check and every row of bad inputs, and end."""
    if not wanted:
        return
    from coalmm.check.directed import all_checks
    from coalmm.check.directed.registry import CHECKS
    from coalmm.check.result import MEANING
    from coalmm.check.rows import ROWS

    all_checks()
    lines = [f"{level}: {meaning}" for level, meaning in MEANING.items()]
    for check in CHECKS.values():
        rows = f" ({' '.join(check.rows)})" if check.rows else ""
        lines += ["", f"{check.name}: {check.function}, {check.level}{rows}", f"  {check.title}."]
    click.echo_via_pager("\n".join([*lines, "", *(f"{row} {text}" for row, text in ROWS.items())]) + "\n")
    ctx.exit()


@click.command("check")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=print_list,
              help="Print what each check and each row of bad inputs (B009) asks for.")  # fmt: skip
@click.option("--only", metavar="NAME", multiple=True,
              help="Checks, functions, groups (frames, paging, buddy, slab, kmalloc, user, info, debug, mixed, random) "
              "or rows (B009); * and ? as in file names. May be given more than once.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), help="Of the random sequences: the same again. Default: a new one.")
@click.option("--time", "seconds", type=Seconds(min=0), default=10.0, show_default=True,
              help="Seconds of random sequences. The directed checks come before them and take as long as they take, "
              "some ten seconds.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Calls that the document does not allow must do no damage either.")
@click.option("--first", is_flag=True, help="End at the first check that fails.")
@click.option("--save", "folder", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
              help="Write the C programs that reproduce what was found there.")  # fmt: skip
@click.option("--json", "form", flag_value="json", help="Print the report as JSON.")
@click.option("--tap", "form", flag_value="tap", help="Print the report as TAP.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write JUnit XML too.")
@click.pass_context
def command(
    ctx: click.Context, target: Path, only: tuple[str, ...], seed: int | None, seconds: float, strict: bool,
    first: bool, folder: Path | None, form: str | None, junit: Path | None,
) -> None:  # fmt: skip
    """Hold somebody's C memory code against the Coal OS memory management API.

    TARGET is a shared library that exports functions of the API, a C file, or a folder with a check.toml that says how
    the code is compiled, started, and what its functions are called. It runs in a process of its own: crashes, hangs
    and the like are findings. The functions that it does not have are not checked.

    \b
    Examples:
      coalmm check ./libmm.so
      coalmm check --only kmalloc --time 60 mm.c
      coalmm check --junit report.xml mykernel/check.toml

    A check FAILS where the document promises something that does not hold; a warning is a misuse that damages the
    target, a note is good practice. Random sequences that fail are cut down to the shortest one, which is printed as a
    C program. Exit status 1 if a check failed.
    """
    from coalmm.check.kit import Options
    from coalmm.check.report.machine import as_json, as_junit, as_tap

    if junit and not junit.parent.is_dir():
        raise click.BadParameter(f"{junit}: there is no folder {junit.parent}", param_hint="--junit")
    options = Options(only, random.randrange(1 << 16) if seed is None else seed, seconds, strict, first)
    report = run(target, options)
    if junit:
        junit.write_bytes(as_junit(report))
    if folder:
        save(report, folder)
    if form:
        click.echo(as_json(report) if form == "json" else as_tap(report), nl=form == "json")
    else:
        from coalmm.check.report.table import print_report

        print_report(report, Console() if sys.stdout.isatty() else Console(width=WIDE))
    if not report.results:
        raise click.UsageError("--only names no check", ctx)
    ctx.exit(1 if report.failed else 0)
