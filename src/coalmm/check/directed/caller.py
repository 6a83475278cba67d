"""How a directed check talks to a target: every call runs at once, and is kept for the reproducer."""

from itertools import pairwise

from coalmm.check.functions import FUNCTIONS, NUMBERS, PAGE, PAGE_PRESENT, PAGE_USER, PAGE_WRITABLE, STRUCTURES
from coalmm.check.model.call import signed
from coalmm.check.protocol import (
    FLAG_NULL_ALLOWED,
    FLAG_PHYSICAL,
    NOWHERE,
    SLOT_BUFFER_END,
    SLOT_CTORS,
    SLOT_DTORS,
    SLOT_NAMES,
    Op,
    Outcome,
    Ref,
)
from coalmm.check.recording import Death, Recording
from coalmm.check.sequences.heap import make_heap
from coalmm.check.traits import Traits
from coalmm.check.violation import Violation
from coalmm.typed import Any, Callable

RW = PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER
RO = PAGE_PRESENT | PAGE_USER


class Reported(Exception):
    """The target ended the program on a call that the document does not allow: that is a report."""


class Skipped(Exception):
    """The check says nothing about this target, and why."""


class Value(int):
    """What a call gave, with the sign of its C type; `ref` names it in later calls, `c` in conditions."""

    op: Op
    fields: tuple[int, ...]

    @classmethod
    def of(cls, op: Op, outcome: Outcome) -> "Value":
        """The value of an operation."""
        value = cls(signed(op.name, outcome.value))
        value.op, value.fields = op, outcome.fields
        return value

    @property
    def ref(self) -> Ref:
        """The value as an argument."""
        return Ref(self.op.out)

    @property
    def c(self) -> str:
        """The value in a condition."""
        return f"${self.op.out}"


Argument = int | Ref | Value


class Many:
    """What one function gave until it gave no more."""

    def __init__(self, op: Op, function: str, values: list[int]) -> None:
        self.op = op
        self.function = function
        self.values = values

    @property
    def count(self) -> int:
        """How many."""
        return len(self.values)


