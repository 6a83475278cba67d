"""RAM images: RAM as a sparse file, and one page behind it that says whether it is whole.

    0          RAM, byte for byte: a file offset is a physical address
    RAM size   trailer, 4096 bytes: magic, version, RAM size, SHA-256 of the contents

An image is read into RAM of its own (or mapped copy-on-write, to look at), so the file never changes.
"""

import os
import struct

from coalmm.errors import BadImageError
from coalmm.hardware.ram import LARGEST, SMALLEST, Ram

TRAILER = struct.Struct("<8sQQ32s")
TRAILER_SIZE = 4096
MAGIC = b"COALIMG\n"
VERSION = 1
CHUNK = 1 << 20


def save_image(ram: Ram, path: str | os.PathLike[str]) -> None:
    """Write RAM to a new file in `path`'s place, which appears whole or not at all. OSError if it cannot."""
    part = os.fsdecode(path) + ".part"
    try:
        with open(part, "wb") as file:
            for start, end in ram.extents():
                file.seek(start)
                for at in range(start, end, CHUNK):
                    file.write(ram.read(at, min(CHUNK, end - at)))
            file.seek(ram.size)
            digest = bytes.fromhex(ram.digest())
            file.write(TRAILER.pack(MAGIC, VERSION, ram.size, digest).ljust(TRAILER_SIZE, b"\0"))
        os.replace(part, path)
    except BaseException:
        if os.path.exists(part):
            os.unlink(part)
        raise


def load_image(path: str | os.PathLike[str], read_only: bool = False) -> Ram:
    """The RAM in an image. `read_only` maps the file copy-on-write instead of copying it.

    Raises BadImageError for what is no whole image, OSError for what cannot be read.
    """
    with open(path, "rb") as file:
        size, digest = read_trailer(file.fileno(), os.fsdecode(path))
        if read_only:
            ram = Ram(size, os.dup(file.fileno()))
        else:
            ram = Ram(size)
            copy_file(file.fileno(), ram)
    if bytes.fromhex(ram.digest()) != digest:
        name = os.fsdecode(path)
        raise BadImageError(f"{name}: the image is damaged: its contents do not have the digest it was saved with")
    return ram


def read_trailer(fd: int, path: str) -> tuple[int, bytes]:
    """RAM size and digest from an image's trailer; BadImageError if there is none."""
    length = os.fstat(fd).st_size
    if length < SMALLEST + TRAILER_SIZE or length > LARGEST + TRAILER_SIZE:
        raise BadImageError(f"{path}: not a RAM image of coalmm: {length} bytes")
    trailer = os.pread(fd, TRAILER.size, length - TRAILER_SIZE)
    magic, version, size, digest = TRAILER.unpack(trailer)
    if magic != MAGIC:
        raise BadImageError(f"{path}: not a RAM image of coalmm, or cut short: there is no trailer at its end")
    if version != VERSION:
        raise BadImageError(f"{path}: image version {version}; this coalmm reads version {VERSION}")
    if size != length - TRAILER_SIZE:
        raise BadImageError(f"{path}: the trailer says {size} bytes of RAM, the file has {length - TRAILER_SIZE}")
    return size, digest


def copy_file(fd: int, ram: Ram) -> None:
    """Copy the data of a file, without its holes, to RAM."""
    end = 0
    while end < ram.size:
        try:
            start = os.lseek(fd, end, os.SEEK_DATA)
        except OSError:  # no data after `end`
            return
        end = min(os.lseek(fd, start, os.SEEK_HOLE), ram.size)
        while start < end:
            data = os.pread(fd, min(CHUNK, end - start), start)
            if data.count(0) != len(data):
                ram.write(start, data)
            start += len(data)
