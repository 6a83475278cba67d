"""The memory calls: munmap, mprotect, mremap, brk, madvise, mincore, msync, mlock and its family, membarrier.

What they do is in `virtual`; here registers become arguments. mmap is in `mapping`. There is one node of
memory and there are no protection keys, so the calls on those say so.
"""

from __future__ import annotations

from errno import EFAULT, EINTR, EINVAL, ENOMEM, ENOSYS, EPERM

from coalmm.hardware.bits import ALL_ONES
from coalmm.hardware.constants import FRAME_MASK, FRAME_SHIFT
from coalmm.linux.abi import signed
from coalmm.linux.registry import system_call
from coalmm.typed import TYPE_CHECKING
from coalmm.virtual.constants import PROT_GROWSDOWN, PROT_GROWSUP, S_BARRIERS

if TYPE_CHECKING:
    from coalmm.linux.task import Task

INT = 0xFFFF_FFFF
ACCESS_TOP = 0x7FFF_FFFF_F000  # what access_ok lets pass, for 32-bit programs too, on a 64-bit kernel
MLOCK_ONFAULT = 1
BARRIER_GLOBAL, BARRIER_GLOBAL_EXPEDITED, BARRIER_REGISTER_GLOBAL = 1, 2, 4
BARRIER_PRIVATE, BARRIER_REGISTER_PRIVATE = 8, 16
BARRIER_CORE, BARRIER_REGISTER_CORE = 32, 64
BARRIER_REGISTRATIONS = 512
BARRIERS = 0x27F  # all of these


@system_call("munmap")
def munmap(task: Task, vaddr: int, length: int) -> int:
    """munmap(2)."""
    return task.process.unmap(vaddr, length)


@system_call("mprotect")
def mprotect(task: Task, vaddr: int, length: int, rights: int) -> int:
    """mprotect(2)."""
    return task.process.processes.mappings.protect(task.process.space, vaddr, length, rights)


@system_call("pkey_mprotect")
def pkey_mprotect(task: Task, vaddr: int, length: int, rights: int, key: int) -> int:
    """pkey_mprotect(2): without keys, only -1, which makes it mprotect."""
    if signed(key) == -1:
        return mprotect(task, vaddr, length, rights)
    both = PROT_GROWSDOWN | PROT_GROWSUP
    if vaddr & FRAME_MASK or rights & both == both:
        return -EINVAL
    if length == 0:
        return 0
    length = (length + FRAME_MASK) & ~FRAME_MASK & ALL_ONES
    return -ENOMEM if length == 0 or vaddr + length > ALL_ONES else -EINVAL


@system_call("pkey_alloc", "pkey_free")
def no_keys(task: Task) -> int:
    """The CPU has no protection keys."""
    return -EINVAL


@system_call("mremap")
def mremap(task: Task, vaddr: int, old_length: int, length: int, flags: int, target: int) -> int:
    """mremap(2)."""
    return task.process.processes.remapping.remap(task.process.space, vaddr, old_length, length, flags, target)


@system_call("brk")
def brk(task: Task, vaddr: int) -> int:
    """brk(2), as the kernel has it: where the heap ends then."""
    return task.process.brk(vaddr)


@system_call("madvise")
def madvise(task: Task, vaddr: int, length: int, advice: int) -> int:
    """madvise(2)."""
    return task.process.advise(vaddr, length, advice & INT)


@system_call("mincore")
def mincore(task: Task, vaddr: int, length: int, vector: int) -> int:
    """mincore(2): a byte for each page; what comes before a hole is written."""
    if vaddr & FRAME_MASK:
        return -EINVAL
    if vaddr + length > ACCESS_TOP:
        return -ENOMEM
    pages = (length + FRAME_MASK) >> FRAME_SHIFT
    if vector + pages > ACCESS_TOP:
        return -EFAULT
    done = 0
    for found in task.process.processes.residency.resident(task.process.space, vaddr, pages):
        task.write(vector + done, found)
        done += len(found)
        if task.system.is_late:
            return -EINTR
    return 0 if done == pages else -ENOMEM


@system_call("msync")
def msync(task: Task, vaddr: int, length: int, flags: int) -> int:
    """msync(2)."""
    return task.process.processes.residency.sync(task.process.space, vaddr, length, flags & INT)


@system_call("mlock")
def mlock(task: Task, vaddr: int, length: int) -> int:
    """mlock(2)."""
    return task.process.processes.locks.lock(task.process.space, vaddr, length)


@system_call("mlock2")
def mlock2(task: Task, vaddr: int, length: int, flags: int) -> int:
    """mlock2(2)."""
    if flags & INT & ~MLOCK_ONFAULT:
        return -EINVAL
    return task.process.processes.locks.lock(task.process.space, vaddr, length, bool(flags & MLOCK_ONFAULT))


@system_call("munlock")
def munlock(task: Task, vaddr: int, length: int) -> int:
    """munlock(2)."""
    return task.process.processes.locks.unlock(task.process.space, vaddr, length)


@system_call("mlockall")
def mlockall(task: Task, which: int) -> int:
    """mlockall(2)."""
    return task.process.processes.locks.lock_all(task.process.space, which & INT)


@system_call("munlockall")
def munlockall(task: Task) -> int:
    """munlockall(2)."""
    return task.process.processes.locks.unlock_all(task.process.space)


@system_call("membarrier")
def membarrier(task: Task, command: int, flags: int, cpu: int) -> int:
    """membarrier(2): one CPU, on which a call is a barrier already; only the registrations are kept."""
    command &= INT
    spaces, space = task.process.processes.spaces, task.process.space
    known = spaces.get(space, S_BARRIERS)
    if flags & INT or (command and command not in [1 << bit for bit in range(10) if BARRIERS >> bit & 1]):
        return -EINVAL
    if command == 0:
        return BARRIERS
    if command == BARRIER_REGISTRATIONS:
        return known
    if command in (BARRIER_REGISTER_GLOBAL, BARRIER_REGISTER_PRIVATE, BARRIER_REGISTER_CORE):
        spaces.put(space, S_BARRIERS, known | command)
    elif command in (BARRIER_PRIVATE, BARRIER_CORE) and not known & command << 1:
        return -EPERM
    return 0


@system_call("get_mempolicy", "set_mempolicy", "mbind", "migrate_pages", "move_pages", "set_mempolicy_home_node")
def no_nodes(task: Task) -> int:
    """A kernel without NUMA does not have these."""
    return -ENOSYS
