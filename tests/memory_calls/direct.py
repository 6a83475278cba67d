"""What the driver does, done by calling the system calls from Python, without a CPU: the same lines."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "vfs"))

from guest import Guest

from coalmm.errors import EACCES, PageFaultError
from coalmm.inspect.smaps import smaps_text

PAGE = 4096
ARENA = 500 * PAGE
BELOW = 512 * PAGE
NUMBERS = {
    64: {
        9: "mmap", 10: "mprotect", 11: "munmap", 12: "brk", 22: "pipe", 25: "mremap", 26: "msync", 27: "mincore",
        28: "madvise", 77: "ftruncate", 149: "mlock", 150: "munlock", 151: "mlockall", 152: "munlockall",
        216: "remap_file_pages", 324: "membarrier", 325: "mlock2", 329: "pkey_mprotect", 330: "pkey_alloc",
        331: "pkey_free",
    },
    32: {
        42: "pipe", 45: "brk", 90: "mmap", 91: "munmap", 93: "ftruncate", 125: "mprotect", 144: "msync",
        150: "mlock", 151: "munlock", 152: "mlockall", 153: "munlockall", 163: "mremap", 192: "mmap2",
        218: "mincore", 219: "madvise", 257: "remap_file_pages", 375: "membarrier", 376: "mlock2",
        380: "pkey_mprotect", 381: "pkey_alloc", 382: "pkey_free",
    },
}  # fmt: skip


def hexadecimal(value):
    return f"-{-value:x}" if value < 0 else f"{value:x}"


class Direct:
    """A program whose memory calls are made by `line`."""

    def __init__(self, bits, root="/", kernel=None):
        self.bits = bits
        self.guest = Guest(root, bits=bits, kernel=kernel)
        self.process = self.guest.task.process
        self.kernel = self.guest.kernel
        self.process.set_brk_start(0x80_0000)
        self.first_break = 0x80_0000
        self.mmap = "mmap" if bits == 64 else "mmap2"
        self.scratch = self.guest.good(self.mmap, 0, 16 * PAGE, 3, 0x22, -1, 0)
        self.guest.good(self.mmap, self.scratch, PAGE, 0, 0x32, -1, 0)
        self.arena = self.guest.good(self.mmap, 0, ARENA, 0, 0x4022, -1, 0)
        self.scratch += PAGE
        self.guest.good("munmap", self.arena, ARENA)

    def number(self, text):
        """An argument as a register."""
        base = {"A": self.arena, "S": self.scratch, "B": self.first_break}.get(text[0], 0)
        digits = text[1:] if text[0] in "ASB" else text
        return (base + int(digits or "0", 16)) & self.guest.abi.mask

    def result(self, value):
        if -4096 < value < 0:
            return hexadecimal(value)
        if self.arena - BELOW <= value <= self.scratch + 15 * PAGE:
            return "A" + hexadecimal(value - self.arena)
        if self.first_break <= value <= self.first_break + ARENA:
            return "B" + hexadecimal(value - self.first_break)
        return hexadecimal(value)

    def line(self, text):
        """Do one command; what the driver would print."""
        command, *words = text.split()
        if command == "open":
            return self.result(self.guest.call("open", words[1], int(words[0], 16), 0o644))
        numbers = [self.number(word) for word in words]
        return {"call": self.call, "load": self.load, "store": self.store, "maps": self.maps, "hash": self.hash}[
            command
        ](*numbers)

    def run(self, script):
        return [self.line(text) for text in script]

    def call(self, number, *arguments):
        name = NUMBERS[self.bits][number]
        return self.result(self.guest.call(name, *arguments))

    def signal(self, error, where):
        number, code = (7, 2) if error.bus else (11, 2 if error.error == -EACCES else 1)
        return f"signal {number:x} {code:x}" + ("" if error.address == where else " elsewhere")

    def load(self, where):
        try:
            return hexadecimal(int.from_bytes(self.process.read(where, self.bits // 8), "little"))
        except PageFaultError as error:
            return self.signal(error, where)

    def store(self, where, value):
        try:
            self.process.write(where, value.to_bytes(self.bits // 8, "little"))
        except PageFaultError as error:
            return self.signal(error, where)
        return hexadecimal(value)

    def lines(self):
        """The areas of the arena, as /proc/self/smaps tells them: [start, end, rights, offset, is a file]."""
        for line in smaps_text(self.kernel, self.process).splitlines():
            if "-" in line.split(" ")[0]:
                span, rights, offset, device, *_ = line.split()
                start, end = (int(part, 16) for part in span.split("-"))
                is_file = not device.startswith("00:00")
            elif line.startswith("VmFlags:") and end > self.arena - BELOW and end <= self.arena + ARENA:
                flags = rights + ":" + line[8:].replace(" ", "")
                yield [start, end, flags, int(offset, 16) & self.guest.abi.mask if is_file else 0, is_file]

    def maps(self):
        joined = []
        for area in self.lines():
            last = joined[-1] if joined else None
            if last and (last[1], last[2], last[4], area[4] and last[3] + last[1] - last[0]) == (
                area[0], area[2], area[4], area[4] and area[3],
            ):  # fmt: skip
                last[1] = area[1]
            else:
                joined.append(area)
        return "".join(
            f" {hexadecimal(start - self.arena)}:{end - start:x}:{rights}" + (f"@{offset:x}" if is_file else "")
            for start, end, rights, offset, is_file in joined
        )

    def hash(self):
        total = readable = missing = 0
        size = self.bits // 8
        for start, end, rights, _, _ in self.lines():
            for page in range(start, end, PAGE) if rights[0] == "r" else ():
                try:
                    data = self.process.read(page, PAGE)
                except PageFaultError:
                    missing += 1
                    continue
                readable += 1
                for at in range(0, PAGE, size) if data.strip(b"\0") else ():
                    word = int.from_bytes(data[at : at + size], "little")
                    if word:
                        total = (total * 31 + word + at) & 0xFFFF_FFFF_FFFF_FFFF
        return f"{readable:x} {missing:x} {(total >> 32 ^ total) & 0xFFFFFFFF:x}"
