"""`coalmm compare A.json B.json`."""

import json
from pathlib import Path

import click

from coalmm.comparison import ReportError, Row, Value, compare
from coalmm.inspect.names import printable

WIDEST = 32


@click.command("compare")
@click.argument("reports", nargs=-1, metavar="A.json B.json [C.json]...")
@click.option("--all", "everything", is_flag=True, help="Also the figures that are equal in all reports.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def command(reports: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """The figures of reports side by side, with the difference to the first.

    The reports are those of `coalmm run --report X.json`, or those of `coalmm replay --json`. Figures that are equal
    in all of them are left out. A * marks times of the host, which change from run to run. What a list of counts does
    not have is 0; - is for a figure that a report does not have.

    \b
    Examples:
      coalmm compare default.json fifo.json
      coalmm compare --all --json kmalloc.json buddy.json | jq .figures
    """
    if len(reports) < 2:
        raise click.UsageError("name two reports or more, as in: coalmm compare A.json B.json")
    try:
        kind, rows = compare(list(reports))
    except ReportError as error:
        raise click.BadParameter(str(error), param_hint="REPORT") from None
    if not everything:
        rows = [row for row in rows if any(value != row.values[0] for value in row.values)]
    if as_json:
        figures = [row._asdict() for row in rows]
        click.echo(json.dumps({"kind": kind, "reports": reports, "figures": figures}, indent=1))
    else:
        click.echo(table(list(reports), rows) if rows else "no figure differs")


def table(paths: list[str], rows: list[Row]) -> str:
    """The rows in columns, the names at the left and numbers at the right."""
    stems = [Path(path).stem for path in paths]
    first, *others = stems if len(set(stems)) == len(stems) else paths
    heading = ["", first]
    for title in others:
        heading += [title, "difference", "%"]
    lines = [[printable(cell) for cell in cells] for cells in (heading, *map(cells_of, rows))]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    told = ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines]
    if any(row.host_time for row in rows):
        told += ["", "* a time of the host, which changes from run to run"]
    return "\n".join(told)


def cells_of(row: Row) -> list[str]:
    """One row as texts."""
    cells = [row.name + "*" * row.host_time, text(row.values[0])]
    for value, difference, share in zip(row.values[1:], row.differences, row.per_cent, strict=True):
        cells += [text(value), "" if difference is None else text(difference, "+")]
        cells.append("" if share is None else f"{share:+,.1f}")
    return cells


def text(value: Value, sign: str = "") -> str:
    """A value as people read it."""
    if isinstance(value, int):
        return f"{value:{sign if value else ''},}"
    if isinstance(value, float):
        return f"{value:{sign},.0f}" if abs(value) >= 1000 else f"{value:{sign}.4g}"
    told = "-" if value is None else value
    return told if len(told) <= WIDEST else told[: WIDEST - 3] + "..."
