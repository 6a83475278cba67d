"""One long seeded workload over every layer, whose RAM is the same in both modes: prints a digest a paging mode.

`python tests/workload.py [steps] [seed]`. Every choice comes from the seed and from what the machine answers.
"""

import random
import sys

import coalmm
from coalmm.errors import CoalError
from coalmm.virtual.constants import MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE

PAGE = 4096
BASE = 0x4000_0000
HEAP_BASE = 0x3000_0000


class Workload:
    """A machine under random calls; `step` makes one of them."""

    def __init__(self, paging: str, seed: int, debug: bool = False) -> None:
        self.random = random.Random(seed)
        self.kernel = coalmm.boot("8M", paging, debug=debug)
        self.pointers: list[int] = []
        self.blocks: list[int] = []
        self.frames: list[int] = []
        self.objects: list[tuple[int, int]] = []
        slabs = self.kernel.slabs
        self.caches = [slabs.create(f"work-{size}", size, align) for size, align in ((24, 0), (200, 64), (3000, 0))]
        self.process = [self.kernel.processes.create("first")]
        self.process[0].set_brk_start(HEAP_BASE)
        self.steps = [
            self.kmalloc, self.kmalloc, self.kmalloc, self.kfree, self.kfree, self.krealloc, self.buddy, self.frame,
            self.slab, self.slab, self.shrink, self.map_area, self.touch, self.touch, self.unmap, self.protect,
            self.grow, self.fork, self.exit, self.map_page, self.misuse, self.fail,
        ]  # fmt: skip

    def step(self) -> None:
        self.random.choice(self.steps)()

    def taken(self, items: list) -> object:
        """A random item, off its list; None if there is none."""
        return items.pop(self.random.randrange(len(items))) if items else None

    def size(self) -> int:
        return int(self.random.expovariate(1 / self.random.choice((50, 400, 5000, 90_000)))) + 1

    def fill(self, address: int, size: int) -> None:
        self.kernel.ram.fill(address - self.kernel.kernel_base, size, self.random.randrange(256))

    def kmalloc(self) -> None:
        size = self.size()
        heap = self.kernel.heap
        address = self.random.choice(
            (heap.kmalloc, heap.kzalloc, lambda size: heap.kmalloc_aligned(size, 1 << size % 13))
        )(size)
        if address:
            self.fill(address, size)
            self.pointers.append(address)

    def kfree(self) -> None:
        self.kernel.heap.kfree(self.taken(self.pointers) or 0)

    def krealloc(self) -> None:
        old = self.taken(self.pointers) or 0
        self.pointers.extend(filter(None, [self.kernel.heap.krealloc(old, self.size()) or old]))

    def buddy(self) -> None:
        if self.random.random() < 0.5:
            self.blocks.extend(filter(None, [self.kernel.buddy.allocate(self.size() * 8)]))
        else:
            self.kernel.buddy.free(self.taken(self.blocks) or 0)

    def frame(self) -> None:
        frames, choice = self.kernel.frames, self.random.random()
        if choice < 0.4:
            self.frames.extend(filter(None, [frames.allocate_zeroed()]))
        elif choice < 0.5:
            self.frames.extend(frames.allocate_many(self.random.randrange(8)))
        elif self.frames:
            frames.free(self.taken(self.frames))

    def slab(self) -> None:
        if self.random.random() < 0.6:
            cache = self.random.choice(self.caches)
            self.objects += [(cache, p) for p in self.kernel.slabs.allocate_many(cache, self.random.randrange(9))]
        elif self.objects:
            self.kernel.slabs.free(*self.taken(self.objects))

    def shrink(self) -> None:
        self.kernel.slabs.shrink()
        self.kernel.buddy.trim()

    def somebody(self) -> object:
        return self.random.choice(self.process)

    def map_area(self) -> None:
        at = BASE + self.random.randrange(64) * PAGE
        length, rights = self.random.randrange(1, 9) * PAGE, self.random.choice(("r", "rw", "rw", "rx"))
        self.somebody().map(at, length, rights, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)

    def touch(self) -> None:
        who, at = self.somebody(), BASE + self.random.randrange(64 * PAGE)
        if self.random.random() < 0.3:
            at = HEAP_BASE + self.random.randrange(4 * PAGE)
        if self.random.random() < 0.6:
            who.write(at, self.random.randbytes(self.random.randrange(1, 2 * PAGE)))
        else:
            who.read(at, self.random.randrange(1, 2 * PAGE))

    def unmap(self) -> None:
        self.somebody().unmap(BASE + self.random.randrange(64) * PAGE, self.random.randrange(1, 6) * PAGE)

    def protect(self) -> None:
        at = BASE + self.random.randrange(64) * PAGE
        self.somebody().protect(at, self.random.randrange(1, 6) * PAGE, self.random.choice(("r", "rw", "")))

    def grow(self) -> None:
        self.somebody().brk(HEAP_BASE + self.random.randrange(6 * PAGE))

    def fork(self) -> None:
        if len(self.process) < 5:
            self.process.append(self.somebody().fork())

    def exit(self) -> None:
        if len(self.process) > 1:
            who = self.process.pop(self.random.randrange(1, len(self.process)))
            parent = who.parent
            who.exit(self.random.randrange(100))
            if parent in [each.pid for each in self.process]:
                self.kernel.processes.wait(parent, who.pid)

    def map_page(self) -> None:
        kernel, vaddr = self.kernel, 0x1000_0000 + self.random.randrange(3000) * PAGE
        if self.frames:
            kernel.paging_map_page(vaddr, self.random.choice(self.frames), self.random.choice((7, 5, 3, 1 << 40)))
            kernel.mmu.store(vaddr + 5, b"seen", True)
        kernel.paging_unmap_page(0x1000_0000 + self.random.randrange(3000) * PAGE)

    def misuse(self) -> None:
        kernel, wrong = self.kernel, self.random.choice((1, 4096, 0xC000_0010, self.random.getrandbits(64)))
        self.random.choice((kernel.heap.kfree, kernel.frames.free, kernel.buddy.free, kernel.slabs.destroy))(wrong)

    def fail(self) -> None:
        with self.kernel.failing(nth=self.random.randrange(1, 6)):
            self.random.choice(self.steps[:-1])()

    def run(self, steps: int) -> str:
        """Make `steps` calls; what a call raises of coalmm's own is part of the workload."""
        errors = 0
        for number in range(steps):
            try:
                self.step()
            except (CoalError, OSError):  # OSError: a fork without memory
                errors += 1
            if number == steps // 2:
                self.kernel.tracking.enable()
            if number == steps * 3 // 4:
                self.kernel.tracking.reset()
        self.kernel.validate()
        return f"{self.kernel.digest()} {errors}"


def main() -> None:
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for paging in ("i386", "pae", "x86_64", "la57"):
        print(paging, Workload(paging, seed).run(steps))
    print("debug", Workload("x86_64", seed, debug=True).run(steps))


if __name__ == "__main__":
    main()
