"""What a step of the tour hands to whoever shows it, and the machine that the steps share."""

from dataclasses import dataclass, field

from rich.console import RenderableType

from coalmm.hardware.steps import Walk
from coalmm.kernel import Kernel
from coalmm.process.process import Process
from coalmm.tour.changes import Change, changes, snapshot
from coalmm.tour.pieces import Descriptor, free_lists
from coalmm.typed import Callable


@dataclass
class Scene:
    """One step: its title, the calls that were made, why, what is to be seen, and what changed in RAM."""

    title: str
    calls: list[str]
    text: str
    pieces: list[tuple[str, RenderableType]]
    changed: list[Change] = field(default_factory=list)


class Tour:
    """A machine on its way through the steps; what one step made, the next ones find here."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.frame = 0
        self.directory = 0
        self.page = 0
        self.block = 0
        self.others: list[int] = []
        self.parent: Process | None = None
        self.child: Process | None = None

    def watch(self) -> "Watch":
        """Remember how everything is now, to compare later."""
        return Watch(self.kernel)

    def need(self, process: Process | None) -> Process:
        """A process that an earlier step made."""
        if process is None:
            raise RuntimeError("the steps of the tour go in order")
        return process

    def walk(self, root: int, vaddr: int) -> Walk:
        """A walk of a directory, which changes nothing."""
        return self.kernel.mmu.walker.walk(root, vaddr)


class Watch:
    """How a machine was."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.bytes = snapshot(kernel)
        self.frames = kernel.frames.statistics()
        self.lists = free_lists(kernel)

    def changed(self) -> list[Change]:
        """The words of RAM that differ now."""
        return changes(self.kernel, self.bytes)

    def word(self, index: int) -> int:
        """A word of RAM as it was."""
        return int.from_bytes(self.bytes[8 * index : 8 * index + 8], "little")

    def descriptor(self, paddr: int) -> Descriptor:
        """A frame's descriptor as it was."""
        at = self.kernel.frames.descriptors + (paddr >> 12) * 64
        return tuple(int.from_bytes(self.bytes[at + 4 * n : at + 4 * n + 4], "little") for n in range(8))

    def frame_counts(self) -> list[tuple[str, int, int]]:
        """Frames by use, before and after."""
        now = self.kernel.frames.statistics()
        return [(name, getattr(self.frames, name), getattr(now, name)) for name in ("free", "reserved", "user")]


Step = Callable[[Tour], Scene]

