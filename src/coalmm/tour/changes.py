"""What a step changed in RAM: every 8-byte word, with what it belongs to."""

from dataclasses import dataclass

from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT, FRAME_SIZE
from coalmm.heap import constants as heap
from coalmm.inspect.machine import Machine
from coalmm.inspect.names import printable
from coalmm.physical import constants as physical
from coalmm.physical.constants import (
    D_OWNER,
    DESCRIPTOR_SIZE,
    KIND_DIRECTORY,
    KIND_KEYS,
    KIND_SLAB,
    KIND_TABLE,
    SB_BITMAP,
    SB_DESCRIPTORS,
    SB_FREE,
    SB_KINDS,
    SB_LEVELS,
    SB_USER,
    SB_VIRTUAL,
)
from coalmm.process import constants as process
from coalmm.virtual import constants as virtual

DESCRIPTOR_WORDS = ("references, mappings", "kind, head", "next, previous", "count, owner") + ("data",) * 4


@dataclass(frozen=True)
class Change:
    """One word (or entry) of RAM: its physical address, what it belongs to, its value before and after."""

    paddr: int
    what: str
    before: int
    after: int


def snapshot(machine: Machine) -> bytes:
    """A copy of all of RAM."""
    return bytes(machine.ram.mapping)


def changes(machine: Machine, before: bytes) -> list[Change]:
    """Every word that differs from a snapshot, by address; entries of 4 bytes one by one."""
    now = memoryview(machine.ram.mapping)
    found = []
    for frame in range(0, machine.ram.size, FRAME_SIZE):
        old, new = before[frame : frame + FRAME_SIZE], now[frame : frame + FRAME_SIZE]
        if old == new:
            continue
        narrow = machine.format.entry_size == 4 and is_table(machine, frame)
        size = 4 if narrow else 8
        for index, (was, is_now) in enumerate(zip(numbers(old, narrow), numbers(new, narrow), strict=True)):
            if was != is_now:
                paddr = frame + size * index
                found.append(Change(paddr, what_is(machine, paddr), was, is_now))
    return found


def numbers(data: bytes | memoryview, narrow: bool) -> memoryview:
    """Bytes as numbers of 4 or 8 bytes."""
    return memoryview(data).cast("I") if narrow else memoryview(data).cast("Q")


def is_table(machine: Machine, paddr: int) -> bool:
    """Whether a frame holds page-table entries."""
    return machine.frames.kind(paddr >> FRAME_SHIFT) in (KIND_TABLE, KIND_DIRECTORY)


def what_is(machine: Machine, paddr: int) -> str:
    """What a word of RAM belongs to, in a few words."""
    words = machine.ram.words
    if paddr < FRAME_SIZE:
        return f"superblock: {superblock_word(paddr >> 3)}"
    descriptors = words[SB_DESCRIPTORS]
    if descriptors <= paddr < descriptors + machine.frames.pfn_limit * DESCRIPTOR_SIZE:
        number, rest = divmod(paddr - descriptors, DESCRIPTOR_SIZE)
        return f"descriptor of frame {number << FRAME_SHIFT:#x}: {DESCRIPTOR_WORDS[rest >> 3]}"
    for level in range(words[SB_LEVELS]):
        start = words[SB_BITMAP + level]
        if start <= paddr < start + 8 * machine.frames.bitmap.level_size(level):
            return f"bitmap level {level}, word {paddr - start >> 3}"
    kind = machine.frames.kind(paddr >> FRAME_SHIFT)
    if is_table(machine, paddr):
        index = (paddr & FRAME_MASK) // machine.format.entry_size
        return f"{KIND_KEYS[kind].replace('_', ' ')} {paddr & ~FRAME_MASK:#x}, entry {index}"
    if kind == KIND_SLAB:
        owner = machine.ram.halves[machine.frames.first_half + (paddr >> FRAME_SHIFT << 4) + D_OWNER]
        return f"slab of cache {printable(machine.slabs.objects.name(owner))}"
    return f"frame {paddr & ~FRAME_MASK:#x} ({KIND_KEYS[kind].replace('_', ' ')})"


def superblock_word(word: int) -> str:
    """The name of a word of the superblock, from the constants that lay it out."""
    if SB_KINDS <= word < SB_KINDS + len(KIND_KEYS):
        return f"{KIND_KEYS[word - SB_KINDS].replace('_', ' ')} frames"
    return SUPERBLOCK_NAMES.get(word, f"word {word}")


def _names() -> dict[int, str]:
    """Each word's name, from the SB_ constants and those that count from one of them."""
    found: dict[int, str] = {}
    for module in (physical, virtual, process):
        for name, value in vars(module).items():
            if name.startswith("SB_"):
                found.setdefault(value, name[3:].replace("_", " ").lower())
    counted = {"SB_BUDDY": "BUDDY_", "SB_SLAB": "SLAB_", "SB_KMALLOC": "KMALLOC_", "SB_TRACKING": "TRACK_"}
    for base, prefix in counted.items():
        for name, value in vars(heap).items():
            if name.startswith(prefix):
                found[getattr(physical, base) + value] = name.replace("_", " ").lower()
    for order in range(heap.ORDERS):
        size = f"order {order}"
        found[physical.SB_BUDDY + heap.BUDDY_HEADS + order] = f"buddy free list, {size}"
        found[physical.SB_BUDDY + heap.BUDDY_COUNTS + order] = f"buddy free blocks, {size}"
    return found | {SB_FREE: "free frames", SB_USER: "user frames", SB_VIRTUAL: "first directory (pfn)"}


SUPERBLOCK_NAMES = _names()
