"""One life of a target: operations go in, are kept, and every answer is judged by the model."""

from coalmm.check.build import Built
from coalmm.check.functions import FUNCTIONS
from coalmm.check.model.model import Model
from coalmm.check.process import Died, Process
from coalmm.check.protocol import (
    FLAG_NULL_ALLOWED,
    SLOT_FIRST,
    SLOTS_MAX,
    Op,
    Outcome,
    Ref,
)
from coalmm.check.violation import Illegal, Violation
from coalmm.typed import TracebackType


class Recording:
    """A process and the model beside it. `add` queues, `flush` runs what is queued and judges it."""

    def __init__(self, built: Built, patience: float = 1.0) -> None:
        self.process = Process(built, patience)
        self.word = self.process.word
        self.model = Model(self.process.slots(0, SLOT_FIRST), self.word, built.config.efault, built.ownership)
        slabs = self.model.slabs
        slabs.takes = frozenset(name for name in slabs.takes if built.config.takes("slab_cache_create", name))
        self.ops: list[Op] = []
        self.queue: list[Op] = []
        self.next_slot = SLOT_FIRST
        self.has_heap = False  # the kit made the buddy heap

    def reserve(self, count: int = 1) -> int:
        """Slots that nothing else uses; the first of them."""
        first = self.next_slot
        self.next_slot += count
        if self.next_slot > SLOTS_MAX:
            raise MemoryError("a sequence has more values than the driver has slots")
        return first

    def add(self, name: str, *args: int | Ref, flags: int = 0, misuse: bool = False, slots: int = 1) -> Op:
        """Queue an operation."""
        if misuse or (name in FUNCTIONS and not any(isinstance(arg, Ref) and arg.slot >= SLOT_FIRST for arg in args)):
            flags |= FLAG_NULL_ALLOWED
        op = Op(name, args, self.reserve(slots), flags, misuse)
        self.queue.append(op)
        return op

    def flush(self) -> list[Outcome]:
        """Run what is queued. Violation at the first wrong answer, or if the process dies; `ops` ends with it."""
        queue, self.queue = self.queue, []
        return self.play(queue)

    def play(self, ops: list[Op]) -> list[Outcome]:
        """Run operations that have their numbers already."""
        try:
            outcomes = self.process.run(ops)
        except Died as death:
            self._judge(ops, self.process.partial)
            self._death(death, ops)
        self._judge(ops, outcomes)
        return outcomes

    def _judge(self, ops: list[Op], outcomes: list[Outcome]) -> None:
        for op, outcome in zip(ops, outcomes, strict=False):
            self.ops.append(op)
            self.model.step(op, outcome)

    def _death(self, death: Died, ops: list[Op]) -> None:
        """The process died in an operation: a finding, unless the operation was not allowed."""
        op = ops[min(death.index or 0, len(ops) - 1)]
        self.ops.append(op)
        self.model.legal(op)
        raise Death(death.how, f"{op.name}: {death}", op.misuse)

    def value(self, op: Op) -> int:
        """What an operation gave."""
        return self.model.values[op.out]

    def close(self) -> None:
        """End the process."""
        self.process.close()

    def __enter__(self) -> "Recording":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Death(Violation):
    """The target's process ended in an operation. `how` as in `Died`."""

    def __init__(self, how: str, message: str, misuse: bool) -> None:
        super().__init__(how, message, "", "every call returns")
        self.misuse = misuse


def replay(built: Built, ops: list[Op], patience: float = 1.0) -> tuple[Violation | None, list[Op]]:
    """What a sequence finds in a fresh process, and the operations up to there.

    None for nothing, and for a sequence that the document does not allow.
    """
    with Recording(built, patience) as recording:
        try:
            recording.play(ops)
        except Illegal:
            return None, []
        except Violation as violation:
            return violation, recording.ops
    return None, []
