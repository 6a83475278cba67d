"""What semaphores and message queues of System V have in common: keys, ids, owners and rights. Source: svipc(7).

What they hold (values, texts) lies in kmalloc's memory.
"""

from __future__ import annotations

import struct
import time
from errno import EACCES, EEXIST, EIDRM, EINVAL, ENOENT, ENOMEM, ENOSPC, EPERM

from coalmm.typed import TYPE_CHECKING, Callable, Generic, TypeVar

if TYPE_CHECKING:
    from coalmm.kernel import Kernel
    from coalmm.linux.credentials import Credentials
    from coalmm.linux.message_queues import MessageQueue
    from coalmm.linux.semaphores import SemaphoreSet
    from coalmm.linux.task import Task

IPC_PRIVATE, IPC_CREAT, IPC_EXCL, IPC_NOWAIT = 0, 0o1000, 0o2000, 0o4000
IPC_RMID, IPC_SET, IPC_STAT, IPC_INFO, IPC_64 = 0, 1, 2, 3, 0x100
MOST_OBJECTS = 32000  # SEMMNI, MSGMNI
INDEX_BITS = 15
MAY_READ, MAY_WRITE = 0o444, 0o222


def error(code: int) -> OSError:
    """What a call fails with."""
    return OSError(code, "System V IPC")


class IpcObject:
    """struct kern_ipc_perm. Whoever waits at it looks at `is_removed`."""

    def __init__(self, kernel: Kernel, key: int, mode: int, owner: Credentials) -> None:
        self.kernel = kernel
        self.key = key
        self.mode = mode & 0o777
        self.uid = self.cuid = owner.user.effective
        self.gid = self.cgid = owner.group.effective
        self.number = -1
        self.changed = int(time.time())
        self.is_removed = False

    @property
    def index(self) -> int:
        """Where it is in its table."""
        return self.number & (1 << INDEX_BITS) - 1

    def allocate(self, size: int) -> int:
        """Memory of the kernel. OSError ENOMEM."""
        pointer: int = self.kernel.kmalloc(size)
        if not pointer:
            raise error(ENOMEM)
        return pointer

    def check(self, who: Credentials, wanted: int) -> None:
        """OSError EACCES unless its mode allows `wanted`, the three digits of which are asked for alike."""
        wanted = wanted >> 6 | wanted >> 3 | wanted
        granted = self.mode
        if who.user.effective in (self.uid, self.cuid):
            granted >>= 6
        elif any(group == who.group.effective or group in who.groups for group in (self.gid, self.cgid)):
            granted >>= 3
        if wanted & ~granted & 0o7 and not who.is_root:
            raise error(EACCES)

    def check_owner(self, who: Credentials) -> None:
        """OSError EPERM for who may not change or remove it."""
        if who.user.effective not in (self.uid, self.cuid) and not who.is_root:
            raise error(EPERM)

    def set_owner(self, uid: int, gid: int, mode: int) -> None:
        """IPC_SET."""
        self.uid, self.gid = uid, gid
        self.mode = self.mode & ~0o777 | mode & 0o777
        self.changed = int(time.time())

    def pack(self, word: int) -> bytes:
        """struct ipc64_perm."""
        owner = (self.uid, self.gid, self.cuid, self.cgid)
        return pack_permissions(word, self.key, owner, self.mode, self.number >> INDEX_BITS)

    def check_alive(self) -> None:
        """OSError EIDRM if it was removed."""
        if self.is_removed:
            raise error(EIDRM)

    def release(self) -> None:
        """Give its memory back, and let those go on who wait."""
        self.is_removed = True


Kind = TypeVar("Kind", bound=IpcObject)


class Table(Generic[Kind]):
    """The objects of one kind, by number: index and, above it, how often indices came round."""

    def __init__(self) -> None:
        self.by_index: dict[int, Kind] = {}
        self.sequence = 0
        self.last_index = -1

    def find(self, number: int) -> Kind:
        """An object by its number. OSError EINVAL."""
        found = self.by_index.get(number & (1 << INDEX_BITS) - 1)
        if number < 0 or found is None or found.number != number:
            raise error(EINVAL)
        return found

    def at(self, index: int) -> Kind:
        """An object by its index: SEM_STAT, MSG_STAT. OSError EINVAL."""
        found = self.by_index.get(index)
        if found is None:
            raise error(EINVAL)
        return found

    def get(
        self, who: Credentials, key: int, flags: int, check: Callable[[Kind], object], make: Callable[[], Kind]
    ) -> Kind:
        """semget, msgget: the object with a key, or a new one. ENOENT, EEXIST, EACCES, ENOSPC."""
        found = None
        if key != IPC_PRIVATE:
            found = next((each for each in self.by_index.values() if each.key == key), None)
        if found is None:
            if key != IPC_PRIVATE and not flags & IPC_CREAT:
                raise error(ENOENT)
            return self._add(make)
        if flags & IPC_CREAT and flags & IPC_EXCL:
            raise error(EEXIST)
        check(found)
        found.check(who, flags)
        return found

    def _add(self, make: Callable[[], Kind]) -> Kind:
        if len(self.by_index) >= MOST_OBJECTS:
            raise error(ENOSPC)
        made = make()
        index = next(number for number in range(MOST_OBJECTS) if number not in self.by_index)
        if index <= self.last_index:
            self.sequence = (self.sequence + 1) & 0xFFFF
        self.last_index = index
        made.number = self.sequence << INDEX_BITS | index
        self.by_index[index] = made
        return made

    @property
    def highest(self) -> int:
        """The highest index in use."""
        return max(self.by_index, default=0)

    def remove(self, found: Kind) -> None:
        """IPC_RMID."""
        del self.by_index[found.index]
        found.release()

    def close(self) -> None:
        """The run is over."""
        for each in list(self.by_index.values()):
            self.remove(each)


class Ipc:
    """Semaphores and message queues of one run."""

    def __init__(self) -> None:
        self.semaphores: Table[SemaphoreSet] = Table()
        self.queues: Table[MessageQueue] = Table()

    def close(self) -> None:
        """Everything goes."""
        self.semaphores.close()
        self.queues.close()


def pack_permissions(word: int, key: int, owner: tuple[int, int, int, int], mode: int, sequence: int) -> bytes:
    """struct ipc64_perm for programs of either word size; `owner`: uid, gid, cuid, cgid."""
    if word == 8:
        return struct.pack("<iIIIIIHHIQQ", key, *owner, mode, sequence, 0, 0, 0, 0)
    return struct.pack("<iIIIIHHHHII", key, *owner, mode, 0, sequence, 0, 0, 0)


def pack_times(word: int, *times: int) -> bytes:
    """Times as a struct of either word size has them: 32-bit programs have the high half behind each."""
    if word == 8:
        return struct.pack(f"<{2 * len(times)}q", *(part for each in times for part in (each, 0)))
    return struct.pack(f"<{2 * len(times)}I", *(part for each in times for part in (each & 0xFFFF_FFFF, each >> 32)))


def read_owner(task: Task, buffer: int) -> tuple[int, int, int]:
    """(uid, gid, mode) of a struct ipc64_perm, which begins those of IPC_SET."""
    uid, gid = struct.unpack("<II", task.read(buffer + 4, 8))
    return uid, gid, int.from_bytes(task.read(buffer + 20, 4), "little")
