"""The compiled replay loop, for replay_coal.py: the same loop as in replay.c, over kmalloc and its family."""
from libc.stdint cimport uint8_t as u8, uint32_t as u32, uint64_t as u64

from coalmm.heap.fast_path cimport FastPath
from coalmm.heap.kmalloc cimport Kmalloc

cdef extern from *:
    """
    #include <stdint.h>
    static char coal_nowhere[64];
    __attribute__((noipa)) static uint64_t coal_allocate_nothing(void *heap, uint64_t size)
    { (void)heap, (void)size; return (uint64_t)(uintptr_t)coal_nowhere; }
    __attribute__((noipa)) static uint64_t coal_resize_nothing(void *heap, uint64_t block, uint64_t size)
    { (void)heap, (void)size; return block; }
    __attribute__((noipa)) static int coal_release_nothing(void *heap, uint64_t block)
    { (void)heap, (void)block; return 0; }
    """
    u64 allocate_nothing "coal_allocate_nothing"(void *heap, u64 size) noexcept
    u64 resize_nothing "coal_resize_nothing"(void *heap, u64 block, u64 size) noexcept
    int release_nothing "coal_release_nothing"(void *heap, u64 block) noexcept

cdef struct Event:
    u32 slot   # the operation is in the two top bits
    u32 size


cdef class Nothing:
    """In place of the allocator in the empty loop."""


ctypedef fused Allocator:
    Kmalloc
    Nothing


cdef inline void touch(char *block, u32 size, bint whole) noexcept nogil:
    """Write the first byte; if `whole`, a byte of every page and the last one too."""
    cdef u32 offset
    block[0] = 1
    if whole:
        for offset in range(4096, size, 4096):
            block[offset] = 1
        block[size - 1] = 1


cdef u64 loop(Allocator heap, const Event *events, u64 count, u64 *slots, char *memory, u64 base, bint whole) except? 0xFFFFFFFFFFFFFFFF:
    """Run the events; returns the requests that failed. Block `b` is the byte memory[b - base].

    As compiled code calls kmalloc: the fast path, and the slow one if that says so.
    """
    cdef FastPath fast
    cdef u64 i, slot, operation, block, failed = 0
    if Allocator is Kmalloc:
        fast = heap.fast
    for i in range(count):
        slot = events[i].slot & 0x3FFFFFFF
        operation = events[i].slot >> 30
        if operation == 0:
            if Allocator is Kmalloc:
                block = fast.allocate(events[i].size)
                if block == 0:
                    block = heap.allocate_slowly(events[i].size)
            else:
                block = allocate_nothing(<void *>heap, events[i].size)
        elif operation == 1:
            if Allocator is Kmalloc:
                block = heap.reallocate(slots[slot], events[i].size)
            else:
                block = resize_nothing(<void *>heap, slots[slot], events[i].size)
        else:
            if Allocator is Kmalloc:
                if not fast.release(slots[slot]):
                    heap.release_slowly(slots[slot])
            else:
                release_nothing(<void *>heap, slots[slot])
            slots[slot] = 0
            continue
        if block == 0:
            failed += 1
            continue
        touch(memory + (block - base), events[i].size, whole)
        slots[slot] = block
    return failed


def run(Kmalloc heap, const u8[::1] events, u64[::1] slots, u8[::1] ram, bint whole):
    """Replay through kmalloc, with `ram` as the memory behind the addresses; returns failed requests."""
    cdef u64 count = <u64>events.shape[0] // sizeof(Event)
    return loop[Kmalloc](heap, <const Event *>&events[0], count, &slots[0], <char *>&ram[0], heap.kernel_base, whole)


def run_empty(const u8[::1] events, u64[::1] slots):
    """The same loop with calls that do nothing; `slots` is overwritten."""
    cdef u64 count = <u64>events.shape[0] // sizeof(Event)
    return loop[Nothing](Nothing(), <const Event *>&events[0], count, &slots[0], <char *>0, 0, False)


def pairs(Kmalloc heap, u64 count):
    """kmalloc(64) and kfree, `count` times."""
    cdef FastPath fast = heap.fast
    cdef u64 i, block
    for i in range(count):
        block = fast.allocate(64) or heap.allocate_slowly(64)
        if not fast.release(block):
            heap.release_slowly(block)
