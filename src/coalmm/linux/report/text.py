"""The report for a terminal: a few lines, and a line for each process where there are several."""

from __future__ import annotations

from coalmm.linux.report.result import KINDS, TITLES
from coalmm.linux.signals.numbers import name
from coalmm.sizes import format_size
from coalmm.typed import Any

MOST_CALLS = 6
MOST_PROCESSES = 12
WIDEST = 100
BOLD, DIM, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def report_text(result: dict[str, Any], colour: bool = False) -> str:
    """The lines of a report. `colour` is for terminals."""
    lines = [title(result), ""]
    rows = [*fault_rows(result), *memory_rows(result), *call_rows(result)]
    for label, value, more in rows:
        text = f"  {label:<18}{value:>11}"
        lines.append(f"{text}   {DIM}{more}{PLAIN}" if colour and more else f"{text}   {more}".rstrip())
    lines += processes(result)
    lines += [f"  {clean(crash)}" for crash in result["crashes"]]
    if colour:
        lines[0] = f"{BOLD}{lines[0]}{PLAIN}"
    return "\n".join(lines) + "\n"


def clean(text: str) -> str:
    """Without what could steer a terminal: names are the program's own."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def command_line(words: list[str]) -> str:
    """Words as a shell takes them."""
    if all(word.replace("/", "").replace("-", "").isalnum() for word in words):
        return " ".join(words)
    import shlex  # takes as long to load as a short program runs

    return shlex.join(words)


def ended(entry: dict[str, Any]) -> str:
    """How a process ended."""
    if entry["signal"] is not None:
        return f"ended by {name(entry['signal'])}"
    return "still running" if entry["status"] is None else f"exit status {entry['status']}"


def resolved(faults: dict[str, int]) -> int:
    """All faults."""
    return sum(faults.values())


def title(result: dict[str, Any]) -> str:
    """The command, how it ended, how long it took."""
    command = clean(command_line(result["program"]))
    if len(command) > WIDEST // 2:
        command = command[: WIDEST // 2 - 3] + "..."
    how = "stopped by --timeout" if result["timed_out"] else ended(result)
    machine = result["machine"]
    return f"coalmm: {command}: {how}, {result['seconds']:.2f} s, {machine['paging']} paging"


def fault_rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Page faults by kind, and the TLB."""
    faults, tlb = result["faults"], result["tlb"]
    shown = [kind for kind in KINDS if faults[kind]]
    kinds = ", ".join(f"{TITLES[kind]} {faults[kind]:,}" for kind in shown)
    major, stack = result["major_faults"], result["stack_growths"]
    more = [f"{major:,} of them read a file"] if major else []
    if stack:
        more.append(f"stack grew {stack:,} times")
    rows = [("page faults", f"{resolved(faults):,}", kinds)]
    if more:
        rows.append(("", "", ", ".join(more)))
    rows.append(("TLB misses", f"{tlb['misses']:,}", f"{tlb['flushes']:,} flushes"))
    return rows


def memory_rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The largest process, and the frames in use when the most were."""
    memory = result["memory"]
    largest = max(result["processes"], key=lambda entry: entry["peak_resident"], default=None)
    areas = f" in {largest['areas']} areas" if largest else ""
    used = ", ".join(f"{name} {count:,}" for name, count in uses(memory["frames"]).items() if count)
    mapped = f"of {format_size(memory['peak_virtual'])} mapped{areas}"
    rows = [
        ("peak resident", format_size(memory["peak_resident"]), mapped),
        ("frames in use", f"{sum(memory['frames'].values()):,}", f"at the peak: {used}"),
    ]
    if memory["reclaimed"]:
        rows.append(("pages reclaimed", f"{memory['reclaimed']:,}", "of files, to make room"))
    return rows


def uses(frames: dict[str, int]) -> dict[str, int]:
    """Frames by what a reader asks first; the kinds one by one are in the other forms."""
    left = dict(frames)
    found = {name: left.pop(name, 0) for name in ("file", "anonymous")}
    found["page tables"] = left.pop("page_table", 0) + left.pop("page_directory", 0)
    found["heap"] = sum(left.pop(kind, 0) for kind in ("buddy_inside", "buddy_free", "buddy", "slab", "kmalloc_large"))
    found["other"] = sum(left.values())
    return found


def call_rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """System calls, the most frequent ones by name; those that are not implemented."""
    calls = sorted(result["calls"].items(), key=lambda item: -item[1])
    shown = ", ".join(f"{call} {count:,}" for call, count in calls[:MOST_CALLS])
    if len(calls) > MOST_CALLS:
        shown += f", {len(calls) - MOST_CALLS} more"
    rows = [("system calls", f"{sum(result['calls'].values()):,}", shown)]
    unknown = result["unknown_calls"]
    if unknown:
        names = ", ".join(f"{call} {count:,}" for call, count in unknown.items())
        rows.append(("not implemented", f"{sum(unknown.values()):,}", names))
    return rows


def processes(result: dict[str, Any]) -> list[str]:
    """A table of the processes where there are several, those with the most faults."""
    entries = result["processes"]
    if len(entries) < 2:
        return []
    columns = "".join(f"{column:>9}" for column in ("faults", "zero", "file", "copy"))
    lines = ["", f"  {'pid':>5} {'process':<16}{columns}{'peak resident':>15}  end"]
    busiest = sorted(entries, key=lambda entry: -sum(entry["faults"].values()))[:MOST_PROCESSES]
    for entry in sorted(busiest, key=lambda entry: int(entry["pid"])):
        faults = entry["faults"]
        counts = "".join(f"{count:>9,}" for count in (resolved(faults), faults["zero"], faults["file"], faults["copy"]))
        size = format_size(entry["peak_resident"])
        lines.append(f"  {entry['pid']:>5} {clean(entry['name']):<16}{counts}{size:>15}  {ended(entry)}")
    left = len(entries) - len(busiest) + result["processes_not_listed"]
    return [*lines, f"        {left:,} more"] if left else lines
