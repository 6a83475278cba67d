// Instructions that programs may not do, and ones that are none: the signal, its code, and where the program is then.
#include "say.h"
#ifdef __x86_64__
#define AT(context) (context)->uc_mcontext.gregs[REG_RIP]
#else
#define AT(context) (context)->uc_mcontext.gregs[REG_EIP]
#endif
static sigjmp_buf back;
static volatile long code, address, trap, error, at;
static volatile unsigned long accumulator;
static char *here;
static void hit(int signal, siginfo_t *info, void *pointer) {
    ucontext_t *context = pointer;
    code = info->si_code, address = (long)info->si_addr - (long)here;
    trap = context->uc_mcontext.gregs[REG_TRAPNO], error = context->uc_mcontext.gregs[REG_ERR];
    at = AT(context) - (long)here;
#ifdef __x86_64__
    accumulator = context->uc_mcontext.gregs[REG_RAX];
#else
    accumulator = context->uc_mcontext.gregs[REG_EAX];
#endif
    if (info->si_code == SI_KERNEL)
        address = 0;
    siglongjmp(back, signal);
}
static unsigned char instructions[][4] = {
    /* in, out and their kin */
    {0xe4, 0x60}, {0xe5, 0x60}, {0x66, 0xe5, 0x60}, {0xec}, {0xed}, {0x66, 0xed}, {0xe6, 0x80}, {0xe7, 0x80},
    {0xee}, {0xef}, {0x6c}, {0x6d}, {0x6e}, {0x6f}, {0xf3, 0x6c}, {0xf3, 0x6e},
    /* cli, sti, hlt, clts, invd, wbinvd, wrmsr, rdmsr, control and debug registers */
    {0xfa}, {0xfb}, {0xf4}, {0x0f, 0x06}, {0x0f, 0x08}, {0x0f, 0x09}, {0x0f, 0x30}, {0x0f, 0x32}, {0x0f, 0x20, 0xc0},
    {0x0f, 0x22, 0xc0}, {0x0f, 0x21, 0xc0}, {0x0f, 0x23, 0xc0},
    /* swapgs, invlpg, lgdt, lidt, lldt, ltr, lmsw, rdpmc, sysret, sysexit */
    {0x0f, 0x01, 0xf8}, {0x0f, 0x01, 0x38}, {0x0f, 0x01, 0x17}, {0x0f, 0x01, 0x1f}, {0x0f, 0x00, 0x17},
    {0x0f, 0x00, 0x1f}, {0x0f, 0x01, 0xf0}, {0x0f, 0x33}, {0x0f, 0x07}, {0x0f, 0x35},
    /* int1, rsm, ud2 */
    {0xf1}, {0x0f, 0xaa}, {0x0f, 0x0b},
};
int main(void) {
    static char data[64];
    here = mmap(0, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int signal = SIGILL; signal <= SIGSEGV; signal++)
        if (signal != SIGKILL)
            handle(signal, hit, SA_NODEFER);
    for (unsigned i = 0; i < sizeof instructions / 4; i++) {
        int size = 4;
        while (size > 1 && !instructions[i][size - 1])
            size--;
        memset(here, 0xc3, 64);
        memcpy(here, instructions[i], size);
        memcpy(here + size, "\x40\xc3", 2); /* 32-bit: inc eax; 64-bit: rex ret */
        for (int k = 0; k < size; k++)
            say("%02x ", instructions[i][k]);
        int signal = sigsetjmp(back, 1);
        if (!signal) {
            long count = 1, port = 0x80, value = 0x12345678;
            char *to = data, *from = data;
            __asm__ volatile("call *%5"
                             : "+c"(count), "+d"(port), "+a"(value), "+D"(to), "+S"(from)
                             : "b"(here)
                             : "memory", "cc");
            say("no signal\n");
        } else
            say("signal %d code %ld address %ld trap %ld error %ld at %ld eax %lx\n", signal, code, address, trap, error,
                at, accumulator);
    }
    return 0;
}
