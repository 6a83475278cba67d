"""Hostile programs: images with changed bytes, random system calls: `python tests/linux/hostile.py NUMBER [SEED]`.

It prints the number of each program, then what was wrong with it. Whatever they do, `System.run` comes back, nothing
is raised out of it, no kernel function fails, no frame is lost and every structure is sound (`run_on_ours` checks the
last two).
"""

import random
import struct
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # as pytest has it
import guests

PROGRAM_HEADER = {1: (32, "<8I"), 2: (56, "<IIQQQQQQ")}
EXTREMES = (0, 1, 7, 0x1000, 0x7FFF_F000, 0x8000_0000, 0xFFFF_FFFF, 1 << 46, (1 << 47) - 4096, 1 << 62, (1 << 64) - 1)


def change_bytes(rng: random.Random, image: bytearray) -> None:
    """Flip a few bytes, mostly of the headers."""
    for _ in range(rng.randint(1, 12)):
        image[rng.randrange(min(len(image), rng.choice((64, 512, len(image)))))] = rng.randrange(256)


def change_header(rng: random.Random, image: bytearray) -> None:
    """Put an extreme number into a field of a program header."""
    size, layout = PROGRAM_HEADER[image[4]]
    offset = struct.unpack_from("<Q", image, 32)[0] if image[4] == 2 else struct.unpack_from("<I", image, 28)[0]
    for _ in range(rng.randint(1, 3)):
        at = offset + rng.randrange(10) * size
        fields = list(struct.unpack_from(layout, image, at))
        place = rng.randrange(len(fields))
        wide = layout[1 + place] == "Q" if image[4] == 2 else False
        fields[place] = rng.choice(EXTREMES) & ((1 << 64) - 1 if wide else 0xFFFF_FFFF)
        struct.pack_into(layout, image, at, *fields)


def truncate(rng: random.Random, image: bytearray) -> None:
    """Cut the file."""
    del image[rng.randrange(len(image)) :]


def mutant(rng: random.Random, image: bytes) -> bytes:
    """A program's image with something wrong."""
    changed = bytearray(image)
    rng.choice((change_bytes, change_bytes, change_header, change_header, truncate))(rng, changed)
    return bytes(changed)


def run_image(image: bytes, paging: str, folder: Path) -> None:
    """Run an image; it may be refused, crash, or work."""
    path = folder / "mutant"
    path.write_bytes(image)
    path.chmod(0o755)
    try:
        run = guests.run_on_ours([str(path)], paging=paging, ram="32M", timeout=0.5, output_limit=1 << 16)
    except OSError:
        return
    assert not run.oopses, run.oopses


def run_calls(seed: int, flavour: str, batches: int, calls: int) -> guests.OurRun:
    """A program that makes random system calls."""
    argv = [guests.program("random_calls", flavour), str(seed), str(batches), str(calls)]
    run = guests.run_on_ours(
        argv, paging=guests.PAGING[flavour], ram="64M", timeout=30.0, output_limit=1 << 16, most_processes=64
    )
    assert not run.oopses, run.oopses
    return run


def fuzz(number: int, seed: int) -> None:
    """So many programs. The one that runs is the last that was printed."""
    images = {flavour: Path(guests.program("hello", flavour)).read_bytes() for flavour in ("64", "64-dynamic", "32")}
    with tempfile.TemporaryDirectory() as folder:
        for count in range(number):
            rng = random.Random(seed + count)
            flavour = rng.choice(list(images))
            print(f"\r{seed + count} {flavour}", end=" ", flush=True)
            if count % 20 == 19:
                run_calls(seed + count, flavour[:2], 3, 60)
            else:
                run_image(mutant(rng, images[flavour]), guests.PAGING[flavour[:2]], Path(folder))


if __name__ == "__main__":
    start = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
    fuzz(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, start)
    print(f"\nall from seed {start} on")
