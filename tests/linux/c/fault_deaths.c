// Faults that kill: without a handler, with the signal blocked or ignored, on a stack that cannot take the frame.
#include "say.h"
static volatile int zero;
static void segv(void) { *(volatile int *)8 = 1; }
static void fpe(void) { volatile int one = 1; zero = one / zero; }
static void ill(void) { __asm__ volatile("ud2"); }
static void trap(void) { __asm__ volatile("int3"); }
static void abort_(void) { abort(); }
static void blocked(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    sigprocmask(SIG_BLOCK, &set, 0);
    segv();
}
static void ignored(void) {
    signal(SIGSEGV, SIG_IGN);
    segv();
}
static void again(int signal, siginfo_t *info, void *context) {
    say("  once\n");
    segv();
}
static void nested_same(void) {
    handle(SIGSEGV, again, 0);
    segv();
}
static void bad_stack(void) {
    handle(SIGUSR1, again, 0);
#ifdef __x86_64__
    __asm__ volatile("mov $16, %%rsp; mov $39, %%eax; syscall; mov %%eax, %%edi; mov $10, %%esi; mov $62, %%eax; syscall; ud2" ::: "memory");
#else
    __asm__ volatile("mov $16, %%esp; mov $20, %%eax; int $0x80; mov %%eax, %%ebx; mov $10, %%ecx; mov $37, %%eax; int $0x80; ud2" ::: "memory");
#endif
}
static int depth(int n) {
    volatile char room[2000];
    room[n % 2000] = n;
    return depth(n + 1) + room[n % 2000];
}
static void overflow(void) { depth(0); }
static char alternate[1 << 16];
static void on_alternate(int signal, siginfo_t *info, void *context) {
    char here;
    say("  overflow: signal %d code %d, on the alternate stack: %d\n", signal, info->si_code,
        &here >= alternate && &here < alternate + sizeof alternate);
    _exit(7);
}
static void overflow_alternate(void) {
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    sigaltstack(&stack, 0);
    handle(SIGSEGV, on_alternate, SA_ONSTACK);
    depth(0);
}
static void deep_alternate(int signal, siginfo_t *info, void *context) { depth(0); }
static void overflow_of_alternate(void) {
    char *low = mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(low, 4096, PROT_NONE);
    stack_t stack = {.ss_sp = low + 4096, .ss_size = (1 << 16) - 4096};
    sigaltstack(&stack, 0);
    handle(SIGSEGV, deep_alternate, SA_ONSTACK);
    segv();
}
static void garbage_return(void) {
#ifdef __x86_64__
    char *area = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(area, 0x5a, 8192);
    __asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall; ud2" ::"r"(area + 64));
#else
    char *area = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(area, 0x5a, 8192);
    __asm__ volatile("mov %0, %%esp; mov $173, %%eax; int $0x80; ud2" ::"r"(area + 64));
#endif
}
static void return_from_nowhere(void) {
#ifdef __x86_64__
    __asm__ volatile("mov $4096, %%esp; mov $15, %%eax; syscall; ud2" ::: "memory");
#else
    __asm__ volatile("mov $4096, %%esp; mov $119, %%eax; int $0x80; ud2" ::: "memory");
#endif
}
static void quit(void) { raise(SIGQUIT); }
static void term(void) { raise(SIGTERM); }
static void kill_(void) { kill(getpid(), SIGKILL); }
static void rt(void) { raise(SIGRTMIN + 3); }
static void child_signal(void) { raise(SIGCHLD); raise(SIGURG); raise(SIGWINCH); raise(SIGCONT); }
static void nx(void) {
    char code[16] __attribute__((aligned(16)));
    memset(code, 0xc3, 16);
    ((void (*)(void))code)();
}
int main(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    in_child("SIGSEGV", segv);
    in_child("SIGFPE", fpe);
    in_child("SIGILL", ill);
    in_child("SIGTRAP", trap);
    in_child("abort", abort_);
    in_child("blocked SIGSEGV", blocked);
    in_child("ignored SIGSEGV", ignored);
    in_child("SIGSEGV in its handler", nested_same);
    in_child("no stack for the frame", bad_stack);
    in_child("stack overflow", overflow);
    in_child("stack overflow with an alternate stack", overflow_alternate);
    in_child("overflow of the alternate stack", overflow_of_alternate);
    in_child("sigreturn from garbage", garbage_return);
    in_child("sigreturn from nowhere", return_from_nowhere);
    in_child("SIGQUIT", quit);
    in_child("SIGTERM", term);
    in_child("SIGKILL", kill_);
    in_child("real-time signal", rt);
    in_child("ignored by default", child_signal);
    in_child("execute the stack", nx);
    return 0;
}
