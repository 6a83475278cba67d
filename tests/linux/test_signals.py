"""Signals: what handlers see and change, what kills, what pends, what children tell. Native and ours are equal."""

import pytest
from guests import FLAVOURS, PAGING, assert_same, compile_text, program

PROGRAMS = ("fault_signals", "fault_deaths", "signal_frames", "signal_queues", "signal_calls", "child_signals",
            "privileged")  # fmt: skip


@pytest.mark.parametrize("flavour", ["64", "32"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_signals_are_those_of_linux(name, flavour):
    ours = assert_same([program(name, flavour)], paging=PAGING[flavour])
    assert not ours.unknown


RED_ZONE = r"""
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
static void handler(int signal) { volatile char room[64] = {(char)signal}; (void)room; }
int main(void) {
    long got, pid = getpid();
    signal(SIGUSR1, handler);
    __asm__ volatile("movq $0x1234567, -128(%%rsp)\n\tmovq $0x89, -8(%%rsp)\n\t"
                     "mov $10, %%esi\n\tmov $62, %%eax\n\tsyscall\n\t"
                     "movq -128(%%rsp), %0\n\tadd -8(%%rsp), %0"
                     : "=r"(got) : "D"(pid) : "rsi", "rax", "rcx", "r11", "memory");
    printf("%lx\n", got);
}
"""


def test_a_handler_leaves_the_red_zone_below_the_stack_as_it_was():
    assert_same([compile_text(RED_ZONE, "red-zone", *FLAVOURS["64"])])
