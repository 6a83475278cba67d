"""Write src/coalmm/linux/calls/index.py: which family has which system calls. Run it after adding or moving a call.

A call that is not in the index is found too, but then every family is imported to look for it. A test fails while
the index differs from what the families register.
"""

import importlib
import pkgutil
import textwrap
from pathlib import Path

HEAD = '''"""Which family has which system calls, so that only those are imported that a program asks for.

Written by scripts/write_calls.py.
"""

FAMILIES = {
'''


def families() -> dict[str, list[str]]:
    """The calls that each module registers."""
    from coalmm.linux import calls
    from coalmm.linux.registry import CALLS, CALLS_32

    found: dict[str, list[str]] = {}
    for module in pkgutil.iter_modules(calls.__path__):
        importlib.import_module(f"{calls.__name__}.{module.name}")
    for table in (CALLS, CALLS_32):
        for name, entry in table.items():
            found.setdefault(entry.function.__module__.rpartition(".")[2], []).append(name)
    return {family: sorted(set(names)) for family, names in sorted(found.items())}


def index_text() -> str:
    """The text of index.py."""
    text = HEAD
    for family, names in families().items():
        lines = textwrap.wrap(" ".join(names), 108, break_long_words=False, break_on_hyphens=False)
        body = "".join(f'        "{line} "\n' for line in lines[:-1]) + f'        "{lines[-1]}"\n'
        text += f'    "{family}": (\n{body}    ),\n' if len(lines) > 1 else f'    "{family}": "{lines[0]}",\n'
    return text + "}\n"


if __name__ == "__main__":
    (Path(__file__).parents[1] / "src/coalmm/linux/calls/index.py").write_text(index_text())
