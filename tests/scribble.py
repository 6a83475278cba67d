"""Random bytes over the kernel's structures, then random calls: whatever is raised, the interpreter lives.

`python tests/scribble.py ROUNDS SEED`; the last line names the round it is in, so that a crash can be repeated.
"""

import faulthandler
import random
import resource
import sys

from coalmm.heap.constants import CACHE_SIZE, TRACK_TABLE
from coalmm.physical.constants import (
    KIND_DIRECTORY,
    KIND_KERNEL,
    KIND_SLAB,
    KIND_TABLE,
    SB_BITMAP,
    SB_DESCRIPTORS,
    SB_MAP,
    SB_TRACKING,
)
from workload import Workload

STEPS = 40
MEMORY = 4 << 30  # more than any call needs: an endless list ends as MemoryError


def targets(kernel, rng):
    """A random word (index) of each kind of structure."""
    words, frames = kernel.ram.words, kernel.frames
    yield rng.randrange(330)
    yield (words[SB_DESCRIPTORS] >> 3) + rng.randrange(frames.pfn_limit * 8)
    yield (words[SB_BITMAP + rng.randrange(2)] >> 3) + rng.randrange(32)
    yield (words[SB_MAP] >> 3) + rng.randrange(8)
    taken = [pfn for pfn in range(frames.pfn_limit) if frames.kind(pfn)]
    yield (words[SB_DESCRIPTORS] >> 3) + rng.choice(taken) * 8 + rng.randrange(8)
    cache = rng.choice(list(kernel.slabs.caches()))
    yield (cache.address - kernel.kernel_base >> 3) + rng.randrange(CACHE_SIZE >> 3)
    if words[SB_TRACKING + TRACK_TABLE]:
        yield (words[SB_TRACKING + TRACK_TABLE] >> 3) + rng.randrange(1024)
    for kinds in ((KIND_TABLE, KIND_DIRECTORY), (KIND_KERNEL,), (KIND_SLAB,)):
        inside = [pfn for pfn in taken if frames.kind(pfn) in kinds]
        if inside:
            yield rng.choice(inside) * 512 + rng.randrange(512)


def scribble(kernel, rng):
    """Change one to six words of the kernel's structures."""
    words = kernel.ram.words
    found = list(targets(kernel, rng))
    for _ in range(rng.randrange(1, 7)):
        at = rng.choice(found)
        words[at] = rng.choice(
            [
                words[at] ^ 1 << rng.randrange(64),
                rng.getrandbits(64),
                rng.randrange(5000),
                0,
                (1 << 64) - 1,
                words[rng.choice(found)],
                words[at] ^ rng.randrange(1 << 32) << 32,
                words[at] + rng.randrange(-9, 9) & (1 << 64) - 1,
            ]
        )


def attempt(call, *arguments):
    """Call, and whatever it raises is an answer."""
    try:
        return call(*arguments)
    except Exception as error:
        return type(error).__name__


def play(number, seed):
    """One round: a machine with things in it, scribbled over and used."""
    rng = random.Random(f"{seed}/{number}")
    workload = Workload(rng.choice(("i386", "pae", "x86_64", "la57")), rng.random(), debug=rng.random() < 0.2)
    if rng.random() < 0.5:
        workload.kernel.tracking.enable()
    for _ in range(rng.randrange(20, 120)):
        attempt(workload.step)
    for _ in range(3):
        attempt(scribble, workload.kernel, rng)
        for _ in range(STEPS):
            attempt(workload.step)
        attempt(workload.kernel.validate)
    for call in (
        workload.kernel.tracking.reset, workload.kernel.heap.statistics, workload.kernel.digest,
        lambda: list(workload.kernel.slabs.caches()), lambda: list(workload.kernel.tracking.live()),
    ):  # fmt: skip
        attempt(call)


def main():
    """Play the rounds."""
    rounds, seed = int(sys.argv[1]), sys.argv[2]
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for number in range(first, first + rounds):
        print("round", number, flush=True)
        faulthandler.dump_traceback_later(30, exit=True)  # a round takes a tenth of a second
        play(number, seed)
        faulthandler.cancel_dump_traceback_later()
    print("all rounds played")


if __name__ == "__main__":
    main()
