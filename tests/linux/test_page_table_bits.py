"""What a running program leaves in the page tables: accessed and dirty bits as the hardware sets them."""

import os

import pytest
from guests import PAGING, compile_text

import coalmm
from coalmm.hardware.constants import PAGE_ACCESSED, PAGE_DIRTY, PAGE_PRESENT
from coalmm.linux.system import System

SOURCE = r"""
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
static long tell(int step, void *where) { return syscall(SYS_getpriority, 77, step, where); }
int main(void)
{
    volatile char *memory = mmap(0, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    tell(0, (void *)memory);
    memory[4096];
    memory[2 * 4096] = 1;
    memory[3 * 4096]; memory[3 * 4096];
    tell(1, (void *)memory);
    memory[3 * 4096] = 1;
    tell(2, (void *)memory);
    madvise((void *)memory, 3 * 4096, MADV_DONTNEED);
    tell(3, (void *)memory);
    return 0;
}
"""
A, D = PAGE_ACCESSED, PAGE_DIRTY
EXPECTED = [
    [None, None, None, None],
    [None, A, A | D, A],
    [None, A, A | D, A | D],
    [None, None, None, A | D],
]


@pytest.mark.parametrize("flavour", ["64", "32"])
def test_a_load_sets_accessed_and_the_first_store_sets_dirty(flavour):
    program = compile_text(SOURCE, f"bits-{flavour}", f"-m{flavour}", "-static")
    seen = {}
    with coalmm.boot(ram="64M", paging=PAGING[flavour]) as kernel:
        null = os.open(os.devnull, os.O_RDWR)
        system = System(kernel, console=(null, null, null))

        def look(task, name, arguments):
            if name == "getpriority":
                entries = [kernel.page_tables.entry(task.process.root, arguments[2] + n * 4096) for n in range(4)]
                seen[arguments[1]] = [entry & (A | D) if entry & PAGE_PRESENT else None for entry in entries]

        system.on_system_call = look
        task = system.spawn([program.encode()])
        system.run(60)
        assert task.group.status == 0
        system.close()
        os.close(null)
    assert [seen[step] for step in sorted(seen)] == EXPECTED
