"""The exception that the emulator believes is being delivered.

It forgets one only when it has gone through an interrupt table, and there is none: the kernel here delivers
exceptions. So a program's second #GP or #DE would become a double fault, and the next one stop the CPU. The
field (`old_exception` in QEMU's CPUX86State) has no name outside; it is found once, by what an exception
changes in a saved context: -1 becomes the vector.
"""

import struct

from coalmm.linux.cpu.emulator import Context, poke

NONE = -1


def find_field(before: bytes, after: bytes, vector: int) -> int:
    """The offset of the field, from contexts saved before and after an exception. OSError if that is not clear."""
    old, new = struct.pack("<i", NONE), struct.pack("<i", vector)
    found = [
        offset
        for offset in range(0, len(before) - 3, 4)
        if before[offset : offset + 4] == old and after[offset : offset + 4] == new
    ]
    if len(found) != 1:
        raise OSError(f"the CPU emulator keeps exceptions in another way than expected ({len(found)} fields)")
    return found[0]


def clear_field(context: Context, offset: int) -> None:
    """No exception is being delivered."""
    poke(context.address + offset, struct.pack("<i", NONE))
