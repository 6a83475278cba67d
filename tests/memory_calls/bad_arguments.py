"""Every memory call with arguments that are wrong in one place or in several, over areas of every kind."""


from native import LINUX
from scripts import ANONYMOUS, FIXED, GROWSDOWN, NOREPLACE, NORESERVE, PRIVATE, SHARED, Script

PAGE = 4096
READ_WRITE, READ_ONLY, WRITE_ONLY, PIPE, DIRECTORY, PATH_ONLY = range(3, 9)
ADDRESSES = [f"A{page:x}000" for page in (0, 1, 3, 4, 5, 7, 8, 9, 10, 11, 12, 0x1F2)] + ["A8"]
LENGTHS = [0, 1, 8, PAGE, PAGE, PAGE, 2 * PAGE, 3 * PAGE, 4 * PAGE, 5 * PAGE, 12 * PAGE + 1]
RIGHTS = [0, 1, 3, 3, 7, 2, 4]


class Table(Script):
    """Calls in a fixed state: the arena is made anew before each."""

    def __init__(self, bits, seed, path):
        super().__init__(bits, seed, path)
        self.top = 1 << 47 if bits == 64 else 0xFFFFF000
        self.huge = [self.top, self.top + 8, (1 << bits) - PAGE, (1 << bits) - 1]
        self.huge += [self.top - PAGE] * (bits == 64)  # a 32-bit program has 3 GiB here, 4 GiB on a 64-bit kernel
        self.lines += [
            f"open 1 {path}",  # WRITE_ONLY
            f"open 10000 {path.parent}",  # a directory stands for what cannot be mapped, in PIPE's place
            f"open 10000 {path.parent}",
            f"open 200000 {path}",
        ]

    def state(self):
        """Private, shared, of a file, of a file that is open read-only, without rights, a stack, and holes."""
        self.call("munlockall")
        self.call("munmap", "A0", 500 * PAGE)
        scale = PAGE if self.bits == 64 else 1
        for address, pages, rights, flags, fd, page in (
            ("A0", 4, 3, PRIVATE | ANONYMOUS, -1, 0),
            ("A4000", 2, 1, SHARED, READ_ONLY, 1),
            ("A7000", 1, 3, SHARED, READ_WRITE, 0),
            ("A8000", 2, 0, PRIVATE | ANONYMOUS, -1, 0),
            ("Aa000", 1, 3, SHARED | ANONYMOUS, -1, 0),
            ("Ab000", 1, 1, PRIVATE, READ_ONLY, 0),
            ("Ac000", 2, 3, PRIVATE | ANONYMOUS | GROWSDOWN, -1, 0),
        ):
            self.call("mmap", address, pages * PAGE, rights, flags | FIXED, fd, page * scale)

    def pick(self, good, bad=(), share=0.15):
        return self.random.choice(list(bad) if bad and self.random.random() < share else list(good))

    def address(self):
        return self.pick(ADDRESSES, self.huge)

    def length(self):
        return self.pick(LENGTHS, self.huge)

    def mmap(self):
        kinds = [PRIVATE, PRIVATE, SHARED, 3, 0, 4, 0xF]
        extra = [0, 0, 0, NORESERVE, GROWSDOWN, 0x40, 0x80, 0x800, 0x1000, 0x20000, 0x40000, 0xC0040000, 0x4000000]
        where = self.pick([0, FIXED, FIXED, NOREPLACE, FIXED | NOREPLACE])
        anonymous = self.pick([0, ANONYMOUS])
        flags = self.pick(kinds) | where | anonymous | self.pick(extra)
        address = self.pick(ADDRESSES if where else [0, *ADDRESSES], self.huge)
        fd = self.pick([-1, READ_WRITE, READ_ONLY, WRITE_ONLY, PIPE, PATH_ONLY, 99])
        offset = self.pick([0, PAGE, 2 * PAGE, 8], [1 << 31, 1 << 63, (1 << 63) - PAGE, (1 << 64) - PAGE])
        if self.bits == 32:
            offset = self.pick([0, 1, 2], [0x7FFFF, 0xFFFFF, 0xFFFFFFFF])
        self.call("mmap", address, self.length(), self.pick(RIGHTS, [8, 0x10, 0x1000000]), flags, fd, offset)

    def munmap(self):
        self.call("munmap", self.address(), self.length())

    def mprotect(self):
        bad = [8, 0x10, 0x1000001, 0x2000001, 0x3000001, 0x1000003, 1 << 31]
        self.call("mprotect", self.address(), self.length(), self.pick(RIGHTS, bad, 0.4))

    def pkey_mprotect(self):
        rights, key = self.pick(RIGHTS, [0x10, 0x3000001]), self.pick([-1, 1, 16])
        self.call("pkey_mprotect", self.address(), self.length(), rights, key)

    def mremap(self):
        old, length = self.pick(LENGTHS, self.huge), self.pick(LENGTHS, self.huge)
        if self.random.random() < 0.4:
            length = old
        flags = self.pick([0, 1, 1, 3, 3, 5, 7], [2, 4, 6, 8, 9, 1 << 31])
        target = self.pick(["A10000", "A2000", "A14000", "A8"], self.huge)
        self.call("mremap", self.address(), old, length, flags, target)

    def madvise(self):
        advice = self.pick([*range(26)], [26, 99, 100, 101, 1 << 31, (1 << 32) - 1])
        if advice not in (8, 25, 100, 101):  # FREE is done later on Linux; COLLAPSE, HWPOISON: as it was built
            wraps = [] if self.bits == 32 else self.huge[2:4]  # other lengths would reach the driver's own memory
            self.call("madvise", self.address(), self.pick(LENGTHS, wraps), advice)

    def msync(self):
        self.call("msync", self.address(), self.length(), self.pick([0, 1, 2, 4, 6], [5, 8, 7, 1 << 31], 0.3))

    def mincore(self):
        address = self.pick(["A0", "A1000", "A3000", "A6000", "A8"], self.huge)
        self.call("mincore", address, self.length(), self.pick(["S0"], ["A8000", "A6000", 0, *self.huge[:2]], 0.4))

    def mlock(self):
        name = self.pick(["mlock", "munlock", "mlock2"])
        self.call(name, self.address(), self.length(), *([self.pick([0, 1], [2, 3])] if name == "mlock2" else []))

    def mlockall(self):
        self.call("mlockall", self.pick([2, 3, 1, 5, 7, 6], [0, 4, 8, 9, 1 << 31]))

    def remap_file_pages(self):
        rights, page, flags = self.pick([0], [1, 3]), self.pick([0, 1, 2], self.huge), self.pick([0, 0x10000])
        self.call("remap_file_pages", self.address(), self.length(), rights, page, flags)

    def brk(self):
        self.call("brk", self.pick(["B0", "B1", "B1000", "B5000", "B0"], ["B-1", 0, *self.huge]))

    def make(self, each):
        """`each` calls of every kind, with what the areas are after each."""
        for kind in (
            self.mmap, self.mmap, self.mmap, self.munmap, self.mprotect, self.pkey_mprotect, self.mremap, self.mremap,
            self.madvise, self.madvise, self.msync, self.mincore, self.mlock, self.mlockall, self.remap_file_pages,
            self.brk,
        ):  # fmt: skip
            if kind == self.mremap and LINUX < (6, 17):  # it took one area only, and other checks first
                continue
            for _ in range(each):
                self.state()
                kind()
                self.lines.append("maps")
        self.call("munlockall")
        return self.lines
