"""The plain form of `coalmm run`, without the library that reads command lines: it takes longer than a small program.

Only what is right is read here. Anything else (help, a mistake, an abbreviation) is left to `cli/run.py`, which says
what is wrong; both end in `program.prepare`.
"""

from __future__ import annotations

from coalmm.typed import Any

VALUES = {
    "--ram": "ram", "--paging": "paging", "--root": "root", "--cwd": "cwd", "--seed": "seed", "--timeout": "timeout",
    "--output-limit": "output_limit", "--most-processes": "most_processes", "--report": "report",
}  # fmt: skip
LISTS = {"--write": "writable", "--env": "variables"}
FLAGS = {"--clear-env": "clear_env", "-q": "quiet", "--quiet": "quiet", "--trace": "trace"}
NUMBERS = {"seed": int, "timeout": float, "most_processes": int}
DEFAULTS = {"ram": "1G", "paging": "auto", "root": "/", "most_processes": 4096}
MODES = ("auto", "i386", "pae", "x86_64", "la57")


def read_arguments(given: list[str]) -> dict[str, Any] | None:
    """The arguments of `prepare`; None for what `cli/run.py` is to read."""
    found: dict[str, Any] = dict.fromkeys(VALUES.values()) | DEFAULTS
    found |= {name: [] for name in LISTS.values()} | dict.fromkeys(FLAGS.values(), False)
    left = list(given)
    while left and left[0].startswith("-") and left[0] != "--":
        name, separator, value = left.pop(0).partition("=")
        if name in FLAGS and not separator:
            found[FLAGS[name]] = True
            continue
        if name not in VALUES and name not in LISTS:
            return None
        if not separator:
            if not left:
                return None
            value = left.pop(0)
        if name in LISTS:
            found[LISTS[name]].append(value)
        else:
            found[VALUES[name]] = value
    if left[:1] == ["--"]:
        left.pop(0)
    return with_program(found, left)


def with_program(found: dict[str, Any], left: list[str]) -> dict[str, Any] | None:
    """Put numbers where numbers belong, and the program."""
    try:
        for name, kind in NUMBERS.items():
            if isinstance(found[name], str):
                found[name] = kind(found[name])
    except ValueError:
        return None
    wrong = found["paging"] not in MODES or found["most_processes"] < 1 or not (found["timeout"] or 0) >= 0
    wrong = wrong or (found["seed"] or 0) < 0
    if not left or wrong:
        return None
    return found | {"program": left[0], "arguments": tuple(left[1:])}
