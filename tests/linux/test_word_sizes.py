"""32-bit programs on 64-bit tables, in compatibility mode: as natively, alone and started by 64-bit programs."""

import pytest
from guests import FLAVOURS, assert_same, compile_text, program, run_on_ours

PROGRAMS = ("hello", "threads", "signal_frames", "fault_signals", "changing_code", "child_signals")
SCRIPT = """
{program}; echo $?; {program} | cat; ({program}; echo sub $?) | tail -1
cp {program} /tmp/copy-of-a-test; /tmp/copy-of-a-test | wc -c
rm /tmp/copy-of-a-test; exec {program}
"""
EXECUTES = """
#include "say.h"
int main(int count, char **arguments) {
    for (int i = 0; i < 3; i++) {
        if (fork() == 0)
            execl("/bin/sh", "sh", "-c", "echo from a shell $0; exit 4", count > 1 ? "again" : "first", (char *)0);
        int status;
        wait(&status);
        say_status("shell", status);
    }
    if (count < 4) {
        char *more[] = {arguments[0], "1", count > 1 ? "2" : 0, count > 2 ? "3" : 0, 0};
        execv("/proc/self/exe", more);
    }
    execl("/bin/echo", "echo", "the end", (char *)0);
}
"""


@pytest.mark.parametrize("paging", ["x86_64", "la57"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_32_bit_program_runs_on_64_bit_tables(name, paging):
    ours = assert_same([program(name, "32")], paging=paging)
    assert not ours.unknown


def test_a_64_bit_shell_starts_32_bit_programs():
    assert_same(["/bin/bash", "-c", SCRIPT.replace("{program}", program("hello", "32"))])


def test_a_32_bit_program_starts_64_bit_ones_and_itself():
    assert_same([compile_text(EXECUTES, "executes-32", *FLAVOURS["32"])], paging="x86_64")


def test_a_64_bit_program_on_32_bit_tables_is_refused_with_a_reason():
    text = '#include "say.h"\nint main(void) { say_result("true", execl("/bin/true", "true", (char *)0)); return 0; }'
    ours = run_on_ours([compile_text(text, "refused-32", *FLAVOURS["32"])], paging="pae")
    assert ours.outcome.stdout == b"true: ENOEXEC\n"
    assert "/bin/true is not executed: a 64-bit program needs x86_64 or la57 paging, not pae" in ours.crashes[0]
    assert "--paging x86_64 has both kinds" in ours.crashes[0]


def test_maps_of_a_32_bit_program_end_below_4_gib():
    text = """
#include "say.h"
int main(void) {
    char *high = 0;
    for (int i = 0; i < 20; i++) {
        char *at = mmap(0, 100 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED)
            return 1;
        high = at > high ? at : high;
    }
    say("stack above 3 GiB %d, maps above 2 GiB %d\\n", (uintptr_t)&high > 0xc0000000, (uintptr_t)high > 0x80000000);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    say_result("at the top", (long)mmap((void *)0xffffe000, 4096, PROT_READ, flags | MAP_FIXED, -1, 0));
    say_result("all of it", (long)mmap(0, 0xfffff000, PROT_READ, flags, -1, 0));
    return 0;
}
"""
    assert_same([compile_text(text, "maps-32", *FLAVOURS["32"])], paging="x86_64")
