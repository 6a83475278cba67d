"""Temporary."""
from coalmm.linux.abi import signed
from coalmm.linux.registry import system_call


@system_call("brk")
def brk(task, addr):  # type: ignore[no-untyped-def]
    return task.process.brk(addr)

@system_call("mmap")
def mmap(task, addr, length, prot, flags, fd, offset):  # type: ignore[no-untyped-def]
    number = 0
    if not flags & 0x20:
        number = task.files.get(signed(fd)).mapping(task.system.kernel, bool(flags & 1 and prot & 2))
    r = task.process.map(addr, length, prot & 7, flags & 0xffff, number, offset)
    if number:
        task.system.kernel.files.release(number)
    return r

@system_call("mmap2", only_32=True)
def mmap2(task, addr, length, prot, flags, fd, offset):  # type: ignore[no-untyped-def]
    return mmap(task, addr, length, prot, flags, fd, offset << 12)

@system_call("munmap")
def munmap(task, addr, length):  # type: ignore[no-untyped-def]
    return task.process.unmap(addr, length)

@system_call("mprotect")
def mprotect(task, addr, length, prot):  # type: ignore[no-untyped-def]
    return task.process.protect(addr, length, prot)

@system_call("madvise")
def madvise(task, addr, length, advice):  # type: ignore[no-untyped-def]
    return task.process.advise(addr, length, advice)

@system_call("mremap")
def mremap(task, old, old_size, size, flags, new):  # type: ignore[no-untyped-def]
    return task.process.remap(old, old_size, size, flags, new)
