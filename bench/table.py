"""Prints results: a table for the terminal, Markdown for the README, JSON for other programs."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.result import Result

COLOURS = {"missed": "bold red", "ok": "green", "aim": "bold green", "-": "dim"}  # yellow for the rest
BEGIN, END = "<!-- bench table -->", "<!-- end of the bench table -->"
COLUMNS = ("what", "measured", "must", "aim", "verdict", "figures")


def cells(result: Result) -> tuple[str, ...]:
    """One result as the texts of its row."""
    measured = result.show(result.value)
    bounds = result.show_bound(result.must), result.show_bound(result.aim)
    return (result.what, measured, *bounds, result.verdict(), result.figures)


def print_table(console: Console, results: Sequence[Result]) -> None:
    table = Table(show_lines=True)
    for column in COLUMNS:
        table.add_column(column, justify="right" if column in COLUMNS[1:4] else "left", overflow="fold")
    for result in results:
        row = list(cells(result))
        row[4] = f"[{COLOURS.get(row[4], 'yellow')}]{row[4]}[/]"
        table.add_row(*row)
    console.print(table)


def markdown(results: Sequence[Result], machine: dict[str, str]) -> str:
    """The table and the machine, for the README."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(cell.replace("|", "/") for cell in cells(result)) + " |" for result in results]
    lines += ["", "Measured " + "; ".join(f"{name} {value}" for name, value in machine.items()) + "."]
    return "\n".join(lines)


def write_readme(path: Path, table: str) -> None:
    """Put the Markdown table in its place in the README. ValueError if that has no place for it."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{path} has no place for the table: {BEGIN} and {END}")
    path.write_text(f"{before}{begin}\n{table}\n{end}{after}", encoding="utf-8")


def write_json(path: Path, results: Sequence[Result], machine: dict[str, str], failures: dict[str, str]) -> None:
    """Everything as JSON at `path`."""
    report = {"machine": machine, "results": [result.as_json() for result in results], "failures": failures}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n")
