"""One line of the table: a measured ratio, what it must and should be, and the figures behind it."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Result:
    """A measured value against its bounds.

    `value` is None where the peer is not installed. `must` and `aim` are the largest values allowed and
    hoped for; None where the table asks for nothing. `strict` bounds are to be undercut, not just reached.
    """

    row: str
    what: str
    value: float | None
    must: float | None
    aim: float | None
    figures: str
    unit: str = ""
    strict: bool = False

    def within(self, bound: float | None) -> bool:
        if self.value is None or bound is None:
            return True
        return self.value < bound if self.strict else self.value <= bound

    def verdict(self) -> str:
        """missed (the must), ok (the must, not the aim), aim (both), or not measured."""
        if self.value is None:
            return "not measured"
        if not self.within(self.must):
            return "missed"
        if self.aim is None:
            return "ok" if self.must is not None else "-"
        if self.within(self.aim):
            return "aim"
        return "ok" if self.must is not None else "aim missed"

    def show(self, value: float | None) -> str:
        """A value or a bound as text; `< 1` for a strict bound."""
        if value is None:
            return "-"
        if self.unit:
            return f"{value:.1f} {self.unit}"
        return f"{value:.2f}" if value < 100 else f"{value:.0f}"

    def show_bound(self, bound: float | None) -> str:
        if bound is None:
            return "-"
        text = f"{bound:g} {self.unit}".strip()
        return f"< {text}" if self.strict else f"<= {text}"

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "verdict": self.verdict()}
