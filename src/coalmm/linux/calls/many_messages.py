"""sendmmsg and recvmmsg: several messages with one call. Source: sendmmsg(2), recvmmsg(2), net/socket.c."""

from __future__ import annotations

import time

from coalmm.linux.calls.messages import MSG_DONTWAIT, receive_message, send_message
from coalmm.linux.calls.poll import read_timespec, write_timespec
from coalmm.linux.calls.socket_options import socket_at
from coalmm.linux.registry import Blocked, system_call
from coalmm.typed import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from coalmm.linux.task import Task

MOST_MESSAGES = 1024  # UIO_MAXIOV
MSG_WAITFORONE = 0x10000


class Progress:
    """What a call that waits keeps: messages that are done, what the next one has kept, and when it began."""

    def __init__(self) -> None:
        self.done = 0
        self.inner: object = None
        self.started = time.monotonic()


def progress_of(task: Task) -> Progress:
    """That of the call; a new one the first time."""
    return task.resume if isinstance(task.resume, Progress) else Progress()


def entry_size(task: Task) -> int:
    """struct mmsghdr: a struct msghdr and a count."""
    return 8 * task.abi.word


def each_message(
    task: Task, progress: Progress, array: int, count: int, move: Callable[[int], int], is_over: Callable[[], bool]
) -> int:
    """Move up to `count` messages, and note the size of each; how many. An error after the first one ends it."""
    word, size = task.abi.word, entry_size(task)
    while progress.done < count:
        entry = array + progress.done * size
        task.resume = progress.inner
        try:
            moved = move(entry)
            task.write(entry + 7 * word, moved.to_bytes(4, "little"))
        except Blocked as blocked:
            progress.inner, task.resume = task.resume, progress
            blocked.done = progress.done or blocked.done
            raise
        except Exception:
            if progress.done:
                break
            raise
        progress.inner = None
        progress.done += 1
        if is_over():
            break
    return progress.done


@system_call("sendmmsg")
def sendmmsg(task: Task, fd: int, array: int, count: int, flags: int) -> int:
    """sendmmsg(2)."""
    file = socket_at(task, fd)
    count = min(count & 0xFFFF_FFFF, MOST_MESSAGES)

    def move(entry: int) -> int:
        return send_message(task, file, entry, flags)

    return each_message(task, progress_of(task), array, count, move, lambda: False)


def receive_many(task: Task, fd: int, array: int, count: int, flags: int, timeout: int, size: int) -> int:
    """recvmmsg(2) with a struct timespec of `size` bytes, which is looked at after each message."""
    file = socket_at(task, fd)
    seconds = read_timespec(task, timeout, size)
    count = min(count & 0xFFFF_FFFF, MOST_MESSAGES)
    progress = progress_of(task)

    def left() -> float:
        return max((seconds or 0.0) - (time.monotonic() - progress.started), 0.0)

    def move(entry: int) -> int:
        later = MSG_DONTWAIT if flags & MSG_WAITFORONE and progress.done else 0
        return receive_message(task, file, entry, flags & ~MSG_WAITFORONE | later)

    done = each_message(task, progress, array, count, move, lambda: seconds is not None and not left())
    if seconds is not None:
        write_timespec(task, timeout, size, left())
    return done


@system_call("recvmmsg")
def recvmmsg(task: Task, fd: int, array: int, count: int, flags: int, timeout: int) -> int:
    """recvmmsg(2)."""
    return receive_many(task, fd, array, count, flags, timeout, 2 * task.abi.word)


@system_call("recvmmsg_time64")
def recvmmsg_time64(task: Task, fd: int, array: int, count: int, flags: int, timeout: int) -> int:
    """recvmmsg(2) of i386 with 64-bit times."""
    return receive_many(task, fd, array, count, flags, timeout, 16)
