"""The report for people: a row for each function, then what does not hold, with programs that show it."""

from rich.console import Console
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from coalmm.check.functions import FUNCTIONS
from coalmm.check.result import FAIL, MEANING, NOTE, PASS, SKIP, WARN, Report, Result
from coalmm.check.rows import ROWS

STYLE = {PASS: "green", FAIL: "bold red", WARN: "yellow", NOTE: "cyan", SKIP: "dim"}
ORDER = (PASS, FAIL, WARN, NOTE, SKIP)
WORDS = ("hold", "do not hold", "warnings", "notes", "skipped")
PRINTED = 200  # operations of a program that is printed
PROGRAMS = 1  # that are printed whole; of the others, main()
LINES = 300  # of a program that is printed whole: not with the virtual CPU


def print_report(report: Report, console: Console) -> None:
    """Print everything."""
    console.print(f"{report.target}: {len(report.present)} of the document's {len(FUNCTIONS)} functions, "
                  f"{report.bits}-bit", highlight=False)  # fmt: skip
    console.print(rows(report))
    if report.absent:
        console.print(Text(f"not there: {', '.join(name for name in FUNCTIONS if name in report.absent)}", "dim"))
    for status in (FAIL, WARN, NOTE):
        for number, result in enumerate(sorted(report.of(status), key=lambda result: result.operations)):
            explain(result, console, whole=number < PROGRAMS)
    console.print(summary(report))


def rows(report: Report) -> Table:
    """A row for each function that is there and has a check, and each group of random sequences."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("function", no_wrap=True)
    for name in ORDER:
        table.add_column(name, justify="right")
    table.add_column("what does not hold", overflow="fold")
    for name, results in by_function(report).items():
        if name in report.absent or (name not in FUNCTIONS and results[0].status == SKIP):
            continue
        counts = [sum(result.status == status for result in results) for status in ORDER]
        worst = next(status for status in (FAIL, WARN, NOTE, PASS, SKIP) if any(r.status == status for r in results))
        names = [result.check for result in results if result.status == worst and worst in (FAIL, WARN, NOTE)]
        cells = [Text(str(count or ""), STYLE[status]) for count, status in zip(counts, ORDER, strict=True)]
        table.add_row(Text(name, "" if worst == PASS else STYLE[worst]), *cells, Text("\n".join(names), STYLE[worst]))
    return table


def by_function(report: Report) -> dict[str, list[Result]]:
    """The results by function, in the document's order; random sequences behind."""
    found: dict[str, list[Result]] = {name: [] for name in FUNCTIONS}
    for result in report.results:
        key = result.check if result.check.startswith("random-") else result.group
        found.setdefault(key, []).append(result)
    return {name: results for name, results in found.items() if results}


def explain(result: Result, console: Console, whole: bool) -> None:
    """What was found, what it rests on, and for a failure the program that shows it, ready to be copied."""
    console.print()
    console.print(Rule(f"[{STYLE[result.status]}]{result.status}[/] {result.check}", align="left", style="dim"))
    console.print(Text(result.message, "bold"))
    console.print(Text(f"{result.title}."))
    if result.sentence:
        console.print(Text(f"document: {result.sentence}", "dim"))
    for row in result.rows:
        console.print(Text(f"{row}: {ROWS[row]}", "dim"))
    if result.status != FAIL:
        console.print(Text(f"{MEANING[result.level]}", "dim"))
    elif result.operations > PRINTED:
        console.print(Text(f"{result.operations} operations; --save FOLDER writes the C program", "dim"))
    elif result.reproducer:
        start = 0 if whole and result.reproducer.count("\n") <= LINES else result.reproducer.index("int main(void)")
        program = Syntax("", "c", background_color="default").highlight(result.reproducer[start:].rstrip())
        console.print(Text(f"{result.operations} operations:", "dim"), program, sep="\n", soft_wrap=True)


def summary(report: Report) -> Text:
    """The last line."""
    counts = ", ".join(f"{len(report.of(status))} {name}" for status, name in zip(ORDER, WORDS, strict=True))
    return Text(f"{counts}; {report.calls:,} random operations in {report.seconds:.1f} s, seed {report.seed}",
                STYLE[FAIL] if report.failed else STYLE[PASS])  # fmt: skip
