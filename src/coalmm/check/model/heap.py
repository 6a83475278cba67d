"""kmalloc and its family, the buddy allocator."""

from collections import Counter

from coalmm.check.model.call import Call
from coalmm.check.model.objects import Live, Objects
from coalmm.check.violation import Violation


def aligned(call: Call, align: int, sentence: str) -> None:
    """Violation if an address is not a multiple of `align`."""
    if call.value % align:
        raise Violation(
            "alignment", f"{call.op.name} gave {call.value:#x}, which is no multiple of {align}",
            f"${call.out} % {align} == 0", sentence,
        )  # fmt: skip


class Heap:
    """The general allocator. An object may be used up to its requested size, and to what kmalloc_size says."""

    def __init__(self, objects: Objects, word: int, memory_limit: int) -> None:
        self.objects = objects
        self.word = word
        self.limit = memory_limit

    def _given(self, call: Call, size: int, align: int = 0) -> Live | None:
        if call.value == 0:
            return None
        if size > self.limit:
            raise Violation(
                "impossible", f"{call.op.name} gave memory for {size:#x} bytes, which no machine has",
                f"${call.out} == 0", "@return Allocated memory or NULL",
            )  # fmt: skip
        if size == 0:
            return None  # a pointer that stands for nothing may be the same each time
        natural = min(self.word, 1 << (size.bit_length() - 1))
        aligned(call, max(align, natural), "@param align Alignment requirement" if align else "Allocated memory")
        return self.objects.add(call, "kmalloc", size)

    def kmalloc(self, call: Call) -> None:
        """Memory of its own, aligned for any word."""
        self._given(call, call.args[0])

    def kzalloc(self, call: Call) -> None:
        """The same; a `nonzero` that follows looks at the bytes."""
        self._given(call, call.args[0])

    def kmalloc_aligned(self, call: Call) -> None:
        """Only powers of two are asked for where no misuse is meant."""
        self._given(call, call.args[0], call.args[1])

    def krealloc(self, call: Call) -> None:
        """Keeps the bytes that fit; on NULL the old object is as it was."""
        old_address, size = call.args
        if old_address == 0:
            self._given(call, size)
            return
        old = self.objects.find(old_address, "kmalloc")
        if call.value == 0:
            if size == 0:
                self.objects.remove(old_address, "kmalloc")
            return
        self.objects.remove(old_address, "kmalloc")
        live = self._given(call, size)
        if live is not None and old.pattern is not None:
            live.pattern = (min(old.pattern[0], size), old.pattern[1])

    def kfree(self, call: Call) -> None:
        """NULL is nothing."""
        if call.args[0]:
            self.objects.remove(call.args[0], "kmalloc")

    def kmalloc_size(self, call: Call) -> None:
        """At least what was asked for; all of it is the caller's."""
        live = self.objects.find(call.args[0], "kmalloc")
        if call.value < live.size:
            raise Violation(
                "size", f"kmalloc_size says {call.value} for an object of {live.size} bytes",
                f"${call.out} >= {live.size}", "@return Size of allocation",
            )  # fmt: skip
        self.objects.apart(Live(live.start, call.value, "kmalloc", live.out, live.function))


class Buddy:
    """Blocks from 4 KiB up. As many blocks of one size as were once allocated can be allocated again."""

    def __init__(self, objects: Objects, word: int, memory_limit: int) -> None:
        self.objects = objects
        self.word = word
        self.limit = memory_limit
        self.alone = True  # no other allocator was used, so that nothing else can hold the heap's memory
        self.sizes: Counter[int] = Counter()  # of what is live
        self.most: dict[int, int] = {}  # size -> how many were live at once with no other size
        self.heap: tuple[int, int] | None = None

    def buddy_init(self, call: Call) -> None:
        """The heap that blocks must lie in."""
        self.heap = (call.args[0], call.args[1])

    def buddy_alloc(self, call: Call) -> None:
        """A block of the heap, with room for the size."""
        size = call.args[0]
        if call.value == 0:
            self._missed(call, size)
            return
        if size > self.limit:
            raise Violation("impossible", f"buddy_alloc gave memory for {size:#x} bytes", f"${call.out} == 0",
                            "@return Allocated memory or NULL")  # fmt: skip
        if size == 0:
            size = 1
        if self.heap is not None and not self._inside(call.value, size):
            start, length = self.heap
            raise Violation(
                "outside", f"buddy_alloc({size}) gave {call.value:#x}, outside of the heap at {start:#x} of {length} "
                "bytes", f"${call.out} >= {start} && ${call.out} - {start} <= {length - size}",
                "@param start Start address of buddy heap",
            )  # fmt: skip
        aligned(call, self.word, "Allocated memory or NULL")
        self.objects.add(call, "buddy", size)
        self.sizes[size] += 1
        if len(self.sizes) == 1:
            self.most[size] = max(self.most.get(size, 0), self.sizes[size])

    def _missed(self, call: Call, size: int) -> None:
        """Blocks of one power of two do not break the heap up for each other: as many fit as ever did."""
        if not self.alone or size & (size - 1) or set(self.sizes) - {size}:
            return
        live = self.sizes[size]
        if live < self.most.get(size, 0):
            raise Violation(
                "recovery",
                f"buddy_alloc({size}) is NULL with {live} such blocks and no others allocated, and {self.most[size]} "
                "were allocated at once before: blocks that were given back do not join again, or are lost",
                f"${call.out} != 0", "buddy_free: Free buddy allocation",
            )  # fmt: skip

    def _inside(self, address: int, size: int) -> bool:
        assert self.heap is not None
        start, length = self.heap
        return start <= address and address + size <= start + length

    def buddy_free(self, call: Call) -> None:
        """NULL is nothing."""
        if call.args[0]:
            live = self.objects.remove(call.args[0], "buddy")
            self.sizes[live.size] -= 1
            if not self.sizes[live.size]:
                del self.sizes[live.size]
