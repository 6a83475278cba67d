"""pipe, and moving bytes between descriptors inside the kernel: sendfile, copy_file_range, splice, tee."""

from __future__ import annotations

import os
import stat
from errno import EBADF, EINVAL, EISDIR, EOVERFLOW, ESPIPE, EXDEV

from coalmm.linux.abi import signed
from coalmm.linux.calls.buffers import CHUNK, MOST_BYTES, vectors
from coalmm.linux.calls.transfer import install_pair, reading, write_from, writing
from coalmm.linux.registry import Blocked, system_call
from coalmm.linux.vfs.errors import failure
from coalmm.linux.vfs.notify import accessed, modified
from coalmm.linux.vfs.open_file import OpenFile
from coalmm.linux.vfs.pipe import PipeFile, new_pipe, pipe_of
from coalmm.linux.vfs.regular import RegularFile
from coalmm.typed import TYPE_CHECKING, Callable, Sequence

if TYPE_CHECKING:
    from coalmm.linux.task import Task

PIPE_FLAGS = os.O_CLOEXEC | os.O_NONBLOCK | 0o40000  # O_DIRECT: packets, which behave as bytes here
SPLICE_F_NONBLOCK = 2
SPLICE_FLAGS = 15


@system_call("pipe2")
def pipe2(task: Task, array: int, flags: int) -> int:
    """pipe2(2)."""
    flags &= 0xFFFF_FFFF
    if flags & ~PIPE_FLAGS:
        raise failure(EINVAL)
    return install_pair(task, new_pipe(flags & os.O_NONBLOCK), flags, array)


@system_call("pipe")
def pipe(task: Task, array: int) -> int:
    """pipe(2)."""
    return pipe2(task, array, 0)


# --- moving bytes ---


class Offset:
    """Where one side of a transfer is: an offset in the program's memory, or the file's own."""

    def __init__(self, task: Task, file: OpenFile, vaddr: int, size: int) -> None:
        self.task, self.file, self.vaddr, self.size = task, file, vaddr, size
        self.value = signed(int.from_bytes(task.read(vaddr, size), "little"), size * 8) if vaddr else 0
        if self.value < 0:
            raise failure(EINVAL)
        if vaddr and isinstance(file, PipeFile):
            raise failure(ESPIPE)

    def peek(self, size: int) -> bytes:
        """The next bytes."""
        return self.file.pread(size, self.value) if self.vaddr else self.file.peek(self.task, size)

    def write(self, data: bytes) -> int:
        """Write the next bytes."""
        return self.file.pwrite(data, self.value) if self.vaddr else self.file.write(self.task, data)

    def advance(self, count: int, consume: bool = True) -> None:
        """Move on."""
        if self.vaddr:
            self.value += count
        elif consume:
            self.file.consume(count)

    def store(self) -> None:
        """Tell the program where it is now."""
        if self.vaddr:
            if self.value >> (self.size * 8 - 1):
                raise failure(EOVERFLOW)
            self.task.write(self.vaddr, self.value.to_bytes(self.size, "little"))


def transfer(source: Offset, target: Offset, size: int, once: bool = False) -> int:
    """Move up to `size` bytes; `once`: stop after the first piece. Only what was written is used up."""
    done = 0
    while done < size:
        try:
            data = source.peek(min(size - done, CHUNK))
            count = target.write(data) if data else 0
        except (OSError, Blocked):
            if done:
                break
            raise
        if source.vaddr or target.vaddr or source.file is not target.file:
            source.advance(count)  # two sides with one offset move it once
        target.advance(count, consume=False)
        done += count
        if count < len(data) or not data or once or (done >= CHUNK and source.task.system.is_late):
            break
    accessed(source.file, done)
    modified(target.file, done)
    source.store()
    target.store()
    return done


def quietly(files: Sequence[OpenFile], work: Callable[[], int]) -> int:
    """Do some work with O_NONBLOCK set on some files."""
    before = [file.flags for file in files]
    for file in files:
        file.flags |= os.O_NONBLOCK
    try:
        return work()
    finally:
        for file, flags in zip(files, before, strict=True):
            file.flags = flags


