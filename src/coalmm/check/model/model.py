"""All parts together: follows a sequence of operations, and raises Violation at the first answer that is wrong."""

from coalmm.check.functions import FUNCTIONS
from coalmm.check.model.call import Call, signed
from coalmm.check.model.frames import Frames
from coalmm.check.model.heap import Buddy, Heap
from coalmm.check.model.objects import Live, Objects
from coalmm.check.model.paging import Paging
from coalmm.check.model.slabs import Slabs
from coalmm.check.model.user import UserMemory
from coalmm.check.protocol import (
    FLAG_PHYSICAL,
    MASK,
    NOWHERE,
    SLOT_BUFFER_END,
    STATUS_SKIPPED,
    Op,
    Outcome,
    Ref,
)
from coalmm.check.violation import Illegal, Violation
from coalmm.typed import Callable

CHANGES_NO_FRAMES = {
    "frame_alloc", "frame_free", "frame_get_total_memory", "frame_get_free_memory", "frame_get_stats", "get_meminfo",
}  # fmt: skip


class Model:
    """`slots` are the driver's first slots, `word` the bytes of a size_t, `efault` the number of -EFAULT,
    `ownership` as in `Built`."""

    def __init__(self, slots: list[int], word: int, efault: int, ownership: tuple[bool, bool]) -> None:
        self.values = dict(enumerate(slots))
        self.word = word
        self.mask = (1 << 8 * word) - 1
        most = 1 << (8 * word - 1)
        self.objects = Objects()
        self.frames = Frames()
        self.heap = Heap(self.objects, word, most - 1)
        self.buddy = Buddy(self.objects, word, most - 1)
        self.slabs = Slabs(self.objects, word, most - 1)
        self.slabs.know_hooks(slots)
        self.paging = Paging(self.frames, *ownership)
        self.user = UserMemory(self.paging, slots[SLOT_BUFFER_END], efault)
        self.physical: dict[int, tuple[int, int]] = {}
        self.parts = self._handlers()

    def _handlers(self) -> dict[str, Callable[[Call], None]]:
        """The function of the part that follows each function of the document."""
        found = {}
        for name in FUNCTIONS:
            for part in (self.frames, self.heap, self.buddy, self.slabs, self.paging, self.user):
                handler = getattr(part, name, None)
                if handler is not None:
                    found[name] = handler
        own = {"fill": self.fill, "differs": self.differs, "nonzero": self.nonzero, "read": self.user.look,
               "poke": self.poke, "object_size": self.slabs.object_size}  # fmt: skip
        return found | own

    def resolve(self, arg: int | Ref) -> int:
        """An argument as the driver computes it."""
        if isinstance(arg, Ref):
            return (self.values.get(arg.slot, 0) + arg.distance) & self.mask
        return arg & MASK

    def step(self, op: Op, outcome: Outcome) -> None:
        """Follow one operation. Illegal if the document does not allow it, Violation if its answer is wrong."""
        if outcome.status == STATUS_SKIPPED:
            self.values[op.out] = 0
            return
        self.values[op.out] = outcome.value
        if op.misuse:
            return
        call = Call(op, tuple(map(self.resolve, op.args)), outcome, signed(op.name, outcome.value))
        if (op.name in FUNCTIONS and op.name not in CHANGES_NO_FRAMES) or op.name.startswith("many"):
            self.frames.touch()
            self.frames.exact = False
            if not op.name.startswith("buddy"):
                self.buddy.alone = False
        if op.name == "frame_alloc":
            self.paging.contents.pop(call.value, None)
            self.physical.pop(call.value, None)
        elif op.name == "paging_map_page":
            self.physical.pop(call.args[1], None)
        handler = self.parts.get(op.name)
        if handler is not None:
            handler(call)

    def legal(self, op: Op) -> None:
        """Illegal if the operation, which has not come back, was not allowed."""
        if op.misuse or any(isinstance(arg, Ref) and arg.slot not in self.values for arg in op.args):
            return
        free = {"kfree": "kmalloc", "buddy_free": "buddy", "krealloc": "kmalloc", "kmalloc_size": "kmalloc"}
        args = tuple(map(self.resolve, op.args))
        if op.name in free and args[0]:
            self.objects.find(args[0], free[op.name])
        elif op.name in ("slab_alloc", "slab_free", "slab_cache_destroy"):
            self.slabs.find(args[0])
            if op.name == "slab_free":
                self.objects.find(args[1], "slab")
        elif op.name in ("frame_free", "paging_free_directory", "paging_switch_directory", "paging_clone_directory"):
            self.parts[op.name](Call(op, args, Outcome(1, 0), 0))

    # The primitives on memory.

    def _holder(self, call: Call) -> Live | None:
        return self.objects.holder(call.args[0])

    def fill(self, call: Call) -> None:
        """A pattern is written into an object, a frame or the buffer."""
        address, size, seed = call.args
        if call.op.flags & FLAG_PHYSICAL:
            self.physical[address] = (size, seed)
        elif address + size == self.user.end:
            self.user.fill(size, seed)
        else:
            live = self._holder(call)
            if live is None or address + size > live.start + live.size:
                raise Illegal("a write outside of what was given")
            live.pattern = (size, seed) if live.start == address else None

    def poke(self, call: Call) -> None:
        """One byte is written: the pattern is as it was before it, and unknown after."""
        address = call.args[0]
        live = self._holder(call)
        if live is not None and live.pattern is not None:
            live.pattern = (min(live.pattern[0], address - live.start), live.pattern[1])
        if self.user.end - self.user.filled[0] <= address < self.user.end:
            self.user.filled = (0, 0)

    def differs(self, call: Call) -> None:
        """The pattern must still be there."""
        address, size, seed = call.args
        if call.op.flags & FLAG_PHYSICAL:
            known, what = self.physical.get(address), f"frame {address:#x}"
        else:
            live = self.objects.at.get(address)
            known = live.pattern if live else None
            what = f"the live object of {live.function} at {address:#x}" if live else ""
        if known is None or known[1] != seed or known[0] < size:
            return
        if call.value != -1 and call.outcome.value != NOWHERE:
            raise Violation(
                "content", f"{what} ({size} bytes) changed: byte {call.outcome.value} is no longer what was written",
                f"${call.out} == (size_t)-1", "Allocated memory is the caller's until it is given back",
            )  # fmt: skip

    def nonzero(self, call: Call) -> None:
        """What kzalloc gave is zero; it is asked straight after."""
        live = self.objects.at.get(call.args[0])
        if live is None or live.function != "kzalloc" or live.pattern is not None or call.args[1] > live.size:
            return
        if call.outcome.value != NOWHERE:
            raise Violation("zero", f"byte {call.outcome.value} of the {live.size} bytes of kzalloc is not zero",
                            f"${call.out} == (size_t)-1", "Allocate and zero kernel memory")  # fmt: skip
