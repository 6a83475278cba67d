/* What a process does that checks code with privileged instructions: the virtual CPU does them; any other trap ends it.
 * Also part of the reproducers of such code. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef TRAP_ENDS
#define TRAP_ENDS(number, info, context) ((void)0)
#define TRAP_HALTS(context) (printf("halts with interrupts off, or for ever\n"), fflush(stdout), _exit(1))
#endif

static void trap(int number, siginfo_t *info, void *context)
{
    cpu_give_thread();
    if (number == SIGILL || (number == SIGSEGV && info->si_code == SI_KERNEL)) {
        enum cpu_answer answer = cpu_step(context);
        if (answer == CPU_DONE)
            return;
        if (answer == CPU_HALTED)
            TRAP_HALTS(context);
    }
    TRAP_ENDS(number, info, context);
    signal(number, SIG_DFL);
    raise(number);
}

static void catch_traps(void)
{
    static char stack[1 << 16];
    static const int numbers[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS };
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction action = { .sa_sigaction = trap, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    sigaltstack(&alternate, NULL);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
    cpu_start();
}
