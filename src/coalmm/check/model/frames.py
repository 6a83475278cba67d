"""Frames, and the numbers that say how many there are."""

from coalmm.check.functions import PAGE, STRUCTURES
from coalmm.check.model.call import Call
from coalmm.check.violation import Illegal, Violation

FREE_BYTES = "Get free physical memory; @return Free memory in bytes"


class Frames:
    """Live frames by address. Numbers are compared where two are read one after the other."""

    def __init__(self) -> None:
        self.live: dict[int, int] = {}  # address -> operation
        self.mapped: dict[int, int] = {}  # frames that mappings took over -> the mapping
        self.total: tuple[int, int] | None = None
        self.free: tuple[int, str] | None = None  # (bytes, C text) read since the last call that could change it
        self.exact = False  # calibration saw each call move the count by one
        self.expected: tuple[int, str] | None = None

    def touch(self) -> None:
        """Another call may have changed the numbers."""
        self.free = None
        self.expected = None

    def frame_alloc(self, call: Call) -> None:
        """A frame of its own."""
        frame = call.value
        before, self.free, self.expected = self.expected or self.free, None, None
        if frame == 0:
            return
        if frame % PAGE:
            raise Violation("alignment", f"frame_alloc gave {frame:#x}, which is not page-aligned",
                            f"${call.out} % 4096 == 0", "@param paddr Physical address (page-aligned)")  # fmt: skip
        if frame in self.live:
            raise Violation("overlap", f"frame_alloc gave {frame:#x}, which is allocated already",
                            f"${call.out} != ${self.live[frame]}", "Allocate a physical frame")  # fmt: skip
        if frame in self.mapped:
            raise Violation("overlap", f"frame_alloc gave {frame:#x}, which is mapped", f"${call.out} != {frame:#x}",
                            "Allocate a physical frame")  # fmt: skip
        self.live[frame] = call.out
        if self.exact and before is not None:
            self.expected = (before[0] - PAGE, f"{before[1]} - 4096")

    def frame_free(self, call: Call) -> None:
        """A live frame goes back."""
        before, self.free, self.expected = self.expected or self.free, None, None
        if self.live.pop(call.args[0], None) is None:
            raise Illegal(f"{call.args[0]:#x} is no live frame")
        if self.exact and before is not None:
            self.expected = (before[0] + PAGE, f"{before[1]} + 4096")

    def _free_is(self, value: int, text: str) -> None:
        known = self.free or self.expected
        if known is not None and known[0] != value:
            raise Violation(
                "accounting", f"free memory reads {value}, and should be {known[0]} bytes by what was read before",
                f"{text} == {known[1]}", FREE_BYTES,
            )  # fmt: skip
        self.free = (value, text)
        self.expected = None

    def frame_get_free_memory(self, call: Call) -> None:
        """The same as the other counts of free memory."""
        self._free_is(call.value, f"${call.out}")

    def frame_get_total_memory(self, call: Call) -> None:
        """Does not change."""
        if self.total is not None and self.total[0] != call.value:
            raise Violation("accounting", f"total memory was {self.total[0]} and is {call.value}",
                            f"${call.out} == ${self.total[1]}", "Get total physical memory size")  # fmt: skip
        self.total = (call.value, call.out)

    def frame_get_stats(self, call: Call) -> None:
        """Parts that are not more than the whole."""
        total, free, reserved, user = call.outcome.fields[:4]
        out = call.out
        if free + reserved + user > total:
            raise Violation(
                "accounting", f"frame_get_stats: free {free} + reserved {reserved} + user {user} is more than "
                f"total {total}", f"${out}.1 + ${out}.2 + ${out}.3 <= ${out}.0", "Total physical frames",
            )  # fmt: skip
        self._free_is(free * PAGE, f"${out}.1 * 4096")

    def get_meminfo(self, call: Call) -> None:
        """Parts that are not more than the whole."""
        out = call.out
        total, *parts = call.outcome.fields
        if sum(parts) > total:
            shown = ", ".join(f"{name} {part}" for name, part in zip(STRUCTURES["meminfo_t"][1:], parts, strict=True))
            raise Violation(
                "accounting", f"get_meminfo: {shown} are together more than the total, {total}",
                " + ".join(f"${out}.{i}" for i in range(1, 6)) + f" <= ${out}.0", "Total system memory",
            )  # fmt: skip
        self._free_is(parts[0], f"${out}.1")
