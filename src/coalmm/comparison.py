"""Reports side by side: the figures of `coalmm run --report X.json`, or of `coalmm replay --json`, as rows.

A figure has a dotted name, as in `faults.zero`, and a value of each report. What kernel addresses, moments and single
processes are is no figure. Bytes, frames and counts are as the report has them.
"""

from __future__ import annotations

import json
import shlex

from coalmm.errors import CoalError, one_line
from coalmm.typed import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

Value = int | float | str | None

KINDS = {"run": ("faults", "memory", "calls", "machine"), "replay": ("trace", "memory", "fragmentation", "throughput")}
SUMMED = ("faults", "calls")  # their parts are all there is: each fault is of one kind, each call has one name
COUNTED = ("faults.", "calls.", "unknown_calls.", "memory.frames.", "classes.")  # what is not listed is 0
LENGTHS = ("crashes", "kernel_failures", "processes")
TOLD = ("status", "signal")  # numbers whose difference says nothing
HOST_TIMES = ("seconds", "program_seconds", "throughput.")
LEFT_OUT = ("processes_not_listed", "faults_over_time", "leaks", "samples", "fragmentation.at_event")
LARGEST = 1 << 64
WRITE = "write one with `coalmm run --report X.json` or `coalmm replay --json > X.json`"


class ReportError(CoalError):
    """A file that is no report, or not one of the kind of the first. The message names it and says what to do."""


class Row(NamedTuple):
    """One figure of all reports; None where a report does not have it, or a difference says nothing."""

    name: str
    values: list[Value]
    differences: list[int | float | None]  # of the second report and so on, to the first
    per_cent: list[float | None]  # of the first's value
    host_time: bool  # a time of the host, which changes from run to run


def compare(paths: list[str]) -> tuple[str, list[Row]]:
    """The kind of the reports in these files, `run` or `replay`, and a row for each figure. Raises ReportError."""
    reports = [read(path) for path in paths]
    kind = kind_of(paths[0], reports[0])
    for path, report in zip(paths, reports, strict=True):
        if (other := kind_of(path, report)) != kind:
            raise ReportError(f"{path} is the report of a {other}, {paths[0]} of a {kind}: name reports of one kind")
    columns = [figures_of(path, report) for path, report in zip(paths, reports, strict=True)]
    names = dict.fromkeys(name for column in columns for name in column)
    parts = list(dict.fromkeys(name.partition(".")[0] for name in names))
    in_order = sorted(names, key=lambda name: parts.index(name.partition(".")[0]))
    return kind, [row(name, [column.get(name, absent(name)) for column in columns]) for name in in_order]


def read(path: str) -> Any:
    """What a file has as JSON."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError as error:
        raise ReportError(one_line(error)) from None
    except (ValueError, RecursionError):
        raise ReportError(f"{path} is not JSON, or cut off: {WRITE}") from None


def kind_of(path: str, report: Any) -> str:
    """Which command wrote a report."""
    for kind, parts in KINDS.items():
        if isinstance(report, dict) and all(isinstance(report.get(part), dict) for part in parts):
            return kind
    raise ReportError(f"{path} is no report of a run or a replay: {WRITE}")


def figures_of(path: str, report: dict[str, Any]) -> dict[str, Value]:
    """The figures of a report by name, in its order."""
    try:
        figures = dict(flat("", report))
    except RecursionError:
        raise ReportError(f"{path} is no report of a run or a replay: {WRITE}") from None
    for name, value in figures.items():
        fits = abs(value) < LARGEST if isinstance(value, int | float) else not name.startswith(COUNTED)
        if not fits:  # as nan does not, which is in no order
            raise ReportError(f"{path}: {name} is no number of 64 bits; {WRITE}")
    return figures


def flat(prefix: str, data: dict[str, Any]) -> Iterator[tuple[str, Value]]:
    """Names and values of a dict and of those in it."""
    for key, value in data.items():
        name = prefix + key
        if name in LEFT_OUT:
            continue
        if isinstance(value, dict):
            if name in SUMMED:
                yield name, sum(part for part in value.values() if isinstance(part, int))
            yield from flat(f"{name}.", value)
        elif isinstance(value, list):
            yield from of_list(name, value, data)
        else:
            yield name, str(value).lower() if isinstance(value, bool) else value


def of_list(name: str, items: list[Any], data: dict[str, Any]) -> Iterator[tuple[str, Value]]:
    """The command line as one text, how many are in a list, or the classes of kmalloc by size."""
    if name == "program":
        yield name, shlex.join(map(str, items))
    elif name in LENGTHS:
        more = data.get(f"{name}_not_listed")
        yield name, len(items) + (more if isinstance(more, int) else 0)
    elif name == "classes":
        for item in (item for item in items if isinstance(item, dict)):
            counts = {key: value for key, value in item.items() if key not in ("size", "is_class")}
            yield from flat(f"classes.{item.get('size')}.", counts)


def absent(name: str) -> Value:
    """The value of a figure that a report does not have."""
    return 0 if name.startswith(COUNTED) else None


def row(name: str, values: list[Value]) -> Row:
    """A figure with its differences to the first report."""
    first = values[0]
    differences: list[int | float | None] = [None] * (len(values) - 1)
    shares: list[float | None] = [None] * (len(values) - 1)
    for number, value in enumerate(values[1:]):
        if name not in TOLD and isinstance(value, int | float) and isinstance(first, int | float):
            differences[number] = value - first
            shares[number] = 100 * (value - first) / first if first else None
    return Row(name, values, differences, shares, name.startswith(HOST_TIMES))
