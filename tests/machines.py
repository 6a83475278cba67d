"""Machines for tests: what is live in one, how to take it all down, and what may differ after a failure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import coalmm
from coalmm.heap.constants import (
    BUDDY_FAILURES,
    BUDDY_PEAK,
    C_FAILURES,
    C_SHAPE,
    CACHE_KMALLOC,
    KMALLOC_FAILURES,
    SHAPE_FLAGS_SHIFT,
    SHAPE_OBJECTS,
    SLAB_ROOT,
)
from coalmm.physical.constants import (
    D_COUNT,
    D_DATA,
    D_HEAD,
    D_OWNER,
    INJECT_FAILED,
    KIND_BUDDY,
    KIND_FRAME,
    KIND_LARGE,
    KIND_SLAB,
    SB_BUDDY,
    SB_HOOKS,
    SB_INJECT,
    SB_KMALLOC,
    SB_SLAB,
)

PAGING = ("i386", "pae", "x86_64", "la57")
TOP = (1 << 64) - 1
ROOT = "slab_cache"  # the cache of the caches' records
PROJECT = Path(__file__).parent.parent
LIBRARIES = {"interpreted": PROJECT / "src", "compiled": PROJECT / "build" / "lib"}

runs_both_modes = pytest.mark.skipif(coalmm.MODE != "compiled", reason="it runs both modes itself: once is enough")


def half(kernel, pfn, field):
    """A half of a frame's descriptor."""
    return kernel.ram.halves[(kernel.frames.descriptors >> 2) + (pfn << 4) + field]


def descriptor_word(kernel, pfn, index=0):
    """The index in `ram.words` of a word of a frame's descriptor."""
    return (kernel.frames.descriptors >> 3) + (pfn << 3) + index


def descriptor_half(kernel, pfn, field):
    """The index in `ram.halves` of a half of a frame's descriptor."""
    return (kernel.frames.descriptors >> 2) + (pfn << 4) + field


def live_objects(kernel, pfn):
    """The kernel addresses of the live objects of the slab that starts at a frame."""
    info = kernel.slabs.info(half(kernel, pfn, D_OWNER))
    first = kernel.slabs.objects.first_object(pfn)
    for index in range(info.objects_per_slab):
        word = kernel.ram.words[descriptor_word(kernel, pfn, D_DATA + (index >> 6))]
        if not word >> (index & 63) & 1:
            yield first + index * info.stride


def free_everything(kernel):
    """Free every frame, block, object and cache that is live, through the allocators themselves."""
    root = kernel.ram.words[SB_SLAB + SLAB_ROOT]
    base = kernel.kernel_base
    for pfn in range(kernel.frames.pfn_limit):
        kind = kernel.frames.kind(pfn)
        if kind == KIND_FRAME:
            for _ in range(half(kernel, pfn, D_COUNT)):
                kernel.frames.free(pfn << 12)
        elif kind == KIND_BUDDY:
            kernel.buddy.free(base + (pfn << 12))
        elif kind == KIND_LARGE and half(kernel, pfn, D_HEAD) == pfn:
            kernel.heap.kfree(base + (pfn << 12))
        elif kind == KIND_SLAB and half(kernel, pfn, D_HEAD) == pfn and half(kernel, pfn, D_OWNER) != root:
            cache = half(kernel, pfn, D_OWNER)
            kmalloc = kernel.ram.words[cache + C_SHAPE] >> SHAPE_FLAGS_SHIFT & CACHE_KMALLOC
            for pointer in list(live_objects(kernel, pfn)):
                kernel.heap.kfree(pointer) if kmalloc else kernel.slabs.free(base + (cache << 3), pointer)
    for info in list(kernel.slabs.caches()):
        if info.name != ROOT and not kernel.ram.words[
            (info.address - base >> 3) + C_SHAPE
        ] >> SHAPE_FLAGS_SHIFT & CACHE_KMALLOC:
            kernel.slabs.destroy(info.address)


def settle(kernel):
    """Give back what the allocators keep for the next call, so that two moments can be compared."""
    kernel.tracking.reset()
    kernel.slabs.shrink()
    kernel.buddy.trim()


class Ledger:
    """The frames of a machine at a start, to which it must come back."""

    def __init__(self, kernel):
        self.kernel = kernel
        settle(kernel)
        self.start, self.live = self.balance(), self.objects()

    def balance(self):
        buddy = self.kernel.buddy.statistics()
        return self.kernel.frames.statistics(), self.kernel.frames.kinds(), buddy.total_bytes, buddy.free_bytes

    def objects(self):
        """How many objects of each cache are live. The records of the caches stay once they have been made."""
        return {info.name: info.active for info in self.kernel.slabs.caches() if info.active and info.name != ROOT}

    def assert_all_is_back(self):
        """For machines whose programs have ended: no frame, block or object is live that was not at the start."""
        self.kernel.validate()
        settle(self.kernel)
        assert (self.objects(), self.balance()) == (self.live, self.start)

    def close(self):
        """Take down everything that is live; the frames must balance then."""
        self.kernel.validate()
        free_everything(self.kernel)
        settle(self.kernel)
        self.kernel.validate()
        assert self.balance() == self.start


def state_but_failures(kernel):
    """The digest of RAM without what a failed allocation may change: injection and the failure counters."""
    words = kernel.ram.words
    counters = [SB_HOOKS, SB_BUDDY + BUDDY_FAILURES, SB_KMALLOC + KMALLOC_FAILURES, SB_BUDDY + BUDDY_PEAK]
    counters += range(SB_INJECT, SB_INJECT + INJECT_FAILED + 1)
    counters += [(info.address - kernel.kernel_base >> 3) + C_FAILURES for info in kernel.slabs.caches()]
    kept = [words[at] for at in counters]
    for at in counters:
        words[at] = 0
    digest = kernel.digest()
    for at, value in zip(counters, kept, strict=True):
        words[at] = value
    return digest


class Unchanged:
    """A block in which the machine's RAM must not change by one bit, whatever is raised."""

    def __init__(self, kernel, validate=True):
        self.kernel = kernel
        self.validate = validate

    @classmethod
    def bytes_only(cls, kernel):
        """For a machine that is damaged already, whose checker would say so."""
        return cls(kernel, validate=False)

    def __enter__(self):
        self.digest = self.kernel.digest()

    def __exit__(self, kind, error, traceback):
        if kind is None:
            assert self.kernel.digest() == self.digest
            if self.validate:
                getattr(self.kernel, "check", self.kernel.validate)()


def assert_refused(kernel, error, call, *arguments):
    """`call` raises `error` (or a kind of it) and leaves every byte of RAM as it was; returns the exception."""
    with Unchanged(kernel), pytest.raises(error) as caught:
        call(*arguments)
    return caught.value


def objects_of(kernel, cache):
    return SHAPE_OBJECTS & kernel.ram.words[(cache - kernel.kernel_base >> 3) + C_SHAPE]


def run_python(*arguments, mode=None, timeout=120):
    """Run a Python program in a mode (this one's by default) in a process of its own; the finished process."""
    mode = mode or coalmm.MODE
    environment = os.environ | {"PYTHONPATH": str(LIBRARIES[mode]), "COALMM_MODE": mode}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=environment, capture_output=True, text=True, timeout=timeout, cwd=PROJECT, check=False,
    )
