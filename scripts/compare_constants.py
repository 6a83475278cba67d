"""Compare the C constants in each `.pxd` with those of the `.py` beside it. `setup.py` does so before it compiles.

A compiled module takes a constant from its `.pxd`, an interpreted one from its `.py`. A change of one alone must not go
unseen: `differences` names the file and line of each number that is not the same on both sides.
"""
import ast
import re
import sys
from pathlib import Path

DEFINE = re.compile(r"^\s*#define (coalmm_\w+) (.+?)\s*$")
NAME = re.compile(r'^\s*const [\w ]+? (\w+) "(coalmm_\w+)"')
ARRAY = re.compile(r"^\s*cdef (?:readonly )?u\d+\[(\d+)\]")
SUFFIX = re.compile(r"(0x[0-9a-fA-F]+|\d+)[uUlL]+")


def numbers(python: Path, source: Path) -> dict[str, int]:
    """The integer constants of a module, of those it imports them from too; nothing is imported or run."""
    known: dict[str, int] = {}
    tree = ast.parse(python.read_text())
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    for node in [*(each for block in blocks for each in block.body), *tree.body]:
        if isinstance(node, ast.ImportFrom) and node.module:
            known |= imported(node, source)
    for node in [*(each for block in blocks for each in block.body), *tree.body]:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            try:
                value = eval(compile(ast.Expression(node.value), str(python), "eval"), {"__builtins__": {}}, known)
            except Exception:
                continue  # no constant
            if isinstance(value, int):
                known[node.targets[0].id] = value
    return known


def imported(node: ast.ImportFrom, source: Path) -> dict[str, int]:
    """The constants among the names of an import."""
    path = source / f"{(node.module or '').replace('.', '/')}.py"
    if not path.exists() or not any(name.name.isupper() for name in node.names):
        return {}
    there = numbers(path, source)
    return {name.name: there[name.name] for name in node.names if name.name in there}


def differences(source: Path) -> list[str]:
    """A line for each C constant below `source` that is not what the `.py` beside it says."""
    found = []
    for pxd in sorted(source.rglob("*.pxd")):
        python = pxd.with_suffix(".py")
        if python.exists():
            found += differences_of(pxd, numbers(python, source))
    return found


def differences_of(pxd: Path, known: dict[str, int]) -> list[str]:
    """`differences` of one `.pxd`. The length of a C array must be a constant of the module, too."""
    found = []
    lines = pxd.read_text().splitlines()
    names = {match[2]: match[1] for match in map(NAME.match, lines) if match}
    for number, line in enumerate(lines, 1):
        define, array = DEFINE.match(line), ARRAY.match(line)
        if define and define[1] in names:
            name, value = names[define[1]], eval(SUFFIX.sub(r"\1", define[2]), {"__builtins__": {}})
            if name not in known:
                found.append(f"{pxd}:{number}: {name} is {value:#x}, and {pxd.stem}.py has no such constant")
            elif known[name] != value:
                found.append(
                    f"{pxd}:{number}: {name} is {value:#x} here and {known[name]:#x} in {pxd.stem}.py: "
                    + ("run scripts/write_constants.py" if pxd.stem == "constants" else "change it here")
                )
        elif array and int(array[1]) not in known.values():
            found.append(f"{pxd}:{number}: an array of {array[1]}, which is no constant of {pxd.stem}.py: change it")
    return found


def main() -> None:
    """Print the differences; the exit status is 1 if there are any."""
    found = differences(Path("src"))
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
