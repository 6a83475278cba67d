// Handlers: what they see, what they change, where they run, what survives them.
#include "say.h"
#include <math.h>
static int count;
static sigset_t at_start;
static void tell_mask(const char *what) {
    sigset_t set;
    sigprocmask(SIG_BLOCK, 0, &set);
    say("  %s blocks", what);
    for (int s = 1; s < 65; s++)
        if (sigismember(&set, s) == 1)
            say(" %d", s);
    say("\n");
}
static void plain(int signal) {
    say("  plain %d\n", signal);
    tell_mask("plain");
}
static void full(int signal, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    say("  full %d code %d pid %d uid %d\n", signal, info->si_code, info->si_pid == getpid(), info->si_uid == getuid());
    tell_mask("full");
    say("  saved mask has 12: %d\n", sigismember(&uc->uc_sigmask, 12));
    sigaddset(&uc->uc_sigmask, SIGHUP);
}
static void nested(int signal, siginfo_t *info, void *context) {
    int level = ++count;
    say("  nested enters %d signal %d\n", level, signal);
    if (signal == SIGUSR1 && level < 3)
        raise(SIGUSR2);
    if (signal == SIGUSR2 && level < 3)
        raise(SIGUSR1);
    say("  nested leaves %d\n", level);
}
static void self(int signal, siginfo_t *info, void *context) {
    if (++count < 4)
        raise(signal);
    say("  self %d\n", count);
}
static char alternate[1 << 16];
static void where(int signal, siginfo_t *info, void *context) {
    char here;
    stack_t stack;
    sigaltstack(0, &stack);
    ucontext_t *uc = context;
    int inside = &here >= alternate && &here < alternate + sizeof alternate;
    say("  on alternate %d, flags %d size %ld, frame's stack flags %d size %ld\n", inside, stack.ss_flags,
        (long)stack.ss_size, uc->uc_stack.ss_flags, (long)uc->uc_stack.ss_size);
    stack_t other = {.ss_sp = alternate, .ss_size = 8192};
    say_result("  change it now", sigaltstack(&other, 0));
    if (count++ == 0)
        raise(SIGUSR1);
}
static void edit(int signal, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
#ifdef __x86_64__
    uc->uc_mcontext.gregs[REG_RBX] = 0x1234567890;
    uc->uc_mcontext.gregs[REG_R12] = 77;
#else
    uc->uc_mcontext.gregs[REG_EBX] = 0x12345678;
    uc->uc_mcontext.gregs[REG_ESI] = 77;
#endif
    uc->uc_mcontext.gregs[REG_EFL] |= 1; /* carry */
}
static void floats(int signal, siginfo_t *info, void *context) {
    volatile double x = 3.0;
    volatile long double y = 5.0L;
    for (int i = 0; i < 20; i++)
        x = sqrt(x) + i, y = y / 3 + i;
#ifdef __x86_64__
    __asm__ volatile("pxor %%xmm0,%%xmm0; pxor %%xmm7,%%xmm7; pxor %%xmm15,%%xmm15" ::: "xmm0", "xmm7", "xmm15");
#else
    __asm__ volatile("pxor %%xmm0,%%xmm0; pxor %%xmm7,%%xmm7" ::: "memory");
#endif
    unsigned control = 0x1f80 | 0x6000;
    __asm__ volatile("ldmxcsr %0" ::"m"(control));
    unsigned short word = 0x0f7f;
    __asm__ volatile("fldcw %0" ::"m"(word));
}
static sigjmp_buf out;
static void jump(int signal) { siglongjmp(out, ++count); }
static void elsewhere(void) {
    say("  elsewhere\n");
    _exit(5);
}
static void redirect(int signal, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
#ifdef __x86_64__
    uc->uc_mcontext.gregs[REG_RIP] = (long)elsewhere;
    uc->uc_mcontext.gregs[REG_RSP] = (uc->uc_mcontext.gregs[REG_RSP] & -16) - 1032;
#else
    uc->uc_mcontext.gregs[REG_EIP] = (long)elsewhere;
    uc->uc_mcontext.gregs[REG_ESP] = (uc->uc_mcontext.gregs[REG_ESP] & -16) - 1028;
#endif
}
static void redirected(void) {
    handle(SIGUSR1, redirect, 0);
    raise(SIGUSR1);
    say("  not here\n");
}
static void step_trap(int signal, siginfo_t *info, void *context) {
    count++;
    if (count == 1)
        say("  trap code %d\n", info->si_code);
}

