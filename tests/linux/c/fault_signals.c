// SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP: numbers, codes, addresses; handlers that mend the cause and go on.
#include "say.h"
#include <pthread.h>
static sigjmp_buf back;
static char *base;
static void *volatile target;
static int fix;

static void tell(int signal, siginfo_t *info, void *context) {
    char *address = info->si_addr;
    ucontext_t *uc = context;
    long offset = address - base;
    if (address == 0 || offset < -(1 << 24) || offset > (1 << 24))
        say("  signal %d code %d address %#lx", signal, info->si_code, (unsigned long)address & 0xffff0000ffffffff);
    else
        say("  signal %d code %d address base+%ld", signal, info->si_code, offset);
    say(" errno %d trap %lld error %llx\n", info->si_errno, (long long)uc->uc_mcontext.gregs[REG_TRAPNO],
        (long long)uc->uc_mcontext.gregs[REG_ERR]);
    siglongjmp(back, 1);
}
#define TRY(what, ...)                                                                                                 \
    do {                                                                                                               \
        say("%s\n", what);                                                                                             \
        if (!sigsetjmp(back, 1)) {                                                                                     \
            __VA_ARGS__;                                                                                               \
            say("  went on\n");                                                                                        \
        }                                                                                                              \
    } while (0)

static int mends;
static void mend(int signal, siginfo_t *info, void *context) {
    long offset = (char *)info->si_addr - base;
    mends++;
    say("  mend: code %d base+%ld\n", info->si_code, offset);
    if (fix == 0)
        mprotect((void *)((uintptr_t)info->si_addr & -4096), 4096, PROT_READ | PROT_WRITE);
    else
        mmap((void *)((uintptr_t)info->si_addr & -4096), 4096, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void again(int signal, siginfo_t *info, void *context) {
    say("  again: code %d\n", info->si_code);
    ucontext_t *uc = context;
#ifdef __x86_64__
    uc->uc_mcontext.gregs[REG_RIP] += 2; /* ud2 and int are two bytes long */
#else
    uc->uc_mcontext.gregs[REG_EIP] += 2;
#endif
}

int main(void) {
    base = mmap(0, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(base + 8 * 4096, 8 * 4096);
    int all[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (int i = 0; i < 5; i++)
        handle(all[i], tell, 0);
    volatile char *p = base;
    TRY("read unmapped", (void)p[8 * 4096 + 17]);
    TRY("write unmapped", p[8 * 4096 + 5] = 1);
    TRY("null", *(volatile int *)0 = 1);
    TRY("null read at 24", (void)*(volatile int *)24);
    mprotect(base, 4096, PROT_READ);
    TRY("write read-only", p[100] = 1);
    mprotect(base, 4096, PROT_NONE);
    TRY("read none", (void)p[101]);
    TRY("word across into none", (void)*(volatile long *)(base + 8 * 4096 - 3));
    mprotect(base, 8 * 4096, PROT_READ | PROT_WRITE);
    p[4096] = 0x90;
    TRY("call data", ((void (*)(void))(base + 4096))());
    TRY("call unmapped", ((void (*)(void))(base + 9 * 4096))());
    TRY("call null", ((void (*)(void))0)());
    TRY("write code", *(volatile char *)main = 0);
#ifdef __x86_64__
    TRY("non-canonical", (void)*(volatile char *)0x8000000000000000ull);
    TRY("kernel address", (void)*(volatile char *)0xffffffff81000000ull);
#endif
    char name[] = "/tmp/coalmm-XXXXXX";
    int fd = mkstemp(name);
    unlink(name);
    ftruncate(fd, 5000);
    char *file = mmap(0, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *old = base;
    base = file;
    TRY("file tail", file[4999] = 1);
    TRY("past the end in the last page", file[8000] = 1);
    TRY("past the end", file[8192 + 3] = 1);
    TRY("read past the end", (void)*(volatile char *)(file + 8192));
    ftruncate(fd, 0);
    TRY("after truncate", (void)*(volatile char *)(file + 12));
    base = old;
    TRY("divide by zero", volatile int a = 1, b = 0; a / b);
    TRY("divide overflow", volatile int a = -2147483647 - 1, b = -1; a / b);
    TRY("ud2", __asm__ volatile("ud2"));
    TRY("int3", __asm__ volatile("int3"));
    TRY("int 0x10", __asm__ volatile("int $0x10"));
    TRY("hlt", __asm__ volatile("hlt"));
    TRY("cli", __asm__ volatile("cli"));
    TRY("mov cr3", __asm__ volatile(
#ifdef __x86_64__
        "mov %%cr3, %%rax" ::: "rax"
#else
        "mov %%cr3, %%eax" ::: "eax"
#endif
        ));
    TRY("rdmsr", __asm__ volatile("rdmsr" ::: "eax", "ecx", "edx"));
    handle(SIGSEGV, mend, 0);
    fix = 0;
    mprotect(base, 2 * 4096, PROT_READ);
    p[7] = 3;
    say("mended by mprotect: %d, %d times\n", p[7], mends);
    fix = 1;
    p[9 * 4096 + 9] = 4;
    say("mended by mmap: %d, %d times\n", p[9 * 4096 + 9], mends);
    *(volatile long long *)(base + 4096 - 4) = 0x1122334455667788;
    say("mended across pages: %llx, %d times\n", *(volatile long long *)(base + 4096 - 4), mends);
    handle(SIGILL, again, 0);
    __asm__ volatile("ud2");
    say("behind ud2\n");
    return 0;
}
