"""Machines with something of everything in them, and random work on them."""

import random

import coalmm

PAGING = ("i386", "pae", "x86_64", "la57")


def busy_machine(paging="i386", ram="16M", **options):
    """A machine with live allocations of every allocator, a process with a child, and tracking on."""
    kernel = coalmm.boot(ram=ram, paging=paging, **options)
    kernel.tracking.enable()
    kernel.heap.kmalloc(100)
    kernel.heap.kmalloc(50_000)
    kernel.buddy.allocate(9000)
    kernel.frames.allocate()
    kernel.slabs.allocate(kernel.slabs.create("things", 48))
    parent = kernel.processes.create("parent")
    at = parent.map(0x40_0000, 0x1_0000)
    parent.write(at, b"written by the parent")
    parent.fork().write(at + 0x2000, b"written by the child")
    return kernel


def random_work(kernel, seed, steps=200):
    """Random calls of every layer; yields after each."""
    rng = random.Random(seed)
    taken, processes = [], []
    cache = kernel.slabs.create("random", 200)
    for _ in range(steps):
        choice = rng.randrange(8)
        if choice == 0:
            taken.append((kernel.heap.kfree, kernel.heap.kmalloc(rng.choice((8, 100, 3000, 70_000)))))
        elif choice == 1:
            taken.append((kernel.buddy.free, kernel.buddy.allocate(rng.randrange(1, 100_000))))
        elif choice == 2:
            taken.append((kernel.frames.free, kernel.frames.allocate()))
        elif choice == 3:
            taken.append((lambda pointer: kernel.slabs.free(cache, pointer), kernel.slabs.allocate(cache)))
        elif choice == 4 and taken:
            free, address = taken.pop(rng.randrange(len(taken)))
            if address:
                free(address)
        elif choice == 5:
            process = rng.choice(processes).fork() if processes and rng.random() < 0.5 else kernel.processes.create("p")
            processes.append(process)
        elif choice == 6 and processes:
            process = rng.choice(processes)
            at = process.map(0, rng.randrange(1, 8) << 12)
            process.write(at, bytes(rng.randrange(1, 4096)))
        elif choice == 7 and len(processes) > 3:
            processes.pop(rng.randrange(len(processes))).exit()
        yield
