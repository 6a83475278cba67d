"""Bytes between a program's memory and a call: partly bad buffers are used as far as they are good, as Linux does."""

from __future__ import annotations

from errno import EFAULT, EINVAL, ENOMEM

from coalmm.errors import PageFaultError
from coalmm.linux.abi import signed
from coalmm.linux.vfs.errors import failure
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

MOST_BYTES = 0x7FFF_F000  # MAX_RW_COUNT of Linux
MOST_VECTORS = 1024  # UIO_MAXIOV
CHUNK = 1 << 20  # what one step of a call moves


def copy_in(task: Task, vaddr: int, size: int) -> bytes:
    """Up to `size` bytes at `vaddr`: those before the first bad address. EFAULT or ENOMEM if there is none."""
    if not size:
        return b""
    try:
        return task.read(vaddr, size)
    except PageFaultError as fault:
        good = fault.address - vaddr
        if not 0 < good < size:
            raise refusal(fault) from None
    return copy_in(task, vaddr, good)


def copy_out(task: Task, vaddr: int, data: bytes) -> int:
    """Write `data` up to the first bad address; how many bytes. EFAULT or ENOMEM if none."""
    if not data:
        return 0
    try:
        task.write(vaddr, data)
    except PageFaultError as fault:
        good = fault.address - vaddr
        if not 0 < good < len(data):
            raise refusal(fault) from None
        return copy_out(task, vaddr, data[:good])
    return len(data)


def refusal(fault: PageFaultError) -> OSError:
    """What a call that uses bad memory fails with."""
    return failure(ENOMEM if fault.error == -ENOMEM else EFAULT)


def vectors(task: Task, vaddr: int, count: int) -> list[tuple[int, int]]:
    """The iovec array: (address, size) each; together at most MOST_BYTES. EINVAL, EFAULT."""
    if not 0 <= count <= MOST_VECTORS:
        raise failure(EINVAL)
    words = task.read_words(vaddr, 2 * count) if count else ()
    found = []
    left = MOST_BYTES
    for start, size in zip(words[::2], words[1::2], strict=True):
        if signed(size, task.abi.word * 8) < 0:
            raise failure(EINVAL)
        size = min(size, left)
        left -= size
        found.append((start, size))
    return found


def gather(task: Task, parts: list[tuple[int, int]]) -> bytes:
    """The bytes of an iovec array, up to the first bad address. EFAULT if there is none before it."""
    found: list[bytes] = []
    for start, size in parts:
        try:
            piece = copy_in(task, start, size)
        except OSError:
            if not any(found):
                raise
            break
        found.append(piece)
        if len(piece) < size:
            break
    return b"".join(found)


def scatter(task: Task, parts: list[tuple[int, int]], data: bytes) -> int:
    """Write bytes to an iovec array, up to the first bad address; how many."""
    done = 0
    for start, size in parts:
        piece = data[done : done + size]
        try:
            written = copy_out(task, start, piece)
        except OSError:
            if not done:
                raise
            break
        done += written
        if written < len(piece) or done == len(data):
            break
    return done
