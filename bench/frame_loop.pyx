"""Compiled loops over the frame allocator, for frame_pairs.py."""
from libc.stdint cimport uint64_t as u64

from coalmm.physical.constants cimport KIND_FRAME
from coalmm.physical.frames cimport Frames


def fill(Frames frames):
    """Allocate every frame that is free; returns how many that were."""
    cdef u64 count = 0
    while frames.allocate():
        count += 1
    return count


def pairs(Frames frames, u64 count):
    """Take a frame and drop it again, `count` times; returns the sum of their numbers."""
    cdef u64 total = 0, pfn, i
    for i in range(count):
        pfn = frames.take(KIND_FRAME, 0)
        total += pfn
        frames.drop(pfn)
    return total


def batches(Frames frames, u64[::1] pfns, u64 count):
    """Take as many frames as `pfns` has room for, then drop them in that order, `count` times."""
    cdef u64 round_, i
    for round_ in range(count):
        for i in range(<u64>pfns.shape[0]):
            pfns[i] = frames.take(KIND_FRAME, 0)
        for i in range(<u64>pfns.shape[0]):
            frames.drop(pfns[i])
