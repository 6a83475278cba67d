"""Where a process was when it ended: functions and lines for the addresses that the driver noted, by binutils."""

import re
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

SHOWN = 4  # functions
ADAPTER = "adapter.c"  # the kit's own: not shown
LIMIT = 20  # seconds for a tool


@dataclass(frozen=True)
class Object:
    """A file of the target that was loaded, from `start` to `end`; addresses in the file count from `base`."""

    path: str
    start: int
    end: int
    base: int


@dataclass(frozen=True)
class Place:
    """Return addresses, innermost first, behind `pc` where that is in the target; `code` is what is there."""

    pc: int
    frames: tuple[int, ...]
    objects: tuple[Object, ...]
    code: bytes = b""

    def functions(self) -> list[str]:
        """ "function (file.c:12)", innermost first."""
        found: list[str] = []
        for address in self.frames:
            before = address - (address != self.pc)  # the call is before the address to which it returns
            for each in self.objects:
                if each.start <= before < each.end:
                    found += functions_at(each.path, before - each.base)
        return [one for one, two in pairwise([*found, ""]) if one != two]

    def text(self) -> str:
        """ ", in push (buddy.c:19), from buddy_free (buddy.c:90)"; "" where nothing is known."""
        functions = self.functions()[:SHOWN]
        return f", in {', from '.join(functions)}" if functions else ""

    def instruction(self) -> str:
        """The instruction there: its bytes, and its name where objdump knows it."""
        named = next((instruction_at(each.path, self.pc - each.base)
                      for each in self.objects if each.start <= self.pc < each.end), "")  # fmt: skip
        return named or self.code.hex(" ")


def run(*words: str) -> str:
    """What a tool of binutils prints, "" where it is missing or fails."""
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=LIMIT, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


@lru_cache(maxsize=4096)
def functions_at(path: str, offset: int) -> tuple[str, ...]:
    """The function at an offset, behind those that are inlined there; () for the adapter's."""
    lines = run("addr2line", "-f", "-i", "-e", path, hex(offset)).splitlines()
    found = []
    for function, line in zip(lines[::2], lines[1::2], strict=False):
        file, _, number = line.partition(" ")[0].rpartition(":")
        if function != "??" and Path(file).name != ADAPTER:
            found.append(function if file in ("", "??") else f"{function} ({Path(file).name}:{number})")
    return tuple(found)


@lru_cache(maxsize=256)
def instruction_at(path: str, offset: int) -> str:
    """The instruction at an offset as "bytes: name"."""
    text = run("objdump", "-d", f"--start-address={offset:#x}", f"--stop-address={offset + 15:#x}", path)
    lines = [line.split("\t") for line in text.splitlines() if line.lstrip().startswith(f"{offset:x}:")]
    return f"{lines[0][1].strip()}: {' '.join(lines[0][2].split())}" if lines and len(lines[0]) > 2 else ""


TLB = re.compile(r"\tinv(?:lpg|pcid)\b|,%cr[34]\b")
PRIVILEGED = re.compile(
    r"\t(?:cli|sti|hlt|in|out|rdmsr|wrmsr|rdpmc|l[gil]dt[lqw]?|ltr[w]?|lmsw[w]?|clts|wbinvd|invd|swapgs|stac|clac|xsetbv|"
    r"monitor|mwait)\b|%[cd][rb]\d"
)


def privileged(path: Path) -> tuple[bool, bool]:
    """Whether a library has privileged instructions, and whether it has some that flush the TLB."""
    text = run("objdump", "-d", "--no-show-raw-insn", str(path))
    flushes = bool(TLB.search(text))
    return flushes or bool(PRIVILEGED.search(text)), flushes
