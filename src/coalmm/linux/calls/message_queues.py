"""msgget, msgsnd, msgrcv, msgctl. Source: msgget(2), msgop(2), msgctl(2)."""

from __future__ import annotations

import struct
from errno import EINVAL, ENOMSG, EPERM

from coalmm.linux.abi import signed
from coalmm.linux.ipc import (
    IPC_64,
    IPC_INFO,
    IPC_NOWAIT,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    MAY_READ,
    MAY_WRITE,
    MOST_OBJECTS,
    pack_times,
    read_owner,
)
from coalmm.linux.message_queues import LARGEST, MOST_BYTES, MSG_COPY, MSG_EXCEPT, MessageQueue, Receiver, Wanted
from coalmm.linux.registry import Blocked, system_call
from coalmm.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from coalmm.linux.task import Task

MSG_STAT, MSG_INFO, MSG_STAT_ANY = 11, 12, 13
SEGMENT_SIZE, SEGMENTS = 16, 0xFFFF  # msgssz, msgseg


@system_call("msgget")
def msgget(task: Task, key: int, flags: int) -> int:
    """msgget(2)."""
    key, flags = signed(key), flags & 0xFFFF_FFFF

    def make() -> MessageQueue:
        return MessageQueue(task.system.kernel, key, flags, task.credentials)

    return task.system.ipc.queues.get(task.credentials, key, flags, lambda found: None, make).number


@system_call("msgsnd")
def msgsnd(task: Task, number: int, message: int, size: int, flags: int) -> int:
    """msgsnd(2)."""
    word = task.abi.word
    kind = signed(int.from_bytes(task.read(message, word), "little"), word * 8)
    if size > LARGEST or signed(number) < 0 or kind < 1:
        return -EINVAL
    text = task.read(message + word, size)
    if task.resume is not None:
        queue: MessageQueue = task.resume
        queue.check_alive()
    else:
        queue = task.system.ipc.queues.find(signed(number))
    queue.check(task.credentials, MAY_WRITE)
    if not queue.has_room(size) and not flags & IPC_NOWAIT:
        task.resume = queue
        raise Blocked(lambda: queue.has_room(size) or queue.is_removed)
    queue.send(task.group.pid, kind, text)
    return 0


@system_call("msgrcv")
def msgrcv(task: Task, number: int, message: int, size: int, kind: int, flags: int) -> int:
    """msgrcv(2)."""
    if task.resume is not None:
        return received(task, message, task.resume)
    word = task.abi.word
    if signed(number) < 0 or signed(size, word * 8) < 0:
        return -EINVAL
    if flags & MSG_COPY and (flags & MSG_EXCEPT or not flags & IPC_NOWAIT):
        return -EINVAL
    queue = task.system.ipc.queues.find(signed(number))
    queue.check(task.credentials, MAY_READ)
    wanted = Wanted(signed(kind, word * 8), size, flags)
    try:
        return put_message(task, message, *queue.receive(task.group.pid, wanted))
    except OSError as failed:
        if failed.errno != ENOMSG or flags & IPC_NOWAIT:
            raise
    receiver = Receiver(task, wanted)
    queue.receivers.append(receiver)
    task.resume = receiver
    raise Blocked(lambda: receiver.found is not None, None, lambda: queue.leave(receiver))


def received(task: Task, message: int, receiver: Receiver) -> int:
    """The result of a call that has waited."""
    if isinstance(receiver.found, int):
        return -receiver.found
    assert receiver.found is not None
    return put_message(task, message, *receiver.found)


def put_message(task: Task, message: int, kind: int, text: bytes) -> int:
    """Give a program a message; it is gone even if its memory does not take it."""
    task.write_words(message, kind)
    task.write(message + task.abi.word, text)
    return len(text)


# --- control ---


@system_call("msgctl")
def msgctl(task: Task, number: int, command: int, buffer: int) -> int:
    """msgctl(2)."""
    number, command = signed(number), command & 0xFFFF_FFFF & ~IPC_64
    table = task.system.ipc.queues
    if number < 0:
        return -EINVAL
    if command in (IPC_INFO, MSG_INFO):
        return information(task, command, buffer)
    if command in (MSG_STAT, MSG_STAT_ANY, IPC_STAT):
        queue = table.find(number) if command == IPC_STAT else table.at(number)
        if command != MSG_STAT_ANY:
            queue.check(task.credentials, MAY_READ)
        task.write(buffer, description(task, queue))
        return 0 if command == IPC_STAT else queue.number
    if command == IPC_SET:
        owner, limit = read_owner(task, buffer), read_limit(task, buffer)
    elif command != IPC_RMID:
        return -EINVAL
    queue = table.find(number)
    queue.check_owner(task.credentials)
    if command == IPC_RMID:
        table.remove(queue)
        return 0
    if limit > MOST_BYTES and not task.credentials.is_root:
        return -EPERM
    queue.limit = limit
    queue.set_owner(*owner)
    return 0


def read_limit(task: Task, buffer: int) -> int:
    """msg_qbytes of a struct msqid64_ds."""
    at = 88 if task.abi.word == 8 else 68
    return int.from_bytes(task.read(buffer + at, task.abi.word), "little")


def description(task: Task, queue: MessageQueue) -> bytes:
    """struct msqid64_ds."""
    word = task.abi.word
    times = queue.sent, queue.received, queue.changed
    head = queue.pack(word) + (struct.pack("<3q", *times) if word == 8 else pack_times(word, *times))
    counts = task.abi.pack_words(queue.size, len(queue.messages), queue.limit)
    return head + counts + struct.pack("<ii", queue.sender, queue.receiver) + task.abi.pack_words(0, 0)


def information(task: Task, command: int, buffer: int) -> int:
    """IPC_INFO, the limits; MSG_INFO, what is used. The highest index."""
    table = task.system.ipc.queues
    pool, headers, total = MOST_OBJECTS * MOST_BYTES // 1024, MOST_BYTES, MOST_BYTES
    if command == MSG_INFO:
        queues = table.by_index.values()
        pool, total = len(queues), sum(each.size for each in queues)
        headers = sum(len(each.messages) for each in queues)
    task.write(
        buffer,
        struct.pack("<7iHH", pool, headers, LARGEST, MOST_BYTES, MOST_OBJECTS, SEGMENT_SIZE, total, SEGMENTS, 0),
    )
    return table.highest
