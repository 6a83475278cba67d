"""The blocks of a Markdown file, by language."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(path: Path, language: str) -> list[str]:
    """The contents of the fenced blocks of a language, in order."""
    return [text for kind, text in BLOCK.findall(path.read_text(encoding="utf-8")) if kind == language]


def shell_lines(path: Path) -> list[str]:
    """The commands of the sh blocks, continued lines joined."""
    text = "".join(blocks(path, "sh")).replace("\\\n", "")
    return [line.strip() for line in text.splitlines() if line.strip()]
