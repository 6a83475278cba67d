"""About a thousand samples over a run whose length nobody knows beforehand.

One sample each `interval` events. When the buffer is full every second sample goes and the interval
doubles, so there are always between SAMPLES / 2 and SAMPLES of them, evenly spaced.
"""

from array import array

import cython

if not cython.compiled:
    from coalmm.replay.constants import SAMPLES


class Samples:
    """Columns of equal length `count`: events so far, then bytes: live, in blocks, footprint, spare."""

    def __init__(self) -> None:
        self.count = 0
        self.interval = 1
        self.due = 1
        self.events = array("Q", bytes(8 * SAMPLES))
        self.live = array("Q", bytes(8 * SAMPLES))
        self.blocks = array("Q", bytes(8 * SAMPLES))
        self.footprint = array("Q", bytes(8 * SAMPLES))
        self.spare = array("Q", bytes(8 * SAMPLES))

    def add(self, events: int, live: int, blocks: int, footprint: int, spare: int) -> None:
        """Take a sample after `events` events, and say in `due` after which one the next is.

        A second one after the same events, at the end of a run, replaces the first.
        """
        at = self.count
        if at > 0 and self.events[at - 1] == events:
            at -= 1
        self.events[at] = events
        self.live[at] = live
        self.blocks[at] = blocks
        self.footprint[at] = footprint
        self.spare[at] = spare
        self.count = at + 1
        if self.count == SAMPLES:
            self.thin()
        self.due = events + self.interval

    def thin(self) -> None:
        """Drop every second sample; the last one stays."""
        for at in range(SAMPLES // 2):
            self.events[at] = self.events[2 * at + 1]
            self.live[at] = self.live[2 * at + 1]
            self.blocks[at] = self.blocks[2 * at + 1]
            self.footprint[at] = self.footprint[2 * at + 1]
            self.spare[at] = self.spare[2 * at + 1]
        self.count = SAMPLES // 2
        self.interval *= 2

    def column(self, name: str) -> list[int]:
        """One column: "events", "live", "blocks", "footprint" or "spare"."""
        columns = {
            "events": self.events,
            "live": self.live,
            "blocks": self.blocks,
            "footprint": self.footprint,
            "spare": self.spare,
        }
        return list(columns[name][: self.count])