def do_sendfile(task: Task, target: int, source: int, offset: int, count: int, size: int) -> int:
    """sendfile(2) with an offset of `size` bytes."""
    from_file, to_file = reading(task, source), writing(task, target)
    if not isinstance(from_file, RegularFile):
        raise failure(EINVAL)
    if to_file.flags & os.O_APPEND:
        raise failure(EINVAL)
    return transfer(Offset(task, from_file, offset, size), Offset(task, to_file, 0, 8), min(count, MOST_BYTES))


@system_call("sendfile")
def sendfile(task: Task, target: int, source: int, offset: int, count: int) -> int:
    """sendfile(2)."""
    return do_sendfile(task, target, source, offset, count, task.abi.word)


@system_call("sendfile64")
def sendfile64(task: Task, target: int, source: int, offset: int, count: int) -> int:
    """sendfile(2) of i386 with a 64-bit offset."""
    return do_sendfile(task, target, source, offset, count, 8)


@system_call("copy_file_range")
def copy_file_range(
    task: Task, source: int, source_offset: int, target: int, target_offset: int, size: int, flags: int
) -> int:
    """copy_file_range(2)."""
    from_file, to_file = task.files.opened(source), task.files.opened(target)
    if flags:
        raise failure(EINVAL)
    if stat.S_IFDIR in (from_file.node.kind, to_file.node.kind):
        raise failure(EISDIR)
    if not isinstance(from_file, RegularFile) or not isinstance(to_file, RegularFile):
        raise failure(EINVAL)
    if not from_file.is_readable or not to_file.is_writable or to_file.flags & os.O_APPEND:
        raise failure(EBADF)
    if from_file.attributes().dev != to_file.attributes().dev:
        raise failure(EXDEV)
    start, end = Offset(task, from_file, source_offset, 8), Offset(task, to_file, target_offset, 8)
    if from_file.node is to_file.node:
        places = [side.value if side.vaddr else side.file.offset for side in (start, end)]
        size = min(size, max(from_file.node.size - places[0], 0))
        if abs(places[0] - places[1]) < size:
            raise failure(EINVAL)
    return transfer(start, end, min(size, MOST_BYTES))


@system_call("splice")
def splice(task: Task, source: int, source_offset: int, target: int, target_offset: int, size: int, flags: int) -> int:
    """splice(2): one of the two is a pipe."""
    from_file, to_file = reading(task, source), writing(task, target)
    if flags & 0xFFFF_FFFF & ~SPLICE_FLAGS:
        raise failure(EINVAL)
    if not isinstance(from_file, PipeFile) and not isinstance(to_file, PipeFile):
        raise failure(EINVAL)
    start, end = Offset(task, from_file, source_offset, 8), Offset(task, to_file, target_offset, 8)
    with_flags = [file for file in (from_file, to_file) if flags & SPLICE_F_NONBLOCK and isinstance(file, PipeFile)]
    return quietly(with_flags, lambda: transfer(start, end, min(size, CHUNK), once=True))


@system_call("tee")
def tee(task: Task, source: int, target: int, size: int, flags: int) -> int:
    """tee(2): copy between pipes without using the bytes up."""
    from_file, to_file = reading(task, source), writing(task, target)
    if pipe_of(from_file) is pipe_of(to_file):
        raise failure(EINVAL)
    with_flags = [from_file, to_file] if flags & SPLICE_F_NONBLOCK else []
    return quietly(with_flags, lambda: to_file.write(task, from_file.peek(task, min(size, CHUNK))))


@system_call("vmsplice")
def vmsplice(task: Task, fd: int, array: int, count: int, flags: int) -> int:
    """vmsplice(2) into a pipe: a copy."""
    file = writing(task, fd)
    pipe_of(file)
    return write_from(task, file, vectors(task, array, signed(count)))
