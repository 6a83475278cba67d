"""Random sequences of memory calls as commands for the driver."""

import random

from native import LINUX

PAGE = 4096
WINDOW = 40  # pages of the arena that calls fall into, so that they meet
CALLS = {
    64: {
        "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "mremap": 25, "msync": 26, "mincore": 27, "madvise": 28,
        "ftruncate": 77, "mlock": 149, "munlock": 150, "mlockall": 151, "munlockall": 152, "remap_file_pages": 216,
        "mlock2": 325, "pkey_mprotect": 329,
    },
    32: {
        "mmap": 192, "mprotect": 125, "munmap": 91, "brk": 45, "mremap": 163, "msync": 144, "mincore": 218,
        "madvise": 219, "ftruncate": 93, "mlock": 150, "munlock": 151, "mlockall": 152, "munlockall": 153,
        "remap_file_pages": 257, "mlock2": 376, "pkey_mprotect": 380,
    },
}  # fmt: skip
SHARED, PRIVATE, FIXED, ANONYMOUS, GROWSDOWN = 1, 2, 0x10, 0x20, 0x100
LOCKED, NORESERVE, POPULATE, NOREPLACE = 0x2000, 0x4000, 0x8000, 0x100000
FILES = (3, 4)  # what `opening` opens: for reading and writing, for reading
FILE_PAGES = 6
ADVICE = (0, 1, 2, 3, 4, 4, 4, 4, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 5, 99)


class Script:
    """Commands, made from a seed; without a path, none about a file."""

    def __init__(self, bits, seed, path=None):
        self.bits, self.random, self.path = bits, random.Random(seed), path
        self.lines = [f"open 2 {path}", f"open 0 {path}"] if path else []

    def call(self, name, *arguments):
        words = [argument if isinstance(argument, str) else f"{argument:x}" for argument in arguments]
        self.lines.append(" ".join(["call", f"{CALLS[self.bits][name]:x}", *words]))

    def page(self, low=0):
        return self.random.randrange(low, WINDOW)

    def address(self):
        """Somewhere in the window; seldom not at the start of a page."""
        return f"A{self.page() * PAGE + (self.random.random() < 0.03) * 8:x}"

    def length(self, most=8):
        return self.random.randint(1, most) * PAGE - (self.random.random() < 0.1) * self.random.randrange(PAGE)

    def rights(self):
        return self.random.choice([0, 1, 1, 3, 3, 3, 3, 3, 2, 5, 7])

    # --- the calls ---

    def mmap(self):
        pick = self.random
        flags = pick.choice([PRIVATE, PRIVATE, SHARED])
        for flag, share in ((LOCKED, 0.05), (NORESERVE, 0.1), (POPULATE, 0.2), (GROWSDOWN, 0.08), (0x20000, 0.05)):
            flags |= flag if pick.random() < share else 0
        where = pick.choices(["fixed", "hint", "free", "noreplace"], [6, 2, 2, 2])[0]
        flags |= {"fixed": FIXED, "noreplace": NOREPLACE}.get(where, 0)
        fd, offset = -1, 0
        if self.path and pick.random() < 0.35:
            fd, offset = pick.choice(FILES), pick.randrange(FILE_PAGES + 1)
        else:
            flags |= ANONYMOUS
        address = 0 if where == "free" else self.address()
        if flags & GROWSDOWN and where == "free":
            address = self.address()
        self.call("mmap", address, self.length(), self.rights(), flags, fd, offset * (PAGE if self.bits == 64 else 1))

    def munmap(self):
        self.call("munmap", self.address(), self.length())

    def mprotect(self):
        grows = 0x1000000 if self.random.random() < 0.04 else 0
        self.call("mprotect", self.address(), self.length(), self.rights() | grows)

    def mremap(self):
        pick = self.random
        old, size = self.page(), pick.choice([0, 1, 1, 2, 3, 4, 6]) * PAGE
        length = size if pick.random() < 0.4 else pick.randint(1, 7) * PAGE
        flags = pick.choice([0, 1, 1, 3, 3, 5, 7, 2])
        spans = flags & 2 and size == length and flags & 1 and LINUX >= (6, 17)
        if not spans:
            self.lines.append(f"number A{old * PAGE:x} {min(size, length) or PAGE:x}")
        self.call("mremap", f"A{old * PAGE:x}", size, length, flags, f"A{self.page() * PAGE:x}")

    def madvise(self):
        self.call("madvise", self.address(), self.length(), self.random.choice(ADVICE))

    def brk(self):
        self.call("brk", f"B{self.random.randrange(0, 6 * PAGE):x}")

    def msync(self):
        self.call("msync", self.address(), self.length(), self.random.choice([0, 1, 4, 4, 4, 5, 2, 6]))

    def mlock(self):
        name = self.random.choice(["mlock", "munlock", "munlock", "mlock2"])
        extra = [self.random.choice([0, 1])] if name == "mlock2" else []
        self.call(name, self.address(), self.length(), *extra)

    def remap_file_pages(self):
        self.call("remap_file_pages", self.address(), self.length(3), 0, self.random.randrange(FILE_PAGES), 0)

    def ftruncate(self):
        if not self.path:
            return
        # Whole pages: what a map stored past the end of a file some file systems zero with msync, some later.
        self.call("ftruncate", 3, self.random.randint(0, FILE_PAGES) * PAGE)

    def store(self):
        for _ in range(self.random.randint(1, 6)):
            where = self.page(-2) * PAGE + self.random.randrange(0, PAGE, 8)
            self.lines.append(f"store A{where:x} {self.random.getrandbits(31):x}")

    def load(self):
        self.lines.append(f"load A{self.page(-2) * PAGE + self.random.randrange(0, PAGE, 8):x}")

    def make(self, steps):
        """A script of so many calls, the areas after each and a hash of memory after some."""
        kinds = {
            self.mmap: 10, self.munmap: 4, self.mprotect: 5, self.mremap: 7, self.madvise: 6, self.brk: 2,
            self.msync: 1, self.mlock: 2, self.remap_file_pages: 1, self.ftruncate: 1, self.store: 12, self.load: 3,
        }  # fmt: skip
        for step in range(steps):
            self.random.choices(list(kinds), list(kinds.values()))[0]()
            self.lines.append("maps")
            if step % 8 == 7:
                self.lines.append("hash")
        return self.lines


def without_split_remaps(script, lines):
    """Leave out each mremap that failed because the host has its range as several areas, and the counting.

    Linux joins neighbours of anonymous memory only while they share bookkeeping that a program cannot see;
    here equal neighbours are always one area, so such a call succeeds.
    """
    kept = []
    split = False
    for command, line in zip(script, lines, strict=True):
        if command.startswith("number"):
            split = int(line, 16) > 1
        else:
            if not (split and line == "-e"):
                kept.append((command, line))
            split = False
    return [command for command, _ in kept], [line for _, line in kept]
