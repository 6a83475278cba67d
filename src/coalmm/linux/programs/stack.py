"""The first stack of a program: strings, auxiliary vector, environment, arguments (System V ABI, 3.4.1).

    top      0 (one word)
             path of the program, environment strings, argument strings
             platform name, 16 random bytes
             auxiliary vector, ending with AT_NULL
             environment pointers, 0
             argument pointers, 0
    sp   ->  number of arguments                 16-byte aligned
"""

from coalmm.linux.abi import Abi
from coalmm.typed import NamedTuple

AT_NULL, AT_PHDR, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_BASE, AT_FLAGS, AT_ENTRY = 0, 3, 4, 5, 6, 7, 8, 9
AT_UID, AT_EUID, AT_GID, AT_EGID, AT_PLATFORM, AT_HWCAP, AT_CLKTCK = 11, 12, 13, 14, 15, 16, 17
AT_SECURE, AT_RANDOM, AT_HWCAP2, AT_EXECFN = 23, 25, 26, 31
HWCAP = 0x078B_FBFD  # CPUID 1 EDX of the emulated CPU
PLATFORMS = {8: b"x86_64", 4: b"i686"}


class Stack(NamedTuple):
    """Bytes to be written at `pointer`, which is the first stack pointer.

    The strings: arguments from `strings[0]` to `strings[1]`, environment from there to `strings[2]`.
    """

    pointer: int
    content: bytes
    strings: tuple[int, int, int]
    auxiliary: bytes  # the vector, as /proc/PID/auxv shows it


def build_stack(
    abi: Abi,
    top: int,
    path: bytes,
    argv: list[bytes],
    environ: list[bytes],
    auxiliary: list[tuple[int, int]],
    random: bytes,
) -> Stack:
    """Lay out a first stack that ends at `top`. `auxiliary` is completed with what lies on the stack."""
    strings = bytearray()
    where: dict[str, list[int]] = {}
    for name, group in (("argv", argv), ("environ", environ), ("path", [path])):
        where[name] = []
        for text in group:
            where[name].append(len(strings))
            strings += text + b"\0"
    base = top - abi.word - len(strings)
    platform = PLATFORMS[abi.word] + b"\0"
    random_at = (base - 16) & -16
    platform_at = (random_at - len(platform)) & -16
    vector = [
        *auxiliary,
        (AT_RANDOM, random_at),
        (AT_EXECFN, base + where["path"][0]),
        (AT_PLATFORM, platform_at),
        (AT_NULL, 0),
    ]
    words = [len(argv), *(base + at for at in where["argv"]), 0, *(base + at for at in where["environ"]), 0]
    packed = abi.pack_words(*(value for pair in vector for value in pair))
    table = abi.pack_words(*words) + packed
    pointer = (platform_at - len(table)) & -16
    content = bytearray(top - pointer)
    for at, data in ((pointer, table), (platform_at, platform), (random_at, random), (base, strings)):
        content[at - pointer : at - pointer + len(data)] = data
    ends = [base + sum(len(text) + 1 for text in texts) for texts in ([], argv, [*argv, *environ])]
    return Stack(pointer, bytes(content), (ends[0], ends[1], ends[2]), packed)
