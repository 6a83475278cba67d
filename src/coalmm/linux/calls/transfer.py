"""Moving bytes between open files and iovec arrays: the loops of read, write and their kin."""

from __future__ import annotations

import os
from errno import EBADF, EFBIG

from coalmm.linux.calls.buffers import CHUNK, copy_out, gather
from coalmm.linux.group import RLIM_INFINITY, RLIMIT_FSIZE
from coalmm.linux.registry import Blocked
from coalmm.linux.signals.numbers import SIGXFSZ
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.notify import accessed, modified
from coalmm.linux.vfs.open_file import OpenFile
from coalmm.linux.vfs.regular import RegularFile
from coalmm.typed import TYPE_CHECKING, Callable, Iterable

if TYPE_CHECKING:
    from coalmm.linux.task import Task

Parts = list[tuple[int, int]]  # (address, size) of an iovec array


def reading(task: Task, fd: int) -> OpenFile:
    """An open file that may be read. EBADF."""
    file = task.files.get(fd)
    if not file.is_readable:
        raise failure(EBADF)
    return file


def writing(task: Task, fd: int) -> OpenFile:
    """An open file that may be written. EBADF."""
    file = task.files.get(fd)
    if not file.is_writable:
        raise failure(EBADF)
    return file


def install_pair(task: Task, ends: Iterable[OpenFile], flags: int, array: int) -> int:
    """Descriptors for two new files, written to the program's array; none of them stays if that fails."""
    numbers: list[int] = []
    files = list(ends)
    try:
        for end in files:
            numbers.append(task.files.install(end, bool(flags & os.O_CLOEXEC)))
        task.write(array, b"".join(number.to_bytes(4, "little") for number in numbers))
    except BaseException:
        for number in numbers:
            task.files.close(number)
        for end in files[len(numbers) + 1 :]:  # `install` has closed the one that it had no number for
            end.release()
        raise
    return 0


def read_into(task: Task, file: OpenFile, parts: Parts) -> int:
    """Read from where a file is. What the program's memory does not take stays in the file."""
    return accessed(file, read_parts(task, parts, lambda size, done: file.peek(task, size), file.consume))


def write_from(task: Task, file: OpenFile, parts: Parts) -> int:
    """Write where a file is."""

    def put(data: bytes, done: int) -> int:
        return file.write(task, within_limit(task, file, data, done))

    return modified(file, write_parts(task, parts, put))


def within_limit(task: Task, file: OpenFile, data: bytes, done: int, offset: int | None = None) -> bytes:
    """What of `data` RLIMIT_FSIZE lets a file get, where it is or at an offset.

    SIGXFSZ and EFBIG for none of it, unless the call has `done` something before.
    """
    limit = task.group.limit(RLIMIT_FSIZE)[0]
    if limit == RLIM_INFINITY or not data or not isinstance(file, RegularFile):
        return data
    at = file.offset if offset is None else offset
    room = limit - (file.node.size if file.flags & os.O_APPEND else at)
    if room <= 0 and not done:
        raise too_large(task)
    return data[: max(room, 0)]


def too_large(task: Task) -> OSError:
    """RLIMIT_FSIZE is reached: SIGXFSZ for the thread, and EFBIG."""
    task.send_signal(SIGXFSZ)
    return failure(EFBIG)


def read_parts(
    task: Task,
    parts: Parts,
    fetch: Callable[[int, int], bytes],
    consume: Callable[[int], object] = lambda count: None,
) -> int:
    """Fill an iovec array: `fetch(size, done)` gives bytes, `consume` is told how many the program's memory took."""
    done = 0
    for start, size in parts:
        while size:
            try:
                count = copy_out(task, start, fetch(min(size, CHUNK), done))
            except (OSError, Blocked):
                if done:
                    return done
                raise
            consume(count)
            done, start, size = done + count, start + count, size - count
            if size and (count < CHUNK or task.system.is_late):
                return done
    if not any(size for _, size in parts):
        fetch(0, 0)
    return done


def write_parts(task: Task, parts: Parts, put: Callable[[bytes, int], int]) -> int:
    """Empty an iovec array: `put(data, done)` takes bytes. A call that had to wait goes on behind what it wrote."""
    done: int = task.resume or 0
    total = sum(size for _, size in parts)
    if not total:
        return put(b"", 0)
    while done < total:
        try:
            count = put(gather(task, ahead(parts, done)), done)
        except Blocked as blocked:
            task.resume = done
            blocked.done = done or None
            raise
        except OSError:
            if done:
                return done
            raise
        done += count
        if not count or (done >= CHUNK and task.system.is_late):
            break
    return done


def ahead(parts: list[tuple[int, int]], done: int) -> list[tuple[int, int]]:
    """What of an iovec array comes after `done` bytes, at most CHUNK of it."""
    found = []
    left = CHUNK
    for start, size in parts:
        skipped = min(done, size)
        done -= skipped
        taken = min(size - skipped, left)
        left -= taken
        if taken:
            found.append((start + skipped, taken))
    return found
