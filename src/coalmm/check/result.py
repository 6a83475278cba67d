"""What a check says."""

from dataclasses import dataclass, field

PASS, FAIL, WARN, NOTE, SKIP = "pass", "fail", "warn", "note", "skip"
MUST, SAFETY, ADVICE = "must", "safety", "advice"
MEANING = {
    MUST: "the document promises it",
    SAFETY: "the document does not allow the call, and the target should not be damaged by it",
    ADVICE: "good practice; the document leaves it open",
}


@dataclass(frozen=True)
class Result:
    """One check on one target. `reproducer` is a C program, "" where there is none."""

    check: str
    group: str
    status: str
    level: str = MUST
    title: str = ""
    rows: tuple[str, ...] = ()  # rows of the table of bad inputs
    sentence: str = ""
    message: str = ""
    kind: str = ""
    operations: int = 0  # of the sequence that shows it
    reproducer: str = ""
    command: str = ""
    seconds: float = 0.0
    seed: int | None = None


@dataclass
class Report:
    """All results of a run."""

    target: str
    bits: int
    present: frozenset[str]
    absent: frozenset[str]
    strict: bool
    seed: int
    results: list[Result] = field(default_factory=list)
    calls: int = 0
    seconds: float = 0.0

    def of(self, status: str) -> list[Result]:
        """The results with a status."""
        return [result for result in self.results if result.status == status]

    @property
    def failed(self) -> bool:
        """Whether something that must hold does not."""
        return bool(self.of(FAIL))
