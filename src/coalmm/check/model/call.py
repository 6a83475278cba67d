"""One call as the models see it."""

from dataclasses import dataclass

from coalmm.check.functions import FUNCTIONS
from coalmm.check.protocol import Op, Outcome

SIGNED = {name for name, function in FUNCTIONS.items() if function.returns in ("int", "ssize_t")}


@dataclass(slots=True)
class Call:
    """An operation with its arguments as numbers, and what it gave; `value` has the sign of its C type."""

    op: Op
    args: tuple[int, ...]
    outcome: Outcome
    value: int

    @property
    def out(self) -> int:
        """The number of the operation, by which messages and reproducers name its value."""
        return self.op.out


def signed(name: str, value: int) -> int:
    """The value as the function's return type has it."""
    return value - (1 << 64) if name in SIGNED and value >> 63 else value