int main(void) {
    struct sigaction action = {.sa_handler = plain};
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGTERM);
    sigaddset(&action.sa_mask, SIGKILL);
    sigaddset(&action.sa_mask, 40);
    sigaction(SIGUSR1, &action, 0);
    raise(SIGUSR1);
    tell_mask("after");
    handle(SIGUSR1, full, 0);
    raise(SIGUSR1);
    tell_mask("after an edited mask");
    sigset_t empty;
    sigemptyset(&empty);
    sigprocmask(SIG_SETMASK, &empty, 0);
    say("SA_RESETHAND\n");
    handle(SIGUSR1, full, SA_RESETHAND);
    raise(SIGUSR1);
    sigprocmask(SIG_SETMASK, &empty, 0);
    sigaction(SIGUSR1, 0, &action);
    say("  handler is default: %d flags %x\n", action.sa_handler == SIG_DFL, action.sa_flags & 0xfffffff7 & ~0x04000000);
    say("nested\n");
    handle(SIGUSR1, nested, 0);
    handle(SIGUSR2, nested, 0);
    raise(SIGUSR1);
    say("SA_NODEFER\n");
    count = 0;
    handle(SIGUSR1, self, SA_NODEFER);
    raise(SIGUSR1);
    say("deferred\n");
    count = 0;
    handle(SIGUSR1, self, 0);
    raise(SIGUSR1);
    say("alternate stack\n");
    count = 0;
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate}, old;
    say_result("sigaltstack", sigaltstack(&stack, &old));
    say("old flags %d\n", old.ss_flags);
    handle(SIGUSR1, where, SA_ONSTACK | SA_NODEFER);
    raise(SIGUSR1);
    stack.ss_size = 100;
    say_result("too small", sigaltstack(&stack, 0));
    stack.ss_flags = 55;
    say_result("bad flags", sigaltstack(&stack, 0));
    stack.ss_flags = SS_DISABLE;
    say_result("disable", sigaltstack(&stack, 0));
    sigaltstack(0, &old);
    say("flags %d size %ld\n", old.ss_flags, (long)old.ss_size);
    stack = (stack_t){.ss_sp = alternate, .ss_size = sizeof alternate, .ss_flags = 1u << 31};
    say_result("autodisarm", sigaltstack(&stack, 0));
    count = 0;
    handle(SIGUSR1, where, SA_ONSTACK | SA_NODEFER);
    raise(SIGUSR1);
    sigaltstack(0, &old);
    say("after autodisarm flags %x size %ld\n", old.ss_flags, (long)old.ss_size);

    say("registers\n");
    handle(SIGUSR1, edit, 0);
    long first, second, carry;
    pid_t self_pid = getpid();
#ifdef __x86_64__
    __asm__ volatile("xor %%r12d, %%r12d; mov $1, %%ebx; clc; syscall; mov %%rbx, %0; mov %%r12, %1; setc %%al; movzx %%al, %%rax; mov %%rax, %2"
                     : "=&m"(first), "=&m"(second), "=&m"(carry)
                     : "a"(62), "D"(self_pid), "S"(SIGUSR1)
                     : "rbx", "r12", "rcx", "r11", "memory");
#else
    __asm__ volatile("push %%ebx; push %%esi; mov %%edi, %%ebx; clc; int $0x80; setc %%al; movzx %%al, %%eax; mov %%ebx, %%ecx; mov %%esi, %%edx; pop %%esi; pop %%ebx"
                     : "=c"(first), "=d"(second), "=a"(carry)
                     : "a"(37), "D"(self_pid), "c"(SIGUSR1)
                     : "memory");
#endif
    say("  %lx %ld carry %ld\n", first, second, carry);

    say("floating point\n");
    handle(SIGUSR1, floats, 0);
    double four[2] = {1.25, -7.5}, four_after[2];
    long double stacked;
    unsigned mxcsr;
    unsigned short fcw;
#ifdef __x86_64__
    __asm__ volatile("movupd %3, %%xmm7; fldpi; syscall; movupd %%xmm7, %0; fstpt %1; stmxcsr %2; fnstcw %6"
                     : "=m"(four_after), "=m"(stacked), "=m"(mxcsr)
                     : "m"(four), "a"(62), "D"(self_pid), "m"(fcw), "S"(SIGUSR1)
                     : "rcx", "r11", "memory", "xmm7");
#else
    __asm__ volatile("push %%ebx; mov %%edi, %%ebx; int $0x80; pop %%ebx" : : "a"(20), "D"(0) : "memory");
    __asm__ volatile("movupd %0, %%xmm7; fldpi" : : "m"(four));
    __asm__ volatile("push %%ebx; mov %%edi, %%ebx; int $0x80; pop %%ebx" : : "a"(37), "D"(self_pid), "c"(SIGUSR1) : "memory");
    __asm__ volatile("movupd %%xmm7, %0; fstpt %1; stmxcsr %2; fnstcw %3" : "=m"(four_after), "=m"(stacked), "=m"(mxcsr), "=m"(fcw));
#endif
    say("  %g %g %.6Lf mxcsr %x control %x\n", four_after[0], four_after[1], stacked, mxcsr & 0xffc0, fcw);

    say("siglongjmp\n");
    count = 0;
    struct sigaction jumping = {.sa_handler = jump};
    sigemptyset(&jumping.sa_mask);
    sigaction(SIGUSR1, &jumping, 0);
    int times = sigsetjmp(out, 1);
    say("  back %d\n", times);
    if (times < 3)
        raise(SIGUSR1);
    tell_mask("after siglongjmp");
    in_child("redirected", redirected);

    say("single step\n");
    count = 0;
    handle(SIGTRAP, step_trap, 0);
#ifdef __x86_64__
    __asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop; nop; pushfq; andl $~0x100, (%%rsp); popfq" ::: "memory", "cc");
#else
    __asm__ volatile("pushf; orl $0x100, (%%esp); popf; nop; nop; nop; pushf; andl $~0x100, (%%esp); popf" ::: "memory", "cc");
#endif
    say("  stepped %d\n", count);
    return 0;
}
