"""Makes a failing sequence short: drops operations, then makes numbers small, while it still fails in the same way.

Delta debugging (Zeller and Hildebrandt 2002, ddmin) over operations; one that uses the value of a dropped one goes
with it. A candidate that the document does not allow finds nothing, so that it is never taken.
"""

import time
from dataclasses import replace

from coalmm.check.protocol import SLOT_BUFFER_END, SLOT_CTORS, Op, Ref
from coalmm.check.violation import Violation
from coalmm.typed import Callable

Play = Callable[[list[Op]], tuple[Violation | None, list[Op]]]
SIZES = {  # which argument is a size that may be made smaller
    "kmalloc": 0, "kzalloc": 0, "kmalloc_aligned": 0, "krealloc": 1, "buddy_alloc": 0, "slab_cache_create": 1,
}  # fmt: skip
COPIES = {"copy_to_user": 0, "copy_from_user": 1, "strncpy_from_user": 1}  # which argument is the user address
MAKERS = {"paging_create_directory": "directory", "paging_clone_directory": "directory", "slab_cache_create": "cache"}
SMALL = (1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 65536)


class Shrinker:
    """`play` runs a sequence in a fresh process. `deadline` is a time.monotonic() at which it ends, done or not."""

    def __init__(self, play: Play, ops: list[Op], violation: Violation, deadline: float) -> None:
        self.play = play
        self.ops = ops
        self.violation = violation
        self.deadline = deadline
        self.tried: set[int] = set()

    def run(self) -> tuple[list[Op], Violation]:
        """The shortest sequence found, and what it finds."""
        before = None
        while before != (size_of(self.ops)) and not self.late():
            before = size_of(self.ops)
            self.drop_operations()
            self.bypass()
            self.make_small()
            self.copy_less()
        return self.ops, self.violation

    def late(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self.deadline

    def fails(self, ops: list[Op]) -> bool:
        """Whether a candidate fails in the same way; then it is the best so far."""
        if not ops or self.late():
            return False
        key = hash(tuple((op.name, op.args, op.out) for op in ops))
        if key in self.tried:
            return False
        self.tried.add(key)
        violation, played = self.play(ops)
        if violation is None or not same(violation, self.violation):
            return False
        self.ops, self.violation = played, violation
        return True

    def drop_operations(self) -> None:
        """Without ever smaller pieces of the sequence."""
        piece = max(len(self.ops) // 2, 1)
        while piece and not self.late():
            start = 0
            while start < len(self.ops):
                if not self.fails(without(self.ops, start, start + piece)):
                    start += piece
            piece //= 2

    def bypass(self) -> None:
        """An earlier directory or cache in the place of a later one, which is dropped."""
        place = len(self.ops) - 1
        while place >= 0 and not self.late():
            if place < len(self.ops) and self.ops[place].name in MAKERS:
                earlier = [op.out for op in self.ops[:place] if MAKERS.get(op.name) == MAKERS[self.ops[place].name]]
                for out in reversed(earlier):
                    if self.fails(replaced(self.ops, place, out)):
                        break
            place -= 1

    def make_small(self) -> None:
        """Smaller sizes, where the objects are still filled as far as they go."""
        place = 0
        while place < len(self.ops) and not self.late():
            op = self.ops[place]
            position = SIZES.get(op.name)
            if position is not None:
                now = op.args[position]
                for size in SMALL:
                    if isinstance(now, int) and size < now and self.fails(resized(self.ops, place, position, size)):
                        break
            place += 1


    def copy_less(self) -> None:
        """Shorter user copies, with the pattern before and the look behind them."""
        for place, op in enumerate(self.ops):
            while not self.late() and op.name in COPIES and isinstance(size := op.args[2], int) and size > 1:
                half = size // 2
                if not self.fails(shortened(self.ops, place, size - half, size - half)) and not self.fails(
                    shortened(self.ops, place, 0, half)
                ):
                    break
                op = self.ops[place]


def same(one: Violation, two: Violation) -> bool:
    """Whether two failures are of one kind. Memory with two owners shows as overlap or as changed bytes."""
    shared = {"overlap", "content"}
    return one.kind == two.kind or {one.kind, two.kind} <= shared


def size_of(ops: list[Op]) -> tuple[int, int]:
    """How large a sequence is: operations, then the sum of the sizes asked for."""
    return len(ops), sum(arg for op in ops if op.name in SIZES for arg in [op.args[SIZES[op.name]]] if type(arg) is int)


def without(ops: list[Op], start: int, end: int) -> list[Op]:
    """The sequence without a piece, and without what uses its values. Its last operation may go too."""
    gone = {op.out for op in ops[start:end]}
    kept = ops[:start]
    for op in ops[end:]:
        if used(op) & gone:
            gone.add(op.out)
        else:
            kept.append(op)
    return kept


def used(op: Op) -> set[int]:
    """The operations whose values an operation uses."""
    slots = {arg.slot for arg in op.args if isinstance(arg, Ref)}
    first = {"many_taken": 1, "many_differ": 0}.get(op.name)
    if first is not None:
        slots.add(int(op.args[first]))  # type: ignore[arg-type]
    return slots


def replaced(ops: list[Op], place: int, out: int) -> list[Op]:
    """The sequence without an operation, with the value of another one where its value was used."""
    gone = ops[place].out
    new = []
    for op in ops[:place] + ops[place + 1 :]:
        args = tuple(Ref(out, arg.distance) if isinstance(arg, Ref) and arg.slot == gone else arg for arg in op.args)
        new.append(replace(op, args=args))
    return new


def resized(ops: list[Op], place: int, position: int, size: int) -> list[Op]:
    """The sequence with another size in one call, and the patterns in its object no longer than that."""
    out = ops[place].out
    outs = {out}
    hook = -1
    if ops[place].name == "slab_cache_create":
        ctor = ops[place].args[3]
        hook = ctor.slot - SLOT_CTORS if isinstance(ctor, Ref) else -1
        outs |= {op.out for op in ops if op.name == "slab_alloc" and op.args[0] == Ref(out)}
    new = []
    for number, op in enumerate(ops):
        args = list(op.args)
        if number == place:
            args[position] = size
        elif op.name == "object_size" and args[0] == hook and number < place:
            args[1] = size
        elif op.name in ("fill", "differs", "nonzero") and isinstance(args[0], Ref) and args[0].slot in outs:
            args[1] = min(size, args[1])
        new.append(replace(op, args=tuple(args)))
    return new


def shortened(ops: list[Op], place: int, skipped: int, size: int) -> list[Op]:
    """The sequence with a piece of a copy: `size` bytes after the first `skipped` ones.

    The kernel's side is the end of the driver's buffer, also in the pattern before and the look behind.
    """
    copy = ops[place]
    user = COPIES[copy.name]
    whole, part = Ref(SLOT_BUFFER_END, -int(copy.args[2])), Ref(SLOT_BUFFER_END, -size)  # type: ignore[arg-type]
    swaps: dict[object, int | Ref] = {copy.args[2]: size, whole: part}
    new = list(ops)
    for number, op in enumerate(ops):
        beside = abs(number - place) == 1 and op.name in ("fill", "read") and op.args[0] == whole
        if number == place or beside:
            args = [swaps.get(arg, arg) for arg in op.args]
            if number == place:
                args[user] = int(copy.args[user]) + skipped  # type: ignore[arg-type]
            new[number] = replace(op, args=tuple(args))
    return new
