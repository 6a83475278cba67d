"""The memory shared with the driver, as driver/protocol.h lays it out, and one operation in it."""

from dataclasses import dataclass, field
from struct import Struct

from coalmm.check.functions import NUMBERS
from coalmm.typed import NamedTuple

OPS_MAX, EVENTS_MAX, SLOTS_MAX, DATA_SIZE, MESSAGE_SIZE = 4096, 1 << 16, 1 << 20, 1 << 22, 2048
SAID_SIZE, FRAMES_MAX, OBJECTS_MAX, OBJECT_SIZE, CODE_SIZE = 2048, 32, 4, 256, 16
HEADER = 32 * 8
MESSAGE = HEADER
SAID = MESSAGE + MESSAGE_SIZE
FRAMES = SAID + SAID_SIZE
OBJECTS = FRAMES + FRAMES_MAX * 8
CODE = OBJECTS + OBJECTS_MAX * OBJECT_SIZE
OPS = CODE + CODE_SIZE
RESULTS = OPS + OPS_MAX * 64
EVENTS = RESULTS + OPS_MAX * 64
SLOTS = EVENTS + EVENTS_MAX * 16
DATA = SLOTS + SLOTS_MAX * 8
SIZE = DATA + DATA_SIZE

# Words of the header.
H_SIZE, H_PHASE, H_RUNNING, H_PRESENT, H_EXTRAS, H_EVENTS, H_FAULT, H_FAULT_KNOWN, H_WORD = range(9)
H_PC, H_SIGNAL, H_FRAMES, H_OBJECTS, H_SAID, H_PANICKED, H_HALTED, H_CODE = range(9, 17)
FAULT_AT, FAULT_PROTECTION = 1, 2
PHASE_START, PHASE_LOAD, PHASE_INIT, PHASE_READY = range(4)
STATUS_NONE, STATUS_DONE, STATUS_SKIPPED = range(3)
EXTRA_PHYSICAL, EXTRA_FAIL, EXTRA_BUDDY_FREE = 1, 2, 4
FLAG_PHYSICAL, FLAG_NULL_ALLOWED = 1, 2

PRIMITIVES = (
    "fill", "differs", "nonzero", "read", "poke", "region", "object_size",
    "many_given", "many_taken", "many_differ", "fail", "buddy_free_bytes",
    "flushes", "flushed",
)  # fmt: skip
CODES = NUMBERS | {name: 100 + number for number, name in enumerate(PRIMITIVES)}
NAMES = {code: name for name, code in CODES.items()}

SLOT_NULL, SLOT_BUFFER_END, SLOT_NAMES, SLOT_CTORS, SLOT_DTORS, SLOT_FIRST = 0, 1, 2, 8, 12, 16
BUFFER_SIZE = 1 << 20
NOWHERE = (1 << 64) - 1  # what `differs` answers when nothing does
RECORD = Struct("<IIII6Q")
MASK = NOWHERE


class Ref(NamedTuple):
    """A value that an earlier operation gave, plus a distance: p + 16."""

    slot: int
    distance: int = 0


@dataclass(slots=True)
class Op:
    """One call or primitive. `out` numbers it, and is the slot that gets its value.

    A call marked `misuse` is one that the document does not allow: the target may end the process on it.
    """

    name: str
    args: tuple["int | Ref", ...]
    out: int
    flags: int = 0
    misuse: bool = False


@dataclass(slots=True)
class Outcome:
    """What an operation gave; `data` are the bytes of a read, `events` the constructor calls (object, kind)."""

    status: int
    value: int
    fields: tuple[int, ...] = ()
    data: bytes = b""
    events: tuple[tuple[int, int], ...] = field(default=())


def encode(op: Op, memory: memoryview, offset: int) -> None:
    """Write an operation where the driver reads it."""
    refs = 0
    words = [0, 0, 0, 0, 0, 0]
    for number, arg in enumerate(op.args):
        if isinstance(arg, Ref):
            refs |= 1 << number
            words[number] = arg.slot | (arg.distance & 0xFFFF_FFFF) << 32
        else:
            words[number] = arg & MASK
    RECORD.pack_into(memory, offset, CODES[op.name], op.out, refs, op.flags, *words)
