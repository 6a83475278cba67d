"""Every live allocation of the heap, found in the heap's own structures: tracking need not be on."""

from coalmm.hardware.constants import FRAME_SHIFT
from coalmm.heap.constants import C_SHAPE, CACHE_KMALLOC, SHAPE_FLAGS_SHIFT
from coalmm.inspect.machine import Machine
from coalmm.inspect.names import printable
from coalmm.physical.constants import (
    D_COUNT,
    D_DATA,
    D_HEAD,
    D_KIND,
    D_OWNER,
    DESCRIPTOR_SIZE,
    KIND_BUDDY,
    KIND_LARGE,
    KIND_MASK,
    KIND_SLAB,
    ORDER_SHIFT,
    SB_KERNEL_BASE,
)
from coalmm.typed import Iterator, NamedTuple


class Live(NamedTuple):
    """One live allocation: kernel address, usable bytes, where it is from.

    `cache` is the kernel address of the slab cache that it is an object of, 0 for kmalloc, large
    memory and buddy blocks.
    """

    address: int
    size: int
    what: str
    cache: int = 0


def live_allocations(machine: Machine) -> Iterator[Live]:
    """Every live object, large block and buddy block, by address. Nothing may change meanwhile."""
    frames = machine.frames
    for first, last in frames.backed(frames.descriptors, frames.pfn_limit, DESCRIPTOR_SIZE):
        for pfn in range(first, last):
            kind = frames.kind(pfn)
            if kind == KIND_SLAB and _half(machine, pfn, D_HEAD) == pfn:
                yield from _objects(machine, pfn)
            elif kind == KIND_LARGE and _half(machine, pfn, D_HEAD) == pfn:
                yield Live(_address(machine, pfn), _half(machine, pfn, D_COUNT) << FRAME_SHIFT, "kmalloc, large")
            elif kind == KIND_BUDDY:
                order = _half(machine, pfn, D_KIND) >> ORDER_SHIFT & KIND_MASK
                yield Live(_address(machine, pfn), 1 << order + FRAME_SHIFT, "buddy_alloc")


def _half(machine: Machine, pfn: int, field: int) -> int:
    return int(machine.ram.halves[machine.frames.first_half + (pfn << 4) + field])


def _address(machine: Machine, pfn: int) -> int:
    return int(machine.ram.words[SB_KERNEL_BASE]) + (pfn << FRAME_SHIFT)


def _objects(machine: Machine, slab: int) -> Iterator[Live]:
    """The live objects of the slab that starts at a frame."""
    record = _half(machine, slab, D_OWNER)
    cache = machine.slabs.info(record)
    shape = machine.ram.words[record + C_SHAPE]
    kmalloc = shape >> SHAPE_FLAGS_SHIFT & CACHE_KMALLOC
    first = machine.slabs.objects.first_object(slab)
    word = machine.frames.first_word + (slab << 3) + D_DATA
    what = printable(cache.name) or "(unnamed)"
    for index in range(cache.objects_per_slab):
        if not machine.ram.words[word + (index >> 6)] >> (index & 63) & 1:
            yield Live(first + index * cache.stride, cache.object_size, what, 0 if kmalloc else cache.address)