class Caller:
    """The functions of the document as methods, and what checks say about their answers."""

    def __init__(self, recording: Recording, traits: Traits) -> None:
        self.recording = recording
        self.traits = traits
        self.word = traits.word
        self.size_max = (1 << 8 * traits.word) - 1

    def __getattr__(self, name: str) -> Callable[..., Value]:
        if name not in FUNCTIONS:
            raise AttributeError(name)
        return lambda *args: self.call(name, *args)

    def has(self, *names: str) -> bool:
        """Whether the target has functions."""
        return self.traits.present.issuperset(names)

    def need(self, *names: str) -> None:
        """Skip the check where they are missing."""
        missing = [name for name in names if name not in self.traits.present]
        if missing:
            raise Skipped(f"it has no {', '.join(missing)}")

    # Calls.

    def _run(self, name: str, *args: Argument, flags: int = 0, misuse: bool = False, slots: int = 1) -> Value:
        plain: list[Any] = [arg.ref if isinstance(arg, Value) else arg for arg in args]
        op = self.recording.add(name, *plain, flags=flags, misuse=misuse, slots=slots)
        return Value.of(op, self.recording.flush()[-1])

    def call(self, name: str, *args: Argument) -> Value:
        """A call that the document allows. A structure is filled in where nothing else is."""
        function = FUNCTIONS[name]
        if function.structure and len(args) == len(function.parameters) - 1:
            args = (*args, Ref(SLOT_BUFFER_END, -self.word * len(STRUCTURES[function.structure])))
        return self._run(name, *args)

    def misuse(self, name: str, *args: Argument) -> Value:
        """A call that it does not allow. Reported if the target ends the program."""
        try:
            return self._run(name, *args, misuse=True)
        except Death as death:
            if death.kind == "reported":
                raise Reported from None
            raise

    def primitive(self, name: str, *args: Argument) -> Value:
        """An operation of the driver's own that is no call: "flushes", "flushed"."""
        return self._run(name, *args, flags=FLAG_NULL_ALLOWED)

    def at(self, value: Value, distance: int) -> Ref:
        """An address beside a value."""
        return Ref(value.op.out, distance)

    # Memory.

    def fill(self, pointer: Argument, size: int, seed: int) -> None:
        """Write a pattern."""
        self._run("fill", pointer, size, seed)

    def intact(self, pointer: Argument, size: int, seed: int) -> None:
        """Violation if the pattern is not there any more; the model knows whose it is."""
        wrong = self._run("differs", pointer, size, seed)
        self.require(int(wrong) in (-1, NOWHERE), f"byte {int(wrong)} of {size} is not what was written there",
                     f"{wrong.c} == (size_t)-1")  # fmt: skip

    def zero(self, pointer: Argument, size: int) -> None:
        """Violation if a byte is not zero."""
        wrong = self._run("nonzero", pointer, size)
        self.require(int(wrong) == NOWHERE, f"byte {int(wrong)} of {size} is not zero", f"{wrong.c} == (size_t)-1")

    def poke(self, pointer: Argument, byte: int) -> None:
        """Write a byte."""
        self._run("poke", pointer, byte)

    def fill_frame(self, frame: Value, seed: int) -> None:
        """Write a pattern into a frame."""
        self._run("fill", frame, PAGE, seed, flags=FLAG_PHYSICAL)

    def frame_intact(self, frame: Value, seed: int) -> None:
        """Violation if it is not there any more."""
        wrong = self._run("differs", frame, PAGE, seed, flags=FLAG_PHYSICAL)
        self.require(int(wrong) == NOWHERE, f"byte {int(wrong)} of a frame changed", f"{wrong.c} == (size_t)-1")

    def buffer(self, size: int, seed: int = 0) -> Ref:
        """The last `size` bytes of the kernel buffer, with a pattern where `seed` is given."""
        where = Ref(SLOT_BUFFER_END, -size)
        if seed:
            self.fill(where, size, seed)
        return where

    def text(self, data: bytes) -> Ref:
        """The same, with these bytes."""
        where = Ref(SLOT_BUFFER_END, -len(data))
        self.fill(where, len(data), 1)
        for place, byte in enumerate(data):
            self.poke(Ref(SLOT_BUFFER_END, place - len(data)), byte)
        return where

    def bytes_at(self, where: Ref, size: int) -> tuple[bytes, Value]:
        """The bytes there, and the operation that read them."""
        op = self.recording.add("read", where, size)
        outcome = self.recording.flush()[-1]
        return outcome.data, Value.of(op, outcome)

    def name(self, number: int = 0) -> Ref:
        """A cache name: "check", "check two", "", or 10,000 bytes."""
        return Ref(SLOT_NAMES + number)

    def hooks(self, number: int, size: int) -> tuple[Ref, Ref]:
        """A constructor and a destructor for objects of a size."""
        self.need_hook("ctor")
        self._run("object_size", number, size)
        return Ref(SLOT_CTORS + number), Ref(SLOT_DTORS + number)

    def need_hook(self, name: str) -> None:
        """Skip where slab_cache_create has no use for constructors (ctor), or destructors (dtor)."""
        if name not in self.recording.model.slabs.takes:
            raise Skipped(f"its slab_cache_create takes no {name}")

    def make_heap(self) -> None:
        """The buddy heap, where the start did not make it."""
        make_heap(self.recording, self.traits)
        self.recording.flush()

    def region(self, size: int, align: int = PAGE) -> Value:
        """Fresh memory between guard pages."""
        return self._run("region", size, align)

    def fail(self, nth: int) -> None:
        """The nth allocation inside the target from now on fails; 0: none."""
        self._run("fail", nth)

    # Many at once.

    def many_given(self, name: str, *args: Argument, most: int = 1 << 16, fill: int = 0) -> Many:
        """Call until NULL; each result gets a pattern of `fill` bytes."""
        padded = [*args, 0, 0, 0][:3]
        value = self._run("many_given", NUMBERS[name], most, *padded, fill, slots=most)
        values = self.recording.process.slots(value.op.out, int(value))
        self.recording.model.values.update(enumerate(values, value.op.out))
        return Many(value.op, name, values)

    def many_taken(self, name: str, many: Many, order: int = 0, cache: Argument = 0) -> None:
        """Give all back: from the first, from the last, or every second one first."""
        self._run("many_taken", NUMBERS[name], many.op.out, many.count, order, cache)

    def many_intact(self, many: Many, size: int) -> None:
        """Violation if one of them lost its pattern."""
        wrong = self._run("many_differ", many.op.out, many.count, size)
        self.require(int(wrong) == NOWHERE, f"object {int(wrong)} of {many.count} of {many.function} changed: it "
                     "shares memory with another", f"{wrong.c} == (size_t)-1")  # fmt: skip

    def apart(self, many: Many, size: int) -> None:
        """Violation if two of them overlap."""
        order = sorted(range(many.count), key=many.values.__getitem__)
        for one, two in pairwise(order):
            if many.values[two] - many.values[one] < size:
                first, out = many.values[one], many.op.out
                self.require(False, f"{many.function} gave {first:#x} and {many.values[two]:#x}, which overlap",
                             f"disjoint((void *)${out + one}, {size}, (void *)${out + two}, {size})")  # fmt: skip

    # User memory.

    def directory(self) -> Value | None:
        """A directory of its own, made current, where the target has them."""
        if not self.has("paging_create_directory", "paging_switch_directory"):
            return None
        directory = self.paging_create_directory()
        self.require(directory != 0, "a fresh target has no room for a page directory", f"{directory.c} != 0")
        self.paging_switch_directory(directory)
        return directory

    def map(self, page: int = 0, flags: int = RW) -> Value:
        """Map a fresh frame at the `page`th user page; the frame."""
        self.need("frame_alloc", "paging_map_page")
        frame = self.frame_alloc()
        self.require(frame != 0, "a fresh target has no frame", f"{frame.c} != 0")
        result = self.paging_map_page(self.user(page), frame, flags)
        self.require(result == 0, f"paging_map_page returned {result}", f"{result.c} == 0")
        return frame

    def user(self, page: int = 0, offset: int = 0) -> int:
        """A user address."""
        return self.traits.user_start + page * PAGE + offset

    def write(self, vaddr: int, size: int, seed: int) -> Value:
        """copy_to_user of a pattern."""
        return self.copy_to_user(vaddr, self.buffer(size, seed), size)

    def read(self, vaddr: int, size: int) -> tuple[bytes, Value]:
        """copy_from_user; the model looks at the bytes."""
        result = self.copy_from_user(self.buffer(size), vaddr, size)
        data, _ = self.bytes_at(self.buffer(size), size)
        return data, result

    # Judgements.

    def require(self, holds: bool, message: str, condition: str = "") -> None:
        """Violation unless it holds."""
        if not holds:
            raise Violation("directed", message, condition)

    def given(self, value: Value, what: str = "") -> Value:
        """Violation if nothing was given."""
        name = value.op.name
        self.require(value != 0, f"{name} gave NULL{what or ' on a fresh target'}", f"{value.c} != 0")
        return value

    def null(self, value: Value, what: str) -> None:
        """Violation if something was given."""
        self.require(value == 0, f"{value.op.name} gave {int(value):#x} {what}", f"{value.c} == 0")

    def equal(self, value: Value, expected: int, what: str) -> None:
        """Violation if it is another number."""
        self.require(value == expected, f"{value.op.name} returned {int(value)} {what}, not {expected}",
                     f"(long){value.c} == {expected}")  # fmt: skip

    def negative(self, value: Value, what: str) -> None:
        """Violation if no error was returned."""
        self.require(value < 0, f"{value.op.name} returned {int(value)} {what}", f"(long){value.c} < 0")

    def free_memory(self) -> Value | None:
        """frame_get_free_memory, where there is one."""
        return self.frame_get_free_memory() if self.has("frame_get_free_memory") else None

    def same_free(self, before: Value | None, what: str) -> None:
        """Violation if free memory is not what it was."""
        if before is not None:
            after = self.frame_get_free_memory()
            self.require(after == before, f"free memory was {int(before)} and is {int(after)} {what}",
                         f"{after.c} == {before.c}")  # fmt: skip
