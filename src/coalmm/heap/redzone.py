"""Red zones and poison: the debug option that catches writes outside of an object and after its free.

    <- left zone -><------- object ------><-------- right zone -------->
    cc cc ... cc   what the caller asked  cc cc ... cc   size asked (8)
                   for, and no byte more
    a free object of a cache without a constructor:  6b 6b ... 6b a5

A zone is looked at when its object is freed and whenever `check` is called; poison when the object is
handed out again. The patterns are Linux's (include/linux/poison.h).
"""

from coalmm.errors import CorruptionError
from coalmm.hardware.bits import ALL_ONES
from coalmm.heap.constants import LEFT_ZONE, POISON_END, POISON_FREE, RED_ZONE
from coalmm.physical.constants import SB_KERNEL_BASE
from coalmm.physical.frames import Frames


class RedZones:
    """Paints and checks the bytes around and in objects, which are given by kernel address."""

    def __init__(self, frames: Frames) -> None:
        self.ram = frames.ram
        self.kernel_base = int(frames.words[SB_KERNEL_BASE])

    def prepare(self, base: int, stride: int, objects: int, size: int, poison: bool) -> None:
        """Paint a new slab: every object free, its zones whole. `size` is bytes of an object."""
        for index in range(objects):
            address = base + index * stride
            self.paint_zones(address, size, stride)
            if poison:
                self.poison(address, size)

    def paint_zones(self, address: int, asked: int, stride: int) -> None:
        """Paint the zones of one object of which `asked` bytes may be written."""
        paddr = address - self.kernel_base
        room = stride - LEFT_ZONE
        self.ram.fill(paddr - LEFT_ZONE, LEFT_ZONE, RED_ZONE)
        self.ram.fill(paddr + asked, room - asked, RED_ZONE)
        self.ram.words[(paddr + room - 8) >> 3] = asked ^ ALL_ONES

    def asked(self, address: int, stride: int, history: str = "") -> int:
        """How many bytes were asked for; raises CorruptionError if the record of it was overwritten."""
        at = address - self.kernel_base + stride - LEFT_ZONE - 8
        asked = int(self.ram.words[at >> 3]) ^ ALL_ONES
        if asked > stride - LEFT_ZONE - 8:
            raise self.damage("the right red zone", address, at + self.kernel_base, RED_ZONE, history)
        return asked

    def check_zones(self, address: int, stride: int, history: str = "") -> None:
        """Raise CorruptionError, naming the first wrong byte, unless both zones of an object are whole."""
        asked = self.asked(address, stride, history)
        self.expect("the left red zone", address, address - LEFT_ZONE, LEFT_ZONE, history)
        self.expect("the right red zone", address, address + asked, stride - LEFT_ZONE - 8 - asked, history)

    def expect(self, what: str, address: int, start: int, size: int, history: str) -> None:
        """Raise CorruptionError unless `size` bytes from `start` are RED_ZONE."""
        found = self.ram.read(start - self.kernel_base, size)
        wrong = len(found) - len(found.lstrip(bytes((RED_ZONE,))))
        if wrong < size:
            raise self.damage(what, address, start + wrong, RED_ZONE, history)

    def poison(self, address: int, size: int) -> None:
        """Fill a free object of `size` bytes."""
        paddr = address - self.kernel_base
        self.ram.fill(paddr, size, POISON_FREE)
        self.ram.bytes[paddr + size - 1] = POISON_END

    def check_poison(self, address: int, size: int, history: str = "") -> None:
        """Raise CorruptionError, naming the first wrong byte, if a free object was written to."""
        found = self.ram.read(address - self.kernel_base, size)
        body = found[: size - 1].lstrip(bytes((POISON_FREE,)))
        if body:
            raise self.damage("use after free: byte", address, address + size - 1 - len(body), POISON_FREE, history)
        if found[size - 1] != POISON_END:
            raise self.damage("use after free: last byte", address, address + size - 1, POISON_END, history)

    def damage(self, what: str, address: int, at: int, expected: int, history: str) -> CorruptionError:
        """The error for the wrong byte at kernel address `at` in or around the object at `address`."""
        found = self.ram.bytes[at - self.kernel_base]
        return CorruptionError(
            f"{what} of the object at {address:#x} was overwritten: offset {at - address} holds {found:#04x}, "
            f"not {expected:#04x}{history}",
            at,
        )
