"""Scenes on a terminal: a panel each, cut where the screen ends; a key goes on."""

import os
import sys

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from coalmm.tour.pieces import change_table
from coalmm.tour.scene import Scene

MOST_CHANGES = 6
QUIT = ("q", "Q", "\x03", "\x04", "\x1b", "")
FRAME_LINES = 3  # the panel's two edges, and the line that waits for a key
FRAME_COLUMNS = 4

NARROWEST = 100  # columns of what does not go to a terminal

Block = list[RenderableType]


def console_for(plain: bool) -> Console:
    """Standard output; without colours if `plain` or no terminal, and then wide enough for a walk."""
    console = Console(no_color=plain, highlight=False)
    if console.is_terminal:
        return console
    return Console(no_color=True, highlight=False, width=max(console.width, NARROWEST))


def blocks(scene: Scene) -> list[Block]:
    """The parts of a scene that stay together: calls and text, each piece under its title."""
    first: Block = [Text(f">>> {call}", "bold cyan") for call in scene.calls]
    found = [[*first, Text(scene.text)]]
    for title, piece in scene.pieces:
        found.append([Text(title, "bold yellow"), piece] if title else [piece])
    if scene.changed:
        title = f"RAM: {len(scene.changed)} words changed"
        found.append([Text(title, "bold yellow"), change_table(scene.changed, MOST_CHANGES)])
    return found


def pages(scene: Scene, console: Console, height: int) -> list[list[Block]]:
    """The blocks of a scene, dealt to as many pages as it takes; `height` 0 is one page."""
    options = console.options.update(width=console.width - FRAME_COLUMNS)
    room = height - FRAME_LINES
    result: list[list[Block]] = [[]]
    used = 0
    for block in blocks(scene):
        lines = sum(len(console.render_lines(part, options)) for part in block)
        if height and result[-1] and used + lines > room:
            result.append([])
            used = 0
        result[-1].append(block)
        used += lines
    return result


def panels(scene: Scene, label: str, console: Console, height: int = 0) -> list[Panel]:
    """A scene as panels no higher than the screen has room for (0: one, as high as it is)."""
    dealt = pages(scene, console, height)
    result = []
    for number, page in enumerate(dealt, 1):
        part = f" (part {number} of {len(dealt)})" if len(dealt) > 1 else ""
        title = f"{label} {scene.title}{part}"
        shown = Panel(airy(page), title=title, title_align="left", border_style="blue")
        if height and len(console.render_lines(shown)) >= height:
            shown.renderable = Group(*(part for block in page for part in block))
        result.append(shown)
    return result


def airy(page: list[Block]) -> Group:
    """The blocks with an empty line between two."""
    parts: Block = []
    for block in page:
        parts += [Text(""), *block] if parts else block
    return Group(*parts)


def wait_for_key(console: Console) -> bool:
    """Wait for a key; False if the tour is to end."""
    console.print(Text(" any key: next    q: quit", "dim"), end="")
    key = read_key()
    console.print()
    return key not in QUIT


def read_key() -> str:
    """One key from the terminal (an arrow or function key is several characters), "" at its end."""
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    settings = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor, termios.TCSADRAIN)  # a key that was pressed sooner counts, too
        return os.read(descriptor, 16).decode("utf-8", "replace")
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, settings)
